"""Prophet's forecasters log their fit."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from tests.autologging.reading import artifacts, runs, text

pytestmark = [
    pytest.mark.frameworks,
    # Prophet 1.5 on pandas 3.1:
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),
    pytest.mark.filterwarnings("ignore:The .convert_dates. keyword in read_json"),
]
prophet = pytest.importorskip("prophet")
import numpy  # noqa: E402
import pandas  # noqa: E402

logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
HOLIDAYS = pandas.DataFrame({"holiday": ["fair", "fair"], "ds": pandas.to_datetime(["2024-01-10", "2024-02-10"])})


@pytest.fixture(scope="module")
def history() -> Any:
    days = pandas.date_range("2024-01-01", periods=60)
    return pandas.DataFrame({"ds": days, "y": [1.0 + at % 7 + at / 10 for at in range(60)]})


def forecaster(**settings: Any) -> Any:
    return prophet.Prophet(**{"uncertainty_samples": 50, "n_changepoints": 2, **settings})


def test_fit_logs_settings_errors_plots_data_and_model(folio: Path, history: Any) -> None:
    runfolio.prophet.autolog(log_input_examples=True, registered_model_name="demand")
    model = forecaster(holidays=HOLIDAYS, seasonality_mode="multiplicative").fit(history.assign(unread="x"), iter=500)
    (run,) = runs()
    params = run.data.params
    assert (params["growth"], params["seasonality_mode"], params["n_changepoints"]) == ("linear", "multiplicative", "2")
    assert (params["changepoint_prior_scale"], params["iter"]) == ("0.05", "500")
    assert (params["holidays"], params["seasonalities"]) == ("2 days: fair", "weekly")
    off = history["y"] - model.predict(history)["yhat"]
    assert run.data.metrics["training_mae"] == pytest.approx(off.abs().mean())
    assert run.data.metrics["training_rmse"] == pytest.approx((off**2).mean() ** 0.5)
    assert run.data.metrics["training_mape"] == pytest.approx((off / history["y"]).abs().mean())
    assert 0.0 <= run.data.metrics["training_coverage"] <= 1.0
    assert {"forecast.png", "components.png", "model/model.pr"} < set(artifacts(run))
    loaded = runfolio.pyfunc.load_model("models:/demand/1")
    assert loaded.metadata.signature.inputs.input_names() == ["ds"]
    assert loaded.predict(history[["ds"]])["yhat"].to_numpy() == pytest.approx(model.predict(history)["yhat"].to_numpy())
    assert "2024-01-05" in text(run, "model/input_example.json")
    (data,) = run.inputs.dataset_inputs
    assert data.tags[0].value == "train" and "60" in data.dataset.profile
    assert TAG not in run.data.tags


def test_no_draw_of_numpys_generator_is_taken(folio: Path, history: Any) -> None:
    draws = []
    for disable in (True, False):
        runfolio.prophet.autolog(disable=disable)
        numpy.random.seed(7)
        model = forecaster().fit(history)
        draws.append((numpy.random.random(), model.predict(history)["yhat_lower"].tolist()))
    assert draws[0] == draws[1] and len(runs()) == 1


def test_zeros_have_no_percentage_error_and_no_samples_no_interval(folio: Path, history: Any) -> None:
    runfolio.prophet.autolog(log_models=False, log_datasets=False)
    forecaster(uncertainty_samples=0).fit(history.assign(y=history["y"] - 1.0))
    (run,) = runs()
    assert set(run.data.metrics) == {"training_mae", "training_rmse"}
    assert set(artifacts(run)) == {"forecast.png", "components.png"} and run.inputs.dataset_inputs == []
    assert TAG not in run.data.tags


def test_fits_of_a_cross_validation_in_threads_make_no_runs(folio: Path, history: Any) -> None:
    from prophet.diagnostics import cross_validation

    model = forecaster(uncertainty_samples=0).fit(history)
    runfolio.autolog(log_models=False)
    made = cross_validation(model, initial="40 days", period="8 days", horizon="8 days", parallel="threads", disable_tqdm=True)
    assert made["cutoff"].nunique() == 2 and runs() == []
    forecaster(uncertainty_samples=0).fit(history)
    assert len(runs()) == 1


def test_what_fit_refuses_ends_failed_and_is_raised_as_ever(folio: Path, history: Any) -> None:
    runfolio.prophet.autolog()
    with pytest.raises(ValueError, match="ds"):
        forecaster().fit(history.rename(columns={"ds": "day"}))
    (run,) = runs()
    assert run.info.status == "FAILED"


def test_disable_puts_fit_back() -> None:
    before = prophet.Prophet.fit
    runfolio.prophet.autolog()
    assert prophet.Prophet.fit is not before
    runfolio.prophet.autolog(disable=True)
    assert prophet.Prophet.fit is before
