"""``check`` on registered models: what is live names what is there."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import runfolio
from runfolio.errors import RunfolioError
from runfolio.folio import open_folio
from runfolio.folio.checking import check
from runfolio.formats.models import changed_facts, decode_model, decode_version
from runfolio.objects import decode_manifest
from runfolio.records.findings import Finding, Severity
from runfolio.tracking.session import forget_sessions
from tests.conftest import git
from tests.folio.damage import random_change


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


def test_edited_facts_are_named_with_the_way_back(wine: Path) -> None:
    [found] = [
        item
        for item in edited(wine, "versions/1.yaml", lambda text: text.replace("path: model", "path: other"))
        if item.rule == "version.edited"
    ]
    assert (found.field, "git checkout" in found.remedy) == ("path", True)
    git(wine, "revert", "--no-edit", "HEAD")
    assert findings(wine) == []


def test_facts_edited_in_the_work_tree_are_named_before_they_are_committed(wine: Path) -> None:
    file = wine / "models" / "wine" / "versions" / "1.yaml"
    kept = file.read_text()
    file.write_text(kept + "description: people may\n")
    assert findings(wine) == []
    file.write_text(kept.replace("path: model", "path: other") + "descripton: a typo\n")
    edited, unknown = findings(wine)
    assert (edited.rule, edited.message.endswith(": descripton, path")) == ("version.edited", True)
    assert (unknown.rule, unknown.field) == ("model.field", "descripton")
    file.write_text((wine / "models" / "wine" / "model.yaml").read_text())  # another file in its place
    [edited, *_] = findings(wine)
    git(wine, *edited.remedy.partition("git ")[2].split())
    assert findings(wine) == []
    model = wine / "models" / "wine" / "model.yaml"
    model.write_text(model.read_text().replace("created: 2", "created: 1"))
    assert ("model.edited", "created") in [(item.rule, item.field) for item in findings(wine)]


def test_facts_edited_on_a_branch_are_named_after_the_merge(wine: Path) -> None:
    git(wine, "switch", "-qc", "side")
    runfolio.set_tracking_uri(wine)
    with runfolio.start_run(run_name="three") as run:
        runfolio.log_text("weights three", "model/model.pkl")
    runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
    forget_sessions()
    edited(wine, "versions/3.yaml", lambda text: text.replace("path: model", "path: other"))
    git(wine, "switch", "-q", "main")
    git(wine, "merge", "-q", "--no-ff", "--no-edit", "side")
    assert [(item.rule, item.file) for item in findings(wine)] == [("version.edited", "models/wine/versions/3.yaml")]


def test_a_version_that_was_removed_by_hand_is_named(wine: Path) -> None:
    git(wine, "rm", "-q", "models/wine/versions/2.yaml")
    git(wine, "commit", "-qm", "by hand")
    assert ("version.removed", "models/wine/versions/2.yaml") in [(item.rule, item.file) for item in findings(wine)]


def test_a_model_that_was_deleted_whole_may_be_made_anew(wine: Path) -> None:
    runfolio.set_tracking_uri(wine)
    client = runfolio.MlflowClient()
    source = client.get_model_version("wine", "1").source
    client.transition_model_version_stage("wine", 1, "None")
    client.delete_registered_model("wine")
    assert runfolio.register_model(source, "wine").version == "1"
    forget_sessions()
    assert findings(wine) == []
    git(wine, "rm", "-q", "models/wine/versions/1.yaml")
    git(wine, "commit", "-qm", "by hand")
    assert "version.removed" in [item.rule for item in findings(wine)]


def test_a_field_that_nobody_reads_is_named(wine: Path) -> None:
    found = edited(wine, "model.yaml", lambda text: text.replace("aliases:", "aliasses:"))
    assert [(item.rule, item.field, item.message.endswith("not read; perhaps aliases was meant")) for item in found] == [
        ("model.field", "aliasses", True)
    ]


def may_be_meant(path: str, before: bytes, after: bytes) -> bool:
    """Tell whether the change is one that people make in these files: comments, words, tags, and what is live of what is there."""
    try:
        if path.endswith("model.yaml"):
            old, new = decode_model(before, path), decode_model(after, path)
            named = {number for numbers in new.stages.values() for number in numbers} | set(new.aliases.values())
            stages = set(new.stages) <= {"Staging", "Production", "Archived"}
            return old.created == new.created and not new.extra and named <= {1, 2} and stages
        changed = decode_version(before, path), decode_version(after, path)
        return not changed_facts(*changed) and not changed[1].extra
    except RunfolioError:
        return False


def damaged_file(wine: Path, rng: random.Random) -> str:
    """Damage a file of the registry, and commit that."""
    path = rng.choice(["models/wine/model.yaml", "models/wine/versions/1.yaml", "models/wine/versions/2.yaml"])
    before = (wine / path).read_bytes()
    after: bytes | None = before
    while after is not None and (after == before or may_be_meant(path, before, after)):
        after = random_change(rng)(before)
    if after is None:
        (wine / path).unlink()
    else:
        (wine / path).write_bytes(after)
    git(wine, "commit", "-qam", "by chance")
    return path


def damaged_object(wine: Path, rng: random.Random) -> str:
    """Damage an object that only a version names: the list of its files. Those of files are named with their run, too."""
    with closing(open_folio(wine)) as folio:
        version = folio.models.version(folio.models.find("wine"), rng.choice((1, 2)))
        listed = decode_manifest(folio.store.read(version.digest), "x")
        digest = rng.choice([version.digest, *(entry.digest for entry in listed.values())])
        file = folio.store.path(digest)
    made = random_change(rng)(file.read_bytes())
    file.chmod(0o644)
    file.unlink() if made is None else file.write_bytes(made)
    return f"models/wine/versions/{version.version}.yaml"


@pytest.mark.parametrize("seed", range(100 if os.environ.get("RUNFOLIO_SCALE") == "full" else 24))
def test_random_damage_to_the_registry_is_named(wine: Path, seed: int) -> None:
    """A hundred of them: ``RUNFOLIO_SCALE=full python -m pytest tests/folio/test_check_models.py``."""
    rng = random.Random(seed)
    path = (damaged_object if seed % 3 == 2 else damaged_file)(wine, rng)
    with closing(open_folio(wine)) as folio:
        found = check(folio, read_data=1.0)
    named = {item.file for item in found if item.severity is not Severity.NOTE}
    # Without model.yaml it is the versions that nothing finds.
    near = {path, "models/wine/versions/1.yaml"} if path.endswith("model.yaml") else {path}
    assert near & named, "\n".join(item.line() for item in found)
