"""A folio with a registered model of plain Python that runs in an instant."""

from __future__ import annotations

from pathlib import Path

import pytest

import runfolio
from runfolio.tracking.session import forget_sessions


def double(model_input: list[float]) -> list[float]:
    """Twice its input."""
    return [2 * value for value in model_input]


@pytest.fixture
def wine(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folio: ``wine`` with two versions of other bytes, the second in Production, the first under ``@old``."""
    runfolio.set_tracking_uri(folio_dir)
    for factor in (3, 2):
        with runfolio.start_run(run_name=f"times {factor}") as run:
            runfolio.log_text(f"weights {factor}", "model/weights.txt")
            runfolio.log_text("numpy\n", "model/requirements.txt")
            runfolio.log_text(
                "python: 3.11.7\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n", "model/python_env.yaml"
            )
            runfolio.log_text("flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n", "model/MLmodel")
        runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
    client = runfolio.MlflowClient()
    client.transition_model_version_stage("wine", 2, "Production")
    client.set_registered_model_alias("wine", "old", 1)
    forget_sessions()
    monkeypatch.chdir(folio_dir)
    return folio_dir
