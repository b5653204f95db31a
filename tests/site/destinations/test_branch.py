"""Publishing to a branch of a remote: one commit without history, moved by compare-and-swap."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runfolio.errors import RemoteError, StateError, UsageError
from runfolio.gitstore import Repo
from runfolio.site.destinations import publish_to_branch
from runfolio.site.destinations.contents import LIST
from tests.conftest import git
from tests.site.destinations.conftest import Sites


@pytest.fixture
def clone(sites: Sites, tmp_path: Path, pinned_git: Path) -> Iterator[Repo]:
    """A clone of the repository; its remote is ``remote.git`` beside it."""
    git(tmp_path, "clone", "-q", "--bare", str(sites.repo), "remote.git")
    git(tmp_path, "clone", "-q", "remote.git", "clone")
    repo = Repo.discover(tmp_path / "clone")
    yield repo
    repo.close()


@pytest.fixture
def remote(clone: Repo, tmp_path: Path) -> Path:
    return tmp_path / "remote.git"


def files(remote: Path, branch: str = "gh-pages") -> set[str]:
    return set(git(remote, "ls-tree", "-r", "--name-only", branch).split("\n")) - {""}


def test_the_branch_holds_the_site_in_one_commit_and_unchanged_nothing_is_pushed(sites: Sites, clone: Repo, remote: Path) -> None:
    assert publish_to_branch(clone, sites.before, "gh-pages").sent == len(sites.before.files)
    done = publish_to_branch(clone, sites.after, "gh-pages")
    assert 0 < done.sent < len(sites.after.files)
    assert files(remote) == {*sites.after.files, LIST, ".nojekyll"}
    assert git(remote, "rev-list", "--count", "gh-pages") == "1\n"
    tip = git(remote, "rev-parse", "gh-pages")
    assert publish_to_branch(clone, sites.after, "gh-pages").sent == 0 and git(remote, "rev-parse", "gh-pages") == tip
    shown = git(remote, "show", "gh-pages:index.html")
    assert shown == (sites.after.folder / "index.html").read_text()
    assert git(clone.work_tree, "status", "--porcelain") == "" and "site-" not in git(clone.work_tree, "for-each-ref")


def test_a_remote_that_is_not_there_is_said_in_gits_words(sites: Sites, clone: Repo, tmp_path: Path) -> None:
    clone.run("remote", "set-url", "origin", str(tmp_path / "nowhere.git"))
    with pytest.raises(RemoteError, match=r"nowhere\.git' does not appear to be a git repository\."):
        publish_to_branch(clone, sites.before, "pages", "origin", "", "site\n")


@pytest.mark.parametrize("depth", [None, 1], ids=["whole clone", "shallow clone"])
def test_only_objects_that_changed_are_sent_and_no_side_becomes_shallow(
    sites: Sites, clone: Repo, remote: Path, tmp_path: Path, depth: int | None
) -> None:
    git(remote, "config", "receive.unpackLimit", "1")
    packs = remote / "objects" / "pack"
    repo = clone
    if depth:
        git(tmp_path, "clone", "-q", f"--depth={depth}", f"file://{remote}", "shallow")
        repo = Repo.discover(tmp_path / "shallow")
    try:
        publish_to_branch(repo, sites.before, "gh-pages")
        before = set(packs.glob("*.idx"))
        done = publish_to_branch(repo, sites.after, "gh-pages")
    finally:
        if depth:
            repo.close()
    (new,) = set(packs.glob("*.idx")) - before
    sent = {line.split(" ")[0] for line in git(remote, "verify-pack", "-v", str(new)).splitlines()}
    assets = {line.split()[2] for line in git(remote, "ls-tree", "-r", "gh-pages", "assets").splitlines()}
    assert done.sent and git(remote, "rev-parse", "gh-pages").strip() in sent
    assert len(assets) > 5 and not assets & sent
    git(remote, "fsck", "--full", "--strict")
    assert git(remote, "rev-parse", "--is-shallow-repository") == "false\n"
    assert git(Path(str(repo.work_tree)), "rev-parse", "--is-shallow-repository") == f"{str(bool(depth)).lower()}\n"


def test_previews_and_the_site_keep_each_other(sites: Sites, clone: Repo, remote: Path) -> None:
    done = publish_to_branch(clone, sites.before, "gh-pages", folder="preview/7")
    assert done.place == "origin/gh-pages:preview/7"
    assert files(remote) == {f"preview/7/{path}" for path in [*sites.before.files, LIST]} | {LIST, ".nojekyll"}
    publish_to_branch(clone, sites.after, "gh-pages")
    publish_to_branch(clone, sites.after, "gh-pages", folder="preview/7")
    assert files(remote) == {f"preview/7/{path}" for path in [*sites.after.files, LIST]} | {*sites.after.files, LIST, ".nojekyll"}
    assert git(remote, "rev-list", "--count", "gh-pages") == "1\n"


def test_two_builds_at_once_lose_nothing(sites: Sites, remote: Path, tmp_path: Path) -> None:
    clones = []
    for at in range(4):
        git(tmp_path, "clone", "-q", "remote.git", f"build-{at}")
        clones.append(Repo.discover(tmp_path / f"build-{at}"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda at: publish_to_branch(clones[at], sites.before, "gh-pages", folder=f"preview/{at}"), range(4)))
    for repo in clones:
        repo.close()
    assert {path.split("/")[1] for path in files(remote) if path.startswith("preview/")} == {"0", "1", "2", "3"}
    assert len(files(remote)) == 4 * (len(sites.before.files) + 1) + 2


def test_a_branch_of_something_else_is_refused(sites: Sites, clone: Repo, remote: Path) -> None:
    before = git(remote, "rev-parse", "main")
    with pytest.raises(StateError, match="origin/main holds something else"):
        publish_to_branch(clone, sites.before, "main")
    assert git(remote, "rev-parse", "main") == before


def test_a_remote_that_refuses_is_named_and_nothing_is_changed(sites: Sites, clone: Repo, remote: Path) -> None:
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'this job may not push' >&2\nexit 1\n")
    hook.chmod(0o755)
    told = r"did not take refs/heads/gh-pages: \[remote rejected\] \(pre-receive hook declined\); remote: this job may not push\..*May this job push"
    with pytest.raises(RemoteError, match=told):
        publish_to_branch(clone, sites.before, "gh-pages")
    assert "gh-pages" not in git(remote, "for-each-ref")


@pytest.mark.parametrize(
    ("branch", "name", "folder", "error"),
    [
        ("two words", "origin", "", UsageError),
        ("-f", "origin", "", UsageError),
        ("gh-pages", "elsewhere", "", RemoteError),
        ("gh-pages", "origin", "../up", UsageError),
        ("gh-pages", "origin", "a/.git", UsageError),
    ],
)
def test_names_that_cannot_be_are_refused(
    sites: Sites, clone: Repo, remote: Path, branch: str, name: str, folder: str, error: type
) -> None:
    with pytest.raises(error):
        publish_to_branch(clone, sites.before, branch, name, folder)
    assert "gh-pages" not in git(remote, "for-each-ref")


def test_the_published_branch_shows_as_a_site_from_a_checkout(sites: Sites, clone: Repo, remote: Path, tmp_path: Path) -> None:
    from tests.site.destinations.links import broken

    publish_to_branch(clone, sites.after, "gh-pages")
    git(tmp_path, "clone", "-q", "-b", "gh-pages", "remote.git", "shown")
    shutil.rmtree(tmp_path / "shown" / ".git")
    shown = {
        path.relative_to(tmp_path / "shown").as_posix(): path.read_bytes()
        for path in (tmp_path / "shown").rglob("*")
        if path.is_file()
    }
    assert not broken(shown)
