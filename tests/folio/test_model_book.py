"""folio/models.py and model_reading.py: what a process wrote it need not parse, and what it holds of a commit is what git has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runfolio._dataclass import replace
from runfolio.errors import NotFoundError, StateError
from runfolio.folio import initialise, open_folio
from runfolio.folio.folio import Folio
from runfolio.formats.models import decode_model
from runfolio.records.models import ModelVersion

WRITTEN = """
import sys
from runfolio.folio import open_folio
from runfolio.records.models import ModelVersion
models = open_folio(sys.argv[1]).models
made = models.add_version("wine", lambda number: ModelVersion(number, 1795428000000, "file:x", metrics={"loss": 0.5}, tags={"on": "no"}))
assert models.version(models.find("wine"), made.version) == made
print("yaml" in sys.modules, made.version)
"""


def run(script: str, *args: str) -> str:
    return subprocess.run([sys.executable, "-c", script, *args], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folio = initialise(tmp_path / "folio", branch="ledger", commit=True).folio
    folio.models.create("wine", description="of grapes")
    folio.close()
    run("import sys; from runfolio.folio import open_folio; open_folio(sys.argv[1]).models.find('wine')", str(tmp_path / "folio"))
    return tmp_path / "folio"


def test_a_version_that_was_just_written_is_read_without_a_parser(folder: Path) -> None:
    assert [run(WRITTEN, str(folder)) for _ in range(2)] == ["False 1", "False 2"]
    models = open_folio(folder).models
    expected = [ModelVersion(number, 1795428000000, "file:x", metrics={"loss": 0.5}, tags={"on": "no"}) for number in (1, 2)]
    assert models.versions(models.find("wine")) == expected


def test_what_another_process_commits_is_seen_at_once(folder: Path) -> None:
    models = open_folio(folder).models
    assert models.numbers(models.find("wine")) == []
    run(WRITTEN, str(folder))
    wine = models.find("wine")
    assert models.numbers(wine) == [1]
    with pytest.raises(NotFoundError, match="version=2"):
        models.version(wine, 2)
    other = open_folio(folder)
    other.models.rename("wine", "Wine")
    with pytest.raises(NotFoundError, match="There are: 'Wine'"):
        models.find("wine")
    assert models.add_version("Wine", ModelVersion).version == 2


def test_an_edit_is_remembered_as_its_file_says_it(folder: Path) -> None:
    models = open_folio(folder).models
    models.add_version("wine", lambda number: ModelVersion(number, 1795428000000, "file:x"))
    for edit in (
        {"aliases": {"best": 1, "a_b": 1}}, {"tags": {"on": "no", "1": "two: three"}, "description": "of\n grapes\n"}, {"aliases": {"a_b": 1}},
        {"stages": {"Production": (1,)}, "extra": {"ours": {"deep": [1, None]}}}, {"stages": {}, "tags": {}, "description": "", "name": "Wine 2"},
    ):  # fmt: skip
        models.edit("wine", "change it", lambda model, edit=edit: replace(model, **edit))
        place = open_folio(folder).place
        assert models.all() == [decode_model(place.read(place.tip(), "models/wine/model.yaml") or b"", "models/wine/model.yaml")]


@pytest.fixture
def in_tree(folio_dir: Path) -> Folio:
    folio = open_folio(folio_dir)
    folio.models.create("wine")
    folio.models.add_version("wine", ModelVersion)
    return folio


CHANGES: dict[str, tuple[str, Callable[[Folio], object]]] = {
    "a stage": (
        "model.yaml",
        lambda folio: folio.models.edit("wine", "x", lambda found: replace(found, stages={"Staging": (1,)})),
    ),
    "a tag of a version": (
        "versions/1.yaml",
        lambda folio: folio.models.edit_version("wine", 1, "tag", lambda found: replace(found, tags={"a": "b"})),
    ),
    "a deleted version": ("versions/1.yaml", lambda folio: folio.models.delete_version("wine", 1)),
    "a deleted model": ("versions/1.yaml", lambda folio: folio.models.delete("wine")),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_file_that_somebody_is_editing_is_not_changed_beneath_them(in_tree: Folio, what: str) -> None:
    """The commit would leave file and index as they are, and the user's next commit would take it back without a word."""
    name, change = CHANGES[what]
    file, tip = in_tree.place.root / "models/wine" / name, in_tree.place.tip()
    whole = file.read_bytes()
    file.write_bytes(whole + b"# of mine\n")
    with pytest.raises(
        StateError, match=rf"^models/wine/{name} was changed here and is not committed\. Commit it, or .*git checkout HEAD"
    ):
        change(in_tree)
    assert in_tree.place.tip() == tip and file.read_bytes() == whole + b"# of mine\n"
    file.write_bytes(whole.replace(b"\n", b"\r\n"))  # as core.autocrlf writes it: no change of anybody's
    change(in_tree)
    assert in_tree.place.tip() != tip


def test_an_experiment_that_somebody_is_editing_is_not_changed_beneath_them(folio_dir: Path) -> None:
    folio = open_folio(folio_dir)
    made = folio.experiments.create("wine")
    (folio.place.root / "experiments/wine.yaml").write_text("# of mine\n")
    with pytest.raises(StateError, match=r"experiments/wine\.yaml was changed here"):
        folio.experiments.edit(made.experiment_id, "describe", tags={"a": "b"})
