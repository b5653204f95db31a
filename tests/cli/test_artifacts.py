"""Files of runs through the command line: listed, copied, printed, added, verified, found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from tests.cli.conftest import Command, in_process
from tests.conftest import git

NOTE = "notes/depth.txt"


def stored(folder: Path, run_id: str, path: str) -> Path:
    """Return the file that holds an artifact's bytes."""
    folio = open_folio(folder)
    try:
        digest = folio.runs.artifacts(folio.runs.get(run_id))[path].digest
    finally:
        folio.close()
    found = list(folder.glob(f"**/objects/sha256/{digest[7:9]}/{digest[9:]}")) or list(
        (folder / ".git").glob(f"**/sha256/{digest[7:9]}/{digest[9:]}")
    )
    return found[0]


@pytest.mark.parametrize("name", ["try-1 notes", "runs:/try-1/notes", "runs:/try-1/notes/depth.txt", "try-1 notes/"])
def test_a_file_is_listed_by_run_and_path_or_uri(run_cli: Command, sweep: dict[str, str], name: str) -> None:
    done = run_cli("artifacts", "list", *name.split(), "--json")
    assert done.code == 0, done.err
    assert [(item["path"], item["size"]) for item in json.loads(done.out)] == [(NOTE, 7)]
    assert NOTE in run_cli("artifacts", "list", "try-1").out


def test_get_copies_verified_and_replaces_nothing_unasked(run_cli: Command, sweep: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_cli("artifacts", "get", "try-2", "-o", str(out)).code == 0
    assert (out / NOTE).read_text() == "depth 2"
    assert run_cli("artifacts", "get", "try-2", "-o", str(out)).code == 0, "the same content again is no clash"
    refused = run_cli("artifacts", "get", "try-1", "-o", str(out))
    assert refused.code == 2
    assert "other content" in refused.err
    assert (out / NOTE).read_text() == "depth 2"
    assert run_cli("artifacts", "get", "try-1", "-o", str(out), "--overwrite").code == 0
    assert (out / NOTE).read_text() == "depth 1"


def test_cat_prints_the_bytes_of_one_file(folio_dir: Path, sweep: dict[str, str]) -> None:
    done = in_process(folio_dir, "artifacts", "cat", f"runs:/{sweep['try-3']}/{NOTE}")
    assert (done.code, done.out, done.err) == (0, "depth 3", "")
    folder = in_process(folio_dir, "artifacts", "cat", "try-3", "notes")
    assert folder.code == 11
    assert NOTE in folder.err
    assert "Traceback" not in folder.err


def test_put_adds_to_a_run_that_has_ended_as_a_commit(
    run_cli: Command, sweep: dict[str, str], folio_dir: Path, tmp_path: Path
) -> None:
    before = git(folio_dir, "rev-list", "--count", "HEAD")
    (tmp_path / "card.md").write_text("for wine")
    done = run_cli("artifacts", "put", "try-0", str(tmp_path / "card.md"), "docs")
    assert done.code == 0, done.err
    assert "docs/card.md" in done.out
    assert run_cli("commit").code == 0
    assert int(git(folio_dir, "rev-list", "--count", "HEAD")) > int(before)
    assert "docs/card.md" in run_cli("artifacts", "list", "try-0").out
    assert NOTE in run_cli("artifacts", "list", "try-0").out
    assert "already" in run_cli("artifacts", "put", "runs:/try-0/docs", str(tmp_path / "card.md")).err


def test_verify_names_what_is_damaged_and_what_is_gone(run_cli: Command, sweep: dict[str, str], folio_dir: Path) -> None:
    assert run_cli("artifacts", "verify", "try-1").code == 0
    file = stored(folio_dir, sweep["try-1"], NOTE)
    file.chmod(0o644)
    file.write_text("depth 9")
    damaged = run_cli("artifacts", "verify", "try-1")
    assert damaged.code == 1
    assert NOTE in damaged.err
    assert "damaged" in damaged.err
    assert run_cli("artifacts", "cat", "try-1", NOTE).code == 14
    file.unlink()
    assert "1 file of runs and models missing or damaged. Of the objects " in run_cli("artifacts", "verify").out
    gone = json.loads(run_cli("artifacts", "verify", "try-1", "--json").out)
    assert [item["path"] for item in gone if item["fault"]] == [NOTE]
    assert "(missing)" in run_cli("artifacts", "where", "try-1", NOTE).out


def test_where_names_the_place_and_the_digest(run_cli: Command, sweep: dict[str, str], folio_dir: Path) -> None:
    done = run_cli("artifacts", "where", "try-1", NOTE, "--json")
    (item,) = json.loads(done.out)
    assert item["url"] == stored(folio_dir, sweep["try-1"], NOTE).as_uri()
    assert item["there"] is True


@pytest.mark.parametrize(
    ("words", "code"),
    [(("list", "nobody"), 11), (("list", "try-1", "nothing"), 11), (("cat", "try-1", "../x"), 11), (("list", "runs:/"), 2)],
)
def test_what_is_not_there_is_said(run_cli: Command, sweep: dict[str, str], words: tuple[str, ...], code: int) -> None:
    done = run_cli("artifacts", *words)
    assert done.code == code, done.err
    assert "Traceback" not in done.err


def test_a_mirror_of_nothing_is_told(run_cli: Command, sweep: dict[str, str], tmp_path: Path) -> None:
    missing = run_cli("artifacts", "mirror", "--from", str(tmp_path / "typo"))
    assert (missing.code, "There is no folder" in missing.err) == (11, True), missing.err
    assert not (tmp_path / "typo").exists()
    (tmp_path / "empty").mkdir()
    empty = run_cli("artifacts", "mirror", "--from", str(tmp_path / "empty"))
    assert (empty.code, "has no objects" in empty.err) == (0, True)


def test_a_damaged_object_is_mended_as_the_message_says(
    run_cli: Command, sweep: dict[str, str], folio_dir: Path, tmp_path: Path
) -> None:
    assert run_cli("artifacts", "mirror", str(tmp_path / "copy")).code == 0
    file = stored(folio_dir, sweep["try-1"], NOTE)
    file.chmod(0o644)
    file.write_text("dxpth 1")
    said = run_cli("artifacts", "verify", "--read-data")
    assert said.code == 1
    assert "Delete it. Copy it from a store that has it (runfolio artifacts mirror --from PLACE)" in said.err
    file.unlink()
    assert run_cli("artifacts", "mirror", "--from", str(tmp_path / "copy")).code == 0
    assert run_cli("artifacts", "verify", "--read-data").code == 0


def test_cat_without_a_path_asks_for_one(run_cli: Command, sweep: dict[str, str]) -> None:
    done = run_cli("artifacts", "cat", "try-1")
    assert (done.code, f"name the file to print. Choose one of: {NOTE}" in done.err) == (11, True)
