"""The MLflows that tests of the door use: each in a folder that only the processes of a test see; ``.ci/test`` makes them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parents[2]


class Version(NamedTuple):
    """One MLflow."""

    name: str
    folder: str

    def env(self, **more: str) -> dict[str, str]:
        """Return the environment of a process that sees it."""
        source = [] if os.environ.get("RUNFOLIO_TEST_INSTALLED") else [str(HERE / "src")]
        paths = os.pathsep.join([self.folder, *source])
        quiet = {"PYTHONPATH": paths, "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        return {**os.environ, **quiet, "GIT_PYTHON_REFRESH": "quiet", **more}

    def run(self, *args: str, cwd: Path, timeout_s: float = 300, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a Python that sees it."""
        return subprocess.run(
            [sys.executable, "-W", "ignore", *args],
            cwd=cwd,
            env=self.env(**env),
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )

    def warm(self, *args: str, cwd: Path, timeout_s: float = 300, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a Python that has imported it already, as ``warm.py`` says."""
        if self not in _warm or _warm[self].poll() is not None:
            command = [sys.executable, "-W", "ignore", str(Path(__file__).parent / "warm.py")]
            _warm[self] = subprocess.Popen(
                command, env=self.env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            assert _answer(_warm[self], 120) == "ready", "MLflow could not be imported"
        process = _warm[self]
        assert process.stdin
        with tempfile.TemporaryDirectory() as folder:
            said = {stream: str(Path(folder, stream)) for stream in ("stdout", "stderr")}
            print(json.dumps({"argv": args, "cwd": str(cwd), "env": self.env(**env), **said}), file=process.stdin, flush=True)
            code = _answer(process, timeout_s)
            output = [Path(path).read_text("utf-8") for path in said.values()]
        return subprocess.CompletedProcess(args, int(code), *output)


_warm: dict[Version, subprocess.Popen[str]] = {}


def _answer(process: subprocess.Popen[str], timeout_s: float) -> str:
    assert process.stdout
    if not select.select([process.stdout], [], [], timeout_s)[0]:
        os.killpg(process.pid, signal.SIGKILL)  # with the fork that hangs
        raise subprocess.TimeoutExpired(process.args, timeout_s)
    return process.stdout.readline().strip()


VARIABLES = ("RUNFOLIO_WHOLE_MLFLOW", "RUNFOLIO_WHOLE_MLFLOW3")
VERSIONS = [Version(name, os.environ.get(variable, "")) for name, variable in zip(("2.22", "3"), VARIABLES, strict=True)]


def each_version() -> list[object]:
    """Return the versions as parameters of a test; one that is not there is skipped, and says so."""
    missing = "no whole MLflow in the folder that {} names"
    made = []
    for version, variable in zip(VERSIONS, VARIABLES, strict=True):
        there = Path(version.folder or "-", "mlflow", "server").is_dir() and Path(version.folder, "sqlalchemy").is_dir()
        marks = [] if there else [pytest.mark.skip(reason=missing.format(variable))]
        made.append(pytest.param(version, id=version.name, marks=marks))
    return made
