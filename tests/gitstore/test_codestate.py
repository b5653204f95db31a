"""The exact code of a work tree as one tree, on real repositories in every state, without a trace left in them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runfolio.gitstore import codestate
from runfolio.gitstore.admission import LeftOut
from runfolio.gitstore.codestate import CodeState, code_tree, is_matched
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.snapshots import restore_tree
from runfolio.gitstore.started import Started
from runfolio.gitstore.trees import Rule

RULES: tuple[Rule, ...] = (
    (re.compile("runs"), re.compile("[a-z]+"), re.compile(r"\d{4}-\d\d")),
    (re.compile("models"), re.compile(".+"), re.compile(r"model\.yaml")),
)


def git(place: Path, *args: str, data: bytes | None = None) -> str:
    names = {
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }
    env = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", "-C", str(place), *args], input=data, capture_output=True, env=env, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").strip("\n")


def write(place: Path, name: str, data: bytes | str) -> Path:
    file = place / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repo]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    place = tmp_path / "code"
    place.mkdir()
    git(place, "init", "-q", "-b", "main")
    git(place, "config", "user.name", "Ada L")
    write(place, "train.py", "print(1)\n")
    write(place, "src/net.py", "net\n")
    write(place, "models/resnet.py", "code, not a record\n")
    write(place, ".gitignore", "*.bin\n")
    git(place, "add", ".")
    git(place, "commit", "-qm", "first")
    found = Repo.discover(place)
    yield found
    found.close()


def files_of(repo: Repo, state: CodeState, target: Path) -> dict[str, bytes]:
    restore_tree(repo, state.tree, target)
    return {
        path.relative_to(target).as_posix(): os.readlink(path).encode() if path.is_symlink() else path.read_bytes()
        for path in sorted(target.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def place_of(repo: Repo) -> Path:
    assert repo.work_tree is not None
    return repo.work_tree


def traces(repo: Repo) -> tuple[str, bytes, list[str]]:
    place = place_of(repo)
    index = repo.git_dir / "index"
    locks = sorted(str(path) for path in repo.git_dir.rglob("*.lock"))
    before = index.read_bytes() if index.exists() else b""
    status = git(place, "--no-optional-locks", "status", "--porcelain", "--untracked-files=all")
    return status, before, locks


def test_clean_tree_is_the_commits_own(repo: Repo) -> None:
    state = code_tree(repo, RULES)
    place = place_of(repo)
    assert state == CodeState(
        git(place, "rev-parse", "HEAD"), "main", "", False, git(place, "rev-parse", "HEAD^{tree}"), (), "Ada L"
    )


def test_records_are_no_code_and_do_not_change_the_tree(repo: Repo, tmp_path: Path) -> None:
    place = place_of(repo)
    before = code_tree(repo, RULES).tree
    write(place, "runs/wine/2026-11/23/a.json", "{}\n")
    write(place, "models/churn/model.yaml", "stages: {}\n")
    git(place, "add", ".")
    git(place, "commit", "-qm", "records")
    write(place, "runs/wine/2026-11/23/b.json", "{}\n")
    write(place, "models/new/model.yaml", "stages: {}\n")
    state = code_tree(repo, RULES, runs_folder="runs")
    assert (state.tree, state.dirty) == (before, False)
    assert "models/resnet.py" in files_of(repo, state, tmp_path / "out")


def test_every_kind_of_change_is_in_the_tree_and_none_in_the_repository(repo: Repo, tmp_path: Path) -> None:
    place = place_of(repo)
    for name in (
        "deleted.py",
        "staged-delete.py",
        "old-name.py",
        "run.sh",
        "both.py",
        "dir-to-file/a.py",
        "file-to-dir",
        "linked/a.py",
    ):
        write(place, name, f"{name}\n")
    git(place, "add", ".")
    git(place, "commit", "-qm", "more")
    write(place, "train.py", b"bytes \xff\x00\r\n no end")
    write(place, "both.py", "staged\n")
    git(place, "add", "both.py")
    write(place, "both.py", "and then changed\n")
    write(place, "staged.py", "only staged\n")
    git(place, "add", "staged.py")
    write(place, 'new dir/ünï "q".py', "new\n")
    write(place, "ignored.bin", "ignored\n")
    write(place, "gone-again.py", "x\n")
    git(place, "add", "gone-again.py")
    (place / "gone-again.py").unlink()
    (place / "deleted.py").unlink()
    git(place, "rm", "-q", "staged-delete.py")
    git(place, "mv", "old-name.py", "new-name.py")
    (place / "run.sh").chmod(0o755)
    (place / "link").symlink_to("train.py")
    (place / "dir-to-file/a.py").unlink()
    (place / "dir-to-file").rmdir()
    write(place, "dir-to-file", "a file now\n")
    (place / "file-to-dir").unlink()
    write(place, "file-to-dir/b.py", "a folder now\n")
    (place / "linked").rename(tmp_path / "elsewhere")
    (place / "linked").symlink_to(tmp_path / "elsewhere")
    before = traces(repo)
    state = code_tree(repo, RULES)
    assert traces(repo) == before
    assert state.dirty
    assert state.left_out == ()
    found = files_of(repo, state, tmp_path / "out")
    assert found == {
        ".gitignore": b"*.bin\n",
        "both.py": b"and then changed\n",
        "dir-to-file": b"a file now\n",
        "file-to-dir/b.py": b"a folder now\n",
        "link": b"train.py",
        "linked": str(tmp_path / "elsewhere").encode(),
        "models/resnet.py": b"code, not a record\n",
        'new dir/ünï "q".py': b"new\n",
        "new-name.py": b"old-name.py\n",
        "run.sh": b"run.sh\n",
        "src/net.py": b"net\n",
        "staged.py": b"only staged\n",
        "train.py": b"bytes \xff\x00\r\n no end",
    }
    assert os.access(tmp_path / "out/run.sh", os.X_OK)
    assert not os.access(tmp_path / "out/train.py", os.X_OK)


def test_a_change_in_the_second_of_the_last_add_is_in_the_tree(repo: Repo, tmp_path: Path) -> None:
    """Size and time are those of the file that was added; git tells such a change by the time of its index."""
    place, moment = place_of(repo), (1_700_000_000 * 10**9, 1_700_000_000 * 10**9)
    git(place, "config", "core.trustctime", "false")
    file = write(place, "quick.py", "accuracy = 1\n")
    os.utime(file, ns=moment)
    git(place, "add", "quick.py")
    git(place, "commit", "-qm", "quick")
    os.utime(file, ns=moment)
    git(place, "update-index", "--refresh")
    write(place, "quick.py", "accuracy = 2\n")
    os.utime(file, ns=moment)
    os.utime(repo.git_dir / "index", ns=moment)
    state = code_tree(repo, ())
    assert state.dirty and files_of(repo, state, tmp_path / "kept")["quick.py"] == b"accuracy = 2\n"


def test_secrets_and_large_files_are_left_out_and_named(repo: Repo, tmp_path: Path) -> None:
    place = place_of(repo)
    for name in (".env", "conf/server.pem", "id_rsa", "credentials.json", ".netrc", ".env.example", "credentials.py"):
        write(place, name, "x")
    git(place, "add", ".env", "conf/server.pem")
    write(place, "big.csv", b"x" * 101)
    write(place, "small.csv", b"x" * 100)
    state = code_tree(repo, RULES, untracked_max_bytes=100)
    secret = "its name is that of a secret"
    assert set(state.left_out) == {
        LeftOut(".env", 1, secret),
        LeftOut("conf/server.pem", 1, secret),
        LeftOut("id_rsa", 1, secret),
        LeftOut("credentials.json", 1, secret),
        LeftOut(".netrc", 1, secret),
        LeftOut("big.csv", 101, "a new file of more than 100 bytes"),
    }
    found = files_of(repo, state, tmp_path / "out")
    assert {"small.csv", ".env.example", "credentials.py"} <= set(found)
    assert not {".env", "conf/server.pem", "big.csv"} & set(found)


def test_changed_secret_keeps_the_commits_state(repo: Repo, tmp_path: Path) -> None:
    place = place_of(repo)
    write(place, ".env", "committed")
    git(place, "add", ".env")
    git(place, "commit", "-qm", "oh")
    write(place, ".env", "new secret")
    git(place, "add", ".env")
    state = code_tree(repo, RULES)
    assert [item.path for item in state.left_out] == [".env"]
    assert files_of(repo, state, tmp_path / "out")[".env"] == b"committed"


def test_files_stop_at_the_limit_for_all(repo: Repo) -> None:
    place = place_of(repo)
    for number in range(4):
        write(place, f"n{number}.txt", b"x" * 40)
    state = code_tree(repo, RULES, all_max_bytes=100)
    assert [(item.path, item.reason) for item in state.left_out] == [
        ("n2.txt", "changed and new files are too large together"),
        ("n3.txt", "changed and new files are too large together"),
    ]


def test_crowded_new_folder_is_named_as_one(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codestate, "MAX_NEW_FILES", 20)
    for number in range(30):
        write(place_of(repo), f"images/{number}.png", b"x")
    assert [item.path for item in code_tree(repo, RULES).left_out] == ["images/"]


def test_a_built_folder_is_no_code(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_of(repo)
    for folder in ("site", "web/public"):
        write(place, f"{folder}/.built.json", "{}")
        write(place, f"{folder}/data/runs.js", "runs\n")
    assert code_tree(repo, RULES).dirty
    write(place, "web/notes.txt", "mine\n")
    state = code_tree(repo, RULES, built=".built.json")
    assert state.dirty
    kept = files_of(repo, state, tmp_path / "back")
    assert [name for name in kept if name.startswith(("site", "web"))] == ["web/notes.txt"]
    (place / "web" / "notes.txt").unlink()
    assert not code_tree(repo, RULES, built=".built.json").dirty
    monkeypatch.setattr(codestate, "MAX_NEW_FILES", 1)
    assert [item.path for item in code_tree(repo, RULES, built=".built.json").left_out] == ["web/"]


def test_unborn_branch_has_a_tree_and_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    repo = Repo.discover(tmp_path)
    assert code_tree(repo).tree == git(tmp_path, "hash-object", "-t", "tree", "--stdin", data=b"")
    write(tmp_path, "a.py", "a\n")
    state = code_tree(repo, RULES)
    assert (state.commit, state.branch, state.dirty) == ("", "main", True)
    assert git(tmp_path, "ls-tree", "--name-only", state.tree) == "a.py"
    assert not (tmp_path / ".git/index").exists()
    repo.close()


def test_detached_head_has_a_commit_and_no_branch(repo: Repo) -> None:
    place = place_of(repo)
    git(place, "checkout", "-q", "--detach")
    state = code_tree(repo, RULES)
    assert (state.commit, state.branch, state.dirty) == (git(place, "rev-parse", "HEAD"), "", False)


def test_linked_work_tree_gives_its_own_code(repo: Repo, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(place_of(repo), "worktree", "add", "-q", "-b", "side", str(other))
    write(other, "train.py", "side\n")
    linked = Repo.discover(other)
    state = code_tree(linked, RULES)
    assert (state.branch, state.dirty) == ("side", True)
    assert git(other, "show", f"{state.tree}:train.py") == "side"
    assert not code_tree(repo, RULES).dirty
    linked.close()


def test_merge_in_progress_takes_the_work_trees_files(repo: Repo, tmp_path: Path) -> None:
    place = place_of(repo)
    write(place, "gone.py", "base\n")
    git(place, "add", ".")
    git(place, "commit", "-qm", "base")
    git(place, "checkout", "-qb", "side")
    write(place, "train.py", "theirs\n")
    git(place, "rm", "-q", "gone.py")
    git(place, "commit", "-qam", "theirs")
    git(place, "checkout", "-q", "main")
    write(place, "train.py", "ours\n")
    write(place, "gone.py", "ours\n")
    git(place, "commit", "-qam", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(place, "merge", "side")
    before = traces(repo)
    state = code_tree(repo, RULES)
    assert traces(repo) == before
    found = files_of(repo, state, tmp_path / "out")
    assert found["train.py"] == (place / "train.py").read_bytes()
    assert b"<<<<<<<" in found["train.py"]
    assert found["gone.py"] == b"ours\n"


def test_submodule_is_kept_and_its_own_changes_are_named(repo: Repo, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    write(inner, "lib.py", "lib\n")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "lib")
    place = place_of(repo)
    git(place, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "lib")
    git(place, "commit", "-qm", "submodule")
    clean = code_tree(repo, RULES)
    assert not clean.dirty
    write(place, "lib/lib.py", "changed\n")
    dirty = code_tree(repo, RULES)
    assert dirty.left_out == (LeftOut("lib", 0, "a submodule with changes of its own: commit them there"),)
    assert dirty.tree == clean.tree
    git(place / "lib", "commit", "-qam", "next")
    moved = code_tree(repo, RULES)
    assert moved.left_out == ()
    assert git(place, "ls-tree", moved.tree, "lib").split()[2] == git(place / "lib", "rev-parse", "HEAD")


def test_repository_inside_is_named_not_walked(repo: Repo) -> None:
    place = place_of(repo)
    write(place, "inner/x.py", "x\n")
    git(place / "inner", "init", "-q")
    git(place / "inner", "add", ".")
    git(place / "inner", "commit", "-qm", "x")
    state = code_tree(repo, RULES)
    assert state.left_out == (LeftOut("inner/", 0, "a git repository of its own"),)


def test_sparse_checkout_keeps_the_files_that_are_not_checked_out(repo: Repo, tmp_path: Path) -> None:
    place = place_of(repo)
    git(place, "sparse-checkout", "set", "--cone", "models")
    assert not (place / "src").exists()
    assert not code_tree(repo, RULES).dirty
    write(place, "models/resnet.py", "changed\n")
    found = files_of(repo, code_tree(repo, RULES), tmp_path / "out")
    assert found["src/net.py"] == b"net\n"
    assert found["models/resnet.py"] == b"changed\n"


def test_hooks_and_file_monitor_do_not_run(repo: Repo, tmp_path: Path) -> None:
    place = place_of(repo)
    mark = tmp_path / "ran"
    hook = write(place, ".git/hooks/post-index-change", f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    git(place, "config", "core.fsmonitor", str(hook))
    write(place, "train.py", "changed\n")
    assert code_tree(repo, RULES).dirty
    assert not mark.exists()


def test_remote_is_origins(repo: Repo) -> None:
    place = place_of(repo)
    git(place, "remote", "add", "backup", "https://b.example.org/x")
    assert code_tree(repo, RULES).remote == "https://b.example.org/x"
    git(place, "remote", "add", "origin", "https://a.example.org/x")
    assert code_tree(repo, RULES).remote == "https://a.example.org/x"


def test_clean_tree_costs_two_processes(repo: Repo) -> None:
    place = place_of(repo)
    write(place, "runs/wine/2026-11/23/a.json", "{}\n")
    git(place, "add", ".")
    git(place, "commit", "-qm", "a run")
    counted = _counted(repo)
    code_tree(counted, RULES)
    assert counted.verbs == ["status", "config"]
    counted.close()


class _Counting(Repo):
    verbs: list[str]

    def run(self, *args: str, **options: object) -> bytes:
        self.verbs.append(args[0])
        return super().run(*args, **options)  # type: ignore[arg-type]

    def start(self, *args: str) -> Started:
        self.verbs.append(args[0])
        return super().start(*args)


def _counted(repo: Repo) -> _Counting:
    made = _Counting(repo.git_dir, repo.common_dir, repo.work_tree)
    made.verbs = []
    return made


def test_path_rule_matches_whole_levels() -> None:
    assert is_matched("runs/wine/2026-11/23/a.json", RULES)
    assert not is_matched("runs/wine/notes.md", RULES)
    assert not is_matched("src/runs/wine/2026-11/a", RULES)
