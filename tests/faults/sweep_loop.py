"""Kill a sweep and its workers at random points, resume it, again and again, and count: each trial has to be there exactly once.

``python -m tests.faults.sweep_loop --trials 1000 --kills 20`` prints a table; the tests run a small loop of the same code.

A round starts the sweep (``resume=True``), waits for a random number of trials that it says are over, and kills: the sweep alone (its
workers see it), the sweep with all it has started, or one worker (then the sweep goes on). At last it is let run to its end, and its runs
are compared with what had been said, and with the points that a sweep which nobody killed would have drawn.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from runfolio.folio import open_folio
from runfolio.query import parse_filter
from runfolio.records import Run, ViewType
from tests.faults.repositories import environment, fsck, locks, make_folio

ROOT = Path(__file__).resolve().parents[2]
SPACE = {"x": {"type": "float", "low": -4, "high": 4}, "kind": ["a", "b"]}
NAME, SEED = "loop", 11


def objective(x: float, kind: str) -> float:
    """Cost something, so that kills fall into trials too."""
    import runfolio

    total = 0.0
    for step in range(3):
        total += sum(at % 7 for at in range(60_000))
        runfolio.log_metric("loss", total + x, step=step)
    return x * x + (kind == "b")


def child(folder: str, trials: int, jobs: int) -> None:
    """Run the sweep, or go on with it; say each trial that is over."""
    import runfolio
    from runfolio.sweeps.book import TrialEntry

    def told(entry: TrialEntry) -> None:
        print(f"over {entry.number} {' '.join(entry.runs)}", flush=True)

    runfolio.set_tracking_uri(folder)
    found = runfolio.sweep(
        "tests.faults.sweep_loop:objective", SPACE, name=NAME, sampler="random", seed=SEED, trials=trials, n_jobs=jobs, resume=True,
        told=told,
    )  # fmt: skip
    print(f"done {found.run_id} {found.count('complete')}", flush=True)


@dataclass(slots=True)
class Outcome:
    """What a loop counted."""

    trials: int
    jobs: int
    rounds: int = 0
    sweeps_killed: int = 0
    workers_killed: int = 0
    cut_off: int = 0
    said: dict[int, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0


def loop(folder: Path, trials: int, jobs: int, kills: int, seed: int = 0) -> Outcome:
    """Kill until `kills` sweeps were killed or all is done, and compare.

    Parameters
    ----------
    folder : Path
        A new folder for the folio.
    trials, jobs, kills : int
    seed : int, optional
        Of the points at which is killed.
    """
    make_folio(folder)
    pick, outcome, began = random.Random(seed), Outcome(trials, jobs), time.monotonic()
    each = max(trials // (kills + 1), 1)
    done = False
    while not done:
        done = _round(folder, pick, outcome, each if outcome.sweeps_killed < kills else None)
    _compare(folder, outcome)
    outcome.seconds = time.monotonic() - began
    return outcome


def _round(folder: Path, pick: random.Random, outcome: Outcome, each: int | None) -> bool:
    """Run the sweep until it is killed, or done; without `each` nobody kills the sweep itself."""
    process = subprocess.Popen(
        (sys.executable, "-m", "tests.faults.sweep_loop", "--child", str(folder), str(outcome.trials), str(outcome.jobs)),
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    outcome.rounds += 1
    left = None if each is None else pick.randint(0, max(each * 3 // 2, 1))
    worker_at = pick.randint(0, each) if each is not None and outcome.jobs > 1 and pick.random() < 0.7 else None
    assert process.stdout is not None
    over, done = 0, False
    for line in process.stdout:
        if line.startswith("over"):
            over += 1
            _note(outcome, line)
            if over == worker_at:
                outcome.workers_killed += _kill_a_worker(process.pid, pick)
        done = done or line.startswith("done")
        if left is not None and over >= left and not done:
            # A point within the trial that is under way: this spreads the kills, nothing waits for it.
            time.sleep(pick.random() * pick.choice((0.001, 0.01, 0.05)))
            victims = psutil.Process(process.pid).children(recursive=True) if pick.random() < 0.5 else []
            process.kill()
            outcome.sweeps_killed += 1
            for victim in victims:
                with contextlib.suppress(psutil.NoSuchProcess):
                    victim.kill()
            break
    for line in process.stdout.readlines():
        if line.startswith("over"):
            _note(outcome, line)
        done = done or line.startswith("done")
    stderr = process.communicate()[1]
    if process.returncode not in (0, -signal.SIGKILL):
        raise AssertionError(stderr)
    return done


def _note(outcome: Outcome, line: str) -> None:
    number, run_id = line.split()[1:3]
    before = outcome.said.setdefault(int(number), run_id)
    if before != run_id:
        outcome.faults.append(f"trial {number} was said to be over in {before} and again in {run_id}")


def _kill_a_worker(pid: int, pick: random.Random) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):
        workers = [each for each in psutil.Process(pid).children() if "runfolio.sweeps" in " ".join(each.cmdline())]
        if workers:
            os.kill(pick.choice(workers).pid, signal.SIGKILL)
            return 1
    return 0


def _compare(folder: Path, outcome: Outcome) -> None:
    from runfolio.sweeps.samplers import choose_pruner, choose_sampler
    from runfolio.sweeps.space import read_space
    from runfolio.sweeps.studies import Study

    sweeps, trials = _runs(folder)
    if len(sweeps) != 1:
        outcome.faults.append(f"{len(sweeps)} sweeps")
    whole = [run for run in trials if run.tags.get("runfolio.sweep.state") == "complete"]
    outcome.cut_off = len(trials) - len(whole)
    counts = Counter(int(run.tags["runfolio.sweep.trial"]) for run in whole)
    outcome.faults += [
        f"trial {number} is there {counts[number]} times" for number in range(outcome.trials) if counts[number] != 1
    ]
    outcome.faults += [f"trial {number} is one too many" for number in counts if number >= outcome.trials]
    by_number = {int(run.tags["runfolio.sweep.trial"]): run for run in whole}
    for number, run_id in outcome.said.items():
        if number in by_number and by_number[number].run_id != run_id:
            outcome.faults.append(f"trial {number} was over in {run_id}, and was run again as {by_number[number].run_id}")
    study = Study("x", ["minimize"], choose_sampler("random"), choose_pruner(None), SEED, read_space(SPACE), False)
    for number in range(outcome.trials):
        wanted = {name: str(value) for name, value in study.ask(number).params.items()}
        for run in trials:
            if run.tags["runfolio.sweep.trial"] == str(number) and dict(run.params) not in (wanted, {}):
                outcome.faults.append(f"trial {number} has {dict(run.params)}, and would have {wanted}")
    outcome.faults += [f"{run.run_id}: {run.metrics['loss'].count} points" for run in whole if run.metrics["loss"].count != 3]
    outcome.faults += locks(folder)
    said = fsck(folder)
    outcome.faults += [said] if said else []


def _runs(folder: Path) -> tuple[list[Run], list[Run]]:
    folio = open_folio(folder)
    try:
        runs = folio.fresh_index().search_runs(parse_filter("", "runs"), (), None, ViewType.ALL, 1 << 20)
    finally:
        folio.close()
    return [run for run in runs if run.parent is None], [run for run in runs if run.parent is not None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the loop at full size and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20, help="times that the sweep is killed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.child:
        child(chosen.child[0], int(chosen.child[1]), int(chosen.child[2]))
        return 0
    with tempfile.TemporaryDirectory(prefix="sweep-loop-", ignore_cleanup_errors=True) as folder:
        found = loop(Path(folder) / "folio", chosen.trials, chosen.jobs, chosen.kills, chosen.seed)
    print("| trials | workers | sweeps killed | workers killed | runs cut off | trials once | faults | s |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    counts = (
        found.trials,
        found.jobs,
        found.sweeps_killed,
        found.workers_killed,
        found.cut_off,
        found.trials - len(found.faults),
    )
    print("| " + " | ".join(map(str, (*counts, len(found.faults), round(found.seconds)))) + " |")
    for fault in found.faults[:20]:
        print(f"    {fault}")
    return 1 if found.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
