"""A folio with one of everything, and ways to damage it as disks, people and merges do."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runfolio.folio import Folio, initialise
from runfolio.folio.opening import open_folio
from runfolio.formats import paths
from runfolio.formats.canonical import dump
from runfolio.gitstore import FileChange, Ident, commit_files
from runfolio.gitstore.snapshots import keep_tree
from runfolio.records import ArtifactEntry

LOCK_TEXT = "numpy==2.1.0\nscikit-learn==1.5.2\n"
LOCK = hashlib.sha256(LOCK_TEXT.encode()).hexdigest()[:16]
START = 1_795_000_000_000
"""A fixed moment in November 2026."""

ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "1795000000 +0000", "GIT_COMMITTER_DATE": "1795000000 +0000",
}  # fmt: skip


def git(place: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=place, check=True, capture_output=True, text=True).stdout


def add_run(folio: Folio, number: int, *, points: int = 0, files: int = 0, **header: Any) -> str:
    """Log and seal one run; the caller commits."""
    run_id = f"{START + number * 60_000:012x}70008{number:015x}"
    fields = {
        "schema": 1, "run_id": run_id, "experiment": "wine", "experiment_name": "Wine", "start": START + number * 60_000,
        "name": f"run-{number}", "entry": {"script": "train.py", "type": "LOCAL"}, **header,
    }  # fmt: skip
    writer = folio.start(fields)
    writer.event("p", "depth", str(number))
    writer.event("p", "criterion", "gini")
    writer.metric("accuracy", 0.5 + number / 1000, START + number * 60_000 + 1, 0)
    for step in range(points):
        writer.metric("loss", 1.0 / (step + 1), START + number * 60_000 + step * 7, step)
    for at in range(files):
        digest, size = folio.store.put_bytes(f"file {at} of run {number}\n".encode())
        writer.event("a", f"notes/{at}.txt", digest, size, "")
    writer.event("end", "FINISHED", START + number * 60_000 + 30_000)
    assert folio.spool.seal(writer)
    return run_id


def amend(folio: Folio, run_id: str, *events: tuple[Any, ...], at: int = START + 10**9) -> None:
    """Open a sealed run again for some events, and commit."""
    run = folio.runs.committed(run_id)
    assert run is not None and run.end is not None
    writer = folio.start({"amend": True, "run_id": run_id, "experiment": run.experiment, "start": run.start, "resumed": at})
    writer.event("end", run.status.value, run.end)
    for event in events:
        writer.event(*event)
    assert folio.spool.seal(writer)
    assert folio.commit().folded == 1


class Rich:
    """A folio with one of everything: a parent and a child, short and long histories, few and many artifacts, kept code."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True)
        git(place, "init", "-q", "-b", "main")
        (place / "train.py").write_text("print(1)\n")
        git(place, "add", ".")
        git(place, "commit", "-qm", "start")
        folio = initialise(place, commit=True).folio
        tree = git(place, "rev-parse", "HEAD^{tree}").strip()
        keep_tree(folio.repo, tree)
        folio.spool.keep_environment(LOCK, LOCK_TEXT)
        code = {"commit": git(place, "rev-parse", "HEAD").strip(), "branch": "main", "tree": tree}
        environment = {"python": "3.11.2", "lock": LOCK}
        self.ids = {
            "short": add_run(
                folio,
                1,
                points=20,
                files=2,
                code=code,
                environment=environment,
                tags={"team": "blue"},
                notices=["arguments: redacted"],
            ),
            "long": add_run(folio, 3, points=6000, code=code),
            "wide": add_run(folio, 4, files=205),
        }
        self.ids["child"] = add_run(folio, 2, parent=self.ids["short"])
        assert folio.commit().folded == 4
        amend(folio, self.ids["short"], ("t", "note", "kept"))
        folio.close()


class Damage:
    """One copy of the folio, to be damaged and checked.

    Parameters
    ----------
    place : Path
    ids : dict of str to str
        Run ids by what the run shows.
    """

    def __init__(self, place: Path, ids: dict[str, str]) -> None:
        self.place, self.ids = place, ids
        self.folio = open_folio(place)

    def path(self, which: str) -> str:
        """Return the path of a run's record."""
        run = self.folio.runs.committed(self.ids[which])
        assert run is not None
        return paths.run_path(run.experiment, run.run_id, run.start)

    def read(self, path: str) -> bytes:
        data = self.folio.repo.read(f"HEAD:{path}")
        assert data is not None, path
        return data

    def commit(self, **files: bytes | None) -> None:
        self.commit_all(files)

    def commit_all(self, files: dict[str, bytes | None]) -> None:
        """Commit files as they are given, whatever is in them."""
        changes = [FileChange(path, data) for path, data in sorted(files.items())]
        repo = self.folio.repo
        assert commit_files(repo, "refs/heads/main", repo.resolve("HEAD"), changes, "by hand\n", Ident("Eve", "eve@example.org"))
        git(self.place, "reset", "-q", "--hard")

    def edit(self, path: str, change: Callable[[dict[str, Any]], Any]) -> None:
        """Commit a record with some fields changed, in the canonical spelling."""
        value = json.loads(self.read(path))
        change(value)
        self.commit_all({path: dump(value)})

    def replace(self, path: str, old: bytes, new: bytes) -> None:
        """Commit a file with some of its bytes replaced."""
        data = self.read(path)
        assert old in data
        self.commit_all({path: data.replace(old, new, 1)})

    def object_file(self, entry: ArtifactEntry | str) -> Path:
        """Return where an object lies."""
        digest = entry if isinstance(entry, str) else entry.digest
        return self.place / ".git" / "runfolio" / "objects" / "sha256" / digest[7:9] / digest[9:]


def flip(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def random_change(rng: random.Random) -> Callable[[bytes], bytes | None]:
    kind = rng.choice(("flip", "cut", "delete"))
    if kind == "delete":
        return lambda data: None
    return (lambda data: flip(data, rng)) if kind == "flip" else (lambda data: data[: rng.randrange(len(data))])
