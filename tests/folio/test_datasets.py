"""folio/datasets.py and folio/dataset_placing.py: records, versions, contents brought to their places."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runfolio.errors import NotFoundError, StateError
from runfolio.folio import Folio, open_folio
from runfolio.folio.checking import check
from runfolio.folio.dataset_placing import place, restore
from runfolio.folio.unused import find_unused
from runfolio.gitstore.snapshots import restore_tree
from runfolio.objects import encode_manifest
from runfolio.records import ArtifactEntry
from runfolio.records.datasets import Dataset, DatasetKind, Facts, Holder
from tests.conftest import git


@pytest.fixture
def folio(folio_dir: Path) -> Iterator[Folio]:
    made = open_folio(str(folio_dir))
    yield made
    made.close()


def recorded(folio: Folio, text: str, name: str = "wine", path: str = "data/wine.csv") -> Dataset:
    """Record a file's content as current."""
    digest, size = folio.store.put_bytes(text.encode())
    known = next((item for item in folio.datasets.all() if item.name == name), Dataset("", name, digest, path))
    return folio.datasets.record(replace(known, digest=digest), Facts(digest, size=size), "add")


def recorded_folder(folio: Folio, files: dict[str, str], name: str = "images") -> Dataset:
    entries = {key: ArtifactEntry(*folio.store.put_bytes(text.encode())) for key, text in files.items()}
    digest, size = folio.store.put_bytes(encode_manifest(entries))
    facts = Facts(digest, DatasetKind.FOLDER, sum(map(len, files.values())), len(files), manifest_size=size)
    return folio.datasets.record(Dataset("", name, digest, f"data/{name}", DatasetKind.FOLDER), facts, "add")


def test_a_change_of_data_is_one_line_in_git(folio: Folio) -> None:
    recorded(folio, "a\n1\n")
    made = recorded(folio, "a\n1\n2\n")
    root = folio.place.root
    assert git(root, "diff", "--numstat", "HEAD~1", "--", "datasets/wine.yaml").split()[:2] == ["1", "1"]
    assert git(root, "log", "-1", "--format=%s").strip() == "datasets: add wine"
    assert git(root, "status", "--porcelain").strip() == ""
    assert folio.datasets.find("wine") == made
    facts = folio.datasets.facts("wine", made.digest)
    assert facts is not None and facts.size == 6
    assert len(folio.datasets.contents("wine")) == 2
    assert check(folio) == []


def test_versions_come_out_of_history_and_by_digest(folio: Folio) -> None:
    first = recorded(folio, "one")
    second = recorded(folio, "two")
    folio.datasets.record(replace(second, description="words alone are no version"), None, "describe")
    assert [item.dataset.digest for item in folio.datasets.versions("wine")] == [second.digest, first.digest]
    assert folio.datasets.at("wine", first.digest[7:19]).digest == first.digest
    assert folio.datasets.at("wine", "HEAD~2").digest == first.digest
    with pytest.raises(NotFoundError, match="neither a content"):
        folio.datasets.at("wine", "nothing")


def test_a_file_that_somebody_changed_is_not_written_over(folio: Folio) -> None:
    recorded(folio, "one")
    file = folio.place.root / "datasets" / "wine.yaml"
    file.write_text(file.read_text() + "description: mine\n")
    with pytest.raises(StateError, match="is not committed"):
        recorded(folio, "two")
    assert file.read_text().endswith("description: mine\n")


def test_a_ledger_takes_the_facts_and_the_branch_the_dataset(folio_dir: Path) -> None:
    (folio_dir / "runfolio.yaml").write_text("schema: 1\nrecords:\n  branch: ledger\n")
    git(folio_dir, "commit", "-qam", "ledger")
    folio = open_folio(str(folio_dir))
    made = recorded(folio, "one")
    assert git(folio_dir, "show", "--format=", "--name-only", "main").split() == ["datasets/wine.yaml"]
    assert git(folio_dir, "show", "--format=", "--name-only", "ledger").split() == [f"datasets/wine/{made.facts_name}.json"]
    assert folio.datasets.facts("wine", made.digest) is not None
    assert check(folio) == []
    folio.close()


def test_a_code_tree_gets_its_data_back(folio: Folio, tmp_path: Path) -> None:
    recorded(folio, "a\n1\n")
    recorded_folder(folio, {"x.png": "x", "deep/y.png": "y"})
    recorded(folio, "gone", "gone", "data/gone.csv")
    folio.store.delete(folio.store.put_bytes(b"gone")[0])
    elsewhere = Dataset("", "far", "md5:" + "a" * 32, "data/far.csv", held_by=Holder.DVC)
    folio.datasets.record(elsewhere, None, "add")
    tree = tmp_path / "tree"
    restore_tree(folio.repo, git(folio.place.root, "rev-parse", "HEAD^{tree}").strip(), str(tree))
    made = restore(folio.store, tree)
    assert [item.dataset.name for item in made.placed] == ["images", "wine"]
    assert (tree / "data/wine.csv").read_text() == "a\n1\n"
    assert (tree / "data/images/deep/y.png").read_text() == "y"
    told = {item.dataset.name: item.reason for item in made.missing if item.dataset}
    assert "dvc pull data/far.csv" in told["far"]
    assert "is not in" in told["gone"]
    assert restore(folio.store, tree).placed == made.placed


def test_what_would_be_lost_stays_until_it_is_forced(folio: Folio, tmp_path: Path) -> None:
    first = recorded(folio, "one")
    made = recorded(folio, "two")
    target = tmp_path / "out" / "wine.csv"
    assert place(folio.store, made, tmp_path, "out/wine.csv") == 1
    assert place(folio.store, made, tmp_path, "out/wine.csv") == 0
    assert place(folio.store, first, tmp_path, "out/wine.csv") == 1, "what lies there is in the store: nothing is lost"
    target.write_text("mine")
    with pytest.raises(StateError, match="would be lost"):
        place(folio.store, made, tmp_path, "out/wine.csv")
    assert target.read_text() == "mine"
    place(folio.store, made, tmp_path, "out/wine.csv", force=True)
    assert target.read_text() == "two"


def test_a_folder_is_brought_to_what_was_recorded(folio: Folio, tmp_path: Path) -> None:
    made = recorded_folder(folio, {"a": "1", "b": "2"})
    place(folio.store, made, tmp_path, "images")
    (tmp_path / "images" / "notes").write_text("mine")
    with pytest.raises(StateError, match="notes"):
        place(folio.store, made, tmp_path, "images")
    (tmp_path / "images" / "notes").unlink()
    (tmp_path / "images" / "a").write_text("2")  # a content that the store holds
    assert place(folio.store, made, tmp_path, "images") == 1
    assert (tmp_path / "images" / "a").read_text() == "1"


def test_nothing_is_written_through_a_link(folio: Folio, tmp_path: Path) -> None:
    made = recorded(folio, "one")
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "data").symlink_to(outside)
    with pytest.raises(StateError, match="symbolic link"):
        place(folio.store, made, tmp_path / "tree", "data/wine.csv")
    assert list(outside.iterdir()) == []


def test_a_hard_link_shares_the_object_and_is_read_only(folio: Folio, tmp_path: Path) -> None:
    made = recorded(folio, "one")
    target = folio.place.local / "linked.csv"
    assert place(folio.store, made, folio.place.local, "linked.csv", link=True) == 1
    assert target.stat().st_nlink == 2
    assert not target.stat().st_mode & 0o222


@pytest.mark.parametrize("where", ["history", "other branch", "merged away", "removed", "code of a run", "work tree"])
def test_a_clean_up_keeps_every_content_that_any_history_names(folio: Folio, where: str) -> None:
    root = folio.place.root
    kept = recorded_folder(folio, {"a": "only here", "b": "and here"}) if where == "history" else recorded(folio, "kept")
    if where == "other branch":
        git(root, "branch", "side")
        git(root, "reset", "-q", "--hard", "HEAD~1")
    elif where == "merged away":
        git(root, "branch", "side")
        git(root, "reset", "-q", "--hard", "HEAD~1")
        git(root, "merge", "-q", "--no-ff", "-s", "ours", "-m", "not ours", "side")
        git(root, "branch", "-D", "side")
    elif where == "removed":
        folio.datasets.remove("wine")
    elif where == "code of a run":
        from runfolio.gitstore.snapshots import keep_tree

        keep_tree(folio.repo, git(root, "rev-parse", "HEAD^{tree}").strip())
        git(root, "reset", "-q", "--hard", "HEAD~1")
    elif where == "work tree":
        text = (root / "datasets" / "wine.yaml").read_text()
        git(root, "reset", "-q", "--hard", "HEAD~1")
        (root / "datasets").mkdir(exist_ok=True)
        (root / "datasets" / "wine.yaml").write_text(text)
    if where in ("history", "removed"):
        for facts in (root / "datasets").glob("*/*.json"):
            git(root, "rm", "-q", str(facts))
        (root / "datasets" / "images.yaml").unlink(missing_ok=True)
        git(root, "commit", "-qam", "nothing names it now")
    git(root, "reflog", "expire", "--expire=now", "--all")
    stray, _ = folio.store.put_bytes(b"stray")
    found = find_unused(folio, grace_s=-1)
    assert set(found.digests) == {stray}, kept.digest
    assert folio.store.exists(kept.object or stray)


def test_check_names_what_is_wrong_with_a_dataset(folio: Folio) -> None:
    made = recorded(folio, "one")
    other = recorded(folio, "two", "second", "data/wine.csv")
    folio.store.delete(folio.store.put_bytes(b"two")[0])
    root = folio.place.root
    git(root, "rm", "-q", f"datasets/wine/{made.facts_name}.json")
    (root / "datasets" / "third.yaml").write_text("schema: 1\ndigest: 3\nnmae: x\n")
    (root / "datasets" / "loader.py").write_text("# the team's own\n")
    git(root, "add", "datasets")
    git(root, "commit", "-qm", "by hand")
    found = {(item.rule, item.file) for item in check(folio)}
    assert found == {
        ("dataset.facts", "datasets/wine.yaml"),
        ("dataset.same-path", "datasets/wine.yaml"),
        ("object.missing", f"datasets/second/{other.facts_name}.json"),
        ("dataset.format", "datasets/third.yaml"),
    }


def test_a_folder_of_that_name_that_is_the_teams_own_is_left_alone(folio: Folio) -> None:
    root = folio.place.root
    (root / "datasets" / "Raw").mkdir(parents=True)
    (root / "datasets" / "raw.csv").write_text("a\n")
    (root / "datasets" / "Raw" / "x.json").write_text("{}")
    os.symlink("raw.csv", root / "datasets" / "wine.yaml")
    git(root, "add", "datasets")
    git(root, "commit", "-qm", "data of our own")
    assert folio.datasets.all() == []
    assert [item.rule for item in check(folio)] == ["file.mode"]
    shutil.rmtree(root / "datasets")


def test_a_folder_that_goes_through_lfs_leaves_our_files_as_they_are(folio: Folio) -> None:
    root = folio.place.root
    with (root / ".gitattributes").open("r+") as file:
        text = file.read()
        file.seek(0)
        file.write("datasets/** filter=lfs -text\n" + text)
    made = recorded(folio, "one")
    asked = (f"datasets/wine/{made.facts_name}.json", "datasets/wine.yaml", "datasets/own.bin")
    said = git(root, "check-attr", "filter", "--", *asked).splitlines()
    assert [line.rpartition(": ")[2] for line in said] == ["unset", "unset", "lfs"]
