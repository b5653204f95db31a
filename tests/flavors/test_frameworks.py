"""What holds for the models of every framework in the table, and what is a framework's own."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import DamagedError, MissingPackageError, OtherVersionWarning, StateError, UsageError
from runfolio.flavors import versions
from runfolio.flavors.catalogue import runs_code
from runfolio.folio import open_folio
from runfolio.models import Model
from tests.flavors.exchanged import ROWS, Row, plain

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of the frameworks, which are not ours to mend
    pytest.mark.filterwarnings("ignore:.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*:PendingDeprecationWarning"),
]
SAFE = {
    "lightgbm": "model.lgb",
    "catboost": "model.cb",
    "onnx": "model.onnx",
    "prophet": "model.pr",
    "spacy": "model.spacy/config.cfg",
    "xgboost": "model.ubj",
}
CODE = {"statsmodels": "model.statsmodels", "lightgbm-estimator": "model.pkl", "sklearn": "model.pkl"}
EACH = [each for each in ROWS if each.name in (*SAFE, *CODE)]
every = pytest.mark.parametrize("row", EACH, ids=lambda row: row.name)


@cache
def trained(name: str) -> tuple[Any, Any]:
    row = next(each for each in ROWS if each.name == name)
    if row.missing():
        pytest.skip(f"not installed: {', '.join(row.missing())}")
    return row.train()


def saved(row: Row, folder: Path, **options: Any) -> Path:
    model, _ = trained(row.name)
    getattr(runfolio, row.flavor).save_model(model, folder, **{**row.options, **options})
    return folder


@every
def test_logged_model_is_a_version_that_tells_whether_it_runs_code(
    row: Row, folio_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = trained(row.name)
    monkeypatch.chdir(folio_dir)
    with runfolio.start_run():
        info = getattr(runfolio, row.flavor).log_model(model, "model", registered_model_name="m", **row.options)
    folio = open_folio(folio_dir)
    version = folio.models.version(folio.models.find("m"), 1)
    assert version.runs_code == ((CODE[row.name],) if row.name in CODE else ())
    said = plain(row.said(model, data))
    for uri in (info.model_uri, "models:/m/1"):
        assert plain(row.said(getattr(runfolio, row.flavor).load_model(uri), data)) == said
    assert plain(runfolio.pyfunc.load_model("models:/m/latest").predict(data))


@every
def test_folder_from_elsewhere_needs_trust_only_where_it_runs_code(
    row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = saved(row, tmp_path / "m")
    monkeypatch.setattr("runfolio.flavors.trust._saved", set())
    assert (folder / SAFE.get(row.name, "MLmodel")).is_file()
    if row.name in SAFE:
        assert runs_code(folder, Model.load(folder)) == []
        runfolio.pyfunc.load_model(folder, trust=False)
    else:
        with pytest.raises(StateError, match=CODE[row.name]):
            runfolio.pyfunc.load_model(folder)


@every
def test_same_model_is_the_same_bytes(row: Row, tmp_path: Path) -> None:
    one, other = saved(row, tmp_path / "a"), saved(row, tmp_path / "b")
    files = sorted(each.relative_to(one) for each in one.rglob("*") if each.is_file() and each.name != "MLmodel")
    assert files == sorted(each.relative_to(other) for each in other.rglob("*") if each.is_file() and each.name != "MLmodel")
    assert [file for file in files if (one / file).read_bytes() != (other / file).read_bytes()] == []


@every
def test_requirements_name_the_framework_with_its_version(row: Row, tmp_path: Path) -> None:
    lines = (saved(row, tmp_path / "m") / "requirements.txt").read_text().splitlines()
    names = {"sklearn": "scikit-learn"}.get(row.flavor, row.flavor)
    assert [line for line in lines if line.startswith((f"{names}==", f"{names}-cpu=="))]
    assert all("==" in line for line in lines)


@every
def test_other_version_is_told_with_both_once(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(row, tmp_path / "m")
    monkeypatch.setattr(versions, "_told", set())
    model = Model.load(folder)
    key = next(key for key in model.flavors[row.flavor] if key.endswith("_version"))
    here = model.flavors[row.flavor][key]
    model.flavors[row.flavor][key] = "0.0.1"
    model.save(folder / "MLmodel")
    with pytest.warns(OtherVersionWarning) as told:
        runfolio.pyfunc.load_model(folder, trust=True)
    ours = [str(each.message) for each in told if each.category is OtherVersionWarning]
    assert len(ours) == 1 and "0.0.1" in ours[0] and here.partition("+")[0] in ours[0]
    runfolio.pyfunc.load_model(folder, trust=True)  # a second warning would be an error here


@every
def test_missing_framework_is_told_with_the_command(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved(row, tmp_path / "m")
    extra = {"sklearn": "models"}.get(row.flavor, row.flavor)
    for name in [name for name in sys.modules if name.partition(".")[0] == row.flavor] or [row.flavor]:
        monkeypatch.setitem(sys.modules, name, None)  # what Python looks at when a module is imported
    with pytest.raises(MissingPackageError, match=rf"pip install 'runfolio\[{extra}\]'"):
        getattr(runfolio, row.flavor).load_model(folder)


@every
def test_what_is_no_model_of_the_framework_is_refused(row: Row, tmp_path: Path) -> None:
    trained(row.name)
    if row.flavor != "sklearn":  # where anything with predict is an estimator
        with pytest.raises(UsageError, match="not int"):
            getattr(runfolio, row.flavor).save_model(3, tmp_path / "m")
        assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("row", [each for each in EACH if each.name in SAFE], ids=lambda row: row.name)
def test_cut_off_file_is_named(row: Row, tmp_path: Path) -> None:
    folder = saved(row, tmp_path / "m")
    place = folder / SAFE[row.name]
    os.truncate(place, place.stat().st_size // 2)
    with pytest.raises(DamagedError, match=r"model\."):
        getattr(runfolio, row.flavor).load_model(folder, trust=True)


def test_signature_false_leaves_it_out(tmp_path: Path) -> None:
    row = next(each for each in ROWS if each.name == "lightgbm")
    example = trained(row.name)[1].head(2)
    assert Model.load(saved(row, tmp_path / "no", signature=False, input_example=example)).signature is None
    assert Model.load(saved(row, tmp_path / "yes", input_example=example)).signature is not None


def test_onnx_keeps_the_graph_it_was_given_and_its_tensors_apart(tmp_path: Path) -> None:
    numpy, onnx = pytest.importorskip("numpy"), pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    weights = numpy.arange(4096, dtype=numpy.float32).reshape(4, 1024)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 4])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, 1024])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    before = model.SerializeToString()
    runfolio.onnx.save_model(
        model, tmp_path / "m", onnx_session_options={"intra_op_num_threads": 1, "execution_mode": "sequential"}
    )
    assert model.SerializeToString() == before
    assert (tmp_path / "m/model.onnx.data").stat().st_size == 16384
    loaded = runfolio.pyfunc.load_model(tmp_path / "m")
    made = loaded.predict(numpy.ones((2, 4)))  # doubles, as JSON gives them
    assert (made["y"] == numpy.ones((2, 4), numpy.float32) @ weights).all()
    assert loaded.get_raw_model().get_session_options().intra_op_num_threads == 1
    runfolio.onnx.save_model(model, tmp_path / "one", save_as_external_data=False)
    assert not (tmp_path / "one/model.onnx.data").exists()
    assert runfolio.onnx.load_model(tmp_path / "one").SerializeToString() == before
    with pytest.raises(UsageError, match="'sequential' or 'parallel'"):
        runfolio.onnx.save_model(model, tmp_path / "bad", onnx_session_options={"execution_mode": "fast"})
    with pytest.raises(UsageError, match="the inputs x"):
        loaded.predict([[1.0] * 4])


def test_catboost_comes_back_from_json(tmp_path: Path) -> None:
    row = next(each for each in ROWS if each.name == "catboost")
    folder = saved(row, tmp_path / "m", format="json")
    model, data = trained(row.name)
    assert Model.load(folder).flavors["catboost"]["save_format"] == "json"
    assert plain(runfolio.catboost.load_model(folder).predict(data)) == plain(model.predict(data))


def test_pipeline_without_a_categorizer_has_no_predict(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spacy = pytest.importorskip("spacy")
    runfolio.spacy.save_model(spacy.blank("en"), tmp_path / "m")
    assert list(Model.load(tmp_path / "m").flavors) == ["spacy"]
    assert "text categorizer" in caplog.text
    assert [token.text for token in runfolio.spacy.load_model(tmp_path / "m")("a b")] == ["a", "b"]
    with pytest.raises(UsageError, match="python_function"):
        runfolio.pyfunc.load_model(tmp_path / "m")


def test_pipeline_with_a_component_from_elsewhere_is_told_to_run_code(tmp_path: Path) -> None:
    row = next(each for each in ROWS if each.name == "spacy")
    folder = saved(row, tmp_path / "m")
    place = folder / "model.spacy/config.cfg"
    place.write_text(place.read_text().replace("spacy.TextCatBOW.v3", "spacy-transformers.TransformerModel.v3"))
    assert runs_code(folder, Model.load(folder)) == ["model.spacy"]


def test_time_series_is_predicted_between_two_dates(tmp_path: Path) -> None:
    row = next(each for each in ROWS if each.name == "statsmodels-series")
    folder = saved(row, tmp_path / "m")
    model, data = trained(row.name)
    loaded = runfolio.pyfunc.load_model(folder)
    assert plain(loaded.predict(data)) == plain(row.said(model, data))
    with pytest.raises(UsageError, match="start and end"):
        loaded.predict(data.rename(columns={"end": "until"}))


def test_a_python_loader_beside_a_safe_flavor_is_told_to_run_code(tmp_path: Path) -> None:
    row = next(each for each in ROWS if each.name == "xgboost")
    folder = saved(row, tmp_path / "m")
    model = Model.load(folder)
    model.flavors["python_function"] |= {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl"}
    assert runs_code(folder, model) == ["python_model.pkl"]
    model.flavors["python_function"]["loader_module"] = "somebody.s.module"
    assert "model.ubj" in runs_code(folder, model)


def test_skops_of_mlflow_3_loads_with_trust_and_not_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    skops = pytest.importorskip("skops.io")
    row = next(each for each in ROWS if each.name == "sklearn")
    folder = saved(row, tmp_path / "m")
    model, data = trained(row.name)
    skops.dump(model, folder / "model.skops")
    described = Model.load(folder)
    described.flavors["sklearn"] |= {"pickled_model": "model.skops", "serialization_format": "skops"}
    described.save(folder / "MLmodel")
    monkeypatch.setattr("runfolio.flavors.trust._saved", set())
    with pytest.raises(StateError, match=r"model\.skops"):
        runfolio.sklearn.load_model(folder)
    assert plain(runfolio.sklearn.load_model(folder, trust=True).predict(data)) == plain(model.predict(data))
    described.flavors["sklearn"]["serialization_format"] = "tomorrow"
    described.save(folder / "MLmodel")
    with pytest.raises(UsageError, match=r"'tomorrow'.*newer MLflow"):
        runfolio.sklearn.load_model(folder, trust=True)
