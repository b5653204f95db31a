"""The tag of a run that lists its models, as MLflow 2 has it: each model of the run, whoever logged it and when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import runfolio
from runfolio.tracking.model_logging import HISTORY_TAG


class Twice(runfolio.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        return [2 * each for each in model_input]


@pytest.mark.parametrize("committed", [False, True])
def test_every_model_of_a_run_is_listed_also_after_it_was_resumed(
    folio_dir: Path, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    monkeypatch.chdir(folio_dir)
    monkeypatch.setenv("RUNFOLIO_COMMIT", "run" if committed else "demand")
    with runfolio.start_run() as run:
        runfolio.log_metric("loss", 0.5)
        for name in ("one", "two"):
            runfolio.pyfunc.log_model(name, python_model=Twice())
    with runfolio.start_run(run_id=run.info.run_id):
        runfolio.pyfunc.log_model("three", python_model=Twice())
    listed = json.loads(runfolio.get_run(run.info.run_id).data.tags[HISTORY_TAG])
    assert [each["artifact_path"] for each in listed] == ["one", "two", "three"]
