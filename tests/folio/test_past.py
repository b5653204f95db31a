"""Which commit a revision means, and what is said where there is none."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from runfolio.errors import NotFoundError
from runfolio.folio.opening import open_folio
from runfolio.folio.past import commit_at
from tests.conftest import git


@pytest.mark.parametrize("asked", ["HEAD~1", "2020-01-01"])
def test_a_shallow_clone_says_how_to_get_the_rest(asked: str, folio_dir: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "1", folio_dir.as_uri(), str(clone)], check=True)
    with closing(open_folio(clone)) as folio, pytest.raises(NotFoundError, match="is shallow.*git fetch --unshallow"):
        commit_at(folio.place, asked)
    git(clone, "fetch", "-q", "--unshallow")
    with closing(open_folio(clone)) as folio:
        if asked == "HEAD~1":
            assert commit_at(folio.place, asked) == git(folio_dir, "rev-parse", "HEAD~1").strip()
        else:
            with pytest.raises(NotFoundError, match=r"as old as '2020-01-01'\. The first"):
                commit_at(folio.place, asked)
