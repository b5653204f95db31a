"""The newest commits that changed records, and what each of them brought.

A commit never changes, so what one brought is kept from build to build with the facts of a data file (``data/history``); the files of a
commit are read where it is new, or where its page is made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict

from runfolio._version import __version__
from runfolio.folio.changes import RecordCommit, files_of_commits, record_log
from runfolio.formats.paths import (
    card_of_path,
    deployment_of_path,
    experiment_of_path,
    model_of_path,
    run_of_path,
    version_of_path,
)
from runfolio.gitstore.repo import Change
from runfolio.site.columns import script
from runfolio.site.output import canonical
from runfolio.site.plan import Data

if TYPE_CHECKING:
    from runfolio.site.gather import Site

NAME = "data/history"
COMMITS = 50
_MODEL_FILES = (
    ("models", model_of_path),
    ("versions", version_of_path),
    ("cards", card_of_path),
    ("deployments", deployment_of_path),
)
MOST_READ = 400
"""Records of a change that its page reads."""


class Brought(TypedDict):
    """What a change brought, told from the paths of its files: JSON values.

    Keys
    ----
    counts : dict of str to int
        Files by what they are and what happened to them: ``runs_added``, ``experiments_edited``, ``settings``.
    runs : dict of str to int
        Runs that were added, by experiment.
    slugs : list of str
        Experiments of all the runs that it touched.
    added : list of str
        Ids of the runs that it added, the newest `MOST_READ` by path.
    edited : list of str
        Ids of the runs that it edited, the first `MOST_READ` by path.
    total : int
        How many it added.
    models : bool
        Whether it touched registered models.
    files : int
        How many files it touched.
    """

    counts: dict[str, int]
    runs: dict[str, int]
    slugs: list[str]
    added: list[str]
    edited: list[str]
    total: int
    models: bool
    files: int


def brought_by(changes: Sequence[Change]) -> Brought:
    """Tell what a change brought."""
    counts: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    slugs: set[str] = set()
    added: list[str] = []
    edited: list[str] = []
    for change in changes:
        kind = "added" if change.old is None else "deleted" if change.new is None else "edited"
        if named := run_of_path(change.path):
            counts[f"runs_{kind}"] += 1
            slugs.add(named[0])
            if kind == "added":
                runs[named[0]] += 1
                added.append(named[1])
            elif kind == "edited":
                edited.append(named[1])
        elif experiment_of_path(change.path):
            counts[f"experiments_{kind}"] += 1
        elif what := next((name for name, of_path in _MODEL_FILES if of_path(change.path)), None):
            counts[f"{what}_{kind}"] += 1
        elif "/" not in change.path:
            counts["settings"] += 1
    return Brought(
        counts=dict(counts), runs=dict(runs), slugs=sorted(slugs), added=added[-MOST_READ:],
        edited=edited[:MOST_READ], total=len(added),
        models=any(f"{name}_" in key for name, _ in _MODEL_FILES for key in counts), files=len(changes),
    )  # fmt: skip


def added_ids(changes: Iterable[Change]) -> frozenset[str]:
    """Return the ids of the runs that a change added."""
    return frozenset(named[1] for change in changes if change.old is None and (named := run_of_path(change.path)))


def _by(site: Site) -> list[str]:
    return [__version__, site.folio.place.prefix]


class History:
    """The newest commits of one site.

    Parameters
    ----------
    site : Site
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._files: dict[str, tuple[Change, ...]] = {}

    @cached_property
    def commits(self) -> list[RecordCommit]:
        """The commits, newest first."""
        return record_log(self._site.folio.place, self._site.commit, COMMITS, self._last_commits())

    def _last_commits(self) -> list[RecordCommit]:
        """Return the commits of the last build; none where it was another version's, which may have looked at other files."""
        held: Any = self._site.output.last_facts(NAME)
        if not isinstance(held, dict) or held.get("by") != _by(self._site):
            return []
        return [RecordCommit(oid, tuple(parents), *rest) for oid, parents, *rest in held["log"]]

    def file(self) -> Data:
        """Return the data file that keeps what they brought."""
        return Data(NAME, canonical(["log", *(commit.oid for commit in self.commits)]), self._render)

    def brought(self, oid: str) -> Brought:
        """Return what a commit brought; the data file must be written."""
        held: Any = self._site.output.facts(NAME)
        found: Brought = held["brought"][oid]
        return found

    def files(self, oid: str) -> tuple[Change, ...]:
        """Return the files that a commit changed."""
        if oid not in self._files:
            self._read([oid])
        return self._files[oid]

    def newer(self, oid: str) -> frozenset[str]:
        """Return the ids of the runs that a commit or a later one added."""
        made: frozenset[str] = frozenset()
        for commit in self.commits:
            held = self.brought(commit.oid)
            made |= frozenset(held["added"]) if held["total"] == len(held["added"]) else added_ids(self.files(commit.oid))
            if commit.oid == oid:
                break
        return made

    def _render(self) -> tuple[bytes, dict[str, Any]]:
        last: Any = self._site.output.last_facts(NAME) or {}
        held: Any = last.get("brought", {})
        # An older runfolio told less of a commit.
        before = {oid: brought for oid, brought in held.items() if Brought.__annotations__.keys() <= brought.keys()}
        oids = [commit.oid for commit in self.commits]
        self._read([oid for oid in oids if oid not in before])
        found = {oid: before[oid] if oid in before else brought_by(self._files[oid]) for oid in oids}
        log = [[commit.oid, list(commit.parents), commit.at, commit.author, commit.subject] for commit in self.commits]
        return script(NAME, len(found)), {"by": _by(self._site), "log": log, "brought": found}

    def _read(self, oids: Sequence[str]) -> None:
        self._files.update(files_of_commits(self._site.folio.place, oids))
