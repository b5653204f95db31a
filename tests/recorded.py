"""What the tests of recorded programs and collected runs share: ``runfolio`` as a program on PATH, and the runs of a folio."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from runfolio.folio import Folio, open_folio
from runfolio.query import Filter
from runfolio.records import Run, ViewType

SOURCE = "import sys; from runfolio.cli.main import main; sys.exit(main())"
EXAMPLES = Path(__file__).parent.parent / "examples" / "other-languages"


def shell_env(tmp_path: Path, **more: str) -> dict[str, str]:
    """Return an environment in which ``runfolio`` is the one under test."""
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    program = folder / "runfolio"
    if not program.exists():
        program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -W error -c '{SOURCE}' \"$@\"\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **more}


def start(folder: Path, env: Mapping[str, str], *args: str, own_group: bool = False) -> subprocess.Popen[str]:
    """Start ``runfolio`` with its output at hand."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SOURCE, *args],
        cwd=folder,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=own_group,
    )


def call(folder: Path, env: Mapping[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    """Run ``runfolio`` to its end."""
    process = start(folder, env, *args)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(args, process.returncode, out, err)


def runs_of(folder: Path) -> list[Run]:
    """Return the committed runs, oldest first."""
    folio = open_folio(folder)
    try:
        return sorted(folio.runs.search(Filter(), view=ViewType.ALL, limit=10_000), key=lambda run: run.run_id)
    finally:
        folio.close()


def only_run(folder: Path) -> Run:
    """Return the one run that there is."""
    (run,) = runs_of(folder)
    return run


def artifact(folder: Path, run: Run, path: str) -> bytes:
    """Return the bytes of an artifact."""
    folio: Folio = open_folio(folder)
    try:
        return folio.store.read(folio.runs.artifacts(run)[path].digest)
    finally:
        folio.close()
