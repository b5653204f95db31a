"""Azure ML: files that fit its published schema, sent through a faithful fake of its SDK (``azure_fake``). Not run against Azure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
import yaml

import runfolio.azureml
from runfolio.cli.main import main
from runfolio.deployments import get_deploy_client
from runfolio.deployments.azureml_files import of_container_resources
from runfolio.errors import AlreadyExistsError, MissingPackageError, NotFoundError, StateError, UsageError
from runfolio.folio import open_folio
from runfolio.records.deployments import Deployment

HERE = Path(__file__).parent
TARGET = "azureml:/sub/group/space"
IMAGE = "registry.example.org/wine:2"


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The fake SDK in the place of Azure's; its workspaces are empty."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "azure"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_ML_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.syspath_prepend(str(HERE / "azure_fake"))
    import azure.ai.ml

    azure.ai.ml.WORKSPACES.clear()
    yield azure.ai.ml
    for name in [name for name in sys.modules if name.partition(".")[0] == "azure"]:
        del sys.modules[name]


def held(azure: Any) -> dict[str, Any]:
    return next(iter(azure.WORKSPACES.values()))  # type: ignore[no-any-return]


def records(folder: Path) -> list[Deployment]:
    folio = open_folio(folder)
    try:
        return [item for _, item in folio.deployments.all()]
    finally:
        folio.close()


def test_the_guides_deploy_makes_an_endpoint_with_a_machine_that_is_large_enough(wine: Path, azure: Any) -> None:
    ws = SimpleNamespace(subscription_id="sub", resource_group="group", name="space")  # azureml.core.Workspace
    endpoint, made = runfolio.azureml.deploy(
        model_uri="models:/wine/Production",
        workspace=ws,
        deployment_config={"computeType": "aci", "containerResourceRequirements": {"cpu": 1, "memoryInGB": 2}},
        service_name="wine-classifier-aci",
    )
    assert (endpoint.name, made["url"]) == ("wine-classifier-aci", "https://wine-classifier-aci.example.org/score")
    assert endpoint.traffic == {"v2-" + records(wine)[0].digest[7:11]: 100}  # type: ignore[index]
    (deployment,) = held(azure)["deployments"]["wine-classifier-aci"].values()
    assert (deployment.instance_type, deployment.instance_count) == ("Standard_DS2_v2", 1)
    (record,) = records(wine)
    assert (record.target, record.place, record.name, record.version) == ("azureml", "space", "wine-classifier-aci", 2)
    assert record.endpoint == "https://wine-classifier-aci.example.org/score"
    runfolio.azureml.delete("wine-classifier-aci", ws)
    assert held(azure)["endpoints"] == {}
    assert [item.state.value for item in records(wine)] == ["deleted"]


def test_without_an_image_model_script_and_environment_are_sent(wine: Path, azure: Any) -> None:
    get_deploy_client(TARGET).create_deployment("wine", "models:/wine/2", config={"env.OMP_NUM_THREADS": "1"})
    (deployment,) = held(azure)["deployments"]["wine"].values()
    assert {
        "model/MLmodel",
        "model/weights.txt",
        "model/runfolio-manifest.json",
        "code/score.py",
        "conda.yaml",
    } < set(deployment.files)
    (record,) = records(wine)
    assert deployment.environment_variables == {"RUNFOLIO_MODEL_DIGEST": record.digest, "OMP_NUM_THREADS": "1"}
    needed = yaml.safe_load(deployment.files["conda.yaml"])["dependencies"][-1]["pip"]
    assert needed[0] == "numpy"
    assert needed[1].startswith("runfolio==")


def test_with_an_image_it_is_a_custom_container(wine: Path, azure: Any) -> None:
    get_deploy_client(TARGET).create_deployment("wine", "models:/wine/2", config={"image": IMAGE})
    (deployment,) = held(azure)["deployments"]["wine"].values()
    assert deployment.environment["image"] == IMAGE
    assert deployment.environment["inference_config"]["scoring_route"] == {"port": 8080, "path": "/invocations"}
    assert not hasattr(deployment, "model")


def test_an_update_moves_the_traffic_before_the_old_version_goes(wine: Path, azure: Any) -> None:
    client = get_deploy_client(TARGET)
    client.create_deployment("wine", "models:/wine/1", config={"deployment_name": "one"})
    client.update_deployment("wine", "models:/wine/2", config={"deployment_name": "two", "traffic": "25"})
    assert held(azure)["endpoints"]["wine"].traffic == {"one": 75, "two": 25}
    client.update_deployment("wine", "models:/wine/2", config={"deployment_name": "two"})
    assert held(azure)["endpoints"]["wine"].traffic == {"two": 100}
    assert client.get_deployment("wine")["deployments"] == ["two"]
    assert client.get_deployment("wine")["tags"] == {"runfolio_model": "wine"}  # it outlives the version that it was made with
    assert held(azure)["deployments"]["wine"]["two"].tags["runfolio_version"] == "2"
    client.update_deployment("wine", "models:/wine/2", config={"deployment_name": "two", "instance_count": "3"})
    assert held(azure)["deployments"]["wine"]["two"].instance_count == 3
    assert client.predict("wine", [1, 4]) == {"predictions": [2, 8]}
    assert [item["name"] for item in client.list_deployments()] == ["wine"]
    with pytest.raises(AlreadyExistsError, match="update"):
        client.create_deployment("wine", "models:/wine/1")
    client.delete_deployment("wine")
    client.delete_deployment("wine")


def test_what_azure_refuses_is_told_not_recorded_and_leaves_nothing(
    wine: Path, azure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = get_deploy_client(TARGET)
    with pytest.raises(StateError, match="instance type is not supported"):
        client.create_deployment("wine", "models:/wine/2", config={"instance_type": "Standard_Nonsense"})
    assert held(azure)["endpoints"] == {}
    with pytest.raises(StateError, match="no other deployment"):
        client.create_deployment("wine", "models:/wine/2", config={"traffic": "50"})
    client.delete_deployment("wine")
    with pytest.raises(NotFoundError, match="create"):
        client.update_deployment("wine", "models:/wine/2")
    with pytest.raises(NotFoundError, match="was not found"):
        client.get_deployment("port")
    monkeypatch.setenv("FAKE_AZURE_STRANGER", "1")
    with pytest.raises(StateError, match=r"does not know you.*az login"):
        client.create_deployment("wine", "models:/wine/2")
    assert records(wine) == []


@pytest.mark.parametrize(
    ("target", "name", "config", "said"),
    [
        ("azureml", "wine", {}, "subscription_id, resource_group, workspace_name is missing"),
        ("azureml:/sub/group", "wine", {}, "workspace_name is missing"),
        (TARGET, "w", {}, "Azure ML takes 3 to 32"),
        (TARGET, "wine", {"auth_mode": "none"}, "auth_mode: key"),
        (TARGET, "wine", {"instance_count": "0"}, "instance_count: a whole number from 1"),
        (TARGET, "wine", {"traffic": "101"}, "traffic: 0 to 100"),
        (TARGET, "wine", {"imge": "x"}, "did you mean 'image'?"),
    ],
)
def test_a_wrong_setting_is_named_and_azure_is_not_asked(
    wine: Path, azure: Any, target: str, name: str, config: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        get_deploy_client(target).create_deployment(name, "models:/wine/2", config=config)
    assert said in caught.value.message
    assert azure.WORKSPACES == {}


def test_deployment_configs_of_mlflow_1_are_mapped_or_refused_by_name(wine: Path) -> None:
    assert of_container_resources({"containerResourceRequirements": {"cpu": 4, "memoryInGB": 30}}) == ("Standard_DS5_v2", 1)
    assert of_container_resources({}) == ("Standard_DS2_v2", 1)
    with pytest.raises(UsageError, match="no machine"):
        of_container_resources({"containerResourceRequirements": {"cpu": 99}})
    ws = SimpleNamespace(subscription_id="sub", resource_group="group", name="space")
    for given, said in (({"computeType": "aks"}, "target kubernetes"), ({"gpu": 1}, "gpu: not taken"), (object(), "a dict")):
        with pytest.raises(UsageError, match=said):
            runfolio.azureml.deploy("models:/wine/2", ws, given, "wine")
    with pytest.raises(UsageError, match=r"from_config"):
        runfolio.azureml.deploy("models:/wine/2", object(), None, "wine")


def test_a_dry_run_prints_files_that_fit_the_schema(wine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = json.loads((HERE / "azureml.schema.json").read_text())
    assert (
        main(
            ["deployments", "create", "-t", TARGET, "--name", "wine", "-m", "models:/wine/2", "-C", f"image={IMAGE}", "--dry-run"]
        )
        == 0
    )
    found = [item for item in yaml.safe_load_all(capsys.readouterr().out) if item and "$schema" in item]
    jsonschema.validate(found[0], schema["endpoint"])
    jsonschema.validate(found[1], schema["deployment"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**found[1], "instance_cont": 1}, schema["deployment"])


def test_a_dry_run_tells_which_deployments_would_go(wine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "deployments",
        "update",
        "-t",
        TARGET,
        "--name",
        "wine",
        "-m",
        "models:/wine/2",
        "-C",
        f"image={IMAGE}",
        "--dry-run",
    ]
    assert main(command) == 0
    assert "# delete the deployments before" in capsys.readouterr().out
    assert main([*command, "-C", "traffic=25"]) == 0
    assert "# delete" not in capsys.readouterr().out


def test_the_scoring_script_verifies_loads_and_predicts(tmp_path: Path) -> None:
    import hashlib

    from runfolio.deployments.archive import write_archive
    from runfolio.deployments.azureml_files import other_files
    from runfolio.deployments.source import describe

    folder = tmp_path / "saved"
    runfolio.pyfunc.save_model(
        folder, python_model=lambda model_input: [2 * value for value in model_input], pip_requirements=["cloudpickle"]
    )
    source = describe(str(folder), folder)
    for name, content in other_files(source, {}).items():
        place = tmp_path / "deployment" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content.read_bytes())
    (tmp_path / "deployment" / "run.py").write_text(
        "import sys; sys.path.insert(0, sys.argv[1] + '/code'); import score; score.init(); print(score.run('{\"inputs\": [1.5, 4]}'))"
    )
    place = str(tmp_path / "deployment")
    env = {"AZUREML_MODEL_DIR": f"{place}/model", "RUNFOLIO_MODEL_DIGEST": source.digest, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, f"{place}/run.py", place]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.stdout == "{'predictions': [3.0, 8]}\n", done.stderr
    (tmp_path / "deployment" / "model" / "extra.py").write_text("evil")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert "extra.py is not in the manifest" in done.stderr
    assert done.returncode != 0
    write_archive(source, tmp_path / "a.tar.gz")
    write_archive(source, tmp_path / "b.tar.gz")
    assert len({hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a.tar.gz", "b.tar.gz")}) == 1


def test_without_the_sdk_the_command_that_brings_it_is_named(wine: Path) -> None:
    try:
        import azure.ai.ml  # noqa: F401
    except ImportError:
        with pytest.raises(MissingPackageError, match=r"pip install 'runfolio\[azureml\]'"):
            get_deploy_client(TARGET).create_deployment("wine", "models:/wine/2")
