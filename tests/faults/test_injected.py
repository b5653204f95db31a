"""One system call fails; nothing acknowledged is lost. The whole loop: ``python -m tests.faults.fault_loop``."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.faults.fault_loop import WAYS, Outcome, loop, sample
from tests.faults.repositories import scaled
from tests.faults.tracing import SCRIPT, Bench, Fault


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    if sys.platform != "linux" or shutil.which("strace") is None:
        pytest.skip("strace is missing: no system call can be made to fail")
    tried = subprocess.run(("strace", "-qq", "-e", "inject=getuid:error=EIO", "true"), capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.decode()[:200]}")
    return Bench(tmp_path_factory.mktemp("bench") / "bench")


@pytest.fixture(scope="module")
def may_fail(bench: Bench) -> list[Fault]:
    return bench.learn()


def assert_kept(done: Outcome, tried: int) -> None:
    assert (done.faults, done.verdict.lost, done.verdict.doubled) == ([], [], [])
    # The oracle has seen work: calls did fail, and most scripts logged all the same.
    assert (done.tried, sum(done.ways[way] for way in WAYS)) == (tried, tried)
    assert done.hit > tried * 0.8
    assert done.verdict.events > tried * 3


@pytest.mark.strace
def test_a_run_makes_the_calls_that_the_promise_stands_on(may_fail: list[Fault]) -> None:
    calls = {fault.call for fault in may_fail if fault.process == SCRIPT}
    assert calls >= {"openat", "write", "fsync", "mkdir", "unlink"}
    assert calls & {"rename", "renameat", "renameat2"}
    # Some of git's processes run side by side, and the shortest makes no call that is made to fail here.
    assert len({fault.process for fault in may_fail} - {SCRIPT}) >= 5


@pytest.mark.strace
@pytest.mark.slow
def test_any_call_of_the_script_may_fail(bench: Bench, may_fail: list[Fault]) -> None:
    own = [fault for fault in may_fail if fault.process == SCRIPT]
    # What makes a run durable and what gives locks back, each time; of the rest a part that is another one as the code changes.
    vital = [fault for fault in own if (fault.call, fault.error) in {("fsync", "EIO"), ("unlink", "EACCES")}]
    chosen = vital + sample([fault for fault in own if fault not in vital], scaled(len(own), 18), seed=0)
    assert_kept(loop(bench, chosen, workers=2), len(chosen))


@pytest.mark.strace
@pytest.mark.slow
def test_any_call_of_git_may_fail(bench: Bench, may_fail: list[Fault]) -> None:
    theirs = [fault for fault in may_fail if fault.process != SCRIPT]
    chosen = sample(theirs, scaled(len(theirs), 24), seed=0)
    assert_kept(loop(bench, chosen, workers=2), len(chosen))
