"""What was acknowledged, and whether it is all there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runfolio.folio import Folio, open_folio
from runfolio.formats import paths
from tests.faults.repositories import git


@dataclass(slots=True)
class Promised:
    """What one run was promised to hold."""

    params: dict[str, str] = field(default_factory=dict)
    points: list[tuple[str, float, int]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    status: str | None = None


@dataclass(slots=True)
class Verdict:
    """What a check found."""

    runs: int = 0
    events: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        """Take in another check."""
        self.runs += other.runs
        self.events += other.events
        self.lost += other.lost
        self.doubled += other.doubled


def promised(lines: Iterable[str]) -> dict[str, Promised]:
    """Read acknowledgements; a line that was cut off by the kill was none."""
    made: dict[str, Promised] = {}
    for line in lines:
        if not line.endswith("\n"):
            continue
        try:
            kind, *rest = json.loads(line)
        except ValueError:
            raise AssertionError(f"a worker said {line!r}") from None
        if kind in ("exit", "ending"):
            continue
        run = made.setdefault(rest[0], Promised())
        if kind == "p":
            run.params[rest[1]] = rest[2]
        elif kind == "m":
            run.points.append((rest[1], rest[2], rest[3]))
        elif kind == "t":
            run.tags[rest[1]] = rest[2]
        elif kind == "a":
            run.artifacts[rest[1]] = rest[2]
        elif kind == "end":
            run.status = rest[1]
    return made


def check(folder: Path, runs: dict[str, Promised], *, unfinished: str = "KILLED", folio: Folio | None = None) -> Verdict:
    """Compare what was promised with what is committed.

    Parameters
    ----------
    folder : Path
    runs : dict of str to Promised
    unfinished : str
        Status of a run whose end was not acknowledged (or FINISHED: the end may have been written, unacknowledged).
    """
    held = folio or open_folio(folder)
    verdict = Verdict(len(runs))
    try:
        for run_id, wanted in runs.items():
            _check_run(held, run_id, wanted, unfinished, verdict)
    finally:
        if folio is None:
            held.close()
    return verdict


def _check_run(folio: Folio, run_id: str, wanted: Promised, unfinished: str, verdict: Verdict) -> None:
    run = folio.runs.committed(run_id)
    verdict.events += (
        1 + len(wanted.params) + len(wanted.points) + len(wanted.tags) + len(wanted.artifacts) + (wanted.status is not None)
    )
    if run is None:
        verdict.lost.append(f"{run_id}: the run")
        return
    for name, there, asked in (("param", run.params, wanted.params), ("tag", run.tags, wanted.tags)):
        verdict.lost += [f"{run_id}: {name} {key}" for key, value in asked.items() if there.get(key) != value]
    points: Counter[Any] = Counter((point.key, point.value, point.step) for point in folio.runs.history(run))
    for key, count in Counter(wanted.points).items():
        if points[key] < count:
            verdict.lost.append(f"{run_id}: point {key}")
        elif points[key] > count:
            verdict.doubled.append(f"{run_id}: point {key}")
    artifacts = folio.runs.artifacts(run)
    for path, text in wanted.artifacts.items():
        if path not in artifacts or folio.store.read(artifacts[path].digest) != text.encode():
            verdict.lost.append(f"{run_id}: artifact {path}")
    statuses = {wanted.status} if wanted.status else {unfinished, "FINISHED"}
    if run.status.value not in statuses:
        verdict.lost.append(f"{run_id}: status {run.status} instead of {wanted.status or unfinished}")
    verdict.lost += [f"{run_id}: not sealed, {journal.path.name}" for journal in folio.spool.of_run(run_id)]


def records(folder: Path, rev: str = "HEAD") -> Counter[str]:
    """Count the records of each run at a revision."""
    names = git(folder, "ls-tree", "-r", "--name-only", "--full-tree", rev).splitlines()
    return Counter(found[1] for name in names if (found := paths.run_of_path(name[max(name.find("runs/"), 0) :])))


def commits_adding(folder: Path, rev: str = "HEAD") -> Counter[str]:
    """Count the commits that add each run's record: more than one is a run that was committed twice."""
    names = git(folder, "log", "--no-merges", "--diff-filter=A", "--format=", "--name-only", rev).splitlines()
    return Counter(found[1] for name in names if (found := paths.run_of_path(name[max(name.find("runs/"), 0) :])))
