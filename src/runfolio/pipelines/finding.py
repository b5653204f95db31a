"""The runs that made a step's outputs: by key, in this branch, in the journals, and in the other branches of this clone.

A run counts if it finished and all that it made is still in the object store. Other branches are looked through only when the branch at
hand, or the ledger, knows no such run: first by git's own difference of the two trees, so that what both have is never read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, RunfolioError
from runfolio.folio.folio import Folio
from runfolio.formats.paths import RUNS
from runfolio.formats.runs import decode_run
from runfolio.pipelines.contents import Content, below
from runfolio.query import Filter, OrderKey
from runfolio.query.grammar import Clause
from runfolio.records.pipelines import KEY_TAG, OUTPUTS, PIPELINE_TAG, STEP_TAG
from runfolio.records.runs import ArtifactEntry, Lifecycle, Run, RunStatus

MOST_BRANCHES, MOST_RECORDS, MOST_RECENT = 50, 20_000, 500
_FINISHED = Clause("attributes", "status", "=", "FINISHED")
_NEWEST = (OrderKey("attributes", "start_time", ascending=False),)


@dataclass(frozen=True, slots=True)
class Made:
    """A run that made a step's outputs.

    Parameters
    ----------
    run : Run
    files : Content
        What it made, by path from the pipeline's folder.
    """

    run: Run
    files: Content

    def at(self, place: str) -> dict[str, ArtifactEntry]:
        """Return what it made at a place."""
        return below(self.files, place)


class Finder:
    """Finds runs by the keys of their steps.

    Parameters
    ----------
    folio : Folio
    pipeline : str
        Whose newest runs are read by one search; others are asked for by their keys.
    """

    def __init__(self, folio: Folio, pipeline: str) -> None:
        self._folio, self._pipeline = folio, pipeline

    def made(self, key: str) -> tuple[Made | None, str]:
        """Return the newest run with this key whose outputs are all there.

        Returns
        -------
        Made or None
        str
            Why a run that was found does not count; empty where none was found, or one counts.
        """
        why = ""
        for run in self._candidates(key):
            made = outputs_of(self._folio, run)
            missing = self._missing(made.files)
            if not missing:
                return made, ""
            shown = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            why = why or f"what run {run.run_id} made is gone from the object store: {shown}"
        return None, why

    def last(self, pipeline: str, step: str) -> Run | None:
        """Return the last run of a step: one that finished, else one that did not."""
        clauses = (Clause("tags", PIPELINE_TAG, "=", pipeline), Clause("tags", STEP_TAG, "=", step))
        for wanted in ((*clauses, _FINISHED), clauses):
            found = self._folio.runs.search(Filter(wanted), _NEWEST, limit=1)
            if found:
                return found[0]
        return None

    def _candidates(self, key: str) -> Iterator[Run]:
        found = self._recent.get(key)
        if found is None:
            wanted = Filter((Clause("tags", KEY_TAG, "=", key), _FINISHED))
            found = self._folio.runs.search(wanted, _NEWEST, limit=20)
        yield from found
        seen = {run.run_id for run in found}
        yield from (run for run in self._elsewhere.get(key, ()) if run.run_id not in seen)

    @cached_property
    def _recent(self) -> Mapping[str, list[Run]]:
        """The newest runs of this pipeline's steps, by key."""
        wanted = Filter((Clause("tags", PIPELINE_TAG, "=", self._pipeline), Clause("tags", KEY_TAG, "IS NOT NULL"), _FINISHED))
        made: dict[str, list[Run]] = {}
        for run in self._folio.runs.search(wanted, _NEWEST, limit=MOST_RECENT):
            made.setdefault(run.tags[KEY_TAG], []).append(run)
        return made

    def _missing(self, files: Content) -> list[str]:
        found = self._folio.store.inspect({entry.digest for entry in files.values()})
        return [path for path, entry in files.items() if isinstance(found.get(entry.digest), (RunfolioError, type(None)))]

    @cached_property
    def _elsewhere(self) -> Mapping[str, list[Run]]:
        """The runs of steps that other branches of this clone have, by key, the newest first."""
        made: dict[str, list[Run]] = {}
        place = self._folio.place
        tip = place.tip()
        if place.ledger or tip is None:
            return made
        repo, folder = place.repo, place.folder(RUNS)
        said = repo.run(
            "for-each-ref", "--sort=-committerdate", f"--count={MOST_BRANCHES}", "--format=%(objectname)", "refs/heads", "refs/remotes"
        )  # fmt: skip
        blobs: dict[str, str] = {}
        for other in dict.fromkeys(said.decode().split()):
            if other != tip and len(blobs) < MOST_RECORDS:
                blobs.update(_added(repo.run("diff-tree", "-r", "-z", "--diff-filter=A", tip, other, "--", folder, check=False)))
        for path, data in repo.read_many(list(blobs)[:MOST_RECORDS]):
            if data is not None and KEY_TAG.encode() in data:
                try:
                    run = decode_run(data, blobs[path], trusted=True)
                except DamagedError:
                    continue  # `check` names it
                if run.status is RunStatus.FINISHED and run.lifecycle is Lifecycle.ACTIVE and KEY_TAG in run.tags:
                    made.setdefault(run.tags[KEY_TAG], []).append(run)
        for runs in made.values():
            runs.sort(key=lambda run: run.start, reverse=True)
        return made


def _added(listed: bytes) -> dict[str, str]:
    """Read git's raw difference: the object of each record that was added, with its path."""
    made = {}
    fields = listed.decode("utf-8", "surrogateescape").split("\0")
    for head, path in zip(fields[::2], fields[1::2], strict=False):
        if path.endswith(".json") and not path.endswith(".series.json"):
            made[head.split(" ")[3]] = path
    return made


def outputs_of(folio: Folio, run: Run) -> Made:
    """Return a run of a step with what it made."""
    start = f"{OUTPUTS}/"
    listed = folio.runs.artifacts(run)
    return Made(run, {path[len(start) :]: entry for path, entry in listed.items() if path.startswith(start)})
