"""A Python that has imported MLflow, and forks for each program that a test runs: to import it is most of what these programs take.

``python warm.py`` in a test's process of its own reads one JSON object a line: ``argv`` as after ``python``, ``cwd``, ``env``, and the files
``stdout`` and ``stderr``. The program runs in a fork, as ``__main__``, with that folder, environment and output, and one line
with its exit code is the answer. What a test kills, and what is a user's script, runs in a Python of its own instead.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import signal
import sys
import threading
import traceback
from typing import Any, NoReturn


def run(argv: list[str]) -> None:
    """Run a program as ``python *argv`` would."""
    if argv[0] == "-c":
        sys.argv = ["-c", *argv[2:]]
        sys.path.insert(0, "")
        exec(compile(argv[1], "<string>", "exec"), sys.modules["__main__"].__dict__)
    elif argv[0] == "-m":
        sys.argv = argv[1:]
        sys.path.insert(0, "")
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = argv
        sys.path.insert(0, os.path.dirname(os.path.abspath(argv[0])))
        runpy.run_path(argv[0], run_name="__main__")


def forked(asked: dict[str, Any]) -> NoReturn:
    """Be the program's process from its start to its end."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for stream, name in ((0, os.devnull), (1, asked["stdout"]), (2, asked["stderr"])):
            file = os.open(name, os.O_RDWR | os.O_CREAT)
            os.dup2(file, stream)
            os.close(file)
        os.environ.clear()
        os.environ.update(asked["env"])
        os.chdir(asked["cwd"])
        try:
            run(asked["argv"])
            code = 0
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 0 if ending.code is None else 1
            if isinstance(ending.code, str):
                print(ending.code, file=sys.stderr)
        except BaseException:  # noqa: BLE001 - as an interpreter does
            traceback.print_exc()
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def main() -> None:
    """Serve until nobody asks any more."""
    import mlflow
    import mlflow.store.tracking.sqlalchemy_store

    assert mlflow.__version__
    answers = os.fdopen(os.dup(1), "w")
    del sys.path[0]  # the folder of this file
    print("ready", file=answers, flush=True)
    for line in iter(sys.stdin.readline, ""):
        asked = json.loads(line)
        child = os.fork()
        if not child:
            forked(asked)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


if __name__ == "__main__":
    main()
