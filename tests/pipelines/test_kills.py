"""A runner that is killed: finished steps are not repeated, nothing is lost, and what goes on is not joined by a second."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runfolio.tracking.session import forget_sessions
from tests.conftest import git
from tests.pipelines.conftest import PIPELINE, SCRIPTS, Command
from tests.pipelines.test_running import runs_of

Ran = Callable[[], list[str]]
PROGRAM = "import sys; from runfolio.cli.main import main; sys.exit(main())"


def started(folder: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "pipeline", "run", *args],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def gated(folder: Path, script: str) -> Path:
    """Make a step tell that it is there through a pipe, and wait there for a word."""
    gate = folder / "gate"
    os.mkfifo(gate)
    (folder / script).write_text(f"echo here > gate\nread word < gate\n{SCRIPTS[script]}")
    return gate


def test_a_runner_killed_in_a_step_repeats_that_step_alone(words: Path, run_cli: Command, ran: Ran) -> None:
    gate = gated(words, "count.sh")
    runner = started(words)
    assert gate.read_text() == "here\n"
    runner.kill()
    runner.communicate()
    busy = run_cli("pipeline", "run")
    assert busy.code == 18
    assert "goes on though its runner was killed" in busy.err
    # The step that outlived its runner comes to its end, and leaves an output that no run has.
    gate.write_text("go\n")
    while (
        run_cli("pipeline", "run", "--dry-run").code == 0
        and subprocess.run(["fuser", "-s", str(gate)], check=False).returncode == 0
    ):
        pass
    (words / "count.sh").write_text(SCRIPTS["count.sh"])
    while (done := run_cli("pipeline", "run")).code == 18:
        pass
    assert done.code == 0, done.err
    assert ran() == ["words", "count", "count", "report"]
    forget_sessions()
    found = runs_of(words)
    assert sorted(run.status.value for run in found["count"]) == ["FINISHED", "KILLED"]  # type: ignore[attr-defined]
    assert sorted(run.status.value for run in found[""]) == ["FINISHED", "KILLED"]  # type: ignore[attr-defined]
    assert len(found["words"]) == 1


def test_the_command_that_finds_a_step_can_be_copied(words: Path, run_cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = words.parent / "odd words"
    shutil.copytree(words, odd)
    monkeypatch.chdir(odd)
    gate = gated(odd, "count.sh")
    runner = started(odd)
    assert gate.read_text() == "here\n"
    runner.kill()
    runner.communicate()
    said = run_cli("pipeline", "run").err
    found = subprocess.run(said[said.index("fuser ") :], shell=True, capture_output=True, text=True, check=False)
    gate.write_text("go\n")
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_steps_and_a_rerun_goes_on(words: Path, run_cli: Command, ran: Ran, number: signal.Signals) -> None:
    (words / "count.sh").write_text("echo here > gate\nsleep 1000\n")
    os.mkfifo(words / "gate")
    runner = started(words)
    assert (words / "gate").read_text() == "here\n"
    runner.send_signal(number)
    _, err = runner.communicate()
    assert runner.returncode == 128 + number, err
    assert "count: ended" in err
    assert "report: not run" in err
    assert {run.status.value for run in runs_of(words)["count"]} == {"KILLED"}  # type: ignore[attr-defined]
    ran()
    (words / "count.sh").write_text(SCRIPTS["count.sh"])
    assert run_cli("pipeline", "run").code == 0
    assert ran() == ["count", "report"]


def test_two_runs_of_one_pipeline_are_not_made_at_once(words: Path, run_cli: Command) -> None:
    gate = gated(words, "count.sh")
    runner = started(words)
    assert gate.read_text() == "here\n"
    done = run_cli("pipeline", "run")
    assert done.code == 18
    assert f"runs already in this work tree (process {runner.pid})" in done.err
    gate.write_text("go\n")
    assert runner.wait() == 0
    runner.communicate()


AT = """
import os, signal, sys
from runfolio.pipelines import course, placing, steps
from runfolio.tracking import live

def dying(owner, name, at):
    seen = [0]
    real = getattr(owner, name)
    def call(*args, **kwargs):
        seen[0] += 1
        if seen[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    setattr(owner, name, call)

owner, name, at = sys.argv.pop(1).split(":")
dying({"placer": placing.Placer, "live": live.LiveRun, "course": course.Course}[owner], name, int(at))
from runfolio.cli.main import main
sys.exit(main())
"""
MOMENTS = (
    "placer:begin:1", "placer:clear:2", "live:batch:2", "live:artifact_bytes:3", "live:artifact_file:1", "live:artifact_file:3",
    "live:end:1", "live:end:2", "live:end:4", "placer:done:1", "placer:done:2", "course:_finish:2", "course:_end:1", "live:input:2",
)  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_moment_no_finished_step_is_repeated_and_all_ends_well(
    words: Path, run_cli: Command, ran: Ran, moment: str
) -> None:
    done = subprocess.run([sys.executable, "-c", AT, moment, "pipeline", "run"], cwd=words, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    before = ran()
    finished = [name for name, found in _all_runs(words).items() if "FINISHED" in found]
    assert run_cli("pipeline", "run").code == 0
    again = ran()
    assert not set(finished) & set(again)
    assert set(before) | set(again) == {"words", "count", "report"}
    assert (words / "report/all.txt").read_text() == "a\nb\n4\n"
    forget_sessions()
    assert run_cli("check").code == 0
    assert git(words, "status", "--porcelain") == ""
    assert "RUNNING" not in {state for states in _all_runs(words).values() for state in states}


def _all_runs(folder: Path) -> dict[str, list[str]]:
    return {name: [run.status.value for run in found] for name, found in runs_of(folder).items()}  # type: ignore[attr-defined]


def test_a_full_disk_fails_the_step_and_a_rerun_goes_on(words: Path, run_cli: Command, ran: Ran) -> None:
    (words / "count.sh").write_text("echo count >> ran.log\nhead -c 3000000 /dev/zero > count.txt\n")
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 1000; trap "" XFSZ; exec "$@"', "bash", sys.executable, "-c", PROGRAM, "pipeline", "run"],
        cwd=words, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "count: FAILED" in done.stderr
    assert ran() == ["words", "count"]
    (words / "count.sh").write_text(SCRIPTS["count.sh"])
    assert run_cli("pipeline", "run").code == 0
    assert ran() == ["count", "report"]


def test_the_pipeline_file_itself_is_no_code(words: Path, run_cli: Command, ran: Ran) -> None:
    run_cli("pipeline", "run")
    ran()
    (words / "pipeline.yaml").write_text("# a word\n" + PIPELINE)
    assert run_cli("pipeline", "run").code == 0
    assert ran() == []
