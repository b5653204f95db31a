"""XGBoost's boosters and estimators, saved, logged and loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import DamagedError, UsageError
from runfolio.models import Model

pytestmark = pytest.mark.frameworks
xgboost = pytest.importorskip("xgboost")
from sklearn.datasets import load_wine  # noqa: E402


@pytest.fixture(scope="module")
def wine() -> tuple[Any, Any]:
    data: tuple[Any, Any] = load_wine(return_X_y=True, as_frame=True)
    return data


@pytest.fixture(scope="module")
def booster(wine: tuple[Any, Any]) -> Any:
    return xgboost.train({"objective": "multi:softprob", "num_class": 3, "nthread": 1}, xgboost.DMatrix(*wine), 3)


@pytest.fixture(scope="module")
def estimator(wine: tuple[Any, Any]) -> Any:
    return xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(*wine)


@pytest.mark.parametrize("form", ["ubj", "json", "xgb"])
def test_booster_comes_back_in_every_format(tmp_path: Path, booster: Any, wine: tuple[Any, Any], form: str) -> None:
    runfolio.xgboost.save_model(booster, tmp_path / "m", model_format=form)
    assert (tmp_path / "m" / f"model.{form}").is_file()
    data = xgboost.DMatrix(wine[0])
    assert (runfolio.xgboost.load_model(tmp_path / "m").predict(data) == booster.predict(data)).all()
    assert (runfolio.pyfunc.load_model(tmp_path / "m").predict(wine[0]) == booster.predict(data)).all()


def test_estimator_keeps_its_classes(tmp_path: Path, estimator: Any, wine: tuple[Any, Any]) -> None:
    runfolio.xgboost.save_model(estimator, tmp_path / "m", input_example=wine[0].head(2))
    loaded = runfolio.xgboost.load_model(tmp_path / "m")
    assert type(loaded) is xgboost.XGBClassifier
    assert (loaded.predict(wine[0]) == estimator.predict(wine[0])).all()
    assert "alcohol" in Model.load(tmp_path / "m").signature.inputs.input_names()  # type: ignore[union-attr]


def test_folder_from_elsewhere_loads_without_trust_since_it_runs_no_code(
    tmp_path: Path, booster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runfolio.xgboost.save_model(booster, tmp_path / "m")
    monkeypatch.setattr("runfolio.flavors.trust._saved", set())
    runfolio.xgboost.load_model(tmp_path / "m", trust=False)


def test_logged_estimator_is_a_version(folio_dir: Path, estimator: Any, wine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folio_dir)
    with runfolio.start_run():
        info = runfolio.xgboost.log_model(estimator, "model", registered_model_name="wine")
    assert info.registered_model_version == 1
    for uri in (info.model_uri, "models:/wine/latest"):
        assert (runfolio.pyfunc.load_model(uri).predict(wine[0]) == estimator.predict(wine[0])).all()


def test_what_is_no_model_of_xgboost_is_refused(tmp_path: Path, booster: Any) -> None:
    with pytest.raises(UsageError, match="not int"):
        runfolio.xgboost.save_model(3, tmp_path / "m")
    with pytest.raises(UsageError, match="model_format"):
        runfolio.xgboost.save_model(booster, tmp_path / "m", model_format="pickle")


def test_cut_off_file_is_named(tmp_path: Path, booster: Any) -> None:
    runfolio.xgboost.save_model(booster, tmp_path / "m")
    place = tmp_path / "m/model.ubj"
    place.write_bytes(place.read_bytes()[:200])
    with pytest.raises(DamagedError, match=r"model\.ubj"):
        runfolio.xgboost.load_model(tmp_path / "m")
