"""A file recorded as a dataset beside ``dvc add``, and its description beside reading the file with pandas."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.places import clean_environment, folio

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting


def data(setting: Setting) -> Iterator[Row]:
    """CPU of recording a file: opaque bytes, and a table with its statistics."""
    from benchmarks.rows import Row, cpu_of

    bytes_, rows = setting.size(300, 50) << 20, setting.size(1_000_000, 100_000)
    mine = setting.folder / "data-ours"
    folio(mine, "process")
    _write(mine, bytes_, rows)
    add = [sys.executable, "-m", "runfolio", "data", "add"]
    opaque = cpu_of([*add, "large.bin"], mine)
    table = cpu_of([*add, "table.csv"], mine)
    again = cpu_of([sys.executable, "-m", "runfolio", "data", "status"], mine)
    plain = cpu_of([sys.executable, "-c", "import pandas; pandas.read_csv('table.csv').describe(include='all')"], mine)
    what = f"{bytes_ >> 20} MB recorded"
    if not setting.alone:
        python, theirs = peers.python_of("dvc"), setting.new("data-dvc")
        env = clean_environment(PATH=f"{python.parent}:{clean_environment()['PATH']}")
        for command in (["git", "init", "-q"], ["dvc", "init", "-q"]):
            subprocess.run(command, cwd=theirs, env=env, check=True, capture_output=True)
        _write(theirs, bytes_, 1)
        dvc = cpu_of([str(python.parent / "dvc"), "add", "-q", "large.bin"], theirs)
        yield Row(what, "`dvc add`", dvc / opaque, "", f"{opaque:.2f} s of CPU, SHA-256 and MD5")
        yield Row(
            "`data status`, nothing changed",
            "`dvc status`",
            cpu_of([str(python.parent / "dvc"), "status", "-q"], theirs) / again,
            "",
        )
    yield Row(
        f"a table of {rows:,} rows described",
        "pandas, all in memory",
        plain / table,
        "",
        f"{table:.1f} s of CPU, hashed and stored, too",
    )


def _write(folder: Path, size: int, rows: int) -> None:
    with (folder / "large.bin").open("wb") as file:
        for _ in range(size >> 20):
            file.write(os.urandom(1 << 20))
    source = random.Random(1)
    with (folder / "table.csv").open("w") as file:
        file.write("a,b,c,d,e\n")
        for number in range(rows):
            file.write(
                f"{number},{source.random():.6f},{source.gauss(0, 1):.6f},{source.choice(['red', 'white'])},{source.randint(0, 9)}\n"
            )
