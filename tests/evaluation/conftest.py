"""Data, models and a folio to evaluate in; scikit-learn is needed by all of these tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import runfolio

pandas = pytest.importorskip("pandas")
pytest.importorskip("sklearn")


@pytest.fixture
def folio(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folio that this process logs to."""
    monkeypatch.chdir(folio_dir)
    monkeypatch.setenv("RUNFOLIO_TRACKING_URI", str(folio_dir))
    return folio_dir


@pytest.fixture(scope="session")
def cancer() -> Any:
    """Rows of two classes: 284 of them, of which a model has not seen one; the label is ``target``."""
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(as_frame=True, return_X_y=True)
    return X.assign(target=y).iloc[1::2].reset_index(drop=True)


@pytest.fixture(scope="session")
def cancer_models() -> tuple[Any, Any]:
    """A good model and a bad one, trained on the other rows."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    X, y = load_breast_cancer(as_frame=True, return_X_y=True)
    good, bad = RandomForestClassifier(20, random_state=0), RandomForestClassifier(3, max_depth=2, random_state=0)
    return good.fit(X.iloc[::2], y.iloc[::2]), bad.fit(X.iloc[::2], y.iloc[::2])


def artifacts_of(run_id: str | None) -> set[str]:
    """Return the names of a run's artifacts."""
    from runfolio.client import RunfolioClient

    assert run_id is not None
    return {item.path for item in RunfolioClient().list_artifacts(run_id)}


def run_count() -> int:
    """Return how many runs there are."""
    return len(runfolio.search_runs(search_all_experiments=True, output_format="list"))
