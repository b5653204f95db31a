"""Registered models through the client and the fluent verbs, as an MLflow script uses them.

What MLflow 2.22 answers to the same script (on SQLite) was compared once; it differs where versions are numbers there (over its
REST protocol, and here, they are text).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio import MlflowClient
from runfolio.errors import AlreadyExistsError, DamagedError, NotFoundError, RunfolioError, StateError, UsageError
from runfolio.folio import open_folio
from tests.conftest import git

MLMODEL = """\
flavors:
  sklearn: {pickled_model: model.pkl}
  python_function: {loader_module: runfolio.sklearn}
signature:
  inputs: '[{"type": "double", "name": "alcohol", "required": true}]'
  outputs: '[{"type": "long", "required": true}]'
saved_input_example_info: {artifact_path: input_example.json}
"""


@pytest.fixture
def run_id(folio_dir: Path) -> str:
    runfolio.set_tracking_uri(folio_dir)
    with runfolio.start_run() as run:
        runfolio.log_metric("accuracy", 0.97)
        runfolio.log_text(MLMODEL, "model/MLmodel")
        runfolio.log_text("weights", "model/model.pkl")
    return run.info.run_id


@pytest.fixture
def client(run_id: str) -> MlflowClient:
    """The registered model ``Wine Quality`` with three versions."""
    made = MlflowClient()
    made.create_registered_model("Wine Quality", {"team": "core"}, "Which cultivar?")
    for number in range(3):
        made.create_model_version(
            "Wine Quality", f"runs:/{run_id}/model", run_id, {"k": str(number)}, description=f"try {number}"
        )
    return made


def test_registering_makes_the_model_and_its_first_version_in_one_commit(run_id: str, folio_dir: Path) -> None:
    runfolio.search_runs()
    before = int(git(folio_dir, "rev-list", "--count", "HEAD"))
    made = runfolio.register_model(f"runs:/{run_id}/model", "wine", tags={"by": "sweep"})
    assert (made.name, made.version, made.current_stage, made.status) == ("wine", "1", "None", "READY")
    assert (made.run_id, made.source, made.tags) == (run_id, f"runs:/{run_id}/model", {"by": "sweep"})
    assert int(git(folio_dir, "rev-list", "--count", "HEAD")) <= before + 2
    assert git(folio_dir, "status", "--short") == ""
    assert git(folio_dir, "show", "--stat", "--format=%s", "HEAD").startswith("models: register wine 1")


def test_a_version_keeps_what_a_reviewer_asks_about(run_id: str, folio_dir: Path) -> None:
    runfolio.register_model(f"runs:/{run_id}/model", "wine")
    folio = open_folio(folio_dir)
    version = folio.models.version(folio.models.find("wine"), 1)
    assert version.flavors == ("sklearn", "python_function")
    assert version.runs_code == ("model.pkl",)
    assert version.signature["inputs"].startswith('[{"type": "double"')
    assert (version.input_example, version.metrics, version.file_count, version.user) == (True, {"accuracy": 0.97}, 2, "Ada")
    folio.close()


def test_two_versions_of_one_digest_are_the_same_bytes(client: MlflowClient, run_id: str) -> None:
    with runfolio.start_run() as other:
        runfolio.log_text(MLMODEL, "model/MLmodel")
        runfolio.log_text("other weights", "model/model.pkl")
    changed = client.create_model_version("Wine Quality", f"runs:/{other.info.run_id}/model")
    assert client.get_model_version("Wine Quality", 1).digest == client.get_model_version("Wine Quality", 2).digest
    assert changed.digest != client.get_model_version("Wine Quality", 1).digest


def test_stages_move_as_mlflow_moves_them(client: MlflowClient) -> None:
    client.transition_model_version_stage("Wine Quality", 1, "staging")
    client.transition_model_version_stage("Wine Quality", "2", "Production")
    moved = client.transition_model_version_stage("Wine Quality", 3, "Production", archive_existing_versions=True)
    assert moved.current_stage == "Production"
    shown = [(version.version, version.current_stage) for version in client.get_latest_versions("Wine Quality")]
    assert shown == [("1", "Staging"), ("2", "Archived"), ("3", "Production")]
    assert [version.version for version in client.get_latest_versions("Wine Quality", ["production"])] == ["3"]
    assert client.get_model_version_stages("Wine Quality", 1) == ["None", "Staging", "Production", "Archived"]


def test_a_stage_that_is_not_there_is_refused(client: MlflowClient) -> None:
    with pytest.raises(UsageError, match="The stages here are"):
        client.transition_model_version_stage("Wine Quality", 3, "Live")
    with pytest.raises(UsageError, match="not for 'Archived'"):
        client.transition_model_version_stage("Wine Quality", 3, "Archived", archive_existing_versions=True)


def test_an_exclusive_stage_holds_one(client: MlflowClient, folio_dir: Path) -> None:
    (folio_dir / "runfolio.yaml").write_text("schema: 1\nregistry: {stages: [Shadow, Live], exclusive: [Live]}\n")
    from runfolio.tracking.session import forget_sessions

    forget_sessions()
    runfolio.set_tracking_uri(folio_dir)
    client.transition_model_version_stage("Wine Quality", 1, "live")
    with pytest.raises(StateError, match="Live holds one version at most, and version 1 is there"):
        client.transition_model_version_stage("Wine Quality", 2, "Live")


def test_aliases_name_one_version(client: MlflowClient) -> None:
    client.set_registered_model_alias("Wine Quality", "champion", 2)
    client.set_registered_model_alias("Wine Quality", "champion", "3")
    assert client.get_model_version_by_alias("Wine Quality", "champion").version == "3"
    assert client.get_registered_model("Wine Quality").aliases == {"champion": "3"}
    client.delete_registered_model_alias("Wine Quality", "champion")
    client.delete_registered_model_alias("Wine Quality", "champion")
    with pytest.raises(UsageError, match="alias champion not found"):
        client.get_model_version_by_alias("Wine Quality", "champion")


def test_an_alias_of_a_version_that_is_not_there_is_refused(client: MlflowClient) -> None:
    with pytest.raises(NotFoundError):
        client.set_registered_model_alias("Wine Quality", "champion", 30)


def test_tags_and_descriptions(client: MlflowClient) -> None:
    client.set_registered_model_tag("Wine Quality", "team", 7)
    client.set_model_version_tag("Wine Quality", 1, "reviewed", True)
    client.delete_model_version_tag("Wine Quality", 1, "k")
    client.delete_model_version_tag("Wine Quality", 1, "never there")
    client.delete_registered_model_tag("Wine Quality", "never there")
    client.update_model_version("Wine Quality", 1, "new words")
    client.update_registered_model("Wine Quality", "other words")
    version, model = client.get_model_version("Wine Quality", 1), client.get_registered_model("Wine Quality")
    assert (version.tags, version.description) == ({"reviewed": "True"}, "new words")
    assert (model.tags, model.description) == ({"team": "7"}, "other words")
    client.transition_model_version_stage("Wine Quality", 2, "Production")
    runfolio.set_model_version_tag("Wine Quality", key="live", value="yes", stage="Production")
    assert client.get_model_version("Wine Quality", 2).tags["live"] == "yes"


def test_a_deleted_version_takes_its_number_along(client: MlflowClient, run_id: str) -> None:
    client.set_registered_model_alias("Wine Quality", "champion", 3)
    client.transition_model_version_stage("Wine Quality", 3, "Production")
    client.delete_model_version("Wine Quality", 3)
    with pytest.raises(NotFoundError, match="version=3.*deleted"):
        client.get_model_version("Wine Quality", 3)
    assert client.get_registered_model("Wine Quality").aliases == {}
    assert client.create_model_version("Wine Quality", f"runs:/{run_id}/model").version == "4"


def test_a_model_is_renamed_in_its_folder_and_deleted_whole(client: MlflowClient, folio_dir: Path, run_id: str) -> None:
    client.rename_registered_model("Wine Quality", "Cultivars")
    assert client.get_model_version("Cultivars", 1).name == "Cultivars"
    with pytest.raises(NotFoundError, match="There are: 'Cultivars'"):
        client.get_registered_model("Wine Quality")
    client.delete_registered_model("Cultivars")
    assert client.search_registered_models() == []
    assert not (folio_dir / "models").exists()
    assert runfolio.register_model(f"runs:/{run_id}/model", "Cultivars").version == "1"


def test_a_new_model_may_take_a_name_whose_folder_a_renamed_one_keeps(client: MlflowClient) -> None:
    client.rename_registered_model("Wine Quality", "Cultivars")
    client.create_registered_model("Wine Quality")
    assert client.get_registered_model("Wine Quality").description is None
    assert client.get_registered_model("Cultivars").description == "Which cultivar?"
    with pytest.raises(AlreadyExistsError):
        client.rename_registered_model("Cultivars", "Wine Quality")


def test_searching(client: MlflowClient, run_id: str) -> None:
    client.create_registered_model("prices")
    client.transition_model_version_stage("Wine Quality", 2, "Staging")
    assert [model.name for model in client.search_registered_models("name ILIKE '%wine%'")] == ["Wine Quality"]
    assert [model.name for model in runfolio.search_registered_models(order_by=["name DESC"])] == ["prices", "Wine Quality"]
    assert [model.name for model in client.search_registered_models("tags.team = 'core'")] == ["Wine Quality"]
    found = client.search_model_versions(f"name = 'Wine Quality' AND run_id = '{run_id}'", order_by=["version_number ASC"])
    assert [version.version for version in found] == ["1", "2", "3"]
    assert [version.version for version in runfolio.search_model_versions(filter_string="current_stage = 'Staging'")] == ["2"]
    assert [version.version for version in client.search_model_versions("tags.k IN ('0', '2')")] == ["3", "1"]
    assert [version.version for version in client.search_model_versions("version_number = '2'")] == ["2"]
    first = client.search_model_versions("name = 'Wine Quality'", max_results=2)
    rest = client.search_model_versions("name = 'Wine Quality'", max_results=2, page_token=first.token)
    assert [version.version for version in [*first, *rest]] == ["3", "2", "1"]
    with pytest.raises(UsageError, match="not an attribute"):
        client.search_registered_models("colour = 'red'")


def test_a_copy_shares_the_bytes(client: MlflowClient) -> None:
    client.set_registered_model_alias("Wine Quality", "champion", 2)
    made = client.copy_model_version("models:/Wine Quality@champion", "Wine Live")
    assert (made.name, made.version, made.source) == ("Wine Live", "1", "models:/Wine Quality/2")
    assert made.digest == client.get_model_version("Wine Quality", 2).digest


@pytest.mark.parametrize("which", ["/2", "/Production", "/production", "/latest", "@champion"])
def test_files_come_by_every_form_of_uri(client: MlflowClient, which: str, tmp_path: Path) -> None:
    client.transition_model_version_stage("Wine Quality", 2, "Production")
    client.set_registered_model_alias("Wine Quality", "champion", 2)
    place = runfolio.artifacts.download_artifacts(f"models:/Wine Quality{which}", dst_path=tmp_path / "out")
    assert sorted(os.listdir(place)) == ["MLmodel", "model.pkl"]
    assert runfolio.artifacts.load_text(f"models:/Wine Quality{which}/model.pkl") == "weights"
    assert [item.path for item in runfolio.artifacts.list_artifacts(f"models:/Wine Quality{which}")] == ["MLmodel", "model.pkl"]
    uri = client.get_model_version_download_uri("Wine Quality", 2)
    assert runfolio.artifacts.load_text(f"{uri}/model.pkl") == "weights"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("", r"No such file: ''"),
        ("file:///nowhere/at-all", r"No such file: 'file:///nowhere/at-all'"),
        ("s3://bucket/x", "Not a URI of an artifact"),
    ],
)
def test_what_names_no_artifact_is_refused(client: MlflowClient, uri: str, said: str) -> None:
    """An empty URI gave the current folder."""
    with pytest.raises(RunfolioError, match=said):
        runfolio.artifacts.download_artifacts(uri)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda client: client.get_registered_model(None), "goes by its name, not by None"),
        (lambda client: client.get_registered_model(3), "goes by its name, not by 3"),
        (lambda client: client.create_model_version("Wine Quality", None), "from a URI or a folder, not from NoneType"),
        (lambda _: runfolio.register_model(*[None, "x"]), "from a URI or a folder, not from NoneType"),
        (lambda client: client.create_registered_model("x", tags=["a"]), r"tags: a dictionary is expected, found \['a'\]"),
        (
            lambda client: client.get_latest_versions("Wine Quality", "Production"),
            r"a list of stages is expected, found 'Production'",
        ),
    ],
)
def test_values_of_another_kind_are_refused_in_words(client: MlflowClient, call: Any, said: str) -> None:
    """They ended in AttributeError, and a stage as text in "Invalid Model Version stage: 'P'"."""
    with pytest.raises(UsageError, match=said):
        call(client)


def test_a_file_in_the_place_of_the_folder_is_told(client: MlflowClient, tmp_path: Path, run_id: str) -> None:
    (tmp_path / "file").write_text("x")
    for uri in ("models:/Wine Quality/1", f"runs:/{run_id}/model"):
        for place in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(UsageError, match=r"dst_path '.*' is a file, or lies below one: name a folder"):
                runfolio.artifacts.download_artifacts(uri, dst_path=place)
    with pytest.raises(UsageError, match="name a folder"):
        client.download_artifacts(run_id, "model", str(tmp_path / "file"))


def test_swapped_bytes_are_never_handed_out(client: MlflowClient, folio_dir: Path, run_id: str) -> None:
    folio = open_folio(folio_dir)
    entry = folio.runs.artifacts(folio.runs.get(run_id))["model/model.pkl"]
    place = Path(folio.store.url(entry.digest).removeprefix("file://"))
    folio.close()
    place.chmod(0o644)
    place.write_text("swapped")
    with pytest.raises(DamagedError, match=entry.digest):
        runfolio.artifacts.download_artifacts("models:/Wine Quality/1")


def test_a_local_folder_is_registered_by_its_bytes(client: MlflowClient, tmp_path: Path, folio_dir: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "MLmodel").write_text(MLMODEL)
    (tmp_path / "here" / "model.pkl").write_text("weights")
    made = runfolio.register_model(str(tmp_path / "here"), "Wine Quality")
    assert made.digest == client.get_model_version("Wine Quality", 1).digest
    assert str(tmp_path) not in git(folio_dir, "show", "HEAD")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("runs:/{run}/nothing", "Its models: model"),
        ("runs:/ffffffffffffffffffffffffffffffff/model", "not found"),
        ("models:/nope/1", "not found"),
        ("models:/Wine Quality/9", "version=9"),
        ("models:/Wine Quality", "Not a valid model URI"),
        ("s3://elsewhere/model", "no address out of a record is followed"),
        ("/nowhere/at/all", "No model at"),
    ],
)
def test_what_is_not_there_is_not_registered(client: MlflowClient, run_id: str, source: str, said: str) -> None:
    with pytest.raises(RunfolioError, match=said):
        runfolio.register_model(source.format(run=run_id), "Wine Quality")
    assert len(client.search_model_versions("name = 'Wine Quality'")) == 3


@pytest.mark.parametrize("name", ["a/b", "a:b", "..", "", " "])
def test_a_name_that_is_none_is_refused(client: MlflowClient, name: str) -> None:
    with pytest.raises(UsageError):
        client.create_registered_model(name)


def test_a_description_that_is_no_text_is_refused(client: MlflowClient, run_id: str) -> None:
    wrong: Any = 5
    for act in (
        lambda: client.create_registered_model("other", description=wrong),
        lambda: client.update_registered_model("Wine Quality", wrong),
        lambda: client.create_model_version("Wine Quality", f"runs:/{run_id}/model", run_id, description=wrong),
        lambda: client.update_model_version("Wine Quality", "1", wrong),
    ):
        with pytest.raises(UsageError, match=r"Invalid description: text is expected, found 5\."):
            act()
    assert client.get_registered_model("Wine Quality").description == "Which cultivar?"
    assert client.get_model_version("Wine Quality", "1").description == "try 0"


def test_versions_for_a_model_that_is_not_there_are_refused(client: MlflowClient, run_id: str) -> None:
    with pytest.raises(NotFoundError, match="Registered Model with name=nope not found"):
        client.create_model_version("nope", f"runs:/{run_id}/model")


def test_a_model_is_registered_while_its_run_goes_on(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)
    with runfolio.start_run() as run:
        runfolio.log_text(MLMODEL, "model/MLmodel")
        made = runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
    assert made.run_id == run.info.run_id
    assert runfolio.get_run(made.run_id).info.status == "FINISHED"


def test_the_registry_is_that_of_the_folio(folio_dir: Path, tmp_path: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)
    assert runfolio.get_registry_uri() == runfolio.get_tracking_uri()
    runfolio.set_registry_uri(str(folio_dir))
    with pytest.raises(RunfolioError):
        runfolio.set_registry_uri(str(tmp_path / "other"))
