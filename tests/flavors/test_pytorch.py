"""PyTorch's modules, saved, logged and loaded: pickled as MLflow does, or as weights."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import DamagedError, NotFoundError, OtherVersionWarning, StateError, UsageError
from runfolio.models import Model

pytestmark = [
    pytest.mark.frameworks,
    # TorchScript is on its way out of PyTorch, and says so; folders that hold it stay.
    pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning"),
]
torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
import numpy  # noqa: E402
import pandas  # noqa: E402

from tests.flavors.nets import Net, Tied  # noqa: E402

torch.set_num_threads(1)
FRAME = pandas.DataFrame(numpy.arange(12.0).reshape(3, 4), columns=list("abcd"), index=[5, 6, 7])


@pytest.fixture(params=["layers", "class", "tied"])
def net(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    made = {"layers": lambda: torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU()), "class": Net, "tied": Tied}
    return made[request.param]()


@pytest.fixture
def class_net() -> Any:
    torch.manual_seed(0)
    return Net()


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process saved, as if it came from elsewhere."""
    monkeypatch.setattr("runfolio.flavors.trust._saved", set())


def said(net: Any) -> Any:
    net.eval()
    with torch.no_grad():
        return net(torch.from_numpy(FRAME.to_numpy().astype("float32"))).numpy()


def test_module_comes_back_and_predicts_frames_and_arrays(tmp_path: Path, net: Any) -> None:
    runfolio.pytorch.save_model(net, tmp_path / "m")
    loaded = runfolio.pytorch.load_model(tmp_path / "m")
    assert not loaded.training and (said(loaded) == said(net)).all()
    called = runfolio.pyfunc.load_model(tmp_path / "m")
    framed = called.predict(FRAME)
    assert (framed.to_numpy() == said(net)).all() and list(framed.index) == [5, 6, 7]
    assert (called.predict(FRAME.to_numpy().astype("float32")) == said(net)).all()
    names = {"MLmodel", "conda.yaml", "data/model.pth", "data/pickle_module_info.txt", "python_env.yaml", "requirements.txt"}
    assert {str(each.relative_to(tmp_path / "m")) for each in (tmp_path / "m").rglob("*") if each.is_file()} == names
    flavors = Model.load(tmp_path / "m").flavors
    assert flavors["pytorch"] == {"model_data": "data", "pytorch_version": torch.__version__, "code": None}
    assert flavors["python_function"]["config"] == {"device": None}


def test_array_that_cannot_be_written_is_predicted_without_a_warning(tmp_path: Path, net: Any) -> None:
    runfolio.pytorch.save_model(net, tmp_path / "m")
    given = FRAME.to_numpy().astype("float32")
    given.flags.writeable = False
    # In a process of its own: PyTorch warns once in each.
    script = "import sys, numpy, runfolio; runfolio.pyfunc.load_model(sys.argv[1], suppress_warnings=True).predict(numpy.load(sys.argv[2], mmap_mode='r'))"
    numpy.save(tmp_path / "rows.npy", given)
    called = [sys.executable, "-W", "error::UserWarning", "-c", script, str(tmp_path / "m"), str(tmp_path / "rows.npy")]
    done = subprocess.run(called, capture_output=True, text=True, check=False, env={**os.environ, "RUNFOLIO_TRUST": "1"})
    assert done.returncode == 0, done.stderr


def test_same_module_is_the_same_bytes(tmp_path: Path, net: Any) -> None:
    for name in "ab":
        runfolio.pytorch.save_model(net, tmp_path / name)
    assert (tmp_path / "a/data/model.pth").read_bytes() == (tmp_path / "b/data/model.pth").read_bytes()


@pytest.mark.parametrize("net", ["class", "tied"], indirect=True)
def test_weights_alone_come_back(tmp_path: Path, net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runfolio.pytorch.save_model(net, tmp_path / "m", serialization_format="safetensors")
    assert not list((tmp_path / "m").rglob("*.pth"))
    elsewhere(monkeypatch)
    assert (said(runfolio.pytorch.load_model(tmp_path / "m", trust=False)) == said(net)).all()
    assert (runfolio.pyfunc.load_model(tmp_path / "m").predict(FRAME).to_numpy() == said(net)).all()


def test_weights_take_the_arguments_of_their_class(tmp_path: Path) -> None:
    net = Net(hidden=7)
    with pytest.raises(UsageError, match=r"first\.bias.*init_args"):
        runfolio.pytorch.save_model(net, tmp_path / "m", serialization_format="safetensors")
    with pytest.raises(UsageError, match="unexpected keyword"):
        runfolio.pytorch.save_model(net, tmp_path / "m", serialization_format="safetensors", init_args={"width": 7})
    with pytest.raises(UsageError, match="JSON"):
        runfolio.pytorch.save_model(net, tmp_path / "m", serialization_format="safetensors", init_args={"hidden": {1}})
    runfolio.pytorch.save_model(net, tmp_path / "m", serialization_format="safetensors", init_args={"hidden": 7})
    assert runfolio.pytorch.load_model(tmp_path / "m").first.out_features == 7


def test_weights_of_a_class_of_the_script_itself_are_refused(tmp_path: Path) -> None:
    class Own(torch.nn.Linear):
        pass

    with pytest.raises(UsageError, match="cannot be imported"):
        runfolio.pytorch.save_model(Own(1, 1), tmp_path / "m", serialization_format="safetensors")


def test_layers_of_torch_alone_run_no_code_and_need_no_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runfolio.pytorch.save_model(torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU()), tmp_path / "layers")
    runfolio.pytorch.save_model(Net(), tmp_path / "class")
    elsewhere(monkeypatch)
    runfolio.pytorch.load_model(tmp_path / "layers", trust=False)
    with pytest.raises(StateError, match=r"data/model\.pth"):
        runfolio.pytorch.load_model(tmp_path / "class")
    runfolio.pytorch.load_model(tmp_path / "class", trust=True)


class Owned:
    def __init__(self, place: str) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return open, (self.place, "w")


def test_a_pickle_that_calls_a_function_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(4, 2))
    runfolio.pytorch.save_model(net, tmp_path / "m")
    net.evil = Owned(str(tmp_path / "owned"))
    torch.save(net, tmp_path / "m/data/model.pth")
    elsewhere(monkeypatch)
    with pytest.raises(StateError, match="runs code"):
        runfolio.pyfunc.load_model(tmp_path / "m")
    assert not (tmp_path / "owned").exists()


def test_a_module_that_only_the_folder_names_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil_of_tests.py").write_text("import pathlib\npathlib.Path(__file__).with_suffix('.ran').touch()\n")
    monkeypatch.syspath_prepend(tmp_path)
    runfolio.pytorch.save_model(Net(), tmp_path / "m", serialization_format="safetensors")
    file = tmp_path / "m/MLmodel"
    file.write_text(file.read_text().replace("tests.flavors.nets.Net", "evil_of_tests.Net"))
    elsewhere(monkeypatch)
    with pytest.raises(StateError, match="evil_of_tests"):
        runfolio.pytorch.load_model(tmp_path / "m")
    assert not (tmp_path / "evil_of_tests.ran").exists()
    file.write_text(file.read_text().replace("evil_of_tests.Net", "subprocess.Popen"))
    with pytest.raises(DamagedError, match="no class of PyTorch"):
        runfolio.pytorch.load_model(tmp_path / "m")


def test_script_is_loaded_where_it_is_trusted(tmp_path: Path, class_net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runfolio.pytorch.save_model(torch.jit.script(class_net), tmp_path / "m")
    assert (runfolio.pyfunc.load_model(tmp_path / "m").predict(FRAME).to_numpy() == said(class_net)).all()
    elsewhere(monkeypatch)
    with pytest.raises(StateError, match="runs code"):
        runfolio.pytorch.load_model(tmp_path / "m")


def test_traced_module_takes_any_number_of_rows(tmp_path: Path, class_net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    array = FRAME.to_numpy().astype("float32")
    runfolio.pytorch.save_model(class_net, tmp_path / "m", serialization_format="pt2", input_example=array)
    called = runfolio.pyfunc.load_model(tmp_path / "m")
    for rows in (1, 2, 3):
        assert numpy.allclose(called.predict(array[:rows]), said(class_net)[:rows], atol=1e-6)
    for example in (None, array[:1]):
        with pytest.raises(UsageError, match="two rows"):
            runfolio.pytorch.save_model(class_net, tmp_path / "n", serialization_format="pt2", input_example=example)
    elsewhere(monkeypatch)
    with pytest.raises(StateError, match="runs code"):
        runfolio.pytorch.load_model(tmp_path / "m")
    (tmp_path / "m/data/model.pt2").write_bytes((tmp_path / "m/data/model.pt2").read_bytes()[:500])
    with pytest.raises(DamagedError, match=r"model\.pt2"):
        runfolio.pytorch.load_model(tmp_path / "m", trust=True)


def test_signature_is_inferred_and_the_module_stays_in_training(tmp_path: Path, class_net: Any) -> None:
    class_net.train()
    array = FRAME.to_numpy().astype("float32")
    made = runfolio.pytorch.save_model(class_net, tmp_path / "m", input_example=array)
    assert class_net.training
    assert made.signature.to_dict()["inputs"] == '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 4]}}]'
    with pytest.raises(UsageError, match="float64"):
        runfolio.pyfunc.load_model(tmp_path / "m").predict(FRAME.to_numpy())


def test_logged_module_is_a_version_that_another_process_loads(
    folio_dir: Path, class_net: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folio_dir)
    with runfolio.start_run():
        info = runfolio.pytorch.log_model(
            class_net, "model", registered_model_name="net", serialization_format="safetensors", input_example=FRAME
        )
    assert info.registered_model_version == 1
    code = (
        "import runfolio, pandas, json, sys; frame = pandas.DataFrame([[0., 1., 2., 3.]], columns=list('abcd'))\n"
        "print(runfolio.pyfunc.load_model('models:/net/1').predict(frame).to_numpy().tolist())"
    )
    root = str(Path(__file__).parents[2])
    env = {"PYTHONPATH": root, "PATH": "/usr/bin:/bin", "HOME": str(folio_dir)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert numpy.allclose(eval(done.stdout), said(class_net)[:1])


def test_what_predict_cannot_take_is_named(tmp_path: Path, class_net: Any) -> None:
    runfolio.pytorch.save_model(class_net, tmp_path / "m")
    called = runfolio.pyfunc.load_model(tmp_path / "m")
    with pytest.raises(UsageError, match="not list"):
        called.predict([1])
    with pytest.raises(UsageError, match="model_config"):
        called.predict(FRAME, params={"device": "cpu"})


def test_what_is_no_module_is_refused(tmp_path: Path, class_net: Any) -> None:
    with pytest.raises(UsageError, match="not int"):
        runfolio.pytorch.save_model(3, tmp_path / "m")
    with pytest.raises(UsageError, match="serialization_format"):
        runfolio.pytorch.save_model(class_net, tmp_path / "m", serialization_format="onnx")
    with pytest.raises(UsageError, match="state_dict"):
        runfolio.pytorch.save_state_dict(class_net, tmp_path / "s")
    with pytest.raises(NotFoundError, match="extra_files"):
        runfolio.pytorch.save_model(class_net, tmp_path / "m", extra_files=[str(tmp_path / "no")])


@pytest.mark.parametrize(("form", "file"), [("pickle", "model.pth"), ("safetensors", "model.safetensors")])
def test_file_cut_off_or_missing_is_named(tmp_path: Path, class_net: Any, form: str, file: str) -> None:
    runfolio.pytorch.save_model(class_net, tmp_path / "m", serialization_format=form)
    place = tmp_path / "m/data" / file
    whole = place.read_bytes()
    for length in (len(whole) - 100, 60, 0):
        place.write_bytes(whole[:length])
        with pytest.raises(DamagedError, match=file):
            runfolio.pytorch.load_model(tmp_path / "m", trust=True)
    place.unlink()
    with pytest.raises(DamagedError, match=file):
        runfolio.pytorch.load_model(tmp_path / "m", trust=True)


def test_another_version_of_pytorch_is_told_with_both(tmp_path: Path, class_net: Any) -> None:
    runfolio.pytorch.save_model(class_net, tmp_path / "m")
    file = tmp_path / "m/MLmodel"
    file.write_text(file.read_text().replace(f"pytorch_version: {torch.__version__}", "pytorch_version: 1.13.1"))
    with pytest.warns(OtherVersionWarning, match=rf"torch 1\.13\.1, and {torch.__version__.partition('+')[0]}"):
        runfolio.pytorch.load_model(tmp_path / "m", trust=True)


def test_state_dict_is_logged_and_loaded(folio_dir: Path, class_net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folio_dir)
    held = {"model": class_net.state_dict(), "epoch": 3}
    with runfolio.start_run() as run:
        runfolio.pytorch.log_state_dict(held, "checkpoint")
    loaded = runfolio.pytorch.load_state_dict(f"runs:/{run.info.run_id}/checkpoint")
    assert loaded["epoch"] == 3
    assert all((loaded["model"][name] == value).all() for name, value in class_net.state_dict().items())


def test_files_beside_the_model_are_kept(tmp_path: Path, class_net: Any) -> None:
    (tmp_path / "labels.txt").write_text("a\nb\n")
    runfolio.pytorch.save_model(class_net, tmp_path / "m", extra_files=[str(tmp_path / "labels.txt")])
    assert Model.load(tmp_path / "m").flavors["pytorch"]["extra_files"] == [{"path": "extra_files/labels.txt"}]
    assert (tmp_path / "m/extra_files/labels.txt").read_text() == "a\nb\n"
