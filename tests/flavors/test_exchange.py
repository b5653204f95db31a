"""Models go through runs, the registry and folders, and come back as they were; nothing untrusted runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import AlreadyExistsError, MissingPackageError, NotFoundError, OtherVersionWarning, StateError, UsageError
from runfolio.flavors import versions
from runfolio.models import ColSpec, Model, ModelSignature, ParamSchema, ParamSpec, Schema, get_model_info, infer_signature

sklearn = pytest.importorskip("sklearn")
pytest.importorskip("cloudpickle")
import numpy  # noqa: E402
import pandas  # noqa: E402
from sklearn.datasets import load_wine  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402


@pytest.fixture(scope="module")
def wine() -> tuple[Any, Any]:
    data: tuple[Any, Any] = load_wine(return_X_y=True, as_frame=True)
    return data


@pytest.fixture(scope="module")
def forest(wine: tuple[Any, Any]) -> Any:
    return RandomForestClassifier(5, random_state=0).fit(*wine)


@pytest.fixture
def in_folio(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folio_dir)
    return folio_dir


def foreign(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder that this process saved one that it knows nothing of."""
    monkeypatch.setattr("runfolio.flavors.trust._saved", set())
    return folder


def test_logged_forest_is_loaded_from_its_run_and_as_a_version(in_folio: Path, forest: Any, wine: tuple[Any, Any]) -> None:
    with runfolio.start_run():
        info = runfolio.sklearn.log_model(forest, "model", input_example=wine[0].head(2), registered_model_name="wine")
    assert info.registered_model_version == 1
    assert info.signature is not None and "alcohol" in info.signature.inputs.input_names()  # type: ignore[union-attr]
    for uri in (info.model_uri, "models:/wine/1", "models:/wine/latest"):
        assert (runfolio.sklearn.load_model(uri).predict(wine[0]) == forest.predict(wine[0])).all()
        assert (runfolio.pyfunc.load_model(uri).predict(wine[0]) == forest.predict(wine[0])).all()
        assert get_model_info(uri).model_uuid == info.model_uuid
    history = json.loads(runfolio.get_run(info.run_id).data.tags["mlflow.log-model.history"])
    assert [(entry["artifact_path"], entry["model_uuid"]) for entry in history] == [("model", info.model_uuid)]


def test_log_model_starts_a_run_where_none_is_active(in_folio: Path, forest: Any) -> None:
    info = runfolio.sklearn.log_model(forest, name="model")
    active = runfolio.active_run()
    assert active is not None and active.info.run_id == info.run_id


@pytest.mark.parametrize("where", [{}, {"artifact_path": "a", "name": "b"}])
def test_place_of_a_logged_model_is_named_once(in_folio: Path, forest: Any, where: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="artifact_path"):
        runfolio.sklearn.log_model(forest, **where)


def test_same_model_is_the_same_bytes(tmp_path: Path, forest: Any) -> None:
    for name in "ab":
        runfolio.sklearn.save_model(forest, tmp_path / name)
    assert (tmp_path / "a/model.pkl").read_bytes() == (tmp_path / "b/model.pkl").read_bytes()


def test_saved_folder_has_the_files_of_mlflow(tmp_path: Path, forest: Any, wine: tuple[Any, Any]) -> None:
    runfolio.sklearn.save_model(forest, tmp_path / "m", input_example=wine[0].head(2), metadata={"k": "v"})
    names = ["MLmodel", "conda.yaml", "input_example.json", "model.pkl", "python_env.yaml", "requirements.txt"]
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [*names, "serving_input_example.json"]
    needs = (tmp_path / "m/requirements.txt").read_text().splitlines()
    assert [line.partition("==")[0] for line in needs] == ["numpy", "scikit-learn", "scipy"]
    model = Model.load(tmp_path / "m")
    assert model.metadata == {"k": "v"} and model.flavors["python_function"]["loader_module"] == "mlflow.sklearn"
    body = json.loads((tmp_path / "m/serving_input_example.json").read_text())
    assert body["dataframe_split"]["columns"][0] == "alcohol"


def test_place_that_is_taken_is_left_alone(tmp_path: Path, forest: Any) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(AlreadyExistsError):
        runfolio.sklearn.save_model(forest, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_folder_from_elsewhere_needs_trust(tmp_path: Path, forest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runfolio.sklearn.save_model(forest, tmp_path / "m")
    assert runfolio.sklearn.load_model(tmp_path / "m").n_estimators == 5
    folder = foreign(tmp_path / "m", monkeypatch)
    for load in (runfolio.sklearn.load_model, runfolio.pyfunc.load_model):
        with pytest.raises(StateError, match="trust=True"):
            load(folder)
        load(folder, trust=True)
    monkeypatch.setenv("RUNFOLIO_TRUST", "1")
    assert runfolio.sklearn.load_model(folder).n_estimators == 5
    with pytest.raises(StateError, match="trust=False"):
        runfolio.sklearn.load_model(folder, trust=False)


def test_file_changed_after_saving_is_not_trusted(tmp_path: Path, forest: Any) -> None:
    runfolio.sklearn.save_model(forest, tmp_path / "m")
    (tmp_path / "m/model.pkl").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(StateError, match="runs code"):
        runfolio.sklearn.load_model(tmp_path / "m")
    assert not os.path.exists("owned")


def test_file_outside_the_folder_is_not_loaded(tmp_path: Path, forest: Any) -> None:
    runfolio.sklearn.save_model(forest, tmp_path / "m")
    file = tmp_path / "m/MLmodel"
    file.write_text(file.read_text().replace("pickled_model: model.pkl", "pickled_model: ../other.pkl"))
    with pytest.raises(UsageError, match="outside"):
        runfolio.sklearn.load_model(tmp_path / "m", trust=True)


def test_files_that_lie_in_the_destination_are_not_loaded_along(in_folio: Path, forest: Any, tmp_path: Path) -> None:
    info = runfolio.sklearn.log_model(forest, "model")
    (tmp_path / "to").mkdir()
    (tmp_path / "to/evil.py").write_text("")
    with pytest.raises(UsageError, match="not empty"):
        runfolio.sklearn.load_model(info.model_uri, dst_path=tmp_path / "to")


class Greeting(runfolio.pyfunc.PythonModel):
    def load_context(self, context: Any) -> None:
        self.word = Path(context.artifacts["word"]).read_text()

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return [self.word * (params or {}).get("times", 1)] * len(model_input)


def test_class_with_files_and_parameters_is_logged_and_loaded(in_folio: Path, tmp_path: Path) -> None:
    (tmp_path / "word.txt").write_text("hi")
    signature = ModelSignature(Schema([ColSpec("long", "n")]), None, ParamSchema([ParamSpec("times", "long", 1)]))
    info = runfolio.pyfunc.log_model(
        "greeting", python_model=Greeting(), artifacts={"word": tmp_path / "word.txt"}, signature=signature
    )
    (tmp_path / "word.txt").unlink()
    loaded = runfolio.pyfunc.load_model(info.model_uri)
    frame = pandas.DataFrame({"n": [1, 2]})
    assert loaded.predict(frame) == ["hi", "hi"]
    assert loaded.predict(frame, params={"times": 2}) == ["hihi", "hihi"]
    assert loaded.unwrap_python_model().word == "hi"  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="'times'"):
        loaded.predict(frame, params={"times": "x"})


def test_function_is_a_model(in_folio: Path) -> None:
    info = runfolio.pyfunc.log_model("fn", python_model=lambda model_input: [each.upper() for each in model_input["s"]])
    assert runfolio.pyfunc.load_model(info.model_uri).predict({"s": ["a"]}) == ["A"]


def test_signature_of_a_function_is_inferred_from_its_example(tmp_path: Path) -> None:
    made = runfolio.pyfunc.save_model(
        tmp_path / "m", python_model=lambda model_input: model_input * 2, input_example=numpy.zeros((2, 3))
    )
    assert made.signature == infer_signature(numpy.zeros((2, 3)), numpy.zeros((2, 3)))


@pytest.mark.parametrize(
    "given", [{}, {"python_model": 3}, {"python_model": Greeting}, {"python_model": len, "loader_module": "json"}]
)
def test_what_is_no_model_is_refused(tmp_path: Path, given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        runfolio.pyfunc.save_model(tmp_path / "m", **given)


def test_missing_file_of_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="word"):
        runfolio.pyfunc.save_model(tmp_path / "m", python_model=Greeting(), artifacts={"word": tmp_path / "no"})


def test_missing_module_of_a_pickle_is_named(tmp_path: Path, forest: Any) -> None:
    runfolio.sklearn.save_model(forest, tmp_path / "m")
    (tmp_path / "m/model.pkl").write_bytes(b"cnosuchmodule\nThing\n.")
    with pytest.raises(MissingPackageError, match="nosuchmodule"):
        runfolio.sklearn.load_model(tmp_path / "m", trust=True)


def test_module_with_its_code_and_data_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "adder_of_tests.py").write_text(
        "class Adder:\n"
        "    def __init__(self, more):\n        self.more = more\n"
        "    def predict(self, data):\n        return data + self.more\n"
        "def _load_pyfunc(path):\n    with open(path) as file:\n        return Adder(int(file.read()))\n"
    )
    (tmp_path / "more.txt").write_text("5")
    runfolio.pyfunc.save_model(
        tmp_path / "m",
        loader_module="adder_of_tests",
        data_path=tmp_path / "more.txt",
        code_paths=[tmp_path / "adder_of_tests.py"],
    )
    assert runfolio.pyfunc.load_model(tmp_path / "m").predict(1) == 6


def test_mlmodel_of_a_newer_writer_keeps_its_fields(tmp_path: Path, forest: Any) -> None:
    runfolio.sklearn.save_model(forest, tmp_path / "m")
    file = tmp_path / "m/MLmodel"
    file.write_text(file.read_text() + "model_id: m-1\n")
    model = Model.load(file)
    assert model.more["model_id"] == "m-1" and "model_id: m-1" in model.to_yaml()


def test_params_of_a_signature_are_not_the_estimator_s(tmp_path: Path, forest: Any, wine: tuple[Any, Any]) -> None:
    signature = infer_signature(wine[0], forest.predict(wine[0]), params={"threshold": 0.5})
    runfolio.sklearn.save_model(forest, tmp_path / "m", signature=signature)
    loaded = runfolio.pyfunc.load_model(tmp_path / "m")
    assert (loaded.predict(wine[0], params={"threshold": 0.7}) == forest.predict(wine[0])).all()


@pytest.fixture
def signed(tmp_path: Path, forest: Any, wine: tuple[Any, Any]) -> Any:
    runfolio.sklearn.save_model(forest, tmp_path / "m", signature=infer_signature(wine[0], forest.predict(wine[0])))
    return runfolio.pyfunc.load_model(tmp_path / "m")


def test_a_missing_column_is_named(signed: Any, wine: tuple[Any, Any]) -> None:
    with pytest.raises(UsageError, match="hue"):
        signed.predict(wine[0].drop(columns="hue"))


def test_a_column_of_another_type_is_named(signed: Any, wine: tuple[Any, Any]) -> None:
    with pytest.raises(UsageError, match="hue"):
        signed.predict(wine[0].assign(hue="red"))


def test_columns_in_another_order_and_extra_ones_are_no_fault(signed: Any, forest: Any, wine: tuple[Any, Any]) -> None:
    shuffled = wine[0].assign(extra=1)[["extra", *reversed(wine[0].columns)]]
    assert (signed.predict(shuffled) == forest.predict(wine[0])).all()


def _row_forms() -> dict[str, Any]:
    """Return the first rows of the wine data, in every form that an input example takes."""
    import polars
    from scipy.sparse import csc_matrix, csr_array, csr_matrix
    from sklearn.datasets import load_wine

    frame = load_wine(as_frame=True).data.head(2)
    rows = frame.to_numpy()
    return {
        "csr": csr_matrix(rows), "csc": csc_matrix(rows), "csr_array": csr_array(rows),
        "float32": rows.astype("float32"), "lists": rows.tolist(), "polars": polars.DataFrame(frame.to_dict("list")),
        "frame of float32": frame.astype("float32"),
        "sparse frame": pandas.DataFrame.sparse.from_spmatrix(csr_matrix(rows), columns=frame.columns),
    }  # fmt: skip


@pytest.mark.parametrize("form", ["csr", "csc", "csr_array", "float32", "lists", "polars", "frame of float32", "sparse frame"])
def test_a_model_predicts_the_example_that_it_was_saved_with(form: str, tmp_path: Path, wine: Any) -> None:
    example = _row_forms()[form]
    named = hasattr(example, "columns")
    forest = RandomForestClassifier(3).fit(wine[0] if named else wine[0].to_numpy(), wine[1])
    runfolio.sklearn.save_model(forest, tmp_path / "m", input_example=example)
    loaded = runfolio.pyfunc.load_model(tmp_path / "m")
    assert loaded.predict(loaded.input_example).tolist() == loaded.predict(example).tolist()
    # Rows that are lists have no signature that would take them.
    assert (loaded.metadata.signature is None) == (form == "lists")


def test_a_frame_with_two_columns_of_one_name_has_no_types() -> None:
    twice = pandas.DataFrame([[1, 2]], columns=["a", "a"])
    assert [str(each.type) for each in runfolio.models.infer_signature(twice).inputs] == ["Any"]


def test_a_loaded_model_is_shown_in_a_few_lines(tmp_path: Path, forest: Any) -> None:
    runfolio.sklearn.save_model(forest, tmp_path / "m")
    assert repr(runfolio.pyfunc.load_model(tmp_path / "m")) == "runfolio.pyfunc.loaded_model:\n  flavor: mlflow.sklearn\n"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"signature": {"inputs": "[]"}}, "signature takes a ModelSignature"),
        ({"artifacts": ["a.txt"]}, "artifacts takes a dictionary of names to paths, not list"),
    ],
)
def test_an_argument_of_another_kind_is_told(given: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=told):
        runfolio.pyfunc.save_model(tmp_path / "m", python_model=lambda model_input: model_input, **given)
    assert not any(tmp_path.iterdir())


def test_whole_numbers_with_gaps_are_told_by_their_column() -> None:
    whole = infer_signature(pandas.DataFrame({"n": [1, 2]})).inputs
    gaps = pandas.DataFrame({"n": pandas.array([1, None], dtype="Int64")})
    with pytest.raises(UsageError, match="column 'n': expected long, and values are missing"):
        runfolio.models.validate_schema(gaps, whole)


@pytest.mark.parametrize(
    ("version", "more", "told"),
    [
        (
            "9.1.0",
            {"quantum": 1},
            r"saved by MLflow 9\.1\.0, and runfolio .* knows the format of up to 3\.17\. Nothing .*: 'quantum'\.",
        ),
        ("9.1.0", {}, r"saved by MLflow 9\.1\.0, and runfolio .* knows the format of up to 3\.17\. Compare"),
        ("3.2.0", {"quantum": 1}, r"saved by MLflow 3\.2\.0, .*'quantum'"),
        ("3.17.2", {"model_id": "m-1", "env_vars": ["KEY"], "prompts": None}, None),
        ("2.22.0", {"our_team": "x"}, None),
    ],
)
def test_a_format_that_is_newer_than_known_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, more: dict[str, Any], told: str | None
) -> None:
    monkeypatch.setattr(versions, "_told", set())
    runfolio.pyfunc.save_model(tmp_path / "m", python_model=len)
    model = Model.load(tmp_path / "m")
    model.mlflow_version = version
    model.more |= more
    model.save(tmp_path / "m/MLmodel")
    if told:
        with pytest.warns(OtherVersionWarning, match=told):
            runfolio.pyfunc.load_model(tmp_path / "m", trust=True)
    runfolio.pyfunc.load_model(tmp_path / "m", trust=True)  # a second warning would be an error here
