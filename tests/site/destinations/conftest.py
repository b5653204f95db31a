"""Three states of one folio, built: two runs, three runs, and the three without what the first two had pages for."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

import runfolio
from runfolio.folio import initialise
from runfolio.folio.opening import open_folio
from runfolio.site import BuildOptions, build_site
from runfolio.site.destinations import Built, read_built
from runfolio.tracking.session import forget_sessions
from tests.objects.conftest import s3_bucket, s3_endpoint  # noqa: F401


@dataclass(frozen=True)
class Sites:
    """The repository, and its site before and after one more run."""

    repo: Path
    before: Built
    after: Built


def log_run(folder: Path, accuracy: float) -> None:
    runfolio.set_tracking_uri(folder)
    runfolio.set_experiment("Wine")
    with runfolio.start_run():
        runfolio.log_metric("accuracy", accuracy)
        runfolio.log_text(f"<script>alert({accuracy})</script>", "notes.html")
    forget_sessions()


def build(folder: Path, out: Path) -> Built:
    with_folio = open_folio(folder)
    try:
        build_site(with_folio, out, BuildOptions())
    finally:
        with_folio.close()
    return read_built(out)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    base = tmp_path_factory.mktemp("sites")
    initialise(base / "repo").folio.close()
    for accuracy in (0.5, 0.75):
        log_run(base / "repo", accuracy)
    before = build(base / "repo", base / "before")
    shutil.copytree(base / "before", base / "after")
    log_run(base / "repo", 0.875)
    return Sites(base / "repo", before, build(base / "repo", base / "after"))
