"""Requests at random: whatever comes, each is answered in the protocol's form, and nothing dies."""

from __future__ import annotations

from tests.serving.conftest import Models, Server
from tests.serving.fuzzing import fuzz


def test_no_request_kills_a_worker_or_brings_out_a_stack(wine: Server, models: Models) -> None:
    before = wine.get("/health?details").json
    seen, faults = fuzz(wine.port, 400, list(models.frame.columns), models.frame.iloc[0].tolist())
    assert faults == []
    assert seen[200] and seen[400] and seen[415]
    after = wine.get("/health?details").json
    assert (after["worker"], after["restarts"]) == (before["worker"], before["restarts"])
