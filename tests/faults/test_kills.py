"""Nothing acknowledged is lost to kill -9; the whole loop: ``python -m tests.faults.kill_loop --kills 1000 --writers 1,4``."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from tests.faults.kill_loop import loop
from tests.faults.repositories import environment, make_folio, python, runfolio, scaled


@pytest.mark.parametrize("writers", [1, 4])
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, writers: int) -> None:
    outcome = loop(tmp_path / "folio", writers, scaled(1000, 16), seed=writers, seconds=None if scaled(1, 0) else 90)
    assert outcome.kills > 0
    assert outcome.verdict.events > 100
    found = (outcome.verdict.lost, outcome.verdict.doubled, outcome.locks, outcome.changed, outcome.fsck)
    assert found == ([], [], [], [], [])


def test_a_killed_run_comes_back_up_to_its_last_event(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    code = (
        "import runfolio, time\n"
        "run = runfolio.start_run(run_name='victim')\n"
        "for step in range(500): runfolio.log_metric('loss', 1 / (step + 1), step=step)\n"
        "print(run.info.run_id, flush=True)\n"
        "import signal; signal.pause()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    listed = runfolio(folder, "runs", "list")
    assert "runfolio recover" in listed.stderr
    assert "RUNNING" in listed.stdout
    recovered = runfolio(folder, "recover")
    assert recovered.returncode == 0, recovered.stderr
    assert recovered.stdout.startswith(f"recovered {run_id} victim: 0 params, 1 metric, ended as KILLED\n")
    folio = open_folio(folder)
    run = folio.runs.committed(run_id)
    assert run is not None
    assert run.status.value == "KILLED"
    assert [point.step for point in folio.runs.history(run)] == list(range(500))
    folio.close()
    assert runfolio(folder, "runs", "list").stderr.count("recover") == 0


def test_an_uncaught_error_ends_the_run_as_failed(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    done = python(folder, "import runfolio; runfolio.start_run(run_name='bad'); runfolio.log_param('a', 1); 1 / 0")
    assert done.returncode == 1
    shown = runfolio(folder, "runs", "list", "--json")
    assert '"FAILED"' in shown.stdout


def test_sys_exit_ends_the_run_as_finished(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    assert python(folder, "import runfolio, sys; runfolio.start_run(); sys.exit(0)").returncode == 0
    assert '"FINISHED"' in runfolio(folder, "runs", "list", "--json").stdout
