"""What a worker does with a plan: one run, handed over once, by the folio's rules, wherever it is executed and however often."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from runfolio.errors import DamagedError, NotFoundError, StateError, UsageError
from runfolio.folio import open_folio
from runfolio.folio.collecting import collect
from runfolio.query import parse_filter
from runfolio.records import Run
from runfolio.sweeps.engines.gathering import Gathering
from runfolio.sweeps.engines.outbox import Delivery, outbox_of, work
from runfolio.sweeps.engines.plans import decode_plans, encode_plans
from runfolio.sweeps.engines.task import run_task
from runfolio.sweeps.objectives import Called, Command, Imported, portable
from runfolio.sweeps.trials import HANDED_OVER, Place, TrialPlan, TrialState, run_id_of
from runfolio.sweeps.work import run_trial
from runfolio.tracking.session import session

SWEEP = "01a20af6586b7000ad3376d9e9ffcfe6"


@pytest.fixture
def delivery(folio_dir: Path, calls: Path, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    monkeypatch.setenv("RUNFOLIO_TRACKING_URI", "")
    return Gathering(session(str(folio_dir))).delivery()


def plan_of(folio: Path, number: int = 0, objective: str = "square") -> TrialPlan:
    with closing(open_folio(folio)) as found:
        experiment = found.experiments.get_or_create("far")
    place = Place(HANDED_OVER, experiment, {"user": "Ada", "code": {"repository": "none"}})
    run_id = run_id_of(SWEEP, number, 0, 1)
    function = Imported(f"tests.sweeps.engines.train:{objective}")
    return TrialPlan(SWEEP, number, run_id, {"x": 0.5}, '{"x": 0.5}', function, ("value",), place, name=f"trial-{number}")


def collected(folder: Path) -> list[Run]:
    with closing(open_folio(folder)) as folio:
        done = collect(folio)
        assert done.left == []
        return folio.runs.search(parse_filter(""))


def test_a_task_that_is_executed_again_answers_with_the_run_that_is_there(
    folio_dir: Path, delivery: Delivery, calls: Path
) -> None:
    plan = plan_of(folio_dir)
    first = work(plan, delivery)
    again = work(replace(plan, params={"x": 9.0}), delivery)
    assert (first.state, first.values) == (TrialState.COMPLETE, (0.25,)) == (again.state, again.values)
    assert len((calls / "0000").read_text().split()) == 1, "the objective was called once"
    (run,) = collected(folio_dir)
    assert (run.run_id, run.params, run.user, run.parent) == (plan.run_id, {"x": "0.5"}, "Ada", SWEEP)


def test_of_two_workers_that_hand_over_at_once_the_first_is_taken(
    folio_dir: Path, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(folio_dir)
    monkeypatch.setenv("RUNFOLIO_TRACKING_URI", outbox_of(delivery).uri)
    runs = []
    for x in (0.5, 0.7):  # both had looked into the inbox before either was there
        outbox = outbox_of(delivery)
        run_trial(replace(plan, params={"x": x}, place=replace(plan.place, uri=outbox.uri)))
        runs.append(outbox.mailbox.delivered(SWEEP, plan.run_id))
        outbox.send(plan)
    assert runs[0] is None and runs[1] is not None
    (run,) = collected(folio_dir)
    assert (run.params, run.status.value) == ({"x": "0.5"}, "FINISHED")


def test_one_that_is_executed_after_its_run_was_collected_stays_one_run(folio_dir: Path, delivery: Delivery, calls: Path) -> None:
    plan = plan_of(folio_dir)
    work(plan, delivery)
    collected(folio_dir)
    work(plan, delivery)
    assert [run.run_id for run in collected(folio_dir)] == [plan.run_id]
    assert len((calls / "0000").read_text().split()) == 2


def test_runs_that_an_objective_starts_itself_are_handed_over_with_it(folio_dir: Path, delivery: Delivery) -> None:
    plan = plan_of(folio_dir, objective="nested")
    work(plan, delivery)
    found = collected(folio_dir)
    assert sorted(run.name for run in found) == ["fold-0", "fold-1", "trial-0"]
    assert {run.parent for run in found if run.name.startswith("fold")} == {plan.run_id}


def test_threads_of_one_worker_hand_over_their_own_trials(folio_dir: Path, delivery: Delivery) -> None:
    from concurrent.futures import ThreadPoolExecutor

    plans = [plan_of(folio_dir, number) for number in range(24)]
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda plan: work(plan, delivery), plans))
    assert [result.run_id for result in results] == [plan.run_id for plan in plans]
    assert sorted(run.run_id for run in collected(folio_dir)) == [plan.run_id for plan in plans]


def test_the_folder_of_a_worker_that_was_killed_is_removed_by_the_next(
    folio_dir: Path, delivery: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code = (
        "import os, signal, sys; from runfolio.sweeps.engines.outbox import Delivery, outbox_of\n"
        "print(outbox_of(Delivery(sys.argv[1], mark=sys.argv[2])).folder, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL) if sys.argv[3] == 'die' else None"
    )

    def start(end: str) -> Path:
        said = [sys.executable, "-c", code, delivery.store, delivery.mark, end]
        return Path(subprocess.run(said, capture_output=True, text=True, env=dict(os.environ)).stdout.strip())

    dead = start("die")
    assert dead.is_dir() and (dead.parent.stat().st_mode & 0o777) == 0o700
    ended = start("live")
    assert ended.parent == dead.parent and not dead.exists() and not ended.exists()


def test_a_sweep_that_logs_to_a_spool_folder_has_no_inbox(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="to the inbox of a folio"):
        Gathering(session(f"spool:{tmp_path / 'spool'}"))


def test_plans_come_back_from_their_bytes_as_they_were(folio_dir: Path, delivery: Delivery) -> None:
    plan = replace(plan_of(folio_dir, 3), replicate=1, retry_of="ab" * 16, attempt=2, study=b"\0\xff", sampled="{}", draws=True)
    (found,), how = decode_plans(encode_plans([plan], delivery), delivery.store)
    assert how == delivery
    assert replace(found, place=plan.place) == plan
    assert (found.place.source, found.place.experiment.slug) == (plan.place.source, plan.place.experiment.slug)
    program = Command(("python", "train.py", "--x={x}"), records=True)
    ((again,), _) = decode_plans(encode_plans([replace(plan, objective=program)], delivery), delivery.store)
    assert again.objective == program
    carried = replace(plan, objective=portable(Called(lambda x: x + 1)))
    ((again,), _) = decode_plans(encode_plans([carried], delivery), delivery.store)
    assert again.objective == carried.objective and again.objective.load()(1) == 2


def test_a_value_that_json_does_not_know_is_named(folio_dir: Path, delivery: Delivery) -> None:
    with pytest.raises(UsageError, match=r"Trial 0: params: a batch system takes numbers"):
        encode_plans([replace(plan_of(folio_dir), params={"x": (1, 2)})], delivery)


def test_a_task_runs_the_plans_whose_turn_it_is(folio_dir: Path, delivery: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_folio(folio_dir)) as folio:
        digest, _ = folio.store.put_bytes(encode_plans([plan_of(folio_dir, number) for number in range(5)], delivery))
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    assert [result.number for result in run_task(delivery.store, digest, per_task=2)] == [2, 3]
    assert [result.number for result in run_task(delivery.store, digest, per_task=2, task=2)] == [4]
    assert len(collected(folio_dir)) == 3
    with pytest.raises(UsageError, match="There is no task 3: the round has 5 trials, 2 for a task"):
        run_task(delivery.store, digest, per_task=2, task=3)


def test_plans_of_other_bytes_are_refused(folio_dir: Path, delivery: Delivery) -> None:
    with closing(open_folio(folio_dir)) as folio:
        digest, _ = folio.store.put_bytes(encode_plans([plan_of(folio_dir)], delivery))
        other, _ = folio.store.put_bytes(b'{"schema": 1}')
    with pytest.raises(DamagedError, match="holds no plans of a sweep"):
        run_task(delivery.store, other, task=0)
    file = Path(delivery.store) / f"sha256/{digest[7:9]}/{digest[9:]}"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes().replace(b"train:square", b"train:nested"))
    with pytest.raises(DamagedError):
        run_task(delivery.store, digest, task=0)
    file.unlink()
    with pytest.raises(NotFoundError):
        run_task(delivery.store, digest, task=0)
    assert collected(folio_dir) == []


def test_what_is_secret_is_redacted_before_it_leaves_the_worker(folio_dir: Path, delivery: Delivery) -> None:
    told = replace(delivery, settings=b"schema: 1\nredact:\n  patterns: ['0[.]5']\n")
    plan = plan_of(folio_dir)
    work(plan, told)
    lying = outbox_of(told).mailbox.delivered(SWEEP, plan.run_id)
    assert lying is not None and b'["p","x","0.5"]' not in lying
