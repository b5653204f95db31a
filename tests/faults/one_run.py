"""A script that logs one run and ends, under a tracer that fails one of its system calls.

Run as ``python one_run.py BOARD MODULES``, from a copy in a folio. What a run imports on its way is imported before the tracer looks: a
library that cannot be read is not what this is about. Each call that returned is said on a `tests.faults.board.Board`.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import runfolio
from tests.faults.board import Board

CAUGHT = 40
"""Exit code of a script that caught an error of ours."""


def log(board: Board) -> None:
    """Log one run call by call."""
    run_id = runfolio.start_run(run_name="one").info.run_id
    board.say("start", run_id)
    runfolio.log_param("depth", 5)
    board.say("p", run_id, "depth", "5")
    for step in range(3):
        runfolio.log_metric("loss", 0.5, step=step)
        board.say("m", run_id, "loss", 0.5, step)
    runfolio.set_tag("team", "blue")
    board.say("t", run_id, "team", "blue")
    runfolio.log_text("hello", "notes/a.txt")
    board.say("a", run_id, "notes/a.txt", "hello")
    runfolio.end_run()
    board.say("end", run_id, "FINISHED")


def main(board: Board, modules: list[str]) -> None:
    """Wait for the tracer, log, and end as a script ends."""
    for name in modules:
        importlib.import_module(name)
    print(os.getpid(), flush=True)
    board.wait()
    try:
        log(board)
    except runfolio.exceptions.RunfolioError as error:
        print(f"refused: {type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(CAUGHT) from None


if __name__ == "__main__":
    main(Board(Path(sys.argv[1])), sys.argv[2].split(",") if sys.argv[2] else [])
