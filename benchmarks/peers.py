"""The peers' own virtual environments, and a PostgreSQL on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("RUNFOLIO_BENCHMARK_CACHE", Path.home() / ".cache" / "runfolio-benchmarks"))
PACKAGES = {
    # 2.22.0 as it is published resolves a SQLAlchemy and a FastAPI that it cannot work with: these pins make it run.
    "mlflow": ["mlflow==2.22.0", "sqlalchemy<2.1", "scikit-learn<1.7", "pandas<3", "fastapi==0.115.12", "psycopg2-binary"],
    "mlflow-optuna": [
        "mlflow==2.22.0",
        "sqlalchemy<2.1",
        "scikit-learn<1.7",
        "pandas<3",
        "fastapi==0.115.12",
        "optuna>=5",
        "optuna-integration>=5",
    ],
    "dvc": ["dvc", "dvclive"],
    "asv": ["asv==0.6.6"],
    # With which MLflow makes the environments of projects; pyenv, by which it finds Pythons, is the user's to have.
    "virtualenv": ["virtualenv"],
}


def python_of(peer: str) -> Path:
    """Return the Python of a peer's environment, made at its first use."""
    python = CACHE / peer / "bin" / "python"
    if not python.exists():
        print(f"installing {peer} into {CACHE / peer}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(CACHE / peer)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES[peer]], check=True)
    return python


def mlflow_apart() -> Path:
    """Return a folder with MLflow that our own Python can see: for trainings with the very same frameworks on both sides."""
    named = os.environ.get("RUNFOLIO_MLFLOW")
    folder = Path(named) if named else CACHE / "mlflow-apart"
    if not (folder / "mlflow").is_dir():
        print(f"installing MLflow into {folder}", file=sys.stderr)
        packages = ["mlflow-skinny==2.22.0", "fastapi==0.115.12"]
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), *packages], check=True)
    return folder


def postgres_folder() -> Path | None:
    """Return the folder of PostgreSQL's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def postgres() -> Iterator[str | None]:
    """Yield the URL of a PostgreSQL that lives as long as the block; None where it is not installed."""
    programs = postgres_folder()
    if programs is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="runfolio-pg-"))
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres", "postgres")
    folder.chmod(0o700)
    run = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*user, str(programs / "initdb"), "-A", "trust", "-U", "mlflow", "-D", str(folder / "data")], **run)
    options = f"-p 54329 -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    subprocess.run([*user, str(programs / "pg_ctl"), "-w", "-D", str(folder / "data"), "-o", options, "start"], **run)
    try:
        yield "postgresql://mlflow@127.0.0.1:54329/postgres"
    finally:
        subprocess.run([*user, str(programs / "pg_ctl"), "-m", "immediate", "-D", str(folder / "data"), "stop"], **run)
        shutil.rmtree(folder, ignore_errors=True)
