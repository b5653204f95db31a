"""Trees and commits read in this process: what git says of the same ones."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runfolio.gitstore import Repo, tree_changes
from runfolio.gitstore import repo as repo_module
from runfolio.gitstore.first_parents import read_commit
from runfolio.gitstore.nearby import NotNearbyError
from tests.faults.repositories import environment, git
from tests.gitstore.test_direct import made

NAMES = st.sampled_from(["a", "a.b", "a-b", "b", "c/d", "c/e", "c/d/x", "c/d/y", "c.d", "a/b", "a/c/d", "é", "z z"])
TREES = st.dictionaries(NAMES, st.sampled_from(["1", "2", "3"]), max_size=8)
EXECUTABLE = "3"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    for key, value in environment().items():
        monkeypatch.setenv(key, value)
    return made(tmp_path / "repo")


def commits(repo: Repo, *trees: dict[str, str]) -> list[str]:
    """Make a commit of each tree; a file that stands where another has a folder is left out."""
    said = []
    for number, files in enumerate(trees):
        said.append(
            f"commit refs/heads/t{number}\nmark :{number + 1}\ncommitter A <a@b> {1700000000 + number} +0000\ndata 1\nm\ndeleteall\n"
        )
        for path, data in files.items():
            if not any(other.startswith(f"{path}/") for other in files):
                said.append(f'M {"100755" if data == EXECUTABLE else "100644"} inline "{path}"\ndata 1\n{data}\n')
    program = ["git", "fast-import", "--quiet", "--force", "--done"]
    subprocess.run(program, cwd=repo.work_tree, input=("".join(said) + "done\n").encode(), check=True)
    return [git(repo.git_dir.parent, "rev-parse", f"t{number}").strip() for number in range(len(trees))]


def by_git(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NotNearbyError

    monkeypatch.setattr(repo_module, "differences", refuse)
    monkeypatch.setattr(repo_module, "files_below", refuse)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=TREES, new=TREES, folders=st.sampled_from([("",), ("a", "c"), ("c/d",), ("none", "b"), ("c", "c/d")]))
def test_differences_and_files_are_those_that_git_names(
    repo: Repo, old: dict[str, str], new: dict[str, str], folders: tuple[str, ...]
) -> None:
    before, after = commits(repo, old, new)
    here = Repo.discover(repo.git_dir.parent)  # which has read nothing yet
    changes, files = here.changes(before, after, *folders), [here.tree_entries(after, folder) for folder in folders]
    with pytest.MonkeyPatch.context() as patch:
        by_git(patch)
        assert changes == here.changes(before, after, *folders)
        assert files == [here.tree_entries(after, folder) for folder in folders]
    here.close()


def test_no_process_is_started_for_a_few_files(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = commits(repo, {"a/b": "1"}, {"a/b": "2", "c": "1"})
    monkeypatch.setattr(repo_module, "run_git", lambda *_, **__: pytest.fail("git was asked"))
    assert [item.path for item in repo.changes(before, after, "")] == ["a/b", "c"]
    assert [item.path for item in repo.tree_entries(after, "a")] == ["a/b"]
    assert repo.tree_entries(after, "none") == []


@pytest.mark.parametrize("name", ["MOST_FOLDERS", "MOST_FILES"])
def test_git_is_asked_where_there_is_much(repo: Repo, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    many = {f"f{number}/x": "1" for number in range(9)}
    before, after = commits(repo, {}, many)
    expected = repo.changes(before, after, "")
    monkeypatch.setattr(tree_changes, name, 4)
    with pytest.raises(NotNearbyError):
        tree_changes.differences(repo.nearby, before, after, [""])
    assert repo.changes(before, after, "") == expected and len(expected) == 9


@pytest.mark.parametrize("rev", ["main", "HEAD~0", "0" * 40, "ab" * 32])
def test_names_that_are_no_ids_at_hand_are_git_s(repo: Repo, rev: str) -> None:
    with pytest.raises(NotNearbyError):
        tree_changes.files_below(repo.nearby, rev, "")


MESSAGES = ["one", "one\n\nbody\n", "\n\n  indented \t\nsecond line  \n \nbody", "", "é ü\r\nnext\r\n\r\nbody", "\u2028x"]


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("author", ["Ada", "A. de B.", "é"])
def test_a_commit_is_read_as_git_log_shows_it(repo: Repo, monkeypatch: pytest.MonkeyPatch, message: str, author: str) -> None:
    tip = git(repo.git_dir.parent, "rev-parse", "HEAD").strip()
    monkeypatch.setenv("GIT_AUTHOR_NAME", author)
    oid = repo.run("commit-tree", f"{tip}^{{tree}}", "-p", tip, "-p", tip, input=message.encode()).decode().strip()
    found = read_commit(repo, oid)
    said = repo.run("log", "-1", "--format=%H%x02%P%x02%ct%x02%an%x02%s%x01", oid).split(b"\x01")[0].decode().split("\x02")
    assert [found.oid, " ".join(found.parents), str(found.at), found.author, found.subject] == said


def test_a_commit_that_is_not_plain_is_left_to_git(repo: Repo) -> None:
    folder = repo.git_dir.parent
    tip = git(folder, "rev-parse", "HEAD").strip()
    latin = (
        repo.run("-c", "i18n.commitEncoding=latin1", "commit-tree", f"{tip}^{{tree}}", input="ä".encode("latin1"))
        .decode()
        .strip()
    )
    with pytest.raises(NotNearbyError):
        read_commit(repo, latin)
    assert read_commit(repo, tip).oid == tip
    (repo.git_dir / "shallow").write_text(f"{tip}\n")  # its parents may be cut off
    with pytest.raises(NotNearbyError):
        read_commit(repo, tip)
