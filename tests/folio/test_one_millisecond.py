"""Parts of a run that are begun in one millisecond."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from runfolio.tracking.client import RunfolioClient


def test_calls_on_an_ended_run_in_one_millisecond_are_all_kept(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = RunfolioClient(str(folio_dir))
    run_id = client.create_run("0").info.run_id
    client.set_terminated(run_id)
    ticks = itertools.count(time.time_ns() // 1_000_000 * 1_000_000, 2_000)
    monkeypatch.setattr(time, "time_ns", lambda: next(ticks))
    client._status(run_id, "RUNNING", None)
    client.log_metric(run_id, "loss", 0.5, timestamp=1)
    client.log_param(run_id, "depth", 3)
    client.set_terminated(run_id)
    client._session().folio.commit()
    run = RunfolioClient(str(folio_dir)).get_run(run_id)
    assert (run.info.status, run.data.metrics, run.data.params) == ("FINISHED", {"loss": 0.5}, {"depth": "3"})
