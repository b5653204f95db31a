"""The command line in this process and in processes of its own, and a folio with a small sweep in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import runfolio
from runfolio.cli.main import main
from runfolio.tracking.session import forget_sessions


@dataclass(frozen=True)
class Done:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def run_cli(folio_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process, inside the folio."""
    monkeypatch.chdir(folio_dir)

    def call(*args: str) -> Done:
        capsys.readouterr()
        code = main(args)
        shown = capsys.readouterr()
        return Done(code, shown.out, shown.err)

    return call


def in_process(folder: Path, *args: str, **env: str) -> Done:
    """Run the command line in a process of its own."""
    program = "import sys; from runfolio.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *args],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def next_millisecond() -> None:
    """Let the clock go on: runs are listed by the millisecond of their start, and a short one takes less."""
    now = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == now:
        pass


@pytest.fixture
def sweep(folio_dir: Path) -> dict[str, str]:
    """Four runs of the experiment "Wine classification", the last with a child and one failed; run ids by name."""
    runfolio.set_tracking_uri(folio_dir)
    runfolio.set_experiment("Wine classification")
    ids: dict[str, str] = {}
    for depth in range(4):
        next_millisecond()
        with runfolio.start_run(run_name=f"try-{depth}") as run:
            ids[f"try-{depth}"] = run.info.run_id
            runfolio.log_params({"depth": depth, "solver": "lbfgs"})
            runfolio.log_metric("acc", 0.9 + depth / 100)
            for step in range(20):
                runfolio.log_metric("loss", 1 / (step + 1), step=step)
            runfolio.log_text(f"depth {depth}", "notes/depth.txt")
            if depth == 3:
                next_millisecond()
                with runfolio.start_run(nested=True, run_name="fold") as child:
                    ids["fold"] = child.info.run_id
                    runfolio.log_metric("acc", float("nan"))
                runfolio.end_run("FAILED")
    forget_sessions()
    return ids
