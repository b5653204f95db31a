"""The fluent API in threads, forked and spawned processes: each has active runs of its own, and ends only what it started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.tracking.session import forget_sessions
from tests.conftest import git


@pytest.fixture(autouse=True)
def _folio(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)


def names(experiment: str = "Default") -> list[str]:
    found = runfolio.search_runs(experiment_names=[experiment], output_format="list")
    return sorted(run.info.run_name for run in found)


def script(folder: Path, code: str) -> Any:
    """Run a script and return what it printed as JSON."""
    (folder / "script.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "script.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout or "null")


def test_each_thread_has_an_active_run_of_its_own() -> None:
    seen: dict[int, bool] = {}
    meet = threading.Barrier(4)

    def work(number: int) -> None:
        assert runfolio.active_run() is None
        with runfolio.start_run(run_name=f"thread {number}") as run:
            meet.wait()
            active = runfolio.active_run()
            seen[number] = active is not None and active.info.run_id == run.info.run_id
            runfolio.log_metric("number", number)

    with ThreadPoolExecutor(4) as pool, runfolio.start_run(run_name="main"):
        list(pool.map(work, range(4)))
        active = runfolio.active_run()
        assert active is not None
        assert active.info.run_name == "main"
    assert seen == dict.fromkeys(range(4), True)
    found = {run.info.run_name: run.data.metrics for run in runfolio.search_runs(output_format="list")}
    assert found == {"main": {}, **{f"thread {number}": {"number": float(number)} for number in range(4)}}


def test_a_thread_that_logs_without_a_run_starts_one_that_ends_with_the_process(folio_dir: Path) -> None:
    code = (
        "import runfolio, threading\n"
        "thread = threading.Thread(target=lambda: runfolio.log_metric('m', 1))\n"
        "with runfolio.start_run(run_name='main'):\n"
        "    thread.start(); thread.join()\n"
    )
    script(folio_dir, code)
    runs = runfolio.search_runs(output_format="list")
    assert sorted((run.info.status, len(run.data.metrics)) for run in runs) == [("FINISHED", 0), ("FINISHED", 1)]


def test_threads_that_log_the_same_param_agree_or_are_refused() -> None:
    with runfolio.start_run() as run:
        client = runfolio.MlflowClient()

        def log(value: int) -> bool:
            try:
                client.log_param(run.info.run_id, "seed", value)
            except runfolio.MlflowException:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(log, range(8)))
    assert runfolio.get_run(run.info.run_id).data.params["seed"] in {str(at) for at, one in enumerate(taken) if one}


def test_a_forked_child_goes_on_with_the_run_and_does_not_end_it(folio_dir: Path) -> None:
    code = (
        "import json, os, runfolio\n"
        "with runfolio.start_run() as run:\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        runfolio.log_metric('child', 1)\n"
        "        raise SystemExit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "    runfolio.log_metric('parent', 1)\n"
        "print(json.dumps(runfolio.get_run(run.info.run_id).data.metrics))\n"
    )
    assert script(folio_dir, code) == {"child": 1.0, "parent": 1.0}
    [run] = runfolio.search_runs(output_format="list")
    assert run.info.status == "FINISHED"


def test_a_forked_child_may_have_a_nested_run(folio_dir: Path) -> None:
    code = (
        "import os, runfolio\n"
        "with runfolio.start_run(run_name='parent'):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        with runfolio.start_run(run_name='child', nested=True): runfolio.log_metric('m', 1)\n"
        "        raise SystemExit(0)\n"
        "    assert os.waitpid(pid, 0)[1] == 0\n"
    )
    script(folio_dir, code)
    found = {run.info.run_name: run for run in runfolio.search_runs(output_format="list")}
    assert found["child"].data.tags["mlflow.parentRunId"] == found["parent"].info.run_id
    assert {run.info.status for run in found.values()} == {"FINISHED"}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_a_pool_log_to_the_parents_run_by_its_id(folio_dir: Path, method: str) -> None:
    code = (
        "import json, multiprocessing, runfolio\n"
        "def work(item):\n"
        "    run_id, number = item\n"
        "    runfolio.MlflowClient().log_metric(run_id, 'm', number, step=number)\n"
        "if __name__ == '__main__':\n"
        "    with runfolio.start_run() as run:\n"
        f"        with multiprocessing.get_context('{method}').Pool(2) as pool:\n"
        "            pool.map(work, [(run.info.run_id, number) for number in range(6)])\n"
        "    history = runfolio.MlflowClient().get_metric_history(run.info.run_id, 'm')\n"
        "    print(json.dumps(sorted(point.step for point in history)))\n"
    )
    assert script(folio_dir, code) == [0, 1, 2, 3, 4, 5]
    [run] = runfolio.search_runs(output_format="list")
    assert run.info.status == "FINISHED"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_has_runs_of_its_own_in_the_experiment_that_the_parent_set(folio_dir: Path, method: str) -> None:
    code = (
        "import multiprocessing, runfolio\n"
        "def work(number):\n"
        "    with runfolio.start_run(run_name=f'worker {number}'): runfolio.log_param('number', number)\n"
        "if __name__ == '__main__':\n"
        "    runfolio.set_experiment('chosen')\n"
        "    context = multiprocessing.get_context('" + method + "')\n"
        "    workers = [context.Process(target=work, args=(number,)) for number in range(2)]\n"
        "    [worker.start() for worker in workers]\n"
        "    [worker.join() for worker in workers]\n"
        "    assert [worker.exitcode for worker in workers] == [0, 0]\n"
    )
    script(folio_dir, code)
    runfolio.flush()
    subprocess.run([sys.executable, "-m", "runfolio", "recover"], cwd=folio_dir, check=True, capture_output=True)
    assert names("chosen") == ["worker 0", "worker 1"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "chosen"), ({"RUNFOLIO_EXPERIMENT_NAME": "named"}, "named"), ({"RUNFOLIO_EXPERIMENT_ID": "0"}, "Default"),
    ],
    ids=["nothing", "name", "id"],
)  # fmt: skip
@pytest.mark.parametrize("offline", [False, True], ids=["folio", "spool"])
def test_a_program_that_is_started_logs_to_the_chosen_experiment(
    folio_dir: Path, tmp_path: Path, more: dict[str, str], expected: str, offline: bool
) -> None:
    place = f"spool:{tmp_path / 'spool'}" if offline else ""
    child = "import runfolio\nwith runfolio.start_run(): runfolio.log_param('a', 1)\n"
    code = (
        "import os, subprocess, sys, runfolio\n"
        f"runfolio.set_tracking_uri({place!r})\n"
        "runfolio.set_experiment('chosen')\n"
        f"subprocess.run([sys.executable, '-c', {child!r}], env={{**os.environ, **{more!r}}}, check=True, stderr=subprocess.DEVNULL)\n"
    )
    script(folio_dir, code)
    if offline:
        subprocess.run(
            [sys.executable, "-m", "runfolio", "collect", str(tmp_path / "spool")], cwd=folio_dir, check=True, capture_output=True
        )
    assert len(names(expected)) == 1


def test_a_program_that_is_recorded_goes_to_the_chosen_experiment(folio_dir: Path) -> None:
    code = (
        "import subprocess, sys, runfolio\n"
        "runfolio.set_experiment('chosen')\n"
        "subprocess.run([sys.executable, '-m', 'runfolio', 'record', '--', 'true'], check=True, capture_output=True)\n"
    )
    script(folio_dir, code)
    assert len(names("chosen")) == 1


def test_a_choice_ends_with_the_sessions(folio_dir: Path) -> None:
    runfolio.set_experiment("chosen")
    assert os.environ["RUNFOLIO_CHOSEN_EXPERIMENT"] == "chosen"
    forget_sessions()
    assert "RUNFOLIO_CHOSEN_EXPERIMENT" not in os.environ


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_run_that_a_worker_leaves_open_ends_with_the_worker(folio_dir: Path, method: str) -> None:
    """A forked worker ends by os._exit: no atexit runs in it, and its runs went on for ever, or until they were recovered as KILLED."""
    code = (
        "import multiprocessing, os, runfolio, sys\n"
        "def work(number):\n"
        "    sys.stderr = open(os.devnull, 'w')\n"
        "    runfolio.start_run(run_name=f'worker {number}')\n"
        "    runfolio.log_param('number', number)\n"
        "    if number: raise ValueError(number)\n"
        "if __name__ == '__main__':\n"
        "    context = multiprocessing.get_context('" + method + "')\n"
        "    workers = [context.Process(target=work, args=(number,)) for number in range(2)]\n"
        "    [worker.start() for worker in workers]\n"
        "    [worker.join() for worker in workers]\n"
        "    assert [worker.exitcode for worker in workers] == [0, 1]\n"
    )
    script(folio_dir, code)
    found = {run.info.run_name: run.info.status for run in runfolio.search_runs(output_format="list")}
    assert found == {"worker 0": "FINISHED", "worker 1": "FAILED"}
    assert len(git(folio_dir, "ls-tree", "-r", "--name-only", "HEAD", "runs").split()) == 2


@pytest.mark.parametrize("pool", ["multiprocessing.Pool", "concurrent.futures.ProcessPoolExecutor"])
def test_a_forked_pool_beside_the_parents_run_leaves_that_to_the_parent(folio_dir: Path, pool: str) -> None:
    code = (
        "import concurrent.futures, multiprocessing, runfolio\n"
        "multiprocessing.set_start_method('fork')\n"
        "def work(number):\n"
        "    runfolio.log_metric(f'm{number}', number)\n"
        "if __name__ == '__main__':\n"
        "    with runfolio.start_run():\n"
        f"        workers = {pool}(2)\n"
        "        list(workers.map(work, range(4)))\n"
        "        workers.shutdown() if hasattr(workers, 'shutdown') else (workers.close(), workers.join())\n"
        "        assert runfolio.get_run(runfolio.active_run().info.run_id).info.status == 'RUNNING'\n"
        "        runfolio.log_metric('after', 1)\n"
    )
    script(folio_dir, code)
    [run] = runfolio.search_runs(output_format="list")
    assert (run.info.status, sorted(run.data.metrics)) == ("FINISHED", ["after", "m0", "m1", "m2", "m3"])


def test_a_child_that_is_forked_while_threads_search_and_log_ends(folio_dir: Path) -> None:
    """A lock that a thread of the parent held at the fork was held for ever in the child."""
    code = (
        "import json, multiprocessing, threading, runfolio\n"
        "ended = threading.Event()\n"
        "def search():\n"
        "    while not ended.is_set():\n"
        "        with runfolio.start_run():\n            runfolio.log_metric('m', 1)\n"
        "        runfolio.search_runs(output_format='list')\n"
        "def child():\n"
        "    with runfolio.start_run(run_name='child'):\n        runfolio.log_metric('m', 2)\n"
        "child()\n"
        "with runfolio.start_run():\n    runfolio.search_runs()\n"  # all is imported: Python's own locks of imports are not meant
        "threads = [threading.Thread(target=search) for _ in range(2)]\n"
        "[each.start() for each in threads]\n"
        "codes = []\n"
        "for _ in range(20):\n"
        "    process = multiprocessing.get_context('fork').Process(target=child)\n"
        "    process.start()\n"
        "    process.join(20)\n"
        "    codes.append(process.exitcode)\n"
        "    process.kill()\n"
        "    if codes[-1] != 0:\n        break\n"
        "ended.set()\n"
        "[each.join() for each in threads]\n"
        "print(json.dumps(codes))\n"
    )
    assert script(folio_dir, code) == [0] * 20
    assert names().count("child") == 21


def test_a_fork_waits_for_a_module_that_another_thread_imports(folio_dir: Path) -> None:
    """A child that imports it, too, waited for ever for the parent's thread: at its end, where the parent had just begun its first commit."""
    (folio_dir / "slowly.py").write_text("import time\ntime.sleep(1)\n")
    code = (
        "import json, multiprocessing, threading, time, runfolio\n"
        "def child():\n"
        "    import slowly\n"
        "def load():\n"
        "    import slowly\n"
        "with runfolio.start_run():\n"
        "    thread = threading.Thread(target=load)\n"
        "    thread.start()\n"
        "    time.sleep(0.3)\n"
        "    process = multiprocessing.get_context('fork').Process(target=child)\n"
        "    process.start()\n"
        "    process.join(10)\n"
        "    code = process.exitcode\n"
        "    process.kill()\n"
        "    thread.join()\n"
        "print(json.dumps(code))\n"
    )
    assert script(folio_dir, code) == 0


def test_a_script_that_is_interrupted_ends_by_the_signal_as_without_us(folio_dir: Path) -> None:
    """A shell's loop over training scripts goes on after Ctrl-C where a script ends with an exit code of its own."""
    code = (
        "import signal, runfolio\n"
        "runfolio.start_run(run_name='interrupted')\n"
        "for step in range(5):\n"
        "    runfolio.log_metric('m', step, step=step)\n"
        "signal.raise_signal(signal.SIGINT)\n"
    )
    (folio_dir / "script.py").write_text(code)
    done = subprocess.run([sys.executable, "script.py"], cwd=folio_dir, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGINT
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")
    [run] = runfolio.search_runs(output_format="list")
    assert (run.info.status, run.data.metrics) == ("FAILED", {"m": 4.0})
    assert "interrupted" in git(folio_dir, "log", "-1", "--format=%B")


def test_a_second_ctrl_c_while_runs_are_committed_is_said_and_loses_nothing(folio_dir: Path) -> None:
    code = (
        "import signal, runfolio\n"
        "from runfolio.tracking.session import before_exit\n"
        "runfolio.start_run(run_name='twice')\n"
        "runfolio.log_metric('m', 1)\n"
        "before_exit(lambda: signal.raise_signal(signal.SIGINT))\n"
        "signal.raise_signal(signal.SIGINT)\n"
    )
    (folio_dir / "script.py").write_text(code)
    done = subprocess.run([sys.executable, "script.py"], cwd=folio_dir, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGINT
    assert done.stderr.count("Traceback") == 1, "that of the first, which is the script's"
    assert done.stderr.endswith("What was logged is kept: runfolio recover\n")
    recovered = subprocess.run(
        [sys.executable, "-m", "runfolio", "recover"], cwd=folio_dir, capture_output=True, text=True, check=False
    )
    assert recovered.returncode == 0, recovered.stderr
    assert names() == ["twice"]
    assert "runs: Default: 1 run" in git(folio_dir, "log", "-1", "--format=%s")
