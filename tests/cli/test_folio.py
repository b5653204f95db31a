"""``init``, ``migrate`` and ``sync``: where records go, in real repositories."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Done, in_process
from tests.conftest import git

LEDGER = "runfolio/ledger"


def log(folder: Path, name: str) -> None:
    """Log a run in a process of its own, in the folio of a folder."""
    done = in_process(folder, "record", "--name", name, "--", "true")
    assert done.code == 0, done.err


def listed(folder: Path) -> set[str]:
    return {run["name"] for run in json.loads(in_process(folder, "runs", "list", "--json").out)}


def refused(done: Done, *said: str) -> None:
    assert done.code in (2, 13), (done.out, done.err)
    for part in said:
        assert part in done.err, done.err


def test_migrate_moves_the_runs_there_and_back(folio_dir: Path) -> None:
    log(folio_dir, "one")
    there = in_process(folio_dir, "migrate", "--to", LEDGER)
    assert there.out == f"1 run moved from main to {LEDGER}.\n"
    assert (listed(folio_dir), (folio_dir / "runs").exists()) == ({"one"}, False)
    log(folio_dir, "two")
    back = in_process(folio_dir, "migrate", "--to-branch-at-hand")
    assert back.out == f"2 runs moved from {LEDGER} to main.\n"
    assert listed(folio_dir) == {"one", "two"}
    assert git(folio_dir, "status", "--porcelain") == ""


def test_migrate_refuses_the_branch_at_hand_and_keeps_its_runs(folio_dir: Path) -> None:
    log(folio_dir, "one")
    head = git(folio_dir, "rev-parse", "HEAD")
    refused(in_process(folio_dir, "migrate", "--to", "main"), "main is checked out", LEDGER)
    assert (git(folio_dir, "rev-parse", "HEAD"), listed(folio_dir)) == (head, {"one"})


def test_migrate_refuses_a_branch_of_code(folio_dir: Path) -> None:
    log(folio_dir, "one")
    git(folio_dir, "branch", "develop")
    refused(in_process(folio_dir, "migrate", "--to", "develop"), "shares history with main")
    git(folio_dir, "worktree", "add", "-q", "-b", "elsewhere", str(folio_dir.parent / "elsewhere"))
    refused(in_process(folio_dir, "migrate", "--to", "elsewhere"), "elsewhere is checked out")
    refused(in_process(folio_dir, "migrate", "--to", "no name"), "cannot name a branch")
    assert listed(folio_dir) == {"one"}


@pytest.mark.parametrize("state", ["untracked", "changed", "staged"])
def test_migrate_refuses_settings_that_are_not_committed(repo_dir: Path, state: str) -> None:
    assert in_process(repo_dir, "init", "--no-commit").code == 0
    settings = repo_dir / "runfolio.yaml"
    if state != "untracked":
        git(repo_dir, "add", ".")
        git(repo_dir, "commit", "-qm", "a folio")
        settings.write_text(settings.read_text() + "# mine\n")
    if state == "staged":
        git(repo_dir, "add", ".")
    log(repo_dir, "one")
    before = git(repo_dir, "status", "--porcelain"), git(repo_dir, "rev-parse", "HEAD")
    refused(in_process(repo_dir, "migrate", "--to", LEDGER), "runfolio.yaml has changes that are not committed", "git add")
    assert (git(repo_dir, "status", "--porcelain"), git(repo_dir, "rev-parse", "HEAD")) == before
    git(repo_dir, "add", ".")
    git(repo_dir, "commit", "-qm", "settings")
    assert in_process(repo_dir, "migrate", "--to", LEDGER).code == 0
    assert (listed(repo_dir), git(repo_dir, "status", "--porcelain")) == ({"one"}, "")


def test_migrate_back_keeps_runs_that_a_merged_branch_brought(folio_dir: Path) -> None:
    git(folio_dir, "switch", "-qc", "side")
    log(folio_dir, "on the side")
    git(folio_dir, "switch", "-q", "main")
    log(folio_dir, "on main")
    assert in_process(folio_dir, "migrate", "--to", LEDGER).code == 0
    git(folio_dir, "merge", "-q", "--no-edit", "side")
    assert in_process(folio_dir, "migrate", "--to-branch-at-hand").code == 0
    assert listed(folio_dir) == {"on main", "on the side"}


def test_init_says_the_next_command_so_that_it_can_be_copied(repo_dir: Path) -> None:
    done = in_process(repo_dir, "init", "my lab")
    [line] = [line for line in done.err.splitlines() if line.startswith("Next: ")]
    subprocess.run(["sh", "-c", line.removeprefix("Next: ")], cwd=repo_dir, check=True, capture_output=True)
    assert git(repo_dir, "show", "--name-only", "--format=", "HEAD").split("\n")[:2] == [
        "my lab/.gitattributes",
        "my lab/runfolio.yaml",
    ]
    assert shlex.split(line)[-1] == "Start a folio"


@pytest.mark.parametrize("ledger", [False, True])
def test_sync_takes_the_runs_of_another_folio_of_the_repository_for_no_code(tmp_path: Path, repo_dir: Path, ledger: bool) -> None:
    """Two teams in one repository: what one logged is no reason to hold back what the other did."""
    git(tmp_path, "init", "-q", "--bare", "shared.git")
    git(repo_dir, "remote", "add", "origin", str(tmp_path / "shared.git"))
    for folder in ("größe a", "b"):
        assert in_process(repo_dir, "init", folder, *(("--ledger", LEDGER) if ledger else ())).code == 0
    git(repo_dir, "add", ".")
    git(repo_dir, "commit", "-qm", "two folios")
    git(repo_dir, "push", "-q", "origin", "main")
    for folder in ("größe a", "b"):
        log(repo_dir / folder, f"of {folder}")
    done = in_process(repo_dir / "b", "sync")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"origin/{LEDGER if ledger else 'main'}: 0 run records came, 1 went.\n"
    (repo_dir / "train.py").write_text("print('mine')\n")
    git(repo_dir, "commit", "-qam", "my code")
    log(repo_dir / "b", "one more")
    assert in_process(repo_dir / "b", "sync").code == (0 if ledger else 13)


def test_sync_says_that_artifacts_stay_and_mirror_makes_them_common(tmp_path: Path, folio_dir: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "shared.git")
    git(folio_dir, "remote", "add", "origin", str(tmp_path / "shared.git"))
    git(folio_dir, "push", "-q", "origin", "main")
    log(folio_dir, "without files")
    assert in_process(folio_dir, "sync").err == ""
    assert in_process(folio_dir, "record", "--name", "with a file", "--", "echo", "said").code == 0
    assert "other clones see the runs without their files" in in_process(folio_dir, "sync").err
    assert in_process(folio_dir, "sync").err == ""
    store = tmp_path / "objects"
    assert in_process(folio_dir, "artifacts", "mirror", str(store)).code == 0
    settings = folio_dir / "runfolio.yaml"
    settings.write_text(settings.read_text().replace("artifacts: null", f"artifacts: {store}"))
    git(folio_dir, "commit", "-qam", "artifacts for all")
    log(folio_dir, "later")
    assert in_process(folio_dir, "sync", "--with-code").err == ""
    git(tmp_path, "clone", "-q", "-b", "main", "shared.git", "clone")
    assert in_process(tmp_path / "clone", "artifacts", "cat", "with a file", "console.log").out == "said\n"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("s3://bucket/wine?token=abc123", "'token' is no option"),
        ("s3://key:abc123@bucket/wine", ""),
        ("no-such-scheme://bucket/wine", ""),
        ("file://elsewhere/objects", ""),
    ],
)
def test_init_writes_down_no_place_that_cannot_be_one(tmp_path: Path, pinned_git: Path, place: str, said: str) -> None:
    done = in_process(tmp_path, "init", "lab", "--artifacts", place)
    assert done.code != 0
    assert said in done.err
    assert "Traceback" not in done.err
    assert list((tmp_path / "lab").iterdir()) == []


def test_init_takes_a_bucket_whose_package_is_not_here_yet(tmp_path: Path, pinned_git: Path) -> None:
    for name in ("obstore", "fsspec"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('no {name}', name='{name}')\n")
    done = in_process(
        tmp_path, "init", "lab", "--artifacts", "s3://bucket/wine", PYTHONPATH=os.pathsep.join((str(tmp_path), *sys.path[1:]))
    )
    assert done.code == 0, done.err
    assert "artifacts: s3://bucket/wine\n" in (tmp_path / "lab" / "runfolio.yaml").read_text()


def test_a_new_branch_of_code_that_the_remote_has_is_pushed(tmp_path: Path, folio_dir: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "shared.git")
    git(folio_dir, "remote", "add", "origin", str(tmp_path / "shared.git"))
    (folio_dir / "train.py").write_text("print(1)\n")
    git(folio_dir, "add", "train.py")
    git(folio_dir, "commit", "-qm", "code")
    git(folio_dir, "push", "-q", "origin", "main")
    git(folio_dir, "checkout", "-qb", "feature")
    log(folio_dir, "on the feature")
    done = in_process(folio_dir, "sync")
    assert (done.code, done.out) == (0, "origin/feature: 0 run records came, 1 went.\n")
    git(folio_dir, "checkout", "-qb", "other")
    (folio_dir / "train.py").write_text("print(2)\n")
    git(folio_dir, "commit", "-qam", "code that nobody has")
    log(folio_dir, "of other code")
    refused = in_process(folio_dir, "sync")
    assert refused.code == 13 and "commits of your own that are not pushed (train.py)" in refused.err


def test_sync_names_the_file_that_is_in_the_way(tmp_path: Path, folio_dir: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "shared.git")
    git(folio_dir, "remote", "add", "origin", str(tmp_path / "shared.git"))
    git(folio_dir, "push", "-q", "origin", "main")
    git(tmp_path, "clone", "-q", "-b", "main", "shared.git", "clone")
    settings = (folio_dir / "runfolio.yaml").read_text()
    (folio_dir / "runfolio.yaml").write_text(settings + "# theirs\n")
    (folio_dir / "new.py").write_text("theirs\n")
    git(folio_dir, "add", ".")
    git(folio_dir, "commit", "-qm", "code and settings")
    git(folio_dir, "push", "-q", "origin", "main")
    (tmp_path / "clone" / "new.py").write_text("mine\n")
    done = in_process(tmp_path / "clone", "sync")
    assert done.code != 0 and "new.py is in the way" in done.err
    (tmp_path / "clone" / "new.py").unlink()
    (tmp_path / "clone" / "runfolio.yaml").write_text(settings + "# mine\n")
    done = in_process(tmp_path / "clone", "sync")
    assert done.code != 0 and "the remote's changes touch runfolio.yaml, which you have changed" in done.err


def test_a_commit_that_cannot_be_made_is_not_counted_in_commits(folio_dir: Path) -> None:
    git(folio_dir, "checkout", "-q", "--detach")
    log(folio_dir, "waits")
    done = in_process(folio_dir, "commit")
    assert (done.code, done.out) == (13, "Nothing was committed: 1 waiting.\n")


def test_above_a_folio_its_folder_is_named(folio_dir: Path) -> None:
    git(folio_dir.parent, "init", "-q")
    done = in_process(folio_dir.parent, "runs", "list")
    assert done.code == 10 and f"There is one below: runfolio -C {folio_dir.name}" in done.err


def test_init_says_how_artifacts_in_the_work_tree_stay_out_of_git(tmp_path: Path, pinned_git: Path) -> None:
    said = in_process(tmp_path, "init", "lab", "--artifacts", "my objects").err
    assert "keep them out of git: echo '/my objects/' >> .gitignore" in said
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".gitignore").write_text("/objects/\n")
    for place in ("objects", str(tmp_path / "elsewhere")):
        assert "out of git" not in in_process(tmp_path, "init", "other", "--artifacts", place).err
    assert "out of git" not in in_process(tmp_path, "init", "third").err
