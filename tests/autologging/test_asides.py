"""What is logged aside: in a thread of its own while others are logged, all of it before the training's call returns."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from runfolio.autologging.options import Options
from runfolio.autologging.run_log import RunLog, active_log
from runfolio.autologging.sessions import is_part
from tests.autologging.reading import artifacts


@pytest.fixture
def log(folio: Path) -> RunLog:
    runfolio.start_run()
    return active_log("example", Options(silent=True))


def test_what_is_aside_runs_beside_the_rest_and_is_done_when_that_is(log: RunLog) -> None:
    asked = threading.Event()

    def act() -> None:
        assert asked.wait(10), "nobody worked beside it"
        assert is_part(), "a metric that a plot computes is none of the user's"
        log.text("drawn", "plot.txt")

    with log.settled():
        log.aside("a plot", act)
        asked.set()
        log.text("saved", "model.txt")
    run = runfolio.get_run(log.run_id)
    assert sorted(artifacts(run)) == ["model.txt", "plot.txt"] and TAG not in run.data.tags


def test_a_fault_aside_stands_in_the_run_and_nowhere_else(log: RunLog) -> None:
    def act() -> None:
        raise RuntimeError("no ink")

    with log.settled():
        log.aside("a plot", act)
        log.text("saved", "model.txt")
    run = runfolio.get_run(log.run_id)
    assert run.data.tags[TAG] == "a plot" and artifacts(run) == ["model.txt"]


def test_what_is_aside_is_logged_also_where_the_rest_fails(log: RunLog) -> None:
    with pytest.raises(ValueError, match="no model"), log.settled():
        log.aside("a plot", lambda: log.text("drawn", "plot.txt"))
        raise ValueError("no model")
    assert artifacts(runfolio.get_run(log.run_id)) == ["plot.txt"]


def test_where_nobody_waits_it_is_logged_at_once(log: RunLog) -> None:
    threads = []
    log.aside("a plot", lambda: threads.append(threading.current_thread()))
    assert threads == [threading.current_thread()]


def test_where_no_thread_is_to_be_had_it_is_logged_at_once(log: RunLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with log.settled():
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refused)
            log.aside("a plot", lambda: log.text("drawn", "plot.txt"))
        assert artifacts(runfolio.get_run(log.run_id)) == ["plot.txt"]
