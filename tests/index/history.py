"""Commits of a real repository, written file by file, and runs with values that are hard to keep."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterable, Mapping
from math import isnan
from pathlib import Path

from runfolio.formats.paths import run_path
from runfolio.formats.runs import encode_run
from runfolio.gitstore.repo import Repo
from runfolio.records import DatasetInput, Lifecycle, MetricSummary, Run, RunStatus

TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "aB",
    "a%b",
    "_",
    "ÉTÉ",
    "été",
    "ς",
    "Σ",
    "\uffe5",
    "😀",
    "x\x00y",
    "x\x00z",
    "\ud800",
    "a\udc00",
    "1",
    "10",
    "9",
    "it's",
]
NUMBERS = [0.0, -0.0, 1.0, 0.5, 0.5, 2.0**53, 1e308, -1e308, float("inf"), float("-inf"), float("nan"), 5e-324]


class History:
    """A bare repository with one branch."""

    def __init__(self, folder: Path, prefix: str = "") -> None:
        self._folder, self._prefix, self._count = folder, prefix, 0
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
        self.repo = Repo.discover(folder)

    def commit(self, files: Mapping[str, bytes | None], branch: str = "main", parent: str | None = None) -> str:
        """Commit changed files (None deletes one) on top of `branch`, or of `parent`; return the commit's id."""
        self._count += 1
        ref = f"refs/heads/{branch}"
        base = parent or self.repo.resolve(ref)
        lines = [b"commit %s\ncommitter A <a@example.org> %d +0000\ndata 1\nx\n" % (ref.encode(), 1_700_000_000 + self._count)]
        if base:
            lines.append(b"from %s\n" % base.encode())
        for path, data in files.items():
            name = (self._prefix + path).encode()
            lines.append(b"D %s\n" % name if data is None else b"M 100644 inline %s\ndata %d\n%s\n" % (name, len(data), data))
        command = ["git", "-C", str(self._folder), "fast-import", "--quiet", "--force"]
        subprocess.run(command, input=b"".join(lines), check=True)
        found = self.repo.resolve(ref)
        assert found is not None
        return found

    def commit_runs(self, runs: Iterable[Run]) -> str:
        """Commit the records of runs."""
        return self.commit({path_of(run): encode_run(run) for run in runs})


def path_of(run: Run) -> str:
    """Where the record of a run lies."""
    return run_path(run.experiment, run.run_id, run.start if abs(run.start) < 10**13 else 0)


def metric(value: float) -> MetricSummary:
    """A summary with one value."""
    return MetricSummary(value, 0, 0, 1, *((None, None) if isnan(value) else (value, value)))


def make_run(seed: int, run_id: str | None = None) -> Run:
    """Make one of many different runs; the same seed makes the same run."""
    chance = random.Random(seed)
    keys = ["k", "a b", "x.y"]
    nasty = chance.random() < 0.7

    def text() -> str:
        return chance.choice(TEXTS) if nasty else chance.choice(TEXTS[:5])

    return Run(
        run_id or f"{chance.choice('abc')}{seed:04x}",
        experiment=chance.choice(["one", "two", "default"]),
        name=text(),
        status=chance.choice(list(RunStatus)),
        start=2**70 if chance.random() < 0.02 else chance.randrange(0, 6),
        end=chance.choice([None, 3, 7]),
        lifecycle=Lifecycle.DELETED if chance.random() < 0.2 else Lifecycle.ACTIVE,
        user=chance.choice(["", "ann", "bob"]),
        params={key: text() for key in keys if chance.random() < 0.7},
        metrics={key: metric(chance.choice(NUMBERS)) for key in keys if chance.random() < 0.8},
        tags={key: text() for key in keys if chance.random() < 0.5},
        inputs=tuple(
            DatasetInput(text(), text(), tags={"mlflow.data.context": text()} if chance.random() < 0.5 else {})
            for _ in range(chance.choice([0, 0, 1, 2]))
        ),
    )
