"""A commit made in this process is the one that git makes of the same files, and its branch moves under git's own rules."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runfolio.gitstore import FileChange, Ident, Repo, commit_files, commits, nearby, upkeep
from runfolio.gitstore.commits import commit_alone
from runfolio.gitstore.direct import commit_directly, is_plain
from runfolio.gitstore.loose import object_id
from runfolio.gitstore.ref_files import NOTE, LeaveToGitError, RefFiles, left_refs, remove_left_refs
from tests.faults.repositories import environment, fsck, git

ADA = Ident("Ada", "ada@example.org")
MAIN = "refs/heads/main"
AT = 1_700_000_000


def made(folder: Path, *options: str, files: Mapping[str, str] | None = None) -> Repo:
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main", *options)
    for path, text in (files or {"a/one": "1", "a/two": "2", "b": "b", "a.b": "between a and a/ in no order but git's"}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "start")
    return Repo.discover(folder)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    for key, value in environment().items():
        monkeypatch.setenv(key, value)
    return made(tmp_path / "repo")


def directly(repo: Repo, changes: Sequence[FileChange], parent: str | None = None, *, message: str = "runs\n") -> bool:
    tip = parent or repo.resolve(MAIN)
    assert tip
    line = f"Ada <ada@example.org> {AT} +0000\trunfolio: test"
    return commit_directly(repo, MAIN, tip, changes, message.encode(), ADA.line(AT), line, durable=False)


NAMES = st.sampled_from(["a", "a.b", "a-", "a0", "ab", "b", "é", "with space", "x" * 40])
CHANGES = st.lists(
    st.tuples(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.none() | st.binary(max_size=40)), min_size=1, max_size=12
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(CHANGES, min_size=1, max_size=3))
def test_it_is_the_commit_that_fast_import_makes(repo: Repo, steps: list[list[tuple[str, bytes | None]]]) -> None:
    git(repo.git_dir.parent, "update-ref", MAIN, git(repo.git_dir.parent, "rev-list", "--max-parents=0", "HEAD").strip())
    for step in steps:
        changes = [FileChange(path, data) for path, data in step]
        before = repo.resolve(MAIN)
        assert before
        try:
            assert directly(repo, changes)
        except LeaveToGitError:  # a file and a folder of one name
            assert repo.resolve(MAIN) == before
            continue
        ours = repo.resolve(MAIN)
        git(repo.git_dir.parent, "update-ref", MAIN, before)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(commits, "MOST_BYTES", -1)
            assert commit_files(repo, MAIN, before, changes, "runs\n", ADA, at_s=AT)
        assert repo.resolve(MAIN) == ours
    assert fsck(repo.git_dir.parent) == ""


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(CHANGES, min_size=1, max_size=4))
def test_what_was_found_before_a_commit_is_answered_after_it_as_another_process_reads_it(
    repo: Repo, steps: list[list[tuple[str, bytes | None]]]
) -> None:
    start = git(repo.git_dir.parent, "rev-list", "--max-parents=0", "HEAD").strip()
    git(repo.git_dir.parent, "update-ref", MAIN, start)
    paths = {"", "a", "a/one", "a/two", "b", "a.b", "nowhere", *(path for step in steps for path, _ in step)}
    paths |= {path.rpartition("/")[0] for path in paths}
    tips = [start]
    for step in steps:
        assert [repo.read(f"{tips[-1]}:{path}") for path in paths]
        try:
            assert directly(repo, [FileChange(path, data) for path, data in step])
        except LeaveToGitError:
            continue
        tips.append(repo.resolve(MAIN) or "")
    other = Repo.discover(repo.git_dir.parent)
    for tip in tips:
        assert {path: repo.read(f"{tip}:{path}") for path in paths} == {path: other.read(f"{tip}:{path}") for path in paths}


def test_what_a_commit_left_alone_is_not_looked_for_again(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    assert repo.read(f"{repo.resolve(MAIN)}:a/two") == b"2"
    assert directly(repo, [FileChange("a/one", b"changed")])
    monkeypatch.setattr(repo.nearby, "_find", None)
    assert [repo.read(f"{repo.resolve(MAIN)}:{path}") for path in ("a/two", "a/one")] == [b"2", b"changed"]


def test_no_process_is_started_for_a_small_commit(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    commits.configured_ident(repo)
    assert is_plain(repo, repo.configured.values())
    tip = repo.resolve(MAIN)

    def refuse(*args: object, **more: object) -> None:
        raise AssertionError(f"a process was started: {args}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert commit_files(repo, MAIN, tip, [FileChange("runs/x/1.json", b"{}")], "runs\n", ADA)
    assert repo.read(f"{repo.resolve(MAIN)}:runs/x/1.json") == b"{}"
    assert repo.read(f"{repo.resolve(MAIN)}:a/two") == b"2"
    assert repo.read(f"{repo.resolve(MAIN)}:a/three") is None


def records(count: int) -> list[FileChange]:
    """Files of which those of one ending are alike, in two folders; some are new, and one is changed."""
    made = [FileChange("a/one", b"changed")]
    for number in range(count):
        text = f'{{\n  "code": {{\n    "commit": "{"c" * 40}"\n  }},\n  "metrics": {{\n    "loss": {number / 7}\n  }},\n  "n": {number}\n}}\n'
        made.append(FileChange(f"runs/{number % 2}/{number:04d}.json", text.encode()))
        if number % 3 == 0:
            made.append(FileChange(f"runs/{number % 2}/{number:04d}.series.json", f"[{number}]".encode() * 30))
    return made


def test_a_commit_of_many_files_is_one_pack_and_starts_no_process(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, tip, changes = repo.git_dir.parent, repo.resolve(MAIN), records(300)
    assert tip
    with monkeypatch.context() as patch:
        patch.setattr(commits, "MOST_BYTES", 100)
        assert commit_files(repo, MAIN, tip, changes, "runs\n", ADA, at_s=AT)
    theirs = git(folder, "rev-parse", "main")
    git(folder, "update-ref", MAIN, tip)
    git(folder, "reflog", "expire", "--expire=now", "--all")
    git(folder, "gc", "-q", "--prune=now")
    assert git(folder, "cat-file", "-t", theirs.strip(), check=False) == ""
    fresh = Repo.discover(folder)
    commits.configured_ident(fresh)
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", lambda *args, **more: pytest.fail(f"a process was started: {args}"))
        assert commit_files(fresh, MAIN, tip, changes, "runs\n", ADA, at_s=AT)
    assert git(folder, "rev-parse", "main") == theirs
    assert fsck(folder) == ""
    assert git(folder, "count-objects", "-v").split()[:2] == ["count:", "0"]
    deltas = [
        line
        for line in git(folder, "verify-pack", "-v", *map(str, (repo.git_dir / "objects/pack").glob("*.idx"))).splitlines()
        if len(line.split()) == 7
    ]
    assert len(deltas) > 280
    again = Repo.discover(folder)
    assert all(again.nearby.answer(f"{again.resolve(MAIN)}:{change.path}") == change.data for change in changes)
    git(folder, "gc", "-q")
    assert fsck(folder) == ""
    assert all(git(folder, "show", f"main:{change.path}") == (change.data or b"").decode() for change in changes[:9])


@pytest.mark.parametrize("why", ["packs are few here", "somebody maintains the packs"])
def test_many_files_are_left_to_git_where_packs_are_not_folded(repo: Repo, why: str) -> None:
    folder, tip = repo.git_dir.parent, repo.resolve(MAIN)
    assert tip
    if why == "packs are few here":
        git(folder, "config", "gc.autoPackLimit", "10")
    else:
        git(folder, "repack", "-qad")
        git(folder, "multi-pack-index", "write")
    fresh = Repo.discover(folder)
    with pytest.raises(LeaveToGitError):
        directly(fresh, records(49))
    assert fresh.resolve(MAIN) == tip
    assert commit_files(fresh, MAIN, tip, records(49), "runs\n", ADA)
    assert git(folder, "show", "main:a/one") == "changed"


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("count", [1, 300])
def test_the_first_commit_of_a_branch_is_the_one_that_fast_import_makes(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, count: int, durable: bool
) -> None:
    folder, changes, ledger = repo.git_dir.parent, records(count), "refs/heads/ledger"
    with monkeypatch.context() as patch:
        patch.setattr(commits, "MOST_BYTES", -1)
        assert commit_files(repo, ledger, None, changes, "runs\n", ADA, at_s=AT)
    theirs = git(folder, "rev-parse", "ledger")
    git(folder, "branch", "-D", "ledger")
    git(folder, "gc", "-q", "--prune=now")
    with monkeypatch.context() as patch:
        patch.setattr(commits, "run_git", lambda *args, **more: pytest.fail(f"git was to make it: {args}"))
        assert commit_files(repo, ledger, None, changes, "runs\n", ADA, durable=durable, at_s=AT)
    assert git(folder, "rev-parse", "ledger") == theirs
    assert git(folder, "reflog", "-1", "--format=%gs", "ledger").strip() == "runfolio: runs"
    assert fsck(folder) == ""


@pytest.mark.parametrize("name", ["refs/heads/ledger", "refs/heads/main/below"])
def test_a_branch_that_is_begun_meanwhile_or_has_no_room_is_left_alone(repo: Repo, name: str) -> None:
    if name.endswith("ledger"):
        git(repo.git_dir.parent, "branch", "ledger")
    before = git(repo.git_dir.parent, "for-each-ref")
    assert not commit_files(repo, name, None, [FileChange("x", b"x")], "runs\n", ADA)
    assert git(repo.git_dir.parent, "for-each-ref") == before


def test_packed_objects_are_read_and_kept_apart_from_loose_ones(repo: Repo) -> None:
    root = repo.git_dir.parent
    texts = {f"runs/{number}": "\n".join(map(str, range(number, number + 400))) for number in range(60)}
    for path, text in texts.items():
        assert directly(repo, [FileChange(path, text.encode())])
    git(root, "gc", "-q")
    assert not list((repo.git_dir / "objects").glob("[0-9a-f][0-9a-f]/*"))
    fresh = Repo.discover(root)
    tip = fresh.resolve(MAIN)
    assert {path: (fresh.nearby.answer(f"{tip}:{path}") or b"").decode() for path in texts} == texts
    assert directly(fresh, [FileChange("runs/new", b"x")])
    assert len(git(root, "ls-tree", "-r", "--name-only", "main", "runs/").split()) == 61
    assert fsck(root) == ""


def test_what_does_not_compress_is_stored_and_git_reads_it(repo: Repo) -> None:
    folder, tip = repo.git_dir.parent, repo.resolve(MAIN)
    assert tip
    noise = random.Random(0).randbytes(90_000)
    contents = {"noise": noise + bytes(5000), "text": noise.hex().encode(), "small": noise[:1000]}

    def sizes() -> dict[str, int]:
        changes = [FileChange(name, data) for name, data in contents.items()]
        alone = commit_alone(repo, tip, changes, "m\n", ADA, "refs/x", at_s=AT)
        oids = {name: git(folder, "rev-parse", f"{alone}:{name}").strip() for name in contents}
        assert all(repo.read(oid) == contents[name] for name, oid in oids.items())
        held = {name: (repo.git_dir / "objects" / oid[:2] / oid[2:]) for name, oid in oids.items()}
        made = {name: path.stat().st_size for name, path in held.items()}
        git(folder, "update-ref", "refs/heads/kept", alone)
        assert fsck(folder) == ""
        git(folder, "update-ref", "-d", "refs/heads/kept")
        for path in held.values():
            path.chmod(0o600)
            path.unlink()
        return made

    stored = sizes()
    assert stored["noise"] > 95_000 and stored["text"] < 110_000
    git(folder, "config", "core.looseCompression", "1")  # somebody chose
    repo.configured.close()
    again = Repo.discover(folder)
    chosen = commit_alone(again, tip, [FileChange("noise", contents["noise"])], "m\n", ADA, "refs/x", at_s=AT)
    oid = git(folder, "rev-parse", f"{chosen}:noise").strip()
    assert (repo.git_dir / "objects" / oid[:2] / oid[2:]).stat().st_size < 91_000
    again.close()


def test_a_branch_that_moved_is_left_alone(repo: Repo) -> None:
    old = repo.resolve(MAIN)
    assert directly(repo, [FileChange("one", b"1")])
    tip = repo.resolve(MAIN)
    assert not directly(repo, [FileChange("two", b"2")], old)
    assert repo.resolve(MAIN) == tip
    assert not left_refs(repo.git_dir)
    assert list(repo.git_dir.rglob("*.lock")) == []


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
@pytest.mark.parametrize("name", [MAIN, "refs/heads/deep/ledger"])
def test_the_reflog_is_as_git_writes_it(repo: Repo, packed: bool, name: str) -> None:
    root, tip = repo.git_dir.parent, repo.resolve(MAIN)
    assert tip
    git(root, "branch", "deep/ledger")
    if packed:
        git(root, "pack-refs", "--all")
    assert commit_files(repo, name, tip, [FileChange("x", b"x")], "models: register wine 3\n\nmore\n", ADA)
    new = repo.resolve(name)
    assert git(root, "reflog", "-1", "--format=%H %gn %ge %gs", name).strip() == (
        f"{new} Ada ada@example.org runfolio: models: register wine 3"
    )
    assert git(root, "rev-parse", f"{name}@{{1}}").strip() == tip
    assert (git(root, "rev-parse", "HEAD@{0}").strip() == new) == (name == MAIN)


@pytest.mark.parametrize(("said", "begun"), [("false", False), ("true", True), ("always", True), (None, False)])
def test_a_reflog_begins_where_git_would_begin_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, begun: bool
) -> None:
    for key, value in environment().items():
        monkeypatch.setenv(key, value)
    made(tmp_path / "source")
    git(tmp_path, "clone", "-q", "--bare", "source", "bare.git")
    bare = Repo.discover(tmp_path / "bare.git")
    if said:
        git(bare.git_dir, "config", "core.logAllRefUpdates", said)
    assert is_plain(bare, bare.configured.values())
    assert directly(bare, [FileChange("x", b"x")])
    assert (bare.git_dir / "logs" / MAIN).exists() == begun


ODD = {
    "sha256": lambda root: None,
    "shared": lambda root: git(root, "config", "core.sharedRepository", "group"),
    "own syncing": lambda root: git(root, "config", "core.fsync", "all"),
    "unknown extension": lambda root: (
        git(root, "config", "core.repositoryFormatVersion", "1"),
        git(root, "config", "extensions.noop", "true"),
    ),
    "replaced": lambda root: git(root, "replace", "-f", "HEAD", git(root, "commit-tree", "-m", "x", "HEAD^{tree}").strip()),
    "replaced, packed": lambda root: (
        git(root, "replace", "-f", "HEAD", git(root, "commit-tree", "-m", "x", "HEAD^{tree}").strip()),
        git(root, "pack-refs", "--all"),
    ),
    "a linked work tree": lambda root: git(root, "worktree", "add", "-q", "../linked"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_not_plain_is_left_to_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for key, value in environment().items():
        monkeypatch.setenv(key, value)
    first = made(tmp_path / "repo", *(("--object-format=sha256",) if name == "sha256" else ()))
    ODD[name](tmp_path / "repo")
    linked = name == "a linked work tree"
    repo = Repo.discover(tmp_path / ("linked" if linked else "repo"))
    assert not is_plain(repo, repo.configured.values())
    branch = "refs/heads/linked" if linked else MAIN
    tip = repo.resolve(branch)
    assert commit_files(repo, branch, tip, [FileChange("x/y", b"y")], "runs\n", ADA)
    assert git(first.git_dir.parent, "show", f"{branch}:x/y") == "y"
    for one in (first, repo):
        one.close()


@pytest.mark.parametrize(
    "path", [".git/config", "a/.GIT/x", "a/../b", "a//b", "git~1", ".g\u200cit/x", "a\\b", "a/one/below", "a"]
)
def test_paths_that_git_must_judge_are_left_to_it(repo: Repo, path: str) -> None:
    with pytest.raises(LeaveToGitError):
        directly(repo, [FileChange(path, b"x")])


@pytest.mark.parametrize("linked", [False, True], ids=["ref", "link"])
def test_a_symbolic_branch_is_moved_by_git_where_it_points(repo: Repo, linked: bool) -> None:
    root, alias = repo.git_dir.parent, "refs/heads/alias"
    if linked:
        (repo.git_dir / alias).symlink_to(MAIN)  # its text is what git reads
    else:
        git(root, "symbolic-ref", alias, MAIN)
    tip = repo.resolve(alias)
    assert tip
    with pytest.raises(LeaveToGitError):
        RefFiles(repo.git_dir).swap(alias, "1" * 40, tip, "A <a@b> 1 +0000\tx", logged=True, durable=False)
    assert commit_files(repo, alias, tip, [FileChange("x", b"x")], "runs\n", ADA)
    assert git(root, "show", "main:x") == "x"
    assert repo.resolve(alias) == repo.resolve(MAIN)
    assert list(repo.git_dir.rglob("*.lock")) == []


def test_large_folders_are_not_kept(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby, "_LARGEST_KEPT", 400)
    fresh = Repo.discover(repo.git_dir.parent)
    for number in range(40):
        assert directly(fresh, [FileChange(f"runs/{number}", b"x")])
    assert len(git(repo.git_dir.parent, "ls-tree", "main", "runs/").splitlines()) == 40
    assert all(len(fresh.nearby._held[oid][1]) <= 400 for oid in fresh.nearby._folders)


def test_a_large_folder_is_cut_up_once_for_all_its_names(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby, "_LARGEST_KEPT", 400)
    tip = repo.resolve(MAIN)
    assert commit_files(
        repo, MAIN, tip, [FileChange(f"runs/{number}", f"{number}".encode()) for number in range(40)], "runs\n", ADA
    )
    cut: list[int] = []
    whole = nearby.Folder.parse
    monkeypatch.setattr(nearby.Folder, "parse", lambda data: cut.append(len(data)) or whole(data))
    fresh, tip = Repo.discover(repo.git_dir.parent), repo.resolve(MAIN)
    assert [fresh.read(f"{tip}:runs/{number}") for number in range(40)] == [f"{number}".encode() for number in range(40)]
    assert len([size for size in cut if size > 400]) == 1
    assert directly(fresh, [FileChange("runs/40", b"40"), FileChange("runs/7", b"seven")])
    tip = repo.resolve(MAIN)
    assert [fresh.read(f"{tip}:runs/{number}") for number in (7, 40, 39)] == [b"seven", b"40", b"39"]


def test_a_lock_of_somebody_else_is_waited_for_and_then_respected(repo: Repo) -> None:
    lock = repo.git_dir / f"{MAIN}.lock"
    lock.write_text("")
    tip = repo.resolve(MAIN)
    assert not directly(repo, [FileChange("x", b"x")])
    assert (repo.resolve(MAIN), lock.exists()) == (tip, True)
    lock.unlink()
    head = repo.git_dir / "HEAD.lock"
    head.write_text("")
    assert not directly(repo, [FileChange("x", b"x")])
    assert (repo.resolve(MAIN), lock.exists(), head.exists()) == (tip, False, True)


KILLED = """
import os, signal, sys
from pathlib import Path
from runfolio.gitstore import ref_files
def die(*args): os.kill(os.getpid(), signal.SIGKILL)
at = sys.argv[2]
if at.startswith("_Lock."): setattr(ref_files._Lock, at[6:], die)
elif hasattr(ref_files, at): setattr(ref_files, at, die)
else: setattr(ref_files.RefFiles, at, die)
ref_files.RefFiles(Path(sys.argv[1])).swap("refs/heads/main", "1" * 40, sys.argv[3], "A <a@b> 1 +0000\\tx", logged=True, durable=False)
"""


@pytest.mark.parametrize("at", ["_locked", "write_whole", "_head_at", "_value", "_log", "_Lock.rename"])
def test_the_locks_of_a_killed_process_are_ours_to_remove(repo: Repo, at: str) -> None:
    tip = repo.resolve(MAIN)
    assert tip
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(repo.git_dir), at, tip], capture_output=True, text=True, check=False
        )
        assert done.returncode == -9, done.stderr
        assert repo.resolve(MAIN) == tip
        assert left_refs(repo.git_dir)
        assert (repo.git_dir / f"{MAIN}.lock").exists() == (at != "_locked")
        assert (repo.git_dir / "HEAD.lock").exists() == (at in ("_value", "_log", "_Lock.rename"))
    assert directly(repo, [FileChange("x", b"x")])  # it finds them in its way
    assert not left_refs(repo.git_dir)
    assert list(repo.git_dir.rglob("*.lock")) == []
    subprocess.run([sys.executable, "-c", KILLED, str(repo.git_dir), at, tip], capture_output=True, check=False)
    remove_left_refs(repo.git_dir)
    assert not left_refs(repo.git_dir)
    assert list(repo.git_dir.rglob("*.lock")) == []


def test_a_lock_that_could_not_be_removed_is_removed_by_the_next_process(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, old, unlink = repo.git_dir.parent, repo.resolve(MAIN), os.unlink

    def refuse(path: str, **more: int) -> None:
        if str(path).endswith("HEAD.lock"):
            raise PermissionError(13, "Permission denied", path)
        unlink(path, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        assert directly(repo, [FileChange("new", b"1")])
        assert repo.resolve(MAIN) != old
        remove_left_refs(repo.common_dir)
        assert (repo.git_dir / "HEAD.lock").exists()
    assert left_refs(repo.common_dir)
    remove_left_refs(repo.common_dir)
    assert not (repo.git_dir / "HEAD.lock").exists()
    assert not left_refs(repo.common_dir)
    git(folder, "commit", "--allow-empty", "-qm", "the user goes on")


def test_locks_of_a_living_process_and_of_git_are_not(repo: Repo) -> None:
    refs, lock = RefFiles(repo.git_dir), repo.git_dir / f"{MAIN}.lock"
    with refs._noted(MAIN, "1" * 40), refs._locked(MAIN, "1" * 40, False):
        remove_left_refs(repo.git_dir)
        assert not directly(repo, [FileChange("x", b"x")])
        assert lock.exists()
    (repo.git_dir / "runfolio" / NOTE).write_text("1" * 40 + f" {MAIN}\n")  # a killed process, and then a git that holds the ref
    lock.write_text("2" * 40 + "\n")
    remove_left_refs(repo.git_dir)
    assert lock.exists()
    lock.unlink()
    assert directly(repo, [FileChange("x", b"x")])


def test_an_object_that_is_there_gets_a_fresh_time(repo: Repo) -> None:
    oid = object_id("blob", b"kept")
    repo.nearby.loose.write(oid, "blob", b"kept")
    path = repo.git_dir / "objects" / oid[:2] / oid[2:]
    os.utime(path, (1, 1))
    repo.nearby.loose.write(oid, "blob", b"kept")
    assert path.stat().st_mtime > AT
    assert path.stat().st_mode & 0o777 == 0o444
    assert git(repo.git_dir, "cat-file", "-p", oid) == "kept"


def test_damaged_objects_are_git_s_to_report(repo: Repo) -> None:
    tip = repo.resolve(MAIN)
    assert tip
    shutil.rmtree(repo.git_dir / "objects" / tip[:2])
    with pytest.raises(LeaveToGitError):
        directly(repo, [FileChange("x", b"x")])


SYNCED = """
import sys
from pathlib import Path
from runfolio.gitstore import FileChange, Ident, Repo, commit_files
repo = Repo.discover(sys.argv[1])
assert commit_files(repo, "refs/heads/main", repo.resolve("refs/heads/main"), [FileChange(sys.argv[3], b"{}")], "x", Ident("A", "a@b"), durable=sys.argv[2] == "yes")
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(
    ("durable", "path", "synced"),
    [("yes", "1.json", 3), ("yes", "runs/a/1.json", 2), ("no", "1.json", 0), ("no", "runs/a/1.json", 0)],
)
def test_objects_and_ref_are_synced_as_the_mode_says(repo: Repo, tmp_path: Path, durable: str, path: str, synced: int) -> None:
    said = tmp_path / "strace"
    command = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,rename,link", "-o", str(said), sys.executable, "-c", SYNCED]
    done = subprocess.run([*command, str(repo.git_dir.parent), durable, path], capture_output=True, text=True, check=False)
    if done.returncode and "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    calls = [line.split(None, 1)[1] for line in said.read_text().splitlines()]
    syncs = [call for call in calls if call.startswith(("fsync", "fdatasync"))]
    files = [call for call in calls if call.startswith("rename") and "/objects/" in call]
    kinds = {"1.json": ("tmp_obj_",), "runs/a/1.json": ("tmp_pack_", "tmp_idx_")}[path]
    assert (len(files), len([call for call in syncs if any(kind in call for kind in kinds)])) == (
        3 if path == "1.json" else 2,
        synced,
    )
    assert sum("main.lock" in call for call in syncs) == (durable == "yes")
    moved = [number for number, call in enumerate(calls) if call.startswith("rename") and "main.lock" in call]
    assert len(moved) == 1
    assert all(number < moved[0] for number, call in enumerate(calls) if call in syncs)


@pytest.mark.parametrize(("limit", "packed"), [("300", True), ("0", False), (None, False)])
def test_loose_objects_are_packed_by_git_when_they_are_many(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, limit: str | None, packed: bool
) -> None:
    root = repo.git_dir.parent
    git(root, "config", "gc.autoDetach", "false")
    if limit:
        git(root, "config", "gc.auto", limit)
    monkeypatch.setattr(upkeep, "_asked", {})
    number = started = 0
    while len(list((repo.git_dir / "objects" / "17").glob("*"))) < 3:  # more than 300 / 256, as git counts
        assert directly(repo, [FileChange(f"{number}", b"%d" % number)])  # so few objects are not worth a pack
        number += 1
    for _ in range(3):
        started += upkeep.pack_when_due(repo)
    assert started == packed  # asked once, then not again at each commit
    assert bool(list((repo.git_dir / "objects" / "pack").glob("*.pack"))) == packed
    assert repo.read(f"{repo.resolve(MAIN)}:0") == b"0"
    assert fsck(root) == ""
