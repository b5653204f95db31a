"""Databases that MLflow writes to and that are no file: PostgreSQL, MariaDB; each lives as long as its block.

The databases are Debian's (``postgresql``, ``mariadb-server``), in folders of their own, run by their own users where the tests are root's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.objects.s3 import free_ports

WAIT_S = 120


def _as(user: str) -> list[str]:
    """Return what a command starts with so that it is not root's: neither database runs as root."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if os.geteuid() == 0 else []


@contextmanager
def _folder(user: str) -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="runfolio-db-"))
    if os.geteuid() == 0:
        shutil.chown(made, user, user)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield the address of a PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is missing (Debian: postgresql): imports from it are not tested")
    programs, quiet = found[-1].parent, {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
    with _folder("postgres") as folder:
        data = str(folder / "data")
        subprocess.run([*_as("postgres"), str(programs / "initdb"), "-A", "trust", "-U", "mlflow", "-D", data], **quiet)  # type: ignore[call-overload]
        [port] = free_ports(1)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = [*_as("postgres"), str(programs / "pg_ctl"), "-D", data]
        subprocess.run([*control, "-w", "-l", str(folder / "log"), "-o", options, "start"], **quiet)  # type: ignore[call-overload]
        try:
            yield f"postgresql://mlflow@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)  # type: ignore[call-overload]


@contextmanager
def mariadb() -> Iterator[str]:
    """Yield the address of a MariaDB."""
    server, maker = shutil.which("mariadbd", path="/usr/sbin:/usr/bin"), shutil.which("mariadb-install-db")
    if server is None or maker is None:
        pytest.skip("MariaDB is missing (Debian: mariadb-server): imports from it are not tested")
    with _folder("mysql") as folder:
        data, socket = [f"--datadir={folder}/data", f"--tmpdir={folder}"], folder / "socket"
        subprocess.run(
            [*_as("mysql"), maker, "--no-defaults", *data, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, stdout=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        made = folder / "made.sql"
        made.write_text("CREATE DATABASE mlflow;\n")
        made.chmod(0o644)
        process = subprocess.Popen(
            [*_as("mysql"), server, "--no-defaults", *data, f"--socket={socket}", "--skip-networking", f"--init-file={made}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        try:
            until = time.monotonic() + WAIT_S
            while not socket.exists():
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.05)
            yield f"mysql+pymysql://root@localhost/mlflow?unix_socket={socket}"
        finally:
            process.terminate()
            process.wait(WAIT_S)
