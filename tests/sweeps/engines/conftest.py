"""A folio whose trials run elsewhere, and the S3 server of the tests of objects."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from runfolio.query import parse_filter
from runfolio.records import Run
from runfolio.records import sweeps as tags
from tests.objects.conftest import s3_bucket as s3_bucket
from tests.objects.conftest import s3_endpoint as s3_endpoint

ROOT = Path(__file__).parents[3]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which each call of an objective leaves a line; workers find the objectives of these tests."""
    folder = tmp_path / "calls"
    folder.mkdir()
    monkeypatch.setenv("CALLS", str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]))
    return folder


@pytest.fixture
def trials(folio_dir: Path) -> Callable[[str], list[Run]]:
    """Return the committed runs of a sweep's trials by number, their files read."""

    def read(sweep: str) -> list[Run]:
        with closing(open_folio(folio_dir)) as folio:
            found = folio.runs.search(parse_filter(f"tags.`mlflow.parentRunId` = '{sweep}'"))
            for run in found:
                entry = folio.runs.artifacts(run).get("weights.txt")
                if entry is not None:
                    assert folio.store.read(entry.digest) == f"weights of {tags.trial_number(run)}".encode()
            return sorted(found, key=lambda run: (tags.trial_number(run) or 0, run.run_id))

    return read
