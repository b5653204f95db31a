"""Names that MLflow's users import besides the verbs: each means here what it means there."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import runfolio
from runfolio.entities.model_registry.model_version_status import ModelVersionStatus
from runfolio.errors import NotFoundError, RunfolioError, UsageError
from runfolio.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME


def test_what_is_caught_as_an_answer_of_the_server_is_caught_here(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    with pytest.raises(runfolio.exceptions.RestException) as caught:
        runfolio.get_run("0" * 32)
    assert isinstance(caught.value, RunfolioError) and caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_the_words_of_entities_are_those_of_what_is_returned(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    with runfolio.start_run(run_name="outer") as outer, runfolio.start_run(nested=True) as inner:
        pass
    run = runfolio.get_run(inner.info.run_id)
    assert run.info.lifecycle_stage == runfolio.entities.LifecycleStage.ACTIVE
    runfolio.delete_run(inner.info.run_id)
    assert runfolio.get_run(inner.info.run_id).info.lifecycle_stage == runfolio.entities.LifecycleStage.DELETED
    assert run.data.tags[MLFLOW_PARENT_RUN_ID] == outer.info.run_id
    assert runfolio.get_run(outer.info.run_id).data.tags[MLFLOW_RUN_NAME] == "outer"
    source = runfolio.entities.SourceType
    assert source.from_string(run.data.tags["mlflow.source.type"]) == source.LOCAL and source.to_string(4) == "LOCAL"
    for wrong in (lambda: source.from_string("local"), lambda: source.to_string(9)):
        with pytest.raises(UsageError, match="no source type"):
            wrong()


def test_a_version_is_ready_once_it_is_there(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    with runfolio.start_run() as run:
        runfolio.log_text("weights", "model/weights.txt")
    made = runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
    assert ModelVersionStatus.from_string(made.status) == ModelVersionStatus.READY
    with pytest.raises(UsageError, match="GONE"):
        ModelVersionStatus.from_string("GONE")


@pytest.mark.parametrize("flavor", ["sklearn", "pyfunc", "xgboost", "pytorch", "onnx"])
def test_the_default_environment_can_be_changed_and_given(flavor: str) -> None:
    module = importlib.import_module(f"runfolio.{flavor}")
    needed = module.get_default_pip_requirements()
    env = module.get_default_conda_env()
    assert env["dependencies"][-1] == {"pip": needed} and env["name"] == "mlflow-env"
    assert all("==" in line for line in needed)
    assert any(line.startswith("cloudpickle==") for line in module.get_default_pip_requirements(include_cloudpickle=True))


def test_a_conda_environment_that_was_changed_is_the_models(folio_dir: Path, tmp_path: Path) -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    env = runfolio.sklearn.get_default_conda_env()
    env["dependencies"][-1]["pip"].append("colour==0.1.5")
    runfolio.sklearn.save_model(linear.LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0]), tmp_path / "model", conda_env=env)
    lines = (tmp_path / "model" / "requirements.txt").read_text().splitlines()
    assert "colour==0.1.5" in lines and any(line.startswith("scikit-learn==") for line in lines)


def test_an_image_is_made_of_an_array_a_list_and_a_file_and_logged(folio_dir: Path, tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    pytest.importorskip("PIL")
    runfolio.set_tracking_uri(str(folio_dir))
    pixels = numpy.zeros((4, 6, 3), dtype=numpy.uint8)
    pixels[:, :3] = [255, 128, 0]
    image = runfolio.Image(pixels)
    assert image.size == (6, 4) and (image.to_array() == pixels).all() and image.to_list()[0] == (255, 128, 0)
    image.save(str(tmp_path / "made.png"))
    for each in (runfolio.Image(pixels.tolist()), runfolio.Image(str(tmp_path / "made.png")), runfolio.Image(image.to_pil())):
        assert (each.to_array() == pixels).all()
    with runfolio.start_run() as run:
        runfolio.log_image(image, "made.png")
        runfolio.log_image(image.resize((12, 8)), key="made", step=1)
    place = runfolio.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="made.png")
    assert (runfolio.Image(place).to_array() == pixels).all()
    logged = [
        item.path for item in runfolio.MlflowClient().list_artifacts(run.info.run_id, "images") if item.path.endswith(".png")
    ]
    assert runfolio.Image(runfolio.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=logged[0])).size == (12, 8)


@pytest.mark.parametrize(("given", "error"), [("no such.png", NotFoundError), ({"a": 1}, UsageError), ("text.png", UsageError)])
def test_what_is_no_image_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: object, error: type[Exception]) -> None:
    pytest.importorskip("PIL")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(error):
        runfolio.Image(given)


def test_system_metrics_have_their_module() -> None:
    assert runfolio.system_metrics.set_system_metrics_sampling_interval is runfolio.set_system_metrics_sampling_interval
