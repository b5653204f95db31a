"""MLflow's own tracking server on loopback, files through its proxy, as long as its block; killed and started again where a test says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gateway.versions import Version
from tests.objects.s3 import free_ports

WAIT_S = 120


class MlflowServer:
    """A server of one MLflow; its database and its files lie in a folder.

    Parameters
    ----------
    version : Version
    folder : Path
    """

    def __init__(self, version: Version, folder: Path) -> None:
        self._version, self._folder = version, folder
        [self._port] = free_ports(1)
        self.uri = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [
            sys.executable, "-W", "ignore", "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self._port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self._folder}/server.db", "--artifacts-destination", str(self._folder / "files"),
        ]  # fmt: skip
        # MLflow 3's jobs need programs beside the server; a store is served without them.
        env = self._version.env(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
        with open(self._folder / "server.log", "ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, env=env, stdout=log, stderr=log, start_new_session=True)
        until = time.monotonic() + WAIT_S
        while not self._answers():
            said = (self._folder / "server.log").read_text(errors="replace")[-3000:]
            assert self._process.poll() is None and time.monotonic() < until, said
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        """Kill it with its workers, at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(WAIT_S)
            self._process = None


@contextmanager
def mlflow_server(version: Version, folder: Path) -> Iterator[MlflowServer]:
    """Yield a server that answers."""
    made = MlflowServer(version, folder)
    try:
        made.start()
        yield made
    finally:
        made.kill()
