"""A gateway over a folio, in a process of its own, for as long as a test lasts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.gateway.versions import Version


@dataclass(frozen=True)
class Served:
    """A gateway that answers."""

    process: subprocess.Popen[str]
    uri: str
    token: str

    @property
    def env(self) -> dict[str, str]:
        """What a client needs to know."""
        return {"MLFLOW_TRACKING_URI": self.uri, "MLFLOW_TRACKING_TOKEN": self.token}

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(30)


@contextmanager
def gateway(version: Version, folio: Path, *options: str, program: Sequence[str] = ("-m", "runfolio")) -> Iterator[Served]:
    """Start a gateway and wait until it answers; at the end it is asked to end, and must do so in order.

    `program` says to Python how the command is started.
    """
    env = version.env()
    del env["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"]  # as a user starts it
    with open(folio.parent / "gateway.err", "w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", *program, "gateway", "--port", "0", *options],
            cwd=folio, env=env, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        said: dict[str, str] = {}
        for line in process.stdout:
            name, _, value = line.strip().removeprefix("export ").partition("=")
            said[name] = value
            if line.startswith("In a browser") or ("--no-token" in options and "MLFLOW_TRACKING_URI" in said):
                break
        try:
            errors.seek(0)
            assert "MLFLOW_TRACKING_URI" in said, errors.read()
            yield Served(process, said["MLFLOW_TRACKING_URI"], said.get("MLFLOW_TRACKING_TOKEN", ""))
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            code = process.wait(60)
            process.stdout.close()
        assert code in (0, -signal.SIGKILL, -signal.SIGTERM)
