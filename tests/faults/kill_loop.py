"""Kill writers at random points, again and again, and count what was lost: nothing may be.

``python -m tests.faults.kill_loop --kills 1000 --writers 1,4`` prints a table; the tests run a small loop of the same code.

A round starts K writers, waits for a random number of acknowledgements, and kills: the process alone, its process group, or the
process with all it had started (git in the middle of a commit too, as a container is killed). Now and then the process that
recovers is killed as well. Then all is recovered and compared with what had been acknowledged.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from runfolio.folio import open_folio
from runfolio.folio.recovery import recover
from tests.faults.acknowledged import Verdict, check, commits_adding, promised, records
from tests.faults.repositories import environment, fsck, leave_work, locks, make_folio, work_of

WAYS = ("process", "group", "tree")
POLICIES = ("auto", "run", "batch")
ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Outcome:
    """What a loop counted."""

    writers: int
    rounds: int = 0
    kills: int = 0
    recoveries_killed: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    locks: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    fsck: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether the promise was kept."""
        return not (self.verdict.lost or self.verdict.doubled or self.locks or self.changed or self.fsck)


def start(folder: Path, task: str, seed: int, *more: str, **env: str) -> subprocess.Popen[str]:
    """Start a worker in a process group of its own."""
    return subprocess.Popen(
        (sys.executable, "-m", "tests.faults.worker", task, str(seed), *more),
        cwd=ROOT,
        env=environment(RUNFOLIO_TRACKING_URI=str(folder), **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[str], way: str) -> None:
    """Kill a worker by signal 9."""
    victims = []
    if way == "tree":
        with contextlib.suppress(psutil.NoSuchProcess):
            victims = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGKILL) if way == "group" else process.kill()
    for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()


def wait_for(process: subprocess.Popen[str], lines: list[str], enough: Callable[[str], bool]) -> None:
    """Read acknowledgements until one is enough, or the process has ended."""
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if enough(line):
            return


def round_of_kills(folder: Path, pick: random.Random, outcome: Outcome) -> None:
    """Start writers, kill them, recover, compare."""
    before = work_of(folder)
    way, policy = pick.choice(WAYS), pick.choice(POLICIES)
    # Short scripts die in their fold at exit, long ones while they log.
    count = str(pick.choice((2, 2, 10_000)))
    running = [start(folder, "log", pick.randrange(1 << 30), count, RUNFOLIO_COMMIT=policy) for _ in range(outcome.writers)]
    said: list[list[str]] = [[] for _ in running]
    left = pick.choice((1, 5, 20, 60, 150))
    at = pick.choice(("any", "any", "ending", "exit"))
    for process, lines in zip(running, said, strict=True):
        counted = iter(range(left))
        wait_for(
            process, lines, lambda line, counted=counted: (at in line if at != "any" else False) or next(counted, None) is None
        )
    # A point within the call that is under way: this spreads the kills, nothing waits for it.
    time.sleep(pick.random() * pick.choice((0.002, 0.05, 0.2)))
    for process in running:
        kill(process, way)
    for process, lines in zip(running, said, strict=True):
        # Through the same buffer as the lines before: communicate() would read past what it holds.
        assert process.stdout is not None
        lines += process.stdout.readlines()
        process.communicate()
    outcome.kills += sum(process.returncode == -signal.SIGKILL for process in running)
    outcome.rounds += 1
    if pick.random() < 0.25:
        _kill_recovery(folder, pick, outcome)
    _recover(folder)
    _compare(folder, before, said, outcome)


def _kill_recovery(folder: Path, pick: random.Random, outcome: Outcome) -> None:
    process = start(folder, "recover", 0)
    wait_for(process, [], lambda line: True)
    time.sleep(pick.random() * 0.1)
    kill(process, pick.choice(WAYS))
    process.communicate()
    outcome.recoveries_killed += process.returncode == -signal.SIGKILL


def _recover(folder: Path) -> None:
    folio = open_folio(folder)
    try:
        result = recover(folio)
        assert not result.fold.waiting, result.fold.waiting
    finally:
        folio.close()


def _compare(folder: Path, before: tuple[str, ...], said: list[list[str]], outcome: Outcome) -> None:
    for lines in said:
        outcome.verdict.add(check(folder, promised(lines)))
    outcome.locks += locks(folder)
    after = work_of(folder)
    outcome.changed += [f"{was!r} became {now!r}" for was, now in zip(before, after, strict=True) if was != now]


def finish(folder: Path, outcome: Outcome) -> None:
    """Look at the repository as a whole."""
    said = fsck(folder)
    outcome.fsck += [said] if said else []
    outcome.verdict.doubled += [f"{run_id}: {count} records" for run_id, count in records(folder).items() if count > 1]
    outcome.verdict.doubled += [
        f"{run_id}: committed {count} times" for run_id, count in commits_adding(folder).items() if count > 1
    ]


def loop(folder: Path, writers: int, kills: int, seed: int = 0, seconds: float | None = None, show: bool = False) -> Outcome:
    """Kill until `kills` processes were killed or the time is over.

    Parameters
    ----------
    folder : Path
        A new folder for the folio.
    writers : int
        Processes that log at once.
    kills : int
    seed : int
        Of the random points.
    seconds : float, optional
    show : bool, optional
        Say on standard error how far it is.
    """
    make_folio(folder)
    leave_work(folder)
    outcome, pick = Outcome(writers), random.Random(seed)
    began = time.monotonic()
    while outcome.kills < kills and (seconds is None or time.monotonic() - began < seconds):
        round_of_kills(folder, pick, outcome)
        if show and outcome.rounds % 10 == 0:
            print(f"{outcome.kills} kills, {outcome.verdict.runs} runs, lost {len(outcome.verdict.lost)}", file=sys.stderr)
        if not outcome.clean:
            break
    finish(folder, outcome)
    outcome.seconds = time.monotonic() - began
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the loop at full size and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000, help="processes killed, for each number of writers")
    parser.add_argument("--writers", default="1,4", help="processes that log at once, a list")
    parser.add_argument("--seconds", type=float, help="the most time for each number of writers")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="kill-loop-", ignore_cleanup_errors=True) as folder:
        for writers in map(int, chosen.writers.split(",")):
            outcomes.append(loop(Path(folder) / f"w{writers}", writers, chosen.kills, chosen.seed, chosen.seconds, show=True))
    print(
        "| writers | rounds | kill -9 | recoveries killed | runs | acknowledged | lost | doubled | locks left | work changed | fsck | s |"
    )
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for item in outcomes:
        counts = (item.writers, item.rounds, item.kills, item.recoveries_killed, item.verdict.runs, item.verdict.events)
        faults = (len(item.verdict.lost), len(item.verdict.doubled), len(item.locks), len(item.changed), len(item.fsck))
        print("| " + " | ".join(map(str, (*counts, *faults, round(item.seconds)))) + " |")
        for fault in (*item.verdict.lost[:20], *item.verdict.doubled[:20], *item.locks[:5], *item.changed[:5], *item.fsck[:5]):
            print(f"    {fault}")
    return 0 if all(item.clean for item in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
