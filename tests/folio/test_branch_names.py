"""A branch that git cannot make beside another is told of by name, and never waited for."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from runfolio.errors import StateError
from runfolio.folio import initialise
from runfolio.folio.branch_names import refuse_clash
from runfolio.folio.migration import migrate
from runfolio.folio.opening import open_folio
from runfolio.gitstore import Repo
from tests.conftest import git
from tests.folio.damage import add_run

IN_THE_WAY = {"above": ("lab", "lab/ledger"), "far above": ("lab", "lab/a/ledger"), "below": ("lab/old/er", "lab/old")}


@pytest.mark.parametrize("name", IN_THE_WAY)
@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_a_branch_in_the_way_is_named(name: str, packed: bool, repo_dir: Path) -> None:
    there, wanted = IN_THE_WAY[name]
    git(repo_dir, "branch", there)
    if packed:
        git(repo_dir, "pack-refs", "--all")
    told = f"cannot make the branch {wanted} while there is a branch {there}"
    with pytest.raises(StateError, match=told):
        initialise(repo_dir, branch=wanted)
    assert not (repo_dir / "runfolio.yaml").exists()
    with closing(initialise(repo_dir, commit=True).folio) as folio, pytest.raises(StateError, match=told):
        migrate(folio, wanted)


@pytest.mark.parametrize(("there", "wanted"), [("lab/one", "lab/two"), ("lab", "lab"), ("labs", "lab/x"), ("lab.x", "lab")])
def test_a_branch_beside_it_is_not_in_the_way(there: str, wanted: str, repo_dir: Path) -> None:
    git(repo_dir, "branch", there)
    refuse_clash(Repo.discover(repo_dir), f"refs/heads/{wanted}")


def test_a_run_waits_where_its_branch_cannot_be_made(folio_dir: Path) -> None:
    settings = folio_dir / "runfolio.yaml"
    settings.write_text(settings.read_text().replace("branch: null", "branch: lab/ledger"))
    git(folio_dir, "commit", "-qam", "a ledger branch")
    git(folio_dir, "branch", "lab")
    with closing(open_folio(folio_dir)) as folio:
        add_run(folio, 0)
        with pytest.raises(StateError, match="while there is a branch lab"):
            folio.commit()
        git(folio_dir, "branch", "-m", "lab", "other")
        assert folio.commit().folded == 1
    assert git(folio_dir, "log", "--format=%s", "lab/ledger").startswith("runs: Wine: 1 run")
