"""Runs are found while another process commits them: in a journal, or in git, and never in neither."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.folio import Folio, open_folio
from runfolio.index.table import Index
from runfolio.query import parse_filter
from runfolio.tracking.session import forget_sessions

FINDS: dict[str, Callable[[Folio], Any]] = {
    "runs": lambda folio: [run.name for run in folio.runs.search(parse_filter(""))],
    "briefs": lambda folio: [run.name for run in folio.runs.search_briefs(parse_filter(""))],
    "name": lambda folio: [folio.runs.get(folio.runs.resolve("only one")).name],
    "count": lambda folio: ["only one"] * folio.runs.count(parse_filter("")),
}


@pytest.mark.parametrize("find", FINDS)
def test_a_run_that_is_committed_meanwhile_is_found_once(folio_dir: Path, monkeypatch: pytest.MonkeyPatch, find: str) -> None:
    monkeypatch.setenv("RUNFOLIO_COMMIT", "demand")
    runfolio.set_tracking_uri(str(folio_dir))
    with runfolio.start_run(run_name="only one"):
        runfolio.log_metric("accuracy", 0.9)
    forget_sessions()
    with closing(open_folio(folio_dir)) as folio, closing(open_folio(folio_dir)) as other:
        assert [journal.sealed for journal in folio.spool.journals()] == [True]
        read = folio.fresh_index

        def read_and_then_it_is_committed(at: str | None = None) -> Index:
            index = read(at)
            other.commit()
            return index

        monkeypatch.setattr(folio, "fresh_index", read_and_then_it_is_committed)
        assert FINDS[find](folio) == ["only one"]
        assert list(folio.spool.journals()) == []
        assert FINDS[find](folio) == ["only one"]
