"""``check`` on registered models: what is live names what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import runfolio
from runfolio.folio import open_folio
from runfolio.folio.checking import check
from runfolio.records.findings import Finding
from runfolio.tracking.session import forget_sessions
from tests.conftest import git


@pytest.fixture
def wine(folio_dir: Path) -> Path:
    """A folio with the model ``wine``, two versions, the first in Production."""
    runfolio.set_tracking_uri(folio_dir)
    for name in ("one", "two"):
        with runfolio.start_run(run_name=name) as run:
            runfolio.log_text(f"weights {name}", "model/model.pkl")
        runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
    client = runfolio.MlflowClient()
    client.transition_model_version_stage("wine", 1, "Production")
    client.set_registered_model_alias("wine", "champion", 2)
    forget_sessions()
    assert findings(folio_dir) == []
    return folio_dir


def findings(folder: Path) -> list[Finding]:
    folio = open_folio(folder)
    try:
        return check(folio)
    finally:
        folio.close()


def edited(folder: Path, name: str, change: Callable[[str], str]) -> list[Finding]:
    file = folder / "models" / "wine" / name
    file.write_text(change(file.read_text()))
    git(folder, "commit", "-qam", "by hand")
    return findings(folder)


@pytest.mark.parametrize(
    ("old", "new", "rule", "field"),
    [
        ("Production: 1", "Production: 9", "model.version", "stages.Production"),
        ("champion: 2", "champion: 9", "model.version", "aliases.champion"),
        ("Production: 1", "Live: 1", "model.stage", "stages.Live"),
        ("Production: 1", "Production: one", "model.format", "stages.Production"),
        ("schema: 1", "schema: 1\nschema: 1", "model.format", ""),
    ],
)
def test_a_wrong_line_is_named(wine: Path, old: str, new: str, rule: str, field: str) -> None:
    found = edited(wine, "model.yaml", lambda text: text.replace(old, new))
    assert [(item.rule, item.file) for item in found] == [(rule, "models/wine/model.yaml")]
    assert field in f"{found[0].field} {found[0].message}"


def test_two_versions_in_an_exclusive_stage_are_named(wine: Path) -> None:
    (wine / "runfolio.yaml").write_text("schema: 1\nregistry: {exclusive: [Production]}\n")
    found = edited(wine, "model.yaml", lambda text: text.replace("Production: 1", "Production: [1, 2]"))
    assert [(item.rule, item.field) for item in found] == [("model.exclusive", "stages.Production")]


def test_a_version_whose_object_is_gone_is_named(wine: Path) -> None:
    folio = open_folio(wine)
    version = folio.models.version(folio.models.find("wine"), 2)
    assert version.digest is not None
    folio.store.delete(version.digest)
    folio.close()
    found = findings(wine)
    assert [(item.rule, item.file, item.field) for item in found] == [("object.missing", "models/wine/versions/2.yaml", "digest")]


def test_a_version_without_its_model_and_a_run_that_is_elsewhere_are_named(wine: Path) -> None:
    git(wine, "rm", "-q", "models/wine/model.yaml")
    git(wine, "commit", "-qm", "by hand")
    assert [item.rule for item in findings(wine)] == ["version.model", "version.model"]
    git(wine, "revert", "--no-edit", "HEAD")
    found = edited(wine, "versions/1.yaml", lambda text: text.replace("\nrun: ", "\nrun: f").replace('run: f"', 'run: "f'))
    assert "version.run" in [item.rule for item in found]


def test_a_file_that_nothing_reads_is_named(wine: Path) -> None:
    (wine / "models" / "wine" / "notes.txt").write_text("x")
    git(wine, "add", "models/wine/notes.txt")
    git(wine, "commit", "-qm", "by hand")
    assert [item.rule for item in findings(wine)] == ["file.unknown"]
