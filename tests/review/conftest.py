"""A folio whose main branch has a judged experiment with a small configuration over three seeds; and a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.review.folios import SMALL, log_runs, with_objective
from tests.site.conftest import open_page, serve

__all__ = ["open_page", "serve"]


@pytest.fixture
def base_dir(folio_dir: Path) -> Path:
    """A folio on ``main``: experiment ``wine``, three runs of ``depth 2`` over seeds."""
    with_objective(folio_dir, "wine")
    log_runs(folio_dir, "wine", {"depth": 2}, SMALL)
    return folio_dir
