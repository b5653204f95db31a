"""A project run in a process of its own: what ``synchronous=False`` starts.

The request goes in as JSON on standard input. One line comes back on a pipe: that the run was started, or the error that kept it
from it. The process leads a session of its own, so that it goes on when its starter ends; a SIGTERM ends its command, and it seals the
run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from typing import Any

from runfolio.environments.missing import EnvironmentFailedError
from runfolio.errors import EXIT_BUG, RunfolioError, UsageError
from runfolio.projects.job import Request, run_request
from runfolio.projects.submitted import ExecutionException, ProcessRun
from runfolio.records import new_run_id
from runfolio.tracking.session import Session, session

_MANY_BYTES = 1 << 20


def start(held: Session, request: Request) -> ProcessRun:
    """Start a project in a process of its own; returns once its run is started.

    Raises
    ------
    RunfolioError
        What kept it from being started.
    """
    chosen = request if request.run_id else replace(request, new_run_id=new_run_id())
    reader, writer = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "runfolio.projects.worker", str(writer)],
            stdin=subprocess.PIPE, start_new_session=True, pass_fds=(writer,),
        )  # fmt: skip
    finally:
        os.close(writer)
    assert process.stdin is not None
    with process.stdin as sink:
        sink.write(json.dumps({"uri": held.uri, "location": held.location, "request": asdict(chosen)}).encode())
    with open(reader, "rb") as source:
        said = source.readline(_MANY_BYTES)
    told: dict[str, Any] = (
        json.loads(said) if said else {"error": "the process ended before the run was started", "code": EXIT_BUG}
    )
    if "error" in told:
        process.wait()
        raise _error(told)
    return ProcessRun(str(told["run_id"]), process)


def _error(told: dict[str, Any]) -> RunfolioError:
    code = int(told.get("code", 1))
    if code == UsageError.exit_code:
        return UsageError(told["error"])
    if code == EnvironmentFailedError.exit_code:
        return EnvironmentFailedError(told["error"])
    return ExecutionException(told["error"], code=code)


def main() -> int:
    """Run the project that standard input names."""
    said = json.loads(sys.stdin.buffer.read())
    pipe = os.fdopen(int(sys.argv[1]), "wb", buffering=0)
    os.set_inheritable(pipe.fileno(), False)

    def tell(**what: Any) -> None:
        if not pipe.closed:
            pipe.write(json.dumps(what).encode() + b"\n")
            pipe.close()

    try:
        ended = run_request(session(said["location"]), Request(**said["request"]), lambda run_id: tell(run_id=run_id))
    except RunfolioError as error:
        if pipe.closed:
            sys.stderr.write(f"runfolio: {error.message}\n")
        tell(error=error.message, code=error.exit_code)
        return error.exit_code
    return ended.code


if __name__ == "__main__":
    sys.exit(main())
