"""Many writers at once: processes in one folio, clones of one remote, threads and forks in one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.folio import open_folio
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


@pytest.mark.parametrize("way", ["merge", "rebase", "squash"])
def test_branches_with_runs_join_without_conflicts(tmp_path: Path, way: str) -> None:
    folder = make_folio(tmp_path / "folio")
    log = "import runfolio\nfor n in range(20):\n    with runfolio.start_run(run_name=f'WHO{n}'): runfolio.log_metric('m', n)\n"
    for turn in range(scaled(17, 2)):
        git(folder, "switch", "-qc", f"side{turn}")
        assert python(folder, log.replace("WHO", f"side{turn}-")).returncode == 0
        git(folder, "switch", "-q", "main")
        assert python(folder, log.replace("WHO", f"main{turn}-")).returncode == 0
        if way == "merge":
            git(folder, "merge", "-q", "--no-edit", f"side{turn}")
        elif way == "rebase":
            git(folder, "switch", "-q", f"side{turn}")
            git(folder, "rebase", "-q", "main")
            git(folder, "switch", "-q", "main")
            git(folder, "merge", "-q", "--ff-only", f"side{turn}")
        else:
            git(folder, "merge", "-q", "--squash", f"side{turn}")
            git(folder, "commit", "-qm", "squashed")
        git(folder, "branch", "-qD", f"side{turn}")
        assert len(records(folder)) == 40 * (turn + 1)
    folio = open_folio(folder)
    assert {run.name for run in map(folio.runs.committed, records(folder)) if run} >= {"side0-0", "main0-19"}
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
