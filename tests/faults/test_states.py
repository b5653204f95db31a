"""Repositories in every state that users leave them in: nothing is lost, and what does not work says why."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from tests.faults.acknowledged import records
from tests.faults.repositories import fsck, git, leave_work, make_folio, python, runfolio, work_of

LOG = "import runfolio\nwith runfolio.start_run(run_name='one'): runfolio.log_metric('m', 1)\n"


def committed(folder: Path, rev: str = "HEAD") -> int:
    return len(records(folder, rev))


def test_outside_any_repository_the_error_says_what_to_do(tmp_path: Path) -> None:
    done = runfolio(tmp_path, "runs", "list")
    assert done.returncode == 10
    assert "runfolio init" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_tracking_server_is_refused_with_what_to_do_instead(tmp_path: Path) -> None:
    done = python(tmp_path, "import runfolio; runfolio.set_tracking_uri('http://localhost:5000')")
    assert "git repository" in done.stderr


def test_on_a_detached_head_runs_wait_and_are_committed_later(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    git(folder, "checkout", "-q", "--detach")
    done = python(folder, LOG)
    assert done.returncode == 0
    assert "detached" in done.stderr
    waiting = runfolio(folder, "commit")
    assert (waiting.returncode, committed(folder)) == (13, 0)
    assert '"one"' in runfolio(folder, "runs", "list", "--json").stdout
    git(folder, "switch", "-q", "main")
    assert runfolio(folder, "commit").returncode == 0
    assert committed(folder) == 1


def test_on_a_detached_head_a_branch_can_be_named(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    git(folder, "checkout", "-q", "--detach")
    assert python(folder, LOG, RUNFOLIO_BRANCH="results").stderr == ""
    assert committed(folder, "results") == 1


def test_on_an_unborn_branch_the_first_commit_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    assert runfolio(folder, "init", "--no-commit").returncode == 0
    assert python(folder, LOG).stderr == ""
    assert committed(folder) == 1
    assert "?? runfolio.yaml" in git(folder, "status", "--porcelain")


@pytest.mark.parametrize("operation", ["merge", "cherry-pick", "rebase"])
def test_while_the_user_resolves_a_conflict_runs_wait(tmp_path: Path, operation: str) -> None:
    folder = make_folio(tmp_path / "folio")
    git(folder, "switch", "-qc", "side")
    (folder / "train.py").write_text("side\n")
    git(folder, "commit", "-qam", "side")
    git(folder, "switch", "-q", "main")
    (folder / "train.py").write_text("main\n")
    git(folder, "commit", "-qam", "main")
    git(folder, operation, "side", check=False)
    before = git(folder, "status", "--porcelain")
    done = python(folder, LOG)
    assert done.returncode == 0
    assert "wait" in done.stderr
    assert git(folder, "status", "--porcelain") == before
    git(folder, operation, "--abort")
    assert runfolio(folder, "commit").returncode == 0
    assert committed(folder, "main") == 1
    assert fsck(folder) == ""


def test_a_bare_repository_is_a_folio(tmp_path: Path) -> None:
    folder = tmp_path / "bare.git"
    assert runfolio(tmp_path, "init", "--bare", str(folder)).returncode == 0
    assert python(tmp_path, LOG, RUNFOLIO_TRACKING_URI=str(folder)).stderr == ""
    assert committed(folder) == 1


def test_a_folder_of_a_repository_is_a_folio(tmp_path: Path) -> None:
    top = tmp_path / "code"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    assert runfolio(top, "init", "ml/experiments", "--commit").returncode == 0
    assert python(top / "ml" / "experiments", LOG).stderr == ""
    assert "ml/experiments/runs/default/" in git(top, "ls-tree", "-r", "--name-only", "HEAD")
    assert git(top, "status", "--porcelain") == ""


def test_runs_of_a_linked_work_tree_go_to_its_branch_and_survive_its_removal(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    git(folder, "worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"))
    assert python(tmp_path / "tree", LOG).stderr == ""
    assert (committed(folder, "side"), committed(folder, "main")) == (1, 0)
    assert git(tmp_path / "tree", "status", "--porcelain") == ""
    python(tmp_path / "tree", LOG, RUNFOLIO_COMMIT="demand")
    git(folder, "worktree", "remove", "--force", str(tmp_path / "tree"))
    assert runfolio(folder, "commit").returncode == 0
    assert committed(folder, "side") == 2


def test_runs_of_a_deleted_branch_go_to_the_branch_at_hand(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    git(folder, "switch", "-qc", "gone")
    python(folder, LOG, RUNFOLIO_COMMIT="demand")
    git(folder, "switch", "-q", "main")
    git(folder, "branch", "-qD", "gone")
    assert runfolio(folder, "commit").returncode == 0
    assert committed(folder, "main") == 1


def test_hooks_of_the_repository_do_not_fire_unless_asked(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    for name in ("pre-commit", "commit-msg", "post-commit", "reference-transaction"):
        hook = folder / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/fired\nexit 1\n")
        hook.chmod(0o755)
    assert python(folder, LOG).stderr == ""
    assert committed(folder) == 1
    assert not (tmp_path / "fired").exists()


def add_hook(folder: Path, name: str, script: str) -> None:
    hook = folder / ".git" / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


def test_with_the_setting_every_hook_of_a_commit_fires_in_gits_order(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio", settings="commit: {hooks: true}")
    leave_work(folder)
    before = work_of(folder)
    for name in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"):
        add_hook(folder, name, f"echo {name} >> {tmp_path}/fired")
    add_hook(folder, "reference-transaction", f'grep -q refs/heads/main && echo "moved $1" >> {tmp_path}/fired; true')
    assert python(folder, LOG).stderr == ""
    fired = (tmp_path / "fired").read_text().split("\n")
    assert fired[:3] == ["pre-commit", "prepare-commit-msg", "commit-msg"]
    assert fired[-2:] == ["post-commit", ""]
    assert "moved committed" in fired[3:-2]
    assert work_of(folder) == before
    assert git(folder, "for-each-ref", "refs/runfolio/draft") == ""


def test_a_hook_sees_the_records_staged_and_may_change_the_message(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio", settings="commit: {hooks: true}")
    add_hook(folder, "pre-commit", f"git diff --cached --name-status > {tmp_path}/staged; git rm -q --cached train.py")
    add_hook(folder, "commit-msg", 'echo "Reviewed-by: a hook" >> "$1"')
    assert python(folder, LOG).stderr == ""
    staged = (tmp_path / "staged").read_text()
    assert re.search(r"^A\truns/default/.*\.json$", staged, re.MULTILINE)
    assert "train.py" not in staged
    assert "Reviewed-by: a hook" in git(folder, "log", "-1", "--format=%B")
    assert git(folder, "ls-tree", "--name-only", "HEAD", "train.py") == "train.py\n"
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["pre-commit", "commit-msg", "reference-transaction"])
def test_runs_wait_where_a_hook_refuses(tmp_path: Path, name: str) -> None:
    folder = make_folio(tmp_path / "folio", settings="commit: {hooks: true}")
    add_hook(folder, name, "grep -q refs/runfolio/ && exit 0\necho not today >&2\nexit 1")
    done = python(folder, LOG)
    assert done.returncode == 0
    assert "finished runs wait" in done.stderr
    if name != "reference-transaction":
        assert "not today" in done.stderr
        assert runfolio(folder, "commit").returncode == 13
    assert committed(folder) == 0
    assert git(folder, "status", "--porcelain") == ""
    (folder / ".git" / "hooks" / name).unlink()
    assert runfolio(folder, "commit").returncode == 0
    assert committed(folder) == 1


def ssh_key(folder: Path) -> tuple[Path, Path]:
    """Make a key and the list of those who may sign with it."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is missing: no commit is signed")
    key, allowed = folder / "key", folder / "allowed"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed.write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    return key, allowed


def test_record_commits_are_signed_where_the_folio_says_so(tmp_path: Path) -> None:
    key, allowed = ssh_key(tmp_path)
    folder = make_folio(tmp_path / "folio", settings="commit: {sign: true}")
    leave_work(folder)
    before = work_of(folder)
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key)), ("gpg.ssh.allowedSignersFile", str(allowed))):
        git(folder, "config", name, value)
    assert python(folder, LOG).stderr == ""
    assert committed(folder) == 1
    assert git(folder, "log", "-2", "--format=%G?") == "G\nN\n"
    assert runfolio(folder, "runs", "tag", next(iter(records(folder))), "team=red").returncode == 0
    assert git(folder, "log", "-2", "--format=%G?") == "G\nG\n"
    assert work_of(folder) == before
    assert fsck(folder) == ""


def test_commits_that_join_two_clones_are_signed(tmp_path: Path) -> None:
    key, allowed = ssh_key(tmp_path)
    hub = tmp_path / "hub.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(hub))
    first = make_folio(tmp_path / "a", settings="commit: {sign: true}")
    git(first, "remote", "add", "origin", str(hub))
    git(first, "push", "-q", "-u", "origin", "main")
    git(tmp_path, "clone", "-q", str(hub), "b")
    for clone in (first, tmp_path / "b"):
        for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key)), ("gpg.ssh.allowedSignersFile", str(allowed))):
            git(clone, "config", name, value)
        assert python(clone, LOG).stderr == ""
    for clone in (first, tmp_path / "b"):
        done = runfolio(clone, "sync")
        assert done.returncode == 0, done.stderr
    assert git(tmp_path / "b", "log", "--format=%G? %p", "-1").count(" ") == 2
    assert git(tmp_path / "b", "log", "--format=%G?", "-3") == "G\n" * 3


def test_runs_wait_where_the_commit_cannot_be_signed(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio", settings="commit: {sign: true}")
    git(folder, "config", "gpg.format", "ssh")
    git(folder, "config", "user.signingKey", str(tmp_path / "no-such-key"))
    done = python(folder, LOG)
    assert done.returncode == 0
    assert "could not be signed" in done.stderr
    assert runfolio(folder, "commit").returncode == 17
    assert committed(folder) == 0
    git(folder, "config", "commit.gpgSign", "true")
    (folder / "runfolio.yaml").write_text("schema: 1\n")
    assert runfolio(folder, "commit").returncode == 0
    assert git(folder, "log", "-1", "--format=%G?") == "N\n"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX users")
def test_line_end_conversion_leaves_the_records_alone(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    git(folder, "config", "core.autocrlf", "true")
    (folder / ".gitattributes").write_text("* text=auto\n" + (folder / ".gitattributes").read_text())
    git(folder, "commit", "-qam", "attributes")
    assert python(folder, LOG).stderr == ""
    assert git(folder, "status", "--porcelain", "runs") == ""
    assert runfolio(folder, "check").returncode == 0


def test_a_foreign_index_lock_is_waited_for_then_named_and_nothing_is_lost(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    lock = folder / ".git" / "index.lock"
    lock.write_text("")
    done = python(folder, LOG, RUNFOLIO_LOCK_WAIT="0.2")
    assert done.returncode == 0
    assert "index.lock" in done.stderr
    lock.unlink()
    assert runfolio(folder, "commit").returncode == 0
    assert committed(folder) == 1
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.parametrize("options", [("--depth", "1"), ("--filter=blob:none",)], ids=["shallow", "partial"])
def test_shallow_and_partial_clones_log_and_sync(tmp_path: Path, options: tuple[str, ...]) -> None:
    hub = tmp_path / "hub.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(hub))
    git(hub, "config", "uploadpack.allowFilter", "true")
    first = make_folio(tmp_path / "first")
    assert python(first, LOG).stderr == ""
    git(first, "remote", "add", "origin", str(hub))
    git(first, "push", "-q", "-u", "origin", "main")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", *options, f"file://{hub}", str(clone))
    assert python(clone, LOG).stderr == ""
    done = runfolio(clone, "sync")
    assert done.returncode == 0, done.stderr
    assert committed(hub, "main") == 2
    assert '"run_id"' in runfolio(clone, "runs", "list", "--json").stdout


def test_a_submodule_is_a_folio(tmp_path: Path) -> None:
    inner = make_folio(tmp_path / "inner")
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q", "-b", "main")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", "-b", "main", str(inner), "ml")
    git(outer, "commit", "-qm", "submodule")
    assert python(outer / "ml", LOG).stderr == ""
    assert committed(outer / "ml") == 1


def test_a_sparse_checkout_without_runs_stays_clean(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    (folder / "src").mkdir()
    (folder / "src" / "a.py").write_text("1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "src")
    git(folder, "sparse-checkout", "set", "src")
    assert python(folder, LOG).stderr == ""
    assert committed(folder) == 1
    assert git(folder, "status", "--porcelain") == ""
    assert not (folder / "runs").exists()


def test_a_repository_of_sha256_objects_is_a_folio(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio", init=("--object-format=sha256",))
    assert python(folder, LOG * 2).stderr == ""
    assert committed(folder) == 2
    assert git(folder, "status", "--porcelain") == ""


def test_variables_of_a_hook_that_calls_us_do_not_lead_astray(tmp_path: Path) -> None:
    folder, other = make_folio(tmp_path / "folio"), make_folio(tmp_path / "other")
    polluted = {"GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": str(tmp_path / "index"), "GIT_WORK_TREE": str(other)}
    assert python(folder, LOG, **polluted).stderr == ""
    assert (committed(folder), committed(other)) == (1, 0)
    assert not (tmp_path / "index").exists()


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    code = (
        "import resource, signal, runfolio\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "run = runfolio.start_run(run_name='full')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))\n"
        "logged = 0\n"
        "try:\n"
        "    while True:\n"
        "        runfolio.log_metric('m', logged, step=logged); logged += 1\n"
        "except runfolio.RunfolioError as error:\n"
        "    assert error.exit_code == 16, error\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "runfolio.log_metric('after', 1)\n"
        "runfolio.end_run()\n"
        "print(logged)\n"
    )
    done = python(folder, code)
    assert done.returncode == 0, done.stderr
    folio = open_folio(folder)
    [run] = [folio.runs.committed(run_id) for run_id in records(folder)]
    assert run is not None
    assert run.metrics["m"].count == int(done.stdout)
    assert "after" in run.metrics
    folio.close()


def test_an_end_that_the_full_disk_refused_is_written_when_there_is_room_again(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    code = (
        "import resource, signal, runfolio\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "run = runfolio.start_run(run_name='full')\n"
        "runfolio.log_metric('m', 1)\n"
        "size = run._live.writer.path.stat().st_size\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    runfolio.end_run()\n"
        "except runfolio.RunfolioError as error:\n"
        "    print(error.exit_code)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
    )
    done = python(folder, code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "16\n", "")
    assert '"FINISHED"' in runfolio(folder, "runs", "list", "--json").stdout
    assert committed(folder) == 1


def test_a_record_that_a_commit_broke_is_brought_back_by_the_command_that_is_told(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    assert python(folder, LOG).stderr == ""
    [run_id] = records(folder)
    [path] = folder.glob(f"runs/*/*/*/{run_id}.json")
    path.write_text("nonsense\n")
    git(folder, "commit", "-qam", "by hand")
    met = python(folder, f"import runfolio; runfolio.get_run({run_id!r})")
    assert f"{run_id}.json: not a readable record" in met.stderr
    assert "runfolio check" in met.stderr
    told = runfolio(folder, "check")
    assert told.returncode == 1
    advice = re.search(r"git (checkout \S+ -- \S+?\.json)", told.stdout)
    assert advice, told.stdout
    git(folder, *advice[1].split())
    git(folder, "commit", "-qm", "brought back")
    assert runfolio(folder, "check").returncode == 0
    assert python(folder, f"import runfolio; print(runfolio.get_run({run_id!r}).data.metrics)").stdout == "{'m': 1.0}\n"


def test_a_place_that_is_no_folder_is_named_once_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = runfolio(tmp_path, "init", "file/below")
    assert done.returncode == 16
    assert "A part of the path is a file" in done.stderr
    assert done.stderr.count("file/below") == 1


def test_a_read_only_repository_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        mounted = tmp_path / "mounted"
        folder = make_folio(tmp_path / "folio")
        mounted.mkdir()
        bound = subprocess.run(["mount", "--bind", str(folder), str(mounted)], capture_output=True, check=False)
        made = subprocess.run(["mount", "-o", "remount,ro,bind", str(mounted)], capture_output=True, check=False)
        try:
            if bound.returncode or made.returncode:
                pytest.skip("no read-only bind mount can be made here")
            _read_only(mounted)
        finally:
            subprocess.run(["umount", str(mounted)], capture_output=True, check=False)
    else:
        folder = make_folio(tmp_path / "folio")
        subprocess.run(["chmod", "-R", "a-w", str(folder)], check=True)
        try:
            _read_only(folder)
        finally:
            subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True)


def _read_only(folder: Path) -> None:
    done = python(folder, LOG)
    assert done.returncode == 1
    assert "StorageError" in done.stderr
    listed = runfolio(folder, "runs", "list")
    assert listed.returncode == 0, listed.stderr


def test_a_lock_of_ours_that_could_not_be_removed_is_removed_by_the_next_command(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    assert python(folder, LOG).stderr == ""
    ours = folder / ".git" / "runfolio" / "lock.1"
    ours.write_bytes(b"")
    os.link(ours, folder / ".git" / "index.lock")
    assert runfolio(folder, "recover").returncode == 0
    assert not ours.exists()
    assert git(folder, "commit", "--allow-empty", "-qm", "the user goes on") == ""


def test_an_empty_journal_that_would_change_a_run_hides_nothing_of_it(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    steps = "import runfolio\nwith runfolio.start_run():\n    for step in range(3): runfolio.log_metric('m', step, step=step)\n"
    assert python(folder, steps).stderr == ""
    [run_id] = records(folder)
    (folder / ".git" / "runfolio" / "journal").mkdir(exist_ok=True)
    (folder / ".git" / "runfolio" / "journal" / f"{run_id}+1a2b.jsonl").write_bytes(b"")
    folio = open_folio(folder)
    run = folio.runs.get(run_id)
    assert [point.step for point in folio.runs.history(run)] == [0, 1, 2]
    assert len(folio.runs.preview(run)["m"]) == 3
    folio.close()


def test_code_that_is_brought_back_names_what_is_not_in_it(tmp_path: Path) -> None:
    """A submodule comes back as an empty folder: whoever runs the code again is told which commit belongs there."""
    inner = make_folio(tmp_path / "inner")
    outer = make_folio(tmp_path / "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "lib")
    git(outer, "commit", "-qm", "submodule")
    assert python(outer, LOG).returncode == 0
    done = runfolio(outer, "runs", "code", "one", str(tmp_path / "clean"))
    commit = git(outer / "lib", "rev-parse", "HEAD").strip()
    assert done.stderr == f"left empty: lib, a submodule: its repository at commit {commit} belongs there\n"
    (outer / "lib" / "runfolio.yaml").write_text("schema: 1\n")
    assert python(outer, LOG.replace("'one'", "'two'")).returncode == 0
    done = runfolio(outer, "runs", "code", "two", str(tmp_path / "changed"))
    assert "left out: lib (a submodule with changes of its own: commit them there)\n" in done.stderr
