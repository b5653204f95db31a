"""Autologging turned on and off: for all frameworks, for one, before and after its import, with options that both name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from runfolio.autologging import switches
from runfolio.errors import MissingPackageError, UsageError
from tests.autologging.reading import runs

pytestmark = pytest.mark.frameworks
pytest.importorskip("sklearn")
from sklearn.datasets import load_wine  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402

LATER = """
import sys
import runfolio
runfolio.autolog(log_models=False)
runfolio.sklearn.autolog(log_models=False, extra_tags={"own": "yes"})
assert "sklearn" not in sys.modules and "numpy" not in sys.modules and "xgboost" not in sys.modules
from sklearn.tree import DecisionTreeClassifier
from sklearn.datasets import load_wine
DecisionTreeClassifier().fit(*load_wine(return_X_y=True))
assert "matplotlib.pyplot" not in sys.modules
(run,) = runfolio.search_runs(output_format="list")
assert (run.data.tags["own"], run.data.metrics["training_score"]) == ("yes", 1.0), run.data
"""


def test_framework_that_is_imported_later_logs_and_nothing_is_imported_for_it(folio: Path) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", LATER], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_options_of_one_framework_stand_before_those_of_all(folio: Path) -> None:
    runfolio.sklearn.autolog(log_models=False, log_datasets=False, extra_tags={"who": "own"})
    runfolio.autolog(extra_tags={"who": "all"})
    DecisionTreeClassifier().fit(*load_wine(return_X_y=True))
    (run,) = runs()
    assert run.data.tags["who"] == "own" and run.inputs.dataset_inputs == []


def test_options_of_all_reach_each_with_its_own_defaults(folio: Path) -> None:
    runfolio.autolog(log_models=False, extra_tags={"who": "all"})
    runfolio.autolog(log_models=False, extra_tags={"who": "all, again"})
    assert switches._states["sklearn"].patches.options["max_tuning_runs"] == 5
    DecisionTreeClassifier().fit(*load_wine(return_X_y=True))
    assert [run.data.tags["who"] for run in runs()] == ["all, again"]


def test_one_can_be_left_out_and_all_be_turned_off(folio: Path) -> None:
    runfolio.autolog(exclude_flavors=["sklearn"])
    DecisionTreeClassifier().fit(*load_wine(return_X_y=True))
    runfolio.sklearn.autolog(log_models=False)
    runfolio.autolog(disable=True)
    DecisionTreeClassifier().fit(*load_wine(return_X_y=True))
    assert runs() == []
    with pytest.raises(UsageError, match="sklern"):
        runfolio.autolog(exclude_flavors=["sklern"])


def test_framework_that_is_not_installed_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(switches.FRAMEWORKS, "xgboost", switches.Framework("xgboost", ("no_such_package",), "xgboost", (2, 0)))
    with pytest.raises(MissingPackageError, match=r"pip install .*runfolio\[xgboost\]"):
        runfolio.xgboost.autolog()
    runfolio.xgboost.autolog(disable=True)


def test_old_version_is_told_and_left_alone_where_that_is_asked(
    folio: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sklearn

    monkeypatch.setattr(sklearn, "__version__", "0.9.1")
    runfolio.sklearn.autolog(log_models=False, disable_for_unsupported_versions=True)
    DecisionTreeClassifier().fit(*load_wine(return_X_y=True))
    assert runs() == [] and "made for version 1.4 and newer, this is 0.9.1" in caplog.text


def test_run_that_the_environment_names_is_logged_to(folio: Path) -> None:
    with runfolio.start_run() as run:
        pass
    code = """
import runfolio
from sklearn.tree import DecisionTreeClassifier
runfolio.sklearn.autolog(log_models=False)
DecisionTreeClassifier().fit([[1.0], [2.0]], [0, 1])
"""
    env = {**os.environ, "RUNFOLIO_RUN_ID": run.info.run_id}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    assert [each.data.metrics["training_score"] for each in runs()] == [1.0]


def test_options_that_cannot_be_are_refused_where_they_are_written(folio: Path) -> None:
    with pytest.raises(UsageError, match=r"exclude_flavors takes a list of frameworks: \['sklearn'\]"):
        runfolio.autolog(exclude_flavors="sklearn")
    with pytest.raises(UsageError, match="Invalid model name: 'a/b'"):
        runfolio.sklearn.autolog(registered_model_name="a/b")
    with pytest.raises(UsageError, match="extra_tags takes a dictionary of names to values, not str"):
        runfolio.autolog(extra_tags="team")  # type: ignore[arg-type] # the mistake
    with pytest.raises(UsageError, match="serialization_format: 'zip' is none"):
        runfolio.sklearn.autolog(serialization_format="zip")
    with pytest.raises(UsageError, match="max_tuning_runs must be a number that is not negative, and is '5'"):
        runfolio.sklearn.autolog(max_tuning_runs="5")  # type: ignore[arg-type] # the mistake
    with pytest.raises(UsageError, match="model_format: 'zip' is none"):
        runfolio.xgboost.autolog(model_format="zip")
    DecisionTreeClassifier().fit(*load_wine(return_X_y=True))
    assert runs() == []
