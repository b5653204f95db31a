"""The examples of the page on loggers run as they stand there, each in a folio and a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, marked
from tests.faults.repositories import make_folio, python, runfolio

PAGE = "how-to/loggers.md"
NEEDS = {
    "accelerate": "accelerate",
    "catboost": "catboost",
    "keras": "keras",
    "lightgbm": "lightgbm",
    "lightning": "lightning",
    "transformers": "accelerate",
    "xgboost": "xgboost",
}
QUIET = "import warnings\nwarnings.simplefilter('ignore')\n"
LIGHT = {
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "torch",
    "HF_HUB_OFFLINE": "1",
    "TQDM_DISABLE": "1",
}
pytestmark = [pytest.mark.frameworks]


def test_every_example_of_the_page_is_run() -> None:
    text = (DOCS / PAGE).read_text("utf-8")
    assert text.count("\n```python\n") == text.count("<!-- example: ")
    assert {name for name in NEEDS if not marked(PAGE, "example", name)} == set()
    assert text.count("<!-- example: ") == len(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_an_example_makes_a_finished_run_with_metrics(name: str, tmp_path: Path) -> None:
    pytest.importorskip(NEEDS[name], reason=f"NOT TESTED: {NEEDS[name]} is not installed")
    folder = make_folio(tmp_path / "folio")
    (example,) = marked(PAGE, "example", name)
    done = python(folder, QUIET + example, **LIGHT)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(runfolio(folder, "runs", "list", "--json").stdout)
    assert found and {run["status"] for run in found} == {"FINISHED"}
    shown = [json.loads(runfolio(folder, "runs", "show", run["run_id"], "--json").stdout) for run in found]
    assert any(each["metrics"] for each in shown)
    assert [each["tags"] for each in shown if "runfolio.autolog.faults" in each["tags"]] == []
