"""Scripts as MLflow's users write them (``scripts/``), unmodified, on a folio: by the plug-in and through a gateway, 2.22 and 3.

Each is run with two variables set, the address and the token. Then the folio is asked by our own API what landed in it, and MLflow is
asked what it reads back, and what it reads of an SQLite database that the same scripts logged to.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runfolio.folio import initialise
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.entities import Run
from tests.conftest import GIT_CONFIG, LEFT_OUT, git
from tests.gateway.served import gateway
from tests.gateway.versions import VERSIONS, Version, each_version

HERE = Path(__file__).parent
DATABASE, PLUG_IN, GATEWAY = "database", "plug-in", "gateway"
NEEDS = {"autolog_sklearn": "sklearn", "autolog_xgboost": "xgboost", "autolog_pytorch": "lightning", "registry": "sklearn"}

# What is slow is run by both doors on one of the versions, and by one door on the other.
SPARED = {("2.22", PLUG_IN): {"autolog_sklearn", "serving"}, ("3", GATEWAY): {"autolog_xgboost", "autolog_pytorch"}}


@dataclass
class Place:
    """A store of one kind, and what scripts did with it: each is run once, when it is first asked for."""

    version: Version
    folder: Path
    env: dict[str, str]
    done: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    all_told: dict[str, dict[str, object]] = field(default_factory=dict)

    def ran(self, script: str) -> subprocess.CompletedProcess[str]:
        """Return what a script did that is run as its author would."""
        if script not in self.done:
            self.done[script] = self.version.run(
                str(HERE / "scripts" / f"{script}.py"), cwd=self.folder, timeout_s=900, **self.env
            )
        done = self.done[script]
        assert done.returncode == 0, f"{script}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done

    def told(self) -> dict[str, dict[str, object]]:
        """Return all that MLflow says of it, which is asked for once, when all that is to be told was run."""
        if self.all_told:
            return self.all_told
        output = self.folder.parent / "told.json"
        uri = self.env["MLFLOW_TRACKING_URI"]
        done = self.version.warm(str(HERE / "told_of_all.py"), uri, str(output), cwd=self.folder.parent, **self.env)
        assert done.returncode == 0, done.stderr[-4000:]
        self.all_told.update(json.loads(output.read_text()))
        return self.all_told

    @property
    def client(self) -> RunfolioClient:
        """Ours, on the folio."""
        return RunfolioClient(str(self.folder))

    def runs(self, experiment: str) -> dict[str, Run]:
        """Return the runs of an experiment by their names, as our API tells them."""
        found = self.client.get_experiment_by_name(experiment)
        assert found is not None
        return {run.info.run_name: run for run in self.client.search_runs([found.experiment_id])}

    def files(self, run: Run) -> set[str]:
        """Return the paths of a run's files, as our API tells them."""
        folio = self.client._session().folio
        return set(folio.runs.artifacts(folio.runs.get(run.info.run_id)))


Places = Callable[[Version, str], Place]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Make places, each once; gateways are ended with the module."""
    made: dict[tuple[str, str], Place] = {}
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patched:
        root = tmp_path_factory.mktemp("scripts")
        for name in [key for key in os.environ if key.startswith(LEFT_OUT)]:
            patched.delenv(name)
        (root / "gitconfig").write_text(GIT_CONFIG)
        (root / "bin").mkdir()
        # What MLflow serves models by is called by its name, and a folder of packages holds no commands of this Python.
        command = root / "bin" / "uvicorn"
        command.write_text(f"#!{sys.executable}\nfrom uvicorn.main import main\nmain()\n")
        command.chmod(0o755)
        patched.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
        patched.setenv("GIT_CONFIG_GLOBAL", str(root / "gitconfig"))
        patched.setenv("GIT_CONFIG_NOSYSTEM", "1")
        # MLflow would import each framework again in a process for each model that is logged, to infer its requirements.
        patched.setenv("MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT", "1")

        def get(version: Version, door: str) -> Place:
            if (version.name, door) not in made:
                folder = root / f"{version.name}-{door}" / "wine"
                folder.mkdir(parents=True)
                env = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
                if door != DATABASE:
                    git(folder, "init", "-q")
                    initialise(folder, commit=True).folio.close()
                    env = {"MLFLOW_TRACKING_URI": f"runfolio://{folder}"}
                if door == GATEWAY:
                    env = stack.enter_context(gateway(version, folder)).env
                made[version.name, door] = Place(version, folder, env)
            return made[version.name, door]

        yield get


def places(script: str = "") -> pytest.MarkDecorator:
    """Parametrize a test by version and door, but where a script is spared.

    What belongs to one version is one group, so that its folios are served, and its database is filled, once.
    """
    made = []
    for version, known in zip(VERSIONS, each_version(), strict=True):
        for door in (PLUG_IN, GATEWAY):
            if script not in SPARED.get((version.name, door), ()):
                marks = [*known.marks, pytest.mark.xdist_group(f"scripts-{version.name}")]  # type: ignore[attr-defined]
                made.append(pytest.param(version, door, id=f"{version.name}-{door}", marks=marks))
    return pytest.mark.parametrize(("version", "door"), made)


pytestmark = [pytest.mark.frameworks, pytest.mark.slow]


def needs(script: str) -> None:
    """Skip, loudly, where a framework is missing."""
    package = NEEDS.get(script)
    if package and importlib.util.find_spec(package) is None:
        pytest.skip(f"NOT TESTED: {package} is not installed (pip install 'runfolio[frameworks]')")


@places()
def test_the_fluent_api(place: Places, version: Version, door: str) -> None:
    at = place(version, door)
    at.ran("fluent")
    runs = at.runs("fluent")
    parent, child = runs["parent"], runs["child"]
    assert parent.info.status == child.info.status == "FINISHED"
    assert parent.data.params == {"depth": "3", "rate": "0.1"} and parent.data.tags["team"] == "red"
    points = at.client.get_metric_history(parent.info.run_id, "loss")
    assert [(point.step, point.value) for point in points] == [*((step, 1 / (step + 1)) for step in range(10)), (10, 0.05)]
    assert child.data.metrics == {"accuracy": 0.75, "loss": 0.5}
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert [item.dataset.name for item in parent.inputs.dataset_inputs] == ["grapes"]
    assert at.files(parent) == {"notes.txt", "classes.json", "answers.json", "parts/part.csv"}


@places()
def test_the_client(place: Places, version: Version, door: str) -> None:
    at = place(version, door)
    at.ran("client")
    runs = at.runs("client")
    assert runs["failed"].info.status == "FAILED" and runs["batch"].info.status == "FINISHED"
    assert runs["batch"].data.params == {f"p{number}": str(number) for number in range(120)}
    points = at.client.get_metric_history(runs["batch"].info.run_id, "loss")
    assert [point.value for point in points] == [1.0 / (number + 1) for number in range(1500)]
    assert at.files(runs["batch"]) == {"folder/note.txt"}


MODEL = {"model/MLmodel", "model/conda.yaml", "model/python_env.yaml", "model/requirements.txt"}


@places("autolog_sklearn")
def test_scikit_learn_under_autolog(place: Places, version: Version, door: str) -> None:
    needs("autolog_sklearn")
    at = place(version, door)
    at.ran("autolog_sklearn")
    runs = at.runs("autolog sklearn")
    fit, search = runs["fit"], runs["search"]
    assert fit.data.params["max_iter"] == "500" and fit.data.tags["estimator_name"] == "LogisticRegression"
    assert {"training_score", "training_f1_score", "accuracy_score_x_test"} <= set(fit.data.metrics)
    assert {*MODEL, "estimator.html"} <= at.files(fit)
    contexts = {tag.value for item in fit.inputs.dataset_inputs for tag in item.tags if tag.key == "mlflow.data.context"}
    assert contexts == {"train", "eval"}
    children = [run for run in runs.values() if run.data.tags.get("mlflow.parentRunId") == search.info.run_id]
    assert {run.data.params["C"] for run in children} == {"0.1", "1.0"}
    assert "best_cv_score" in search.data.metrics and "cv_results.csv" in at.files(search)


@places("autolog_xgboost")
def test_xgboost_under_autolog(place: Places, version: Version, door: str) -> None:
    needs("autolog_xgboost")
    at = place(version, door)
    at.ran("autolog_xgboost")
    runs = at.runs("autolog xgboost")
    points = at.client.get_metric_history(runs["train"].info.run_id, "train-mlogloss")
    assert [point.step for point in points] == [0, 1, 2, 3, 4]
    assert all(before.value > after.value for before, after in itertools.pairwise(points))
    assert runs["train"].data.params["num_boost_round"] == "5" and runs["classifier"].data.params["max_depth"] == "2"
    for run in runs.values():
        assert {*MODEL, "feature_importance_weight.json"} <= at.files(run)


@places("autolog_pytorch")
def test_pytorch_and_lightning_under_autolog(place: Places, version: Version, door: str) -> None:
    needs("autolog_pytorch")
    at = place(version, door)
    at.ran("autolog_pytorch")
    runs = at.runs("autolog pytorch")
    assert set(runs) == {"plain loop", "lightning"}
    assert len(at.client.get_metric_history(runs["plain loop"].info.run_id, "loss")) == 5
    fitted = runs["lightning"]
    assert fitted.data.params["epochs"] == "3" and fitted.data.params["optimizer_name"] == "SGD"
    assert len(at.client.get_metric_history(fitted.info.run_id, "train_loss")) == 3
    for run in runs.values():
        # MLflow 3 writes what has an example as a graph.
        assert at.files(run) >= MODEL and at.files(run) & {"model/data/model.pth", "model/data/model.pt2"}


@places()
def test_the_registry(place: Places, version: Version, door: str) -> None:
    needs("registry")
    at = place(version, door)
    at.ran("registry")
    model = at.client.get_registered_model("trees")
    assert (model.description, model.tags, model.aliases) == ("Which tree?", {"team": "red"}, {"champion": "1"})
    stages = {item.version: item.current_stage for item in at.client.search_model_versions("name = 'trees'")}
    assert stages == {"1": "Staging", "2": "Production"}
    second = at.client.get_model_version("trees", "2")
    assert second.description == "A deeper one." and second.tags["checked"] == "yes"
    assert second.run_id == at.runs("registry")["depth 2"].info.run_id
    shown = json.loads(ours(at, "models", "show", "trees", "2", "--json"))
    assert shown["stage"] == "Production" and shown["flavors"] == ["python_function", "sklearn"] and shown["signature"]["inputs"]
    assert shown["metrics"] == {"accuracy": at.runs("registry")["depth 2"].data.metrics["accuracy"]}


@places()
def test_prompts(place: Places, version: Version, door: str) -> None:
    at = place(version, door)
    at.ran("prompts")
    model = at.client.get_registered_model("sommelier")
    assert model.aliases == {"live": "1"} and model.tags["mlflow.prompt.is_prompt"] == "true"
    shown = json.loads(ours(at, "models", "show", "sommelier", "1", "--json"))
    digest = shown["files"]["prompt.txt"]["digest"]
    assert at.client._session().folio.store.read(digest) == b"Which wine goes with {{ dish }}?"
    assert set(shown["files"]) == {"prompt.txt"} and shown["tags"]["mlflow.prompt.text"] == "Which wine goes with {{ dish }}?"
    if version.name == "3":
        chat = json.loads(ours(at, "models", "show", "chat", "1", "--json"))
        assert set(chat["files"]) == {"prompt.json", "response_format.json"}


@places("serving")
def test_serving_what_an_alias_names(place: Places, version: Version, door: str) -> None:
    at = place(version, door)
    at.ran("serving")
    assert at.client.get_model_version_by_alias("doubles", "live").version == "1"
    assert "MLmodel" in {Path(name).name for name in at.files(at.runs("serving")["doubles"])}


@places()
def test_system_metrics(place: Places, version: Version, door: str) -> None:
    at = place(version, door)
    at.ran("system_metrics")
    sampled = at.runs("system metrics")["sampled"].data.metrics
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= set(sampled)


@places()
def test_a_trace_is_refused_in_words_and_the_run_is_kept(place: Places, version: Version, door: str) -> None:
    at = place(version, door)
    done = at.ran("traces")
    assert "NOT_IMPLEMENTED" in done.stdout and "A folio keeps no traces" in done.stdout and "Traceback" not in done.stderr
    assert at.runs("traces")["traced"].data.metrics == {"doubled": 42.0}


COMPARED = ("fluent", "client", "autolog_sklearn", "registry", "prompts")


@places()
def test_mlflow_reads_of_a_folio_what_it_reads_of_a_database(place: Places, version: Version, door: str) -> None:
    spared = SPARED.get((version.name, door), set())
    at, database = place(version, door), place(version, DATABASE)
    for script in COMPARED:
        needs(script)
        database.ran(script)
        if script not in spared:
            at.ran(script)
    found, expected = at.told(), database.told()
    assert {name: said for name, said in found["models"].items() if name != "doubles"} == expected["models"]  # of "serving"
    for name in {*expected["experiments"]} - {script.replace("_", " ") for script in spared}:
        assert found["experiments"][name] == expected["experiments"][name], name
    # By our own measure the folio is whole, and nothing is left to commit but what a gateway that still serves has yet to.
    ours(at, "commit")
    ours(at, "check")


def ours(at: Place, *words: str) -> str:
    """Return what a command of ours prints of a folio."""
    command = [sys.executable, "-m", "runfolio", *words]
    done = subprocess.run(command, cwd=at.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
