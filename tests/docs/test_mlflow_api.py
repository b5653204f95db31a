"""The page that compares our API with MLflow's says what the signatures say."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

import runfolio
from tests.docs.pages import DOCS


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mlflow_api", DOCS / "mlflow_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_signatures_say(writer: ModuleType) -> None:
    assert (DOCS / "mlflow-api.md").read_text("utf-8") == writer.page(), "run: python docs/mlflow_api.py"


def test_no_function_of_tracking_asks_for_other_arguments(writer: ModuleType) -> None:
    differing = [
        line
        for line in writer.page().partition("## Names of `mlflow.models`")[0].splitlines()
        if line.startswith("| `") and ("without `" in line or "in another order" in line)
    ]
    assert differing == []


def test_every_function_of_ours_is_mlflows_or_named_as_ours(writer: ModuleType) -> None:
    text = writer.page()
    modules = set(runfolio._MODULES)
    unnamed = [
        name
        for name in runfolio.__all__
        if f"`{name}`" not in text and name not in modules | {"__version__", "RunfolioClient", "RunfolioError"}
    ]
    assert unnamed == []


def test_a_misspelt_argument_is_refused() -> None:
    for call in (runfolio.log_metric, runfolio.log_metrics, runfolio.log_input, runfolio.log_inputs):
        with pytest.raises(TypeError):
            call({}, setp=3)  # type: ignore[operator]
