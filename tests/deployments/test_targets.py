"""Targets: those of the house, those of other packages, and the server process of the target ``local``."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import runfolio
from runfolio.cli.main import main
from runfolio.deployments import BaseDeploymentClient, get_deploy_client, run_local, target_names
from runfolio.deployments.calling import payload_of
from runfolio.deployments.processes import end, lives
from runfolio.errors import AlreadyExistsError, NotFoundError, StateError, StorageError, UsageError
from runfolio.folio import open_folio
from runfolio.tracking.session import forget_sessions

PLUGIN = """
from runfolio.deployments import BaseDeploymentClient

class Client(BaseDeploymentClient):
    made = {}
    def create_deployment(self, name, model_uri, flavor=None, config=None, endpoint=None):
        self.made[name] = {"name": name, "model": model_uri, "config": config, "at": self.target_uri}
        return self.made[name]
    def update_deployment(self, name, model_uri=None, flavor=None, config=None, endpoint=None):
        return self.made[name]
    def delete_deployment(self, name, config=None, endpoint=None):
        self.made.pop(name, None)
    def list_deployments(self, endpoint=None):
        return list(self.made.values())
    def get_deployment(self, name, endpoint=None):
        return self.made[name]
    def predict(self, deployment_name=None, inputs=None, endpoint=None):
        return {"predictions": inputs}

def run_local(name, model_uri, flavor=None, config=None):
    return {"name": name, "here": True}

def target_help():
    return "shelf: puts models on a shelf\\n"
"""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that adds the target ``shelf``, and one for MLflow that adds ``attic``."""
    site = tmp_path / "site"
    info = site / "shelf-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "shelf_target.py").write_text(PLUGIN)
    (site / "empty_target.py").write_text("")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[runfolio.deployments]\nshelf = shelf_target\nempty = empty_target\nlocal = shelf_target\n[mlflow.deployments]\nattic = shelf_target\n"
    )
    monkeypatch.syspath_prepend(str(site))
    return site


@pytest.fixture
def double(wine: Path) -> Iterator[Path]:
    """The folio with a function model ``double``, two versions: times 2, and times 3."""
    for factor in (2, 3):
        source = f"def times(model_input):\n    return [{factor} * value for value in model_input]\n"
        space: dict[str, object] = {}
        exec(source, space)
        with runfolio.start_run():
            runfolio.pyfunc.log_model(
                "m", python_model=space["times"], registered_model_name="double", pip_requirements=["cloudpickle"]
            )
    forget_sessions()
    yield wine
    for item in get_deploy_client("local").list_deployments():
        get_deploy_client("local").delete_deployment(item["name"])


def test_a_package_adds_a_target_for_the_api_and_the_command_line(
    shelf: Path, wine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {"shelf", "attic", "sagemaker", "azureml", "kubernetes", "kserve", "local"} <= set(target_names())
    client = get_deploy_client("shelf:/top")
    assert client.create_deployment("wine", "models:/wine/1", config={"a": 1})["at"] == "shelf:/top"
    assert main(["deployments", "create", "-t", "attic", "--name", "w", "-m", "models:/wine/1", "-C", "colour=red"]) == 0
    assert json.loads(capsys.readouterr().out)["config"] == {"colour": "red"}
    (wine / "in.json").write_text('{"inputs": [1]}')
    assert main(["deployments", "predict", "-t", "shelf", "--name", "w", "-I", "in.json", "-O", "out.json"]) == 0
    assert json.loads((wine / "out.json").read_text()) == {"predictions": {"inputs": [1]}}
    assert main(["deployments", "delete", "-t", "shelf", "--name", "w"]) == 0
    capsys.readouterr()
    assert main(["deployments", "help", "-t", "shelf"]) == 0
    assert capsys.readouterr().out == "shelf: puts models on a shelf\n"
    assert run_local("shelf", "w", "models:/wine/1") == {"name": "w", "here": True}
    assert main(["deployments", "create", "-t", "shelf", "--name", "w", "-m", "models:/wine/1", "--dry-run"]) == 2


def test_a_target_of_the_house_comes_first_and_one_without_a_client_is_named(shelf: Path) -> None:
    assert type(get_deploy_client("local")).__module__ == "runfolio.deployments.local"
    with pytest.raises(UsageError, match="empty_target, which adds the target empty, has no clients"):
        get_deploy_client("empty")
    with pytest.raises(NotFoundError, match=r"no target 'moon'.*azureml"):
        get_deploy_client("moon:/base")
    with pytest.raises(UsageError, match="Not a target"):
        get_deploy_client("")


def test_every_target_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("azureml", "kserve", "kubernetes", "local", "sagemaker"):
        client = get_deploy_client(name)
        assert main(["deployments", "help", "-t", name]) == 0
        said = capsys.readouterr().out
        assert [key for key in client.keys if f"  {key}" not in said] == []  # type: ignore[attr-defined]


def test_the_client_has_the_methods_and_arguments_of_mlflows() -> None:
    expected = {
        "create_deployment": "name model_uri flavor config endpoint", "update_deployment": "name model_uri flavor config endpoint",
        "delete_deployment": "name config endpoint", "list_deployments": "endpoint", "get_deployment": "name endpoint",
        "predict": "deployment_name inputs endpoint", "predict_stream": "deployment_name inputs endpoint",
        "explain": "deployment_name df endpoint", "create_endpoint": "name config", "update_endpoint": "endpoint config",
        "delete_endpoint": "endpoint", "list_endpoints": "", "get_endpoint": "endpoint",
    }  # fmt: skip
    found = {name: " ".join(list(inspect.signature(getattr(BaseDeploymentClient, name)).parameters)[1:]) for name in expected}
    assert found == expected
    client = get_deploy_client("local")
    for name, args in (("explain", ()), ("create_endpoint", ("a",)), ("list_endpoints", ())):
        with pytest.raises(UsageError, match="this target"):
            getattr(client, name)(*args)


def test_a_local_deployment_is_a_server_that_outlives_the_command(double: Path) -> None:
    run = [sys.executable, "-m", "runfolio", "deployments"]
    done = subprocess.run(
        [*run, "create", "-t", "local", "--name", "d", "-m", "models:/double/1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    client = get_deploy_client("local")
    shown = client.get_deployment("d")
    assert (shown["status"], shown["model"], shown["pid"]) == ("Ready", "models:/double/1", made["pid"])
    assert client.predict("d", [1.5, 4]) == {"predictions": [3.0, 8.0]}
    with pytest.raises(AlreadyExistsError, match="update"):
        client.create_deployment("d", "models:/double/1")
    client.update_deployment("d", "models:/double/2")
    assert client.predict("d", [1.5, 4]) == {"predictions": [4.5, 12.0]}
    assert client.get_deployment("d")["pid"] != made["pid"]
    with pytest.raises(StateError, match="refused the request"):
        client.predict("d", "no json")
    url = client.get_deployment("d")["url"]
    client.delete_deployment("d")
    assert client.list_deployments() == []
    with pytest.raises(NotFoundError, match="There are: none"):
        client.predict("d", [1])
    from runfolio.deployments.calling import ask

    with pytest.raises(StorageError, match="did not answer"):
        ask(f"{url}/invocations", [1])
    folio = open_folio(double)
    assert folio.deployments.all() == []
    folio.close()


def test_a_local_server_that_was_killed_is_told_and_one_that_cannot_start_says_why(double: Path) -> None:
    client = get_deploy_client("local")
    made = client.create_deployment("d", "models:/double/1", config={"record": True})
    folio = open_folio(double)
    assert [item.target for _, item in folio.deployments.all()] == ["local"]
    folio.close()
    client.update_deployment("d", "models:/double/2")
    made = client.get_deployment("d")
    folio = open_folio(double)
    assert [item.version for _, item in folio.deployments.all()] == [2]
    folio.close()
    os.kill(made["pid"], signal.SIGKILL)
    os.waitpid(made["pid"], 0)
    assert client.get_deployment("d")["status"] == "Ended"
    with pytest.raises(NotFoundError, match="create"):
        client.update_deployment("d", "models:/double/2")
    with pytest.raises(StateError, match="did not start"):
        client.create_deployment("broken", "models:/wine/1")
    client.delete_deployment("d")
    folio = open_folio(double)
    assert [item.state.value for _, item in folio.deployments.all()] == ["deleted"]
    folio.close()


def servers_of(folder: Path) -> list[int]:
    """Return the servers that were started from a folder, and what they started."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"serve" in (place / "cmdline").read_bytes().split(b"\0") and (place / "cwd").resolve() == folder.resolve():
                found.append(int(place.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs /proc")
def test_an_order_that_is_interrupted_or_killed_leaves_no_server(double: Path) -> None:
    command = [sys.executable, "-m", "runfolio", "deployments", "create", "-t", "local", "--name", "d", "-m", "models:/double/1"]

    def started() -> subprocess.Popen[str]:
        order = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not list(double.glob(".git/runfolio/deployments/d.starting")):
            assert order.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        return order

    order = started()
    order.send_signal(signal.SIGINT)
    assert "interrupted" in order.communicate(timeout=60)[1]
    assert order.returncode == 130
    assert servers_of(double) == []
    order = started()
    order.kill()
    order.communicate()
    assert servers_of(double) != []
    client = get_deploy_client("local")
    assert client.list_deployments() == []
    client.delete_deployment("d")
    assert servers_of(double) == []
    assert not list(double.glob(".git/runfolio/deployments/*.starting"))


def test_two_names_with_one_slug_are_two_servers(double: Path) -> None:
    client = get_deploy_client("local")
    first = client.create_deployment("d e", "models:/double/1")
    second = client.create_deployment("d-e", "models:/double/2")
    assert first["pid"] != second["pid"]
    assert [client.predict(name, [2.0]) for name in ("d e", "d-e")] == [{"predictions": [4.0]}, {"predictions": [6.0]}]


def test_a_process_that_got_the_number_of_another_is_left_alone() -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert not lives(sleeper.pid, "12")
        end(sleeper.pid, "12")
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_what_is_given_becomes_the_protocols_json() -> None:
    import numpy
    import pandas

    frame = pandas.DataFrame({"a": [1.5], "b": ["x"]})
    assert json.loads(payload_of(frame)) == {"dataframe_split": {"columns": ["a", "b"], "data": [[1.5, "x"]]}}
    assert json.loads(payload_of(frame["a"])) == {"dataframe_split": {"columns": ["a"], "data": [[1.5]]}}
    assert json.loads(payload_of(numpy.array([[1, 2]]))) == {"inputs": [[1, 2]]}
    assert json.loads(payload_of({"x": numpy.float32(0.5)})) == {"inputs": {"x": 0.5}}
    assert json.loads(payload_of({"instances": [1], "params": {"k": 2}})) == {"instances": [1], "params": {"k": 2}}
    with pytest.raises(UsageError, match="cannot be sent"):
        payload_of([object()])


def test_an_input_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deployments", "predict", "-t", "local", "--name", "w", "-I", str(tmp_path / "none.json")]) == 11
    assert "none.json: No such file or directory." in capsys.readouterr().err
