"""Fail each system call of one run and its commit, once, and see that nothing acknowledged is lost.

``python -m tests.faults.fault_loop`` goes through all of them and prints a table; the tests take a sample of the same list.

First a run is traced, to learn which calls it makes: those of the script, and those of each git that it starts. Then the script
runs anew for each of them and each error that the call may have, in a new copy of a folio with work in progress; strace lets
that one call fail. The promise: what was acknowledged (on a board in memory, which no failed call reaches) is committed once,
at the latest by ``runfolio recover`` afterwards; what the script meets is an error of ours, or nothing; a run that is not
committed when its script ends is told of; no lock is left, the user's work is as before, ``git fsck --strict`` is clean.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from runfolio.folio import open_folio
from runfolio.folio.recovery import recover
from tests.faults.acknowledged import Verdict, check, commits_adding, promised, records
from tests.faults.one_run import CAUGHT
from tests.faults.repositories import fsck, locks, work_of
from tests.faults.tracing import SCRIPT, Bench, Fault

WAYS = ("committed", "kept and told", "an error of ours")
"""How a script may end: its run is committed; its run waits, and that was said; it caught an error of ours."""


@dataclass(slots=True)
class Outcome:
    """What a loop counted."""

    tried: int = 0
    hit: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)
    faults: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether the promise was kept."""
        return not (self.verdict.lost or self.verdict.doubled or self.faults)


def judge(bench: Bench, place: Path, fault: Fault) -> Outcome:
    """Let one call fail, recover, and compare."""
    outcome = Outcome(tried=1)
    done, lines, traces = bench.run(place, fault)
    folio = place / "folio"
    outcome.hit = int(any("(INJECTED)" in line for line in traces.get(fault.process, ())))
    wanted = promised(lines)
    at_end = set(records(folio))
    outcome.ways[_way(done, at_end)] += 1
    faults = list(_script_faults(done, wanted, at_end))
    held = open_folio(folio)
    try:
        again = recover(held)
        faults += [f"still waits: {reason}" for reason in again.fold.waiting]
        outcome.verdict.add(check(folio, wanted, folio=held, unfinished="FAILED"))
    finally:
        held.close()
    faults += [f"lock left: {name}" for name in locks(folio)]
    faults += [f"work changed: {was!r} became {now!r}" for was, now in zip(bench.work, work_of(folio), strict=True) if was != now]
    faults += [f"fsck: {said}" for said in [fsck(folio)] if said]
    outcome.verdict.doubled += [name for name, count in (records(folio) + commits_adding(folio)).items() if count > 2]
    if not outcome.clean or faults:
        outcome.faults = [f"{fault}: {said}" for said in (*faults, *outcome.verdict.lost, *outcome.verdict.doubled)]
        outcome.faults += [f"{fault}: stderr: {line}" for line in done.stderr.splitlines()[-12:]]
    else:
        shutil.rmtree(place)
    return outcome


def _way(done: subprocess.CompletedProcess[str], at_end: set[str]) -> str:
    if done.returncode:
        return "an error of ours" if done.returncode == CAUGHT else "otherwise"
    return "committed" if at_end else "kept and told"


def _script_faults(done: subprocess.CompletedProcess[str], wanted: Mapping[str, object], at_end: set[str]) -> Iterator[str]:
    if "HANGS" in done.stderr:
        yield "the script hangs"
    if done.returncode not in (0, CAUGHT):
        yield f"the script ended with {done.returncode}"
    if "Traceback" in done.stderr:
        yield "a traceback was shown"
    if done.returncode == 0 and set(wanted) - at_end and "runfolio" not in done.stderr:
        yield "the run was not committed, and nobody was told"


def loop(bench: Bench, faults: Sequence[Fault], workers: int = 1, show: bool = False) -> Outcome:
    """Try faults.

    Parameters
    ----------
    bench : Bench
    faults : sequence of Fault
    workers : int, optional
        Scripts at once.
    show : bool, optional
        Say on standard error how far it is.
    """
    total, began = Outcome(), time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        for one in pool.map(lambda fault: judge(bench, Path(tempfile.mkdtemp(dir=bench.folder)), fault), faults):
            total.tried += one.tried
            total.hit += one.hit
            total.ways += one.ways
            total.verdict.add(one.verdict)
            total.faults += one.faults
            for said in one.faults if show else ():
                print(said, file=sys.stderr)
            if show and total.tried % 50 == 0:
                print(f"{total.tried} of {len(faults)}, {time.monotonic() - began:.0f} s", file=sys.stderr)
    return total


def sample(faults: Sequence[Fault], count: int | None, seed: int) -> list[Fault]:
    """Choose faults at random; all of them where `count` is None."""
    return list(faults) if count is None or count >= len(faults) else random.Random(seed).sample(list(faults), count)


def main(arguments: Sequence[str] | None = None) -> int:
    """Go through all faults and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--who", choices=("all", "script", "git"), default="all", help="whose calls fail")
    parser.add_argument("--sample", type=int, help="so many, chosen at random")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="scripts at once")
    chosen = parser.parse_args(arguments)
    clean = True
    with tempfile.TemporaryDirectory(prefix="fault-loop-", ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder) / "bench")
        found = bench.learn()
        print(
            "| calls of | may fail | tried | failed | acknowledged | " + " | ".join(WAYS) + " | lost | doubled | other faults |"
        )
        print("|---" + "|--:" * (8 + len(WAYS) - 1) + "|")
        for who in ("script", "git") if chosen.who == "all" else (chosen.who,):
            own = [fault for fault in found if (fault.process == SCRIPT) == (who == "script")]
            done = loop(bench, sample(own, chosen.sample, chosen.seed), chosen.workers, show=True)
            clean = clean and done.clean
            cells = (who, len(own), done.tried, done.hit, done.verdict.events, *(done.ways[way] for way in WAYS))
            print(
                "| " + " | ".join(map(str, (*cells, len(done.verdict.lost), len(done.verdict.doubled), len(done.faults)))) + " |"
            )
    return 0 if clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
