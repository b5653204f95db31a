"""Keras' and TensorFlow's models, saved, logged and loaded. One module, since importing TensorFlow takes long."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import DamagedError, StateError, UsageError
from runfolio.models import Model, infer_signature

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.xdist_group("tensorflow"),
    # Of TensorFlow's own modules when they are imported, and of Keras about the .h5 format that one test wants.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore:.*HDF5.*:UserWarning"),
]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
tensorflow = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
import numpy  # noqa: E402
import pandas  # noqa: E402

X = numpy.arange(12, dtype="float32").reshape(3, 4) / 12


@keras.saving.register_keras_serializable(package="tests")
class Scaled(keras.layers.Layer):
    """A layer of the user's own."""

    def call(self, data: Any) -> Any:
        return data * 3


def network(*more: Any) -> Any:
    keras.utils.set_random_seed(0)
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu"), *more, keras.layers.Dense(2)])
    made.compile(loss="mse", optimizer="sgd")
    return made


def with_function() -> Any:
    return network(keras.layers.Lambda(lambda data: data * 2))


class Doubled(tensorflow.Module):  # type: ignore[misc]
    """A module without Keras."""

    def __init__(self) -> None:
        self.factor = tensorflow.Variable(2.0)

    @tensorflow.function(input_signature=[tensorflow.TensorSpec([None, 4], tensorflow.float32)])  # type: ignore[untyped-decorator]
    def __call__(self, data: Any) -> Any:
        return data * self.factor


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process saved, as if it came from elsewhere."""
    monkeypatch.setattr("runfolio.flavors.trust._saved", set())


def close(one: Any, other: Any) -> bool:
    return bool(numpy.allclose(numpy.asarray(one), numpy.asarray(other), atol=1e-6))


@pytest.mark.parametrize("flavor", ["keras", "tensorflow"])
def test_network_comes_back_without_code_and_predicts_frames_and_arrays(
    tmp_path: Path, flavor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, room = network(Scaled()), getattr(runfolio, flavor)
    wanted = model.predict(X, verbose=0)
    room.save_model(model, tmp_path / "m")
    elsewhere(monkeypatch)
    assert close(room.load_model(tmp_path / "m", trust=False).predict(X, verbose=0), wanted)
    called = runfolio.pyfunc.load_model(tmp_path / "m")
    assert close(called.predict(X), wanted)
    framed = called.predict(pandas.DataFrame(X, index=[4, 5, 6]))
    assert close(framed, wanted) and list(framed.index) == [4, 5, 6]
    with pytest.raises(UsageError, match="not str"):
        called.predict("text")


def test_folders_are_laid_out_as_those_of_mlflow(tmp_path: Path) -> None:
    runfolio.keras.save_model(network(), tmp_path / "k", input_example=X)
    runfolio.tensorflow.save_model(network(), tmp_path / "t")
    assert {each.name for each in (tmp_path / "k/data").iterdir()} == {"keras_module.txt", "model.keras"}
    assert {each.name for each in (tmp_path / "t/data").iterdir()} == {"keras_module.txt", "model.keras", "save_format.txt"}
    said, also = Model.load(tmp_path / "k"), Model.load(tmp_path / "t")
    assert said.flavors["keras"] == {
        "data": "data",
        "keras_version": keras.__version__,
        "keras_backend": "tensorflow",
        "save_exported_model": False,
        "code": None,
    }
    assert said.signature.inputs.to_dict() == [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 4]}}]
    assert also.flavors["tensorflow"]["model_type"] == "keras" and also.flavors["python_function"]["data"] == "data"
    needs = (tmp_path / "t/requirements.txt").read_text()
    assert "tensorflow" in needs and "keras==" in needs


@pytest.mark.parametrize("flavor", ["keras", "tensorflow"])
def test_function_in_a_network_needs_trust(tmp_path: Path, flavor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, room = with_function(), getattr(runfolio, flavor)
    room.save_model(model, tmp_path / "m")
    wanted = model.predict(X, verbose=0)
    assert close(runfolio.pyfunc.load_model(tmp_path / "m").predict(X), wanted)  # this process made it
    elsewhere(monkeypatch)
    for load in (room.load_model, runfolio.pyfunc.load_model):
        with pytest.raises(StateError, match=r"data/model\.keras"):
            load(tmp_path / "m")
    assert close(room.load_model(tmp_path / "m", trust=True).predict(X, verbose=0), wanted)


def test_older_format_is_written_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, model in (("plain", network()), ("function", with_function())):
        runfolio.tensorflow.save_model(model, tmp_path / name, keras_model_kwargs={"save_format": "h5"})
        assert (tmp_path / name / "data/model.h5").is_file()
        assert close(runfolio.pyfunc.load_model(tmp_path / name).predict(X), model.predict(X, verbose=0))
    elsewhere(monkeypatch)
    runfolio.tensorflow.load_model(tmp_path / "plain", trust=False)
    with pytest.raises(StateError, match=r"model\.h5"):
        runfolio.tensorflow.load_model(tmp_path / "function")


def test_custom_objects_travel_as_a_pickle_that_needs_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Own(keras.layers.Layer):  # type: ignore[misc]
        def call(self, data: Any) -> Any:
            return data * 5

    model = network(Own())
    runfolio.tensorflow.save_model(model, tmp_path / "m", custom_objects={"Own": Own})
    assert close(runfolio.pyfunc.load_model(tmp_path / "m").predict(X), model.predict(X, verbose=0))
    elsewhere(monkeypatch)
    with pytest.raises(StateError, match="custom_objects"):
        runfolio.tensorflow.load_model(tmp_path / "m")


def test_module_of_tensorflow_needs_trust_since_its_graph_may_touch_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runfolio.tensorflow.save_model(Doubled(), tmp_path / "m", input_example=X)
    assert close(runfolio.pyfunc.load_model(tmp_path / "m").predict(X), X * 2)
    elsewhere(monkeypatch)
    with pytest.raises(StateError, match="saved_model"):
        runfolio.tensorflow.load_model(tmp_path / "m")


def test_exported_network_is_called_by_its_endpoint(tmp_path: Path) -> None:
    model = network()
    wanted = model.predict(X, verbose=0)
    with pytest.raises(UsageError, match="signature of tensors"):
        runfolio.keras.save_model(model, tmp_path / "m", save_exported_model=True)
    runfolio.keras.save_model(model, tmp_path / "m", save_exported_model=True, signature=infer_signature(X, wanted))
    assert close(runfolio.pyfunc.load_model(tmp_path / "m").predict(X), wanted)


def test_logged_network_is_a_version(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folio_dir)
    model = with_function()
    with runfolio.start_run():
        info = runfolio.keras.log_model(model, "model", registered_model_name="net", input_example=X)
    assert info.registered_model_version == 1
    for uri in (info.model_uri, "models:/net/1"):  # committed: trusted, also the function
        assert close(runfolio.pyfunc.load_model(uri).predict(X), model.predict(X, verbose=0))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    for room in (runfolio.keras, runfolio.tensorflow):
        with pytest.raises(UsageError, match="not int"):
            room.save_model(3, tmp_path / "m")


@pytest.mark.parametrize("flavor", ["keras", "tensorflow"])
def test_file_cut_off_or_missing_is_named(tmp_path: Path, flavor: str) -> None:
    room = getattr(runfolio, flavor)
    room.save_model(network(), tmp_path / "m")
    place = tmp_path / "m/data/model.keras"
    whole = place.read_bytes()
    for length in (len(whole) - 100, 100, 0):
        place.write_bytes(whole[:length])
        with pytest.raises(DamagedError, match=r"model\.keras"):
            room.load_model(tmp_path / "m", trust=True)
    place.unlink()
    with pytest.raises(DamagedError, match=r"model\.keras"):
        room.load_model(tmp_path / "m", trust=True)


ON_TORCH = """
import os, sys
import keras, numpy, runfolio
from pathlib import Path
assert keras.backend.backend() == "torch"
x = numpy.arange(12, dtype="float32").reshape(3, 4)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
runfolio.keras.save_model(model, "m", input_example=x)
made = runfolio.pyfunc.load_model("m").predict(x)
assert isinstance(made, numpy.ndarray) and numpy.allclose(made, model.predict(x, verbose=0))
assert "keras_backend: torch" in Path("m/MLmodel").read_text()
needs = Path("m/requirements.txt").read_text()
assert "torch==" in needs and "tensorflow" not in needs
"""


def test_keras_on_pytorch_names_pytorch_as_what_it_needs(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    env = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run(
        [sys.executable, "-c", ON_TORCH], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
