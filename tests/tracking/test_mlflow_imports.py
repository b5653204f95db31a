"""Scripts written for MLflow import names from its modules: the same stand in ours."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path

import pytest
import yaml

import runfolio
from runfolio.errors import NotFoundError, UsageError
from runfolio.exceptions import MlflowException
from runfolio.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST, ErrorCode
from runfolio.store.artifact.artifact_repository_registry import get_artifact_repository
from runfolio.store.artifact.models_artifact_repo import ModelsArtifactRepository
from runfolio.store.artifact.runs_artifact_repo import RunsArtifactRepository
from runfolio.tracking import artifact_utils
from runfolio.utils import environment, file_utils, logging_utils, validation
from runfolio.utils.time import get_current_time_millis


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("models.signature", "ModelSignature infer_signature set_signature"),
        ("models.model", "Model ModelInfo get_model_info"),
        ("models.evaluation", "EvaluationMetric EvaluationResult MetricThreshold make_metric evaluate"),
        ("types.schema", "AnyType Array ColSpec DataType Map Object ParamSchema ParamSpec Property Schema TensorSpec"),
        ("types.type_hints", "TypeFromExample"),
        ("pyfunc.model", "ChatModel PythonModel PythonModelContext"),
        ("types.llm", "ChatChoice ChatCompletionResponse ChatMessage ChatParams ToolCall ToolDefinition"),
        ("entities.model_registry", "ModelVersion RegisteredModel"),
        ("data.pandas_dataset", "PandasDataset from_pandas"),
        ("data.polars_dataset", "PolarsDataset from_polars"),
        ("data.numpy_dataset", "NumpyDataset from_numpy"),
        ("data.dataset", "Dataset"),
        ("data.dataset_source", "DatasetSource"),
        ("tracking.client", "MlflowClient"),
        ("tracking", "MlflowClient get_registry_uri set_registry_uri"),
        ("tracking.fluent", "ActiveRun _get_experiment_id"),
        ("tracking.artifact_utils", "_download_artifact_from_uri get_artifact_uri"),
        *((f"entities.{name.lower()}", name) for name in ("Run", "Experiment", "Metric", "Param", "Dataset")),
        ("entities.run_info", "RunInfo"),
        ("entities.run_data", "RunData"),
        ("entities.run_inputs", "RunInputs"),
        ("entities.run_status", "RunStatus"),
        ("entities.run_tag", "RunTag"),
        ("entities.experiment_tag", "ExperimentTag"),
        ("entities.view_type", "ViewType"),
        ("entities.file_info", "FileInfo"),
        ("entities.lifecycle_stage", "LifecycleStage"),
        ("entities.dataset_input", "DatasetInput"),
        ("entities.input_tag", "InputTag"),
        ("entities.model_registry.model_version", "ModelVersion"),
        ("entities.model_registry.model_version_tag", "ModelVersionTag"),
        ("entities.model_registry.registered_model", "RegisteredModel"),
        ("entities.model_registry.registered_model_alias", "RegisteredModelAlias"),
        ("entities.model_registry.registered_model_tag", "RegisteredModelTag"),
        ("models.evaluation.base", "EvaluationArtifact EvaluationMetric EvaluationResult evaluate make_metric"),
        ("models.evaluation.validation", "MetricThreshold ModelValidationFailedException validate_evaluation_results"),
        ("models.evaluation.artifacts", "EvaluationArtifact ImageEvaluationArtifact"),
        ("models.utils", "ModelInputExample"),
        ("metrics.base", "EvaluationMetric MetricValue standard_aggregations"),
        ("data.http_dataset_source", "HTTPDatasetSource"),
        ("data.huggingface_dataset", "HuggingFaceDataset from_huggingface"),
        ("data.code_dataset_source", "CodeDatasetSource"),
        ("data.sources", "LocalArtifactDatasetSource HTTPDatasetSource"),
        ("store.entities", "PagedList"),
        ("store.entities.paged_list", "PagedList"),
        ("store.artifact.models_artifact_repo", "ModelsArtifactRepository"),
        ("store.artifact.runs_artifact_repo", "RunsArtifactRepository"),
        ("utils", "PYTHON_VERSION"),
        ("utils.time_utils", "get_current_time_millis"),
        ("config", "enable_async_logging set_tracking_uri"),
        ("version", "VERSION"),
        ("pyfunc", "FLAVOR_NAME"),
    ],
)
def test_names_are_where_scripts_for_mlflow_look_for_them(module: str, names: str) -> None:
    found = importlib.import_module(f"runfolio.{module}")
    above = importlib.import_module(f"runfolio.{module.rpartition('.')[0] or module}")
    for name in names.split():
        # One class, whichever way it was imported.
        assert getattr(found, name) is getattr(above, name, getattr(found, name))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("langchain", "log a model from code"),
        ("h2o", r"log it with `runfolio\.pyfunc\.log_model"),
        ("shap", "Log what the explainer gives"),
        ("trace", "Not planned: runfolio keeps runs and models, not traces and prompts"),
        ("server", "There is no server"),
        ("pyfunc.ChatAgent", "agents are told by their traces"),
        ("metrics.toxicity", "make the metric with"),
        ("metrics.genai", "No metric asks a language model here"),
        ("models.list_evaluators", "There is one evaluator"),
        ("entities.SpanType", "Not planned"),
        ("utils.rest_utils", "There is no server"),
    ],
)
def test_what_is_not_here_says_why_however_it_is_asked_for(name: str, why: str) -> None:
    module, _, last = f"runfolio.{name}".rpartition(".")
    told = rf"^runfolio\.{name} is not in runfolio\. .*{why}"
    with pytest.raises(AttributeError, match=f"(?i){told}"):
        getattr(importlib.import_module(module), last)
    with pytest.raises(ModuleNotFoundError, match=f"(?i){told}"):
        importlib.import_module(f"runfolio.{name}")
    with pytest.raises(ImportError, match=f"(?i){told}"):
        exec(f"from {module} import {last}", {})
    assert not hasattr(importlib.import_module(module), last)


def test_a_name_that_mlflow_has_not_either_is_told_as_by_python() -> None:
    with pytest.raises(AttributeError, match="^module 'runfolio' has no attribute 'log_metrik'$"):
        runfolio.log_metrik  # noqa: B018
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'runfolio\.skleran'$"):
        importlib.import_module("runfolio.skleran")
    with pytest.raises(ImportError, match="^cannot import name 'log_metrik' from 'runfolio'"):
        exec("from runfolio import log_metrik", {})


def test_artifacts_are_read_by_mlflow_s_repositories(folio_dir: Path, tmp_path: Path) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    with runfolio.start_run() as run:
        runfolio.log_text("hello", "notes/a.txt")
        info = runfolio.pyfunc.log_model("model", python_model=_double, registered_model_name="twice")
    run_id = run.info.run_id
    root = artifact_utils.get_artifact_uri(run_id, "notes")
    assert root == run.info.artifact_uri + "/notes" and artifact_utils.get_artifact_uri(run_id) == run.info.artifact_uri
    assert Path(artifact_utils._download_artifact_from_uri(f"{root}/a.txt")).read_text() == "hello"
    assert Path(artifact_utils._download_artifact_from_uri(f"{root}/a.txt", str(tmp_path / "out"))) == tmp_path / "out" / "a.txt"
    uri = RunsArtifactRepository.get_underlying_uri(info.model_uri)
    assert runfolio.MlflowClient().create_model_version("twice", uri, run_id).version == "2"
    assert RunsArtifactRepository.is_runs_uri(uri) and RunsArtifactRepository.parse_runs_uri(uri) == (run_id, "model")
    with pytest.raises(UsageError, match="Not a URI of an artifact"):
        RunsArtifactRepository.get_underlying_uri("s3://bucket/model")
    notes = get_artifact_repository(root)
    assert isinstance(notes, RunsArtifactRepository) and [file.path for file in notes.list_artifacts()] == ["notes/a.txt"]
    assert Path(notes.download_artifacts("a.txt")).read_text() == "hello"
    model = get_artifact_repository("models:/twice/1")
    assert isinstance(model, ModelsArtifactRepository)
    assert "MLmodel" in os.listdir(model.download_artifacts("", dst_path=tmp_path / "model"))
    assert "MLmodel" in [file.path for file in model.list_artifacts()]
    with pytest.raises(NotFoundError):
        artifact_utils.get_artifact_uri("0" * 32)


@pytest.mark.parametrize(
    ("below", "files", "returned"),
    [
        ("a/b/c.txt", ["c.txt"], "c.txt"),
        ("a/b", ["b/c.txt"], "b"),
        ("a", ["a/b/c.txt"], "a"),
        ("a/b/", ["c.txt"], "."),
        ("", ["a/b/c.txt"], "."),
    ],
)
def test_what_a_uri_names_lies_where_mlflow_puts_it(
    folio_dir: Path, tmp_path: Path, below: str, files: list[str], returned: str
) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    with runfolio.start_run() as run:
        runfolio.log_text("x", "a/b/c.txt")
    download = runfolio.artifacts.download_artifacts

    def told(got: str, folder: Path) -> tuple[list[str], str]:
        there = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
        return there, os.path.relpath(got, folder)

    got = download(artifact_uri=f"runs:/{run.info.run_id}/{below}", dst_path=tmp_path / "by-uri")
    assert told(got, tmp_path / "by-uri") == (files, returned)
    # By the run's id it is the whole path, there too.
    got = download(run_id=run.info.run_id, artifact_path=below, dst_path=tmp_path / "by-id")
    assert told(got, tmp_path / "by-id") == (["a/b/c.txt"], below.rstrip("/") or ".")
    # A local artifact is copied where a folder is named, and left where it is otherwise.
    local = tmp_path / "by-id" / below
    got = download(artifact_uri=str(local), dst_path=tmp_path / "copied")
    assert told(got, tmp_path / "copied")[1] == local.name and download(artifact_uri=str(local)) == str(local)
    assert download(artifact_uri=got, dst_path=tmp_path / "copied") == got


def test_what_is_told_of_a_model_leaves_the_folder_of_temporary_files_as_it_was(
    folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    with runfolio.start_run():
        info = runfolio.pyfunc.log_model("deep/inside/model", python_model=_double, registered_model_name="twice")
    (tmp_path / "temporary").mkdir()
    (tmp_path / "temporary/of-others").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    for uri in (info.model_uri, f"{info.model_uri}/", "models:/twice/1"):
        assert runfolio.models.get_model_info(uri).run_id == info.run_id
        assert os.listdir(tmp_path / "temporary") == ["of-others"]


def _double(model_input: list[float]) -> list[float]:
    return [2 * each for each in model_input]


def test_what_mlflow_s_own_examples_ask_of_a_run(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    chosen = runfolio.set_experiment("wine")
    assert runfolio.tracking.fluent._get_experiment_id() == chosen.experiment_id
    with runfolio.start_run() as run:
        assert run._info.run_id == run.info.run_uuid
    status = runfolio.get_run(run.info.run_id).info.to_proto().status
    assert status == runfolio.entities.RunStatus.FINISHED
    runfolio.config.enable_async_logging()
    assert runfolio.tracking.get_registry_uri() == runfolio.get_tracking_uri()


def test_codes_of_errors_are_compared_and_raised_as_in_mlflow() -> None:
    with pytest.raises(NotFoundError) as caught:
        runfolio.models.Model.load("/nowhere")
    assert caught.value.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST) == RESOURCE_DOES_NOT_EXIST
    assert ErrorCode.Value("INVALID_STATE") == "INVALID_STATE"
    own = MlflowException("no good", error_code=INVALID_PARAMETER_VALUE)
    assert (own.error_code, own.message, MlflowException("?").error_code) == (
        "INVALID_PARAMETER_VALUE",
        "no good",
        "INTERNAL_ERROR",
    )
    assert MlflowException.invalid_parameter_value("no").error_code == INVALID_PARAMETER_VALUE


def test_small_helps_do_what_mlflow_s_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = os.getcwd()
    with file_utils.TempDir(chdr=True) as folder:
        assert os.getcwd() != before and folder.path("a") == "./a"
        Path(folder.path("a")).write_text("a")
        made = Path.cwd()
    assert os.getcwd() == before and not made.exists()
    with file_utils.TempDir(remove_on_exit=False) as folder:
        assert folder.path("a", "b") == os.path.join(folder.path(), "a", "b")
    os.rmdir(folder.path())
    uri = file_utils.path_to_local_file_uri(tmp_path / "a b")
    assert uri == f"file://{tmp_path}/a%20b" and file_utils.local_file_uri_to_path(uri) == str(tmp_path / "a b")
    assert file_utils.local_file_uri_to_path("plain/path") == "plain/path"
    assert abs(get_current_time_millis() - time.time() * 1000) < 60_000
    logging_utils.eprint("told", "aside", sep="-")
    assert capsys.readouterr() == ("", "told-aside\n")
    assert (validation.MAX_PARAM_VAL_LENGTH, validation.MAX_TAG_VAL_LENGTH, validation.MAX_ENTITY_KEY_LENGTH) == (6000, 8000, 250)


def test_environment_of_the_much_copied_notebook_is_made(tmp_path: Path) -> None:
    made = environment._mlflow_conda_env(additional_pip_deps=["rich"], additional_conda_channels=["anaconda"])
    assert made is not None and made["channels"] == ["conda-forge", "anaconda"] and made["dependencies"][-1] == {"pip": ["rich"]}
    assert (
        environment._mlflow_conda_env(
            path=tmp_path / "conda.yaml", additional_pip_deps=["rich"], additional_conda_channels=["anaconda"]
        )
        is None
    )
    assert yaml.safe_load((tmp_path / "conda.yaml").read_text()) == made


def test_mlflow_s_folder_of_runs_means_the_folio_that_it_would_be_in(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folio_dir)
    for uri in ("file:./mlruns", "./mlruns", "mlruns", (folio_dir / "mlruns").as_uri()):
        runfolio.set_tracking_uri(uri)
        with runfolio.start_run() as run:
            runfolio.log_metric("a", 1)
        assert not (folio_dir / "mlruns").exists()
        assert runfolio.MlflowClient(str(folio_dir)).get_run(run.info.run_id).data.metrics == {"a": 1}
    with pytest.raises(runfolio.RunfolioError, match="mlrunz does not exist"):
        runfolio.MlflowClient("mlrunz").search_experiments()


def test_stores_of_mlflow_are_refused_in_words_that_help(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folio_dir)
    for uri, said in {
        "sqlite:///mlflow.db": "leave the call out to use the folio of the current folder.*runfolio import mlflow sqlite:///mlflow.db",
        "http://127.0.0.1:5000": "is a tracking server, and runfolio has none",
        "databricks": "'databricks' is a tracking server, and runfolio has none",
        "databricks-uc": "'databricks-uc' is a tracking server",
        "databricks://profile": "'databricks://profile' is a tracking server",
    }.items():
        with pytest.raises(UsageError, match=said):
            runfolio.MlflowClient(uri).search_experiments()


def test_a_place_for_artifacts_is_taken_and_said_to_be_without_effect(
    folio_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    made = runfolio.create_experiment("wine", artifact_location="s3://bucket/x", tags={"team": "red"})
    assert runfolio.get_experiment(made).tags == {"team": "red"}
    assert "artifact_location='s3://bucket/x' is not used. Artifacts lie in the folio's object store" in capsys.readouterr().err
    runfolio.create_experiment("plain")
    assert capsys.readouterr().err == ""
