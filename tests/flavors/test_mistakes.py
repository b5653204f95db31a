"""What a person gets wrong with models: each is told in words, with what to do, and nothing is left out without a word."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import NotFoundError, StateError, UsageError
from runfolio.flavors.enforcing import enforce_schema
from runfolio.flavors.params import enforce_params
from runfolio.models import infer_signature

pytestmark = pytest.mark.frameworks
pandas = pytest.importorskip("pandas")
numpy = pytest.importorskip("numpy")
pytest.importorskip("sklearn")
from sklearn.cluster import DBSCAN  # noqa: E402
from sklearn.linear_model import LinearRegression  # noqa: E402

ROWS = [[1.0, 2.0], [2.0, 1.0], [3.0, 5.0]]
FRAME = pandas.DataFrame(ROWS, columns=["a", "b"])
MODEL = LinearRegression().fit(ROWS, [1, 2, 3])


@pytest.fixture
def logged(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(folio_dir)
    with runfolio.start_run() as run:
        runfolio.sklearn.log_model(MODEL, "model", registered_model_name="line")
        runfolio.sklearn.log_model(MODEL, "other")
    return f"runs:/{run.info.run_id}"


@pytest.mark.parametrize("load", [runfolio.pyfunc.load_model, runfolio.sklearn.load_model])
def test_uri_of_no_model_is_told_as_it_was_given_with_the_models_that_are_there(logged: str, load: Any) -> None:
    with pytest.raises(NotFoundError) as refused:
        load(logged)
    assert refused.value.message == f"No model in '{logged}': there is no file MLmodel. Models below it: 'model', 'other'."
    with pytest.raises(NotFoundError, match=f"No model in '{logged}/model/MLmodel'. Name its folder: {logged}/model.$"):
        load(f"{logged}/model/MLmodel")
    with pytest.raises(NotFoundError, match="That is a file: name the folder that save_model or log_model wrote"):
        load(f"{logged}/model/model.pkl")
    with pytest.raises(UsageError, match="model_uri takes a URI or a path, not NoneType"):
        load(None)


def test_other_flavor_is_told_with_what_loads_the_model(logged: str) -> None:
    with pytest.raises(UsageError) as refused:
        runfolio.lightgbm.load_model(f"{logged}/model")
    assert refused.value.message == (
        "The model has no flavor lightgbm; its flavors are: python_function, sklearn. Load it by runfolio.pyfunc or runfolio.sklearn."
    )


def test_stage_none_is_the_newest_version_that_is_in_no_stage(logged: str) -> None:
    client = runfolio.MlflowClient()
    client.create_model_version("line", f"{logged}/other")
    client.create_model_version("line", f"{logged}/other")
    client.transition_model_version_stage("line", "2", "Production")
    assert runfolio.models.get_model_info("models:/line/None").artifact_path == "other"
    client.delete_model_version("line", "3")
    assert runfolio.models.get_model_info("models:/line/None").artifact_path == "model"
    client.delete_model_version("line", "1")
    with pytest.raises(NotFoundError, match="No versions of model with name 'line' and stage 'None' found. It has Production: 2"):
        runfolio.models.get_model_info("models:/line/None")


def test_folder_is_loaded_by_its_url(tmp_path: Path) -> None:
    place = tmp_path / "my models" / "a"
    runfolio.sklearn.save_model(MODEL, place)
    for url in (place.as_uri(), f"file:{place}"):
        assert runfolio.sklearn.load_model(url).predict(ROWS).tolist() == MODEL.predict(ROWS).tolist()


def test_model_that_cannot_predict_says_that_pyfunc_does_not_load_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    runfolio.sklearn.save_model(DBSCAN().fit(ROWS), tmp_path / "a")
    assert "DBSCAN has no method 'predict': the model is loaded by runfolio.sklearn, and not by runfolio.pyfunc." in caplog.text


def test_what_cannot_be_written_beside_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"conda_env: no such file: 'none.yaml'"):
        runfolio.sklearn.save_model(MODEL, tmp_path / "a", conda_env="none.yaml")
    with pytest.raises(UsageError, match="metadata and conda_env take plain values .*; YAML has no form for <object"):
        runfolio.sklearn.save_model(MODEL, tmp_path / "a", metadata={"by": object()})
    with pytest.raises(NotFoundError, match="no such file: table: 'https://example.org/t.csv'"):
        runfolio.pyfunc.save_model(tmp_path / "a", python_model=len, artifacts={"table": "https://example.org/t.csv"})
    assert not (tmp_path / "a").exists()


def test_columns_of_one_name_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    twice = pandas.concat([FRAME, FRAME[["a"]]], axis=1)
    with pytest.raises(UsageError, match="input_example: several columns have the name 'a'; an example has one of each"):
        runfolio.sklearn.save_model(MODEL, tmp_path / "a", input_example=twice)
    schema = infer_signature(FRAME).inputs
    assert schema is not None
    with pytest.raises(UsageError, match="The data has columns of one name, and the model takes one of each: 'a'"):
        enforce_schema(twice, schema)
    anything = infer_signature(twice).inputs
    assert "No rule of signatures fits the data" in caplog.text and "Columns of one name can have no types: a." in caplog.text
    assert anything is not None and enforce_schema(twice, anything).shape == (3, 3)


def test_columns_with_several_levels_come_back(tmp_path: Path) -> None:
    levels = FRAME.set_axis(pandas.MultiIndex.from_tuples([("x", "a"), ("x", 1)]), axis=1)
    runfolio.sklearn.save_model(MODEL, tmp_path / "a", input_example=levels)
    loaded = runfolio.pyfunc.load_model(tmp_path / "a")
    for data in (levels[levels.columns[::-1]], loaded.metadata.load_input_example(tmp_path / "a")):
        assert numpy.allclose(loaded.predict(data), MODEL.predict(ROWS))
    with pytest.raises(UsageError, match="needs columns that the data lacks"):
        loaded.predict(FRAME)


def test_data_that_fits_is_not_the_callers_own(tmp_path: Path) -> None:
    schema = infer_signature(FRAME).inputs
    assert schema is not None
    given = FRAME.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        enforced = enforce_schema(given[["b", "a"]], schema)
        enforced["c"] = 1
        enforced.loc[0, "a"] = 99.0
    assert list(enforced.columns) == ["a", "b", "c"]
    pandas.testing.assert_frame_equal(given, FRAME)


def test_parameters_that_are_no_dictionary_are_told() -> None:
    with pytest.raises(UsageError, match="params takes a dictionary of names to values, not str"):
        enforce_params("hot", None)  # type: ignore[arg-type] # the mistake


def test_type_hint_that_tells_nothing_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def one(model_input: str) -> str:
        return model_input

    def table(model_input: pandas.DataFrame) -> Any:
        return model_input

    runfolio.pyfunc.save_model(tmp_path / "table", python_model=table)
    assert "type hint" not in caplog.text
    runfolio.pyfunc.save_model(tmp_path / "one", python_model=one)
    assert "The type hint str of predict's input tells no signature, and data is not held against it" in caplog.text

    def rows(model_input: list) -> list:  # type: ignore[type-arg] # the mistake
        return model_input

    with pytest.raises(UsageError, match=r"list does not say what it holds: write list\[…\], such as list\[str\]"):
        runfolio.pyfunc.save_model(tmp_path / "rows", python_model=rows)


def test_columns_that_a_type_hint_has_no_place_for_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def sizes(model_input: list[float]) -> list[float]:
        return model_input

    runfolio.pyfunc.save_model(tmp_path / "a", python_model=sizes)
    assert runfolio.pyfunc.load_model(tmp_path / "a").predict(FRAME) == [1.0, 2.0, 3.0]
    assert r"The type hint list[float] takes one column, and the data has 2: only the first is used, 'a'." in caplog.text


def test_class_that_another_version_has_not_is_told(tmp_path: Path) -> None:
    runfolio.sklearn.save_model(MODEL, tmp_path / "a")
    place = tmp_path / "a" / "model.pkl"
    place.write_bytes(place.read_bytes().replace(b"LinearRegression", b"LinearRegressioX"))
    with pytest.raises(
        StateError, match=r"The model needs sklearn.linear_model._base.LinearRegressioX, and what is installed as"
    ):
        runfolio.sklearn.load_model(tmp_path / "a", trust=True)
