"""Making folios in folders that are something already."""

from __future__ import annotations

from pathlib import Path

import pytest

from runfolio.errors import UsageError
from runfolio.folio import initialise
from tests.conftest import git


def test_a_bare_folio_inside_a_repository_is_a_repository_of_its_own(repo_dir: Path) -> None:
    made = initialise(repo_dir / "lab.git", bare=True)
    assert made.folio.repo.bare
    assert made.folio.repo.git_dir == (repo_dir / "lab.git").resolve()
    made.folio.close()
    assert not (repo_dir / "runfolio.yaml").exists()
    assert git(repo_dir / "lab.git", "ls-tree", "--name-only", "HEAD") == ".gitattributes\nrunfolio.yaml\n"


def test_a_bare_folio_is_not_made_of_a_folder_that_holds_things(repo_dir: Path) -> None:
    with pytest.raises(UsageError, match="not empty"):
        initialise(repo_dir, bare=True)
    assert not (repo_dir / "runfolio.yaml").exists()


def test_a_bare_folio_is_made_once(tmp_path: Path, pinned_git: Path) -> None:
    for _ in range(2):
        initialise(tmp_path / "lab.git", bare=True).folio.close()
    assert git(tmp_path / "lab.git", "log", "--format=%s") == "runfolio: start a folio\n"


def test_what_the_settings_say_is_told_in_their_own_words(folio_dir: Path) -> None:
    with pytest.raises(UsageError, match=r"says records\.branch: null\. Edit the file, or run: runfolio migrate --to ledger"):
        initialise(folio_dir, branch="ledger")
