"""Many writers at once: processes in one folio, clones of one remote, threads and forks in one run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from runfolio.folio.checking import check as checked
from runfolio.folio.recovery import recover
from tests.faults.acknowledged import check, commits_adding, promised, records
from tests.faults.kill_loop import start
from tests.faults.repositories import environment, fsck, git, leave_work, locks, make_folio, python, scaled, work_of


@pytest.mark.parametrize("options", [(), ("--ledger", "runfolio/ledger")], ids=["branch at hand", "ledger"])
def test_sixteen_writers_lose_nothing_and_show_no_error(tmp_path: Path, options: tuple[str, ...]) -> None:
    folder = make_folio(tmp_path / "folio", *options)
    leave_work(folder)
    before = work_of(folder)
    runs = scaled(500, 6)
    processes = [start(folder, "log", seed, str(runs)) for seed in range(16)]
    said = [process.communicate() for process in processes]
    assert [err for _, err in said if err] == []
    assert [process.returncode for process in processes] == [0] * 16
    wanted = {}
    for out, _ in said:
        wanted.update(promised(out.splitlines(keepends=True)))
    verdict = check(folder, wanted)
    assert (verdict.lost, verdict.doubled) == ([], [])
    rev = "runfolio/ledger" if options else "HEAD"
    assert set(records(folder, rev)) == set(wanted)
    assert set(commits_adding(folder, rev).values()) == {1}
    assert len(wanted) >= 16 * runs
    assert work_of(folder) == before
    assert locks(folder) == []
    assert fsck(folder) == ""


def test_four_clones_that_push_at_once_all_end_with_all_runs(tmp_path: Path) -> None:
    hub = tmp_path / "hub.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(hub)], check=True, env=environment())
    first = make_folio(tmp_path / "c0", "--artifacts", str(tmp_path / "objects"))
    git(first, "remote", "add", "origin", str(hub))
    git(first, "push", "-q", "-u", "origin", "main")
    clones = [first]
    for number in (1, 2, 3):
        git(tmp_path, "clone", "-q", str(hub), f"c{number}")
        clones.append(tmp_path / f"c{number}")
    processes = [start(clone, "sync", seed, str(scaled(200, 8))) for seed, clone in enumerate(clones)]
    said = [process.communicate() for process in processes]
    assert [(process.returncode, err) for process, (_, err) in zip(processes, said, strict=True)] == [(0, "")] * 4
    wanted = {}
    for out, _ in said:
        wanted.update(promised(out.splitlines(keepends=True)))
    for clone in clones:
        done = python(clone, "from runfolio.folio import open_folio; from runfolio.folio.syncing import sync; sync(open_folio())")
        assert done.returncode == 0, done.stderr
        assert set(records(clone)) == set(wanted)
        assert git(clone, "status", "--porcelain") == ""
        assert fsck(clone) == ""
    assert len({git(clone, "rev-parse", "HEAD") for clone in clones}) == 1
    assert check(first, wanted).lost == []


RUNS = scaled(200, 20)
LOG = """
import runfolio
for n in range(RUNS):
    with runfolio.start_run(run_name=f"WHO-{n}") as run:
        runfolio.log_metric("m", n)
        runfolio.log_text(f"WHO-{n}", "model/model.pkl")
"""
REGISTER = """
runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
"""
LIVE = "import runfolio; c = runfolio.MlflowClient(); c.set_registered_model_alias('wine', 'ALIAS', VERSION)"
STAGE = "import runfolio; c = runfolio.MlflowClient(); c.transition_model_version_stage('wine', VERSION, 'Production')"
WAYS = {
    "merge": [["merge", "-q", "--no-edit", "SIDE"]],
    "rebase": [
        ["switch", "-q", "SIDE"],
        ["rebase", "-q", "main"],
        ["switch", "-q", "main"],
        ["merge", "-q", "--ff-only", "SIDE"],
    ],
    "squash": [["merge", "-q", "--squash", "SIDE"], ["commit", "-qm", "squashed"]],
}


def branched(folder: Path, side: str, theirs: str, ours: str) -> None:
    """Let a new branch and main go on on their own."""
    git(folder, "switch", "-qc", side)
    done = python(folder, theirs)
    assert (done.returncode, done.stderr) == (0, "")
    git(folder, "switch", "-q", "main")
    done = python(folder, ours)
    assert (done.returncode, done.stderr) == (0, "")


def joined(folder: Path, way: str, side: str) -> bool:
    """Bring a branch into main; False where that conflicts, which is then undone."""
    for command in WAYS[way]:
        args = [side if word == "SIDE" else word for word in command]
        done = subprocess.run(["git", *args], cwd=folder, env=environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            assert "CONFLICT" in done.stdout + done.stderr
            git(folder, *(["rebase", "--abort"] if way == "rebase" else ["reset", "-q", "--hard"]))
            git(folder, "switch", "-q", "main")
            return False
    git(folder, "branch", "-qD", side)
    return True


@pytest.mark.parametrize("way", WAYS)
def test_branches_with_runs_join_and_nothing_is_lost(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # the merge driver
    folder = make_folio(tmp_path / "folio")
    log = LOG.replace("RUNS", str(RUNS))
    done = python(folder, (log + REGISTER).replace("WHO", "first"))
    assert (done.returncode, done.stderr) == (0, "")
    turns = scaled(17, 2)
    for turn in range(turns):
        theirs, ours = (log + REGISTER).replace("WHO", f"side{turn}"), log.replace("WHO", f"main{turn}")
        live = "\n" + LIVE.replace("ALIAS", f"turn-{turn}").replace("VERSION", "1")
        branched(folder, f"side{turn}", theirs, ours + live)
        assert joined(folder, way, f"side{turn}")
        assert len(records(folder)) == RUNS * (2 * turn + 3)
        move = LIVE.replace("ALIAS", "champion") if turn % 2 else STAGE
        branched(folder, f"clash{turn}", move.replace("VERSION", str(turn + 1)), move.replace("VERSION", str(turn + 2)))
        assert not joined(folder, way, f"clash{turn}"), "one alias or stage that was moved twice"
    folio = open_folio(folder)
    wanted = {f"{who}{turn}-{number}" for who in ("side", "main") for turn in range(turns) for number in range(RUNS)}
    assert {run.name for run in map(folio.runs.committed, records(folder)) if run} >= wanted
    model = folio.models.find("wine")
    assert folio.models.numbers(model) == list(range(1, turns + 2))
    assert set(model.aliases) >= {f"turn-{turn}" for turn in range(turns)}
    assert checked(folio, read_data=1.0) == []
    folio.close()
    assert git(folder, "status", "--porcelain") == ""


THREADS = """
import runfolio, threading
run = runfolio.start_run()
client = runfolio.MlflowClient()
def work(number):
    for step in range(200):
        client.log_metric(run.info.run_id, f"m{number}", step, step=step)
threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
runfolio.end_run()
"""
FORK = """
import os, runfolio
run = runfolio.start_run()
runfolio.log_metric("m", 0)
for quiet in (True, False):
    pid = os.fork()
    if pid == 0:
        for step in range(100): runfolio.log_metric("child", step, step=step)
        if quiet: os._exit(0)
        raise SystemExit(0)
    assert os.waitpid(pid, 0)[1] == 0
assert runfolio.get_run(run.info.run_id).info.status == "RUNNING"
runfolio.log_metric("m", 1, step=1)
runfolio.end_run()
"""
POOL = """
import multiprocessing, runfolio
def work(number):
    with runfolio.start_run(run_name=f"worker {number}"):
        runfolio.log_metric("m", number)
if __name__ == "__main__":
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(3) as pool:
            pool.map(work, range(6))
    with runfolio.start_run(run_name="parent"): pass
"""
ATTACH = """
import runfolio, subprocess, sys
run = runfolio.start_run()
child = "import runfolio,sys\\nwith runfolio.start_run(run_id=sys.argv[1]): runfolio.log_metric('child', 1)"
subprocess.run([sys.executable, "-c", child, run.info.run_id], check=True)
runfolio.log_metric("after", 1)
runfolio.end_run()
"""


def test_threads_log_to_one_run(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    assert python(folder, THREADS).stderr == ""
    folio = open_folio(folder)
    [run] = [folio.runs.committed(run_id) for run_id in records(folder)]
    assert run is not None
    assert {key: summary.count for key, summary in run.metrics.items()} == {f"m{number}": 200 for number in range(8)}
    folio.close()


def test_forked_children_log_to_the_parents_run_and_do_not_end_it(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    done = python(folder, FORK)
    assert (done.returncode, done.stderr) == (0, "")
    folio = open_folio(folder)
    [run] = [folio.runs.committed(run_id) for run_id in records(folder)]
    assert run is not None
    assert run.status.value == "FINISHED"
    assert (run.metrics["child"].count, run.metrics["m"].count) == (200, 2)
    folio.close()


def test_pools_of_forked_and_spawned_workers_start_runs_of_their_own(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    (folder / "pool.py").write_text(POOL)
    done = subprocess.run([sys.executable, "pool.py"], cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    folio = open_folio(folder)
    recover(folio)
    assert len(records(folder)) == 13
    folio.close()


def test_a_child_process_that_ends_an_attached_run_does_not_cut_the_parent_off(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    done = python(folder, ATTACH)
    assert (done.returncode, done.stderr) == (0, "")
    folio = open_folio(folder)
    [run] = [folio.runs.committed(run_id) for run_id in records(folder)]
    assert run is not None
    assert set(run.metrics) == {"child", "after"}
    folio.close()
