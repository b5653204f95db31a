"""Sweeps in a real folio, which is the one in force."""

from __future__ import annotations

from pathlib import Path

import pytest

import runfolio
from runfolio.folio import open_folio
from runfolio.query import parse_filter
from runfolio.records import Run, ViewType


@pytest.fixture
def folio_here(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folio that is the current folder, and logged to."""
    monkeypatch.chdir(folio_dir)
    return folio_dir


def children(folder: Path, sweep: str) -> list[Run]:
    """Return the committed runs of a sweep's trials, in the order in which they were begun."""
    runfolio.flush()
    folio = open_folio(folder)
    try:
        found = folio.fresh_index().search_runs(parse_filter("", "runs"), (), None, ViewType.ALL, 1 << 20)
        return sorted((run for run in found if run.parent == sweep), key=lambda run: run.run_id)
    finally:
        folio.close()
