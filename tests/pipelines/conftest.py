"""A folio with a pipeline of three steps in plain shell, so that a step takes milliseconds.

``words`` sorts lines of raw.txt, ``count`` counts them (times a param), ``report`` joins both. Every step notes in ``ran.log`` that it ran.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command as Command
from tests.cli.conftest import run_cli as run_cli
from tests.conftest import git

PIPELINE = """\
name: words
params: {times: 2}
environment: none
steps:
  - name: words
    command: sh words.sh
    code: [words.sh]
    inputs: [raw.txt]
    outputs: [made/sorted.txt]
  - name: count
    command: sh count.sh {times}
    code: [count.sh]
    inputs: [words:made/sorted.txt]
    outputs: [count.txt]
  - name: report
    command: sh report.sh
    code: [report.sh]
    inputs: [made/sorted.txt, count.txt]
    outputs: [report]
"""
SCRIPTS = {
    "raw.txt": "b\na\n",
    "words.sh": "echo words >> ran.log\nsort raw.txt > made/sorted.txt\n",
    "count.sh": "echo count >> ran.log\necho $(($(wc -l < made/sorted.txt) * $1)) > count.txt\n",
    "report.sh": "echo report >> ran.log\nmkdir -p report\ncat made/sorted.txt count.txt > report/all.txt\necho done > report/note.txt\n",
    ".gitignore": "ran.log\nmade/\ncount.txt\nreport/\n",
}


def write(folder: Path, pipeline: str = PIPELINE, **files: str) -> None:
    """Write a pipeline and its scripts, and commit them."""
    for name, text in {**SCRIPTS, **files, "pipeline.yaml": pipeline}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "a pipeline")


@pytest.fixture
def words(folio_dir: Path) -> Path:
    """The folio with the pipeline, nothing run yet."""
    write(folio_dir)
    return folio_dir


@pytest.fixture
def ran(words: Path) -> Callable[[], list[str]]:
    """Tell which steps' programs ran since it was asked last."""
    log = words / "ran.log"

    def since() -> list[str]:
        found = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return found

    return since
