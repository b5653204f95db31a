"""Check a folio: every record at a commit, everything that records name, and what only this clone has.

Invariants: nothing is changed; all faults are told at once, each with file, field and remedy; one bad record never hides
another; records are read one after the other, and only ids and digests are kept (about half a kilobyte a run).

>>> import tempfile
>>> from runfolio.folio import initialise
>>> folio = initialise(tempfile.mkdtemp()).folio
>>> check(folio)
[]
>>> folio.close()

What it does *not* do: repair, fetch, or judge promotions (the policy does).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from runfolio.errors import NotFoundError
from runfolio.folio.checks.blobs import read_blobs
from runfolio.folio.checks.datasets import DatasetCheck
from runfolio.folio.checks.documents import check_environment, check_experiment, check_policy, check_same_names, check_settings
from runfolio.folio.checks.history import History
from runfolio.folio.checks.listing import NameCheck, environment_of_path, list_files
from runfolio.folio.checks.local import check_local
from runfolio.folio.checks.model_history import ModelHistory
from runfolio.folio.checks.models import ModelCheck
from runfolio.folio.checks.objects import CodeCheck, Elsewhere, ObjectCheck
from runfolio.folio.checks.references import References
from runfolio.folio.checks.reproductions import ReproductionCheck
from runfolio.folio.checks.runs import RunCheck
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.gitstore import TreeEntry
from runfolio.objects import is_bucket
from runfolio.records import Experiment
from runfolio.records.findings import Finding, Severity

Progress = Callable[[int, int], None]
"""Called with the number of files looked at, and of all files."""

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def check(
    folio: Folio,
    *,
    rev: str | None = None,
    read_data: float = 0.0,
    progress: Progress | None = None,
    looked: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """Check a folio.

    Parameters
    ----------
    folio : Folio
    rev : str, optional
        A revision to check instead of the tip; what only this clone has is then left out, and objects that this machine cannot look
        at are a warning: a job of CI has none of the objects in the folder of another clone, and a fork's has no credentials.
    read_data : float, optional
        Share of the objects, from 0 to 1, whose bytes are read and compared with their digests. Without it an object
        must be there, with the right size.
    progress : callable, optional
    looked : callable, optional
        Told at the end how many objects were looked up, and of how many the bytes were read.

    Returns
    -------
    list of Finding
        By file, errors first within a file.

    Raises
    ------
    NotFoundError
        If there is no such revision.
    """
    findings: list[Finding] = []
    tip = folio.place.tip() if rev is None else folio.repo.resolve(rev)
    if rev is not None and tip is None:
        raise NotFoundError(f"There is no revision {rev!r} in {folio.repo.git_dir}. List the commits: git log --oneline")
    if tip is not None:
        records = _Records(folio, tip, read_data, findings, None if rev is None else _elsewhere(folio.artifacts_place))
        records.run(progress)
        if looked:
            looked(*records.looked)
    if rev is None:
        check_local(folio.place, folio.spool, findings)
    return sorted(dict.fromkeys(findings), key=lambda item: (item.file, _ORDER[item.severity], item.field))


def _elsewhere(artifacts: str | None) -> Elsewhere:
    """Say why another machine may have the objects that this one has not: a folder is of one machine, a bucket is everybody's."""
    if artifacts is None:
        return Elsewhere(
            "they lie in the git folder of the clone that logged them, and git does not carry them",
            "For others to have them: runfolio artifacts mirror PLACE in that clone, then name PLACE in runfolio.yaml (artifacts)",
        )
    if is_bucket(artifacts):
        return Elsewhere("", "")
    return Elsewhere(f"the folder {artifacts} on this machine has none of them", "Check where they lie, or run this there")


def _own(folio: Folio) -> tuple[str, Elsewhere] | None:
    """Say who logs in this clone, if its store is its own, and where the objects of others are."""
    if folio.artifacts_place is not None:
        return None
    return folio.repo.configured.values().get("user.name") or "", _elsewhere(None)


class _Records:
    """One pass over the records of a commit."""

    def __init__(self, folio: Folio, tip: str, read_data: float, findings: list[Finding], elsewhere: Elsewhere | None) -> None:
        place = folio.place
        self._folio, self._tip, self._prefix, self._findings = folio, tip, place.prefix, findings
        self._history = History(folio.repo, tip, place.prefix, findings)
        restore = self._history.restore
        self._names = NameCheck(place.prefix, restore, findings)
        self._runs = RunCheck(place.prefix, time.time_ns() // 1_000_000, restore, findings)
        self._objects = ObjectCheck(folio.store, read_data, restore, findings, elsewhere, None if elsewhere else _own(folio))
        self._code = CodeCheck(folio.repo, place.settings.remote, restore, findings)
        self._environments: set[str] = set()
        self._references = References(place.prefix, self._environments, restore, findings)
        self._models = ModelCheck(place.prefix, place.settings.registry, self._objects, restore, findings)
        self._reproductions = ReproductionCheck(self._objects, restore, findings)
        self._datasets = DatasetCheck(place.prefix, place.ledger is not None, self._objects, restore, findings)
        self._model_history = ModelHistory(folio.repo, tip, place.prefix, findings)
        self._experiments: dict[str, Experiment] = {}
        self._experiment_files: set[str] = set()

    def run(self, progress: Progress | None) -> None:
        """Check all files."""
        wanted = self._list()
        for number, (entry, data, reason) in enumerate(read_blobs(self._folio.repo, wanted)):
            if progress and number % 256 == 0:
                progress(number, len(wanted))
            self._take(entry, data, reason)
        self._runs.finish()
        self._models.finish(self._references.run_ids, self._model_history)
        self._reproductions.finish(self._references.run_ids)
        self._datasets.finish()
        self._objects.finish()
        self._code.finish()
        self._references.finish(self._experiments, self._experiment_files)
        check_same_names(self._experiments, self._findings)
        self._history.finish()
        if progress:
            progress(len(wanted), len(wanted))

    @property
    def looked(self) -> tuple[int, int]:
        """How many objects were looked up, and of how many the bytes were read."""
        return self._objects.known, self._objects.read

    def _list(self) -> list[TreeEntry]:
        place = self._folio.place
        # A ledger branch holds records only: its settings stand on the branches that people work on.
        names = [place.full(name) for name in (paths.SETTINGS, paths.POLICY, *paths.OURS, paths.DATASETS)]
        wanted: list[TreeEntry] = []
        for entry in list_files(self._folio.repo, self._tip, names, self._findings):
            if not self._names.take(entry):
                continue
            self._history.present(entry)
            inner = place.strip(entry.path)
            name = environment_of_path(inner)
            if name is not None:
                self._environments.add(name)
            if paths.experiment_of_path(inner):
                self._experiment_files.add(entry.path)
            wanted.append(entry)
        return wanted

    def _take(self, entry: TreeEntry, data: bytes | None, reason: str) -> None:
        path, inner = entry.path, self._folio.place.strip(entry.path)
        if data is None:
            remedy = "Fetch it from another clone (git fetch --refetch), or copy that clone's .git/objects"
            self._findings.append(Finding("git.object", Severity.ERROR, path, "", reason, remedy))
        named = paths.run_of_path(inner)
        if named is not None:
            self._record(path, named[1], data)
        elif paths.series_of_path(inner):
            self._runs.series(path, data)
        elif data is not None:
            self._document(path, inner, data)

    def _record(self, path: str, run_id: str, data: bytes | None) -> None:
        run = None if data is None else self._runs.record(path, data)
        if run is None:
            self._runs.damaged(path)
            self._references.present(path, run_id)
            return
        self._references.take(path, run)
        self._objects.take(path, run)
        self._code.take(path, run)

    def _document(self, path: str, inner: str, data: bytes) -> None:
        if inner == paths.SETTINGS:
            check_settings(data, path, self._findings)
        elif inner == paths.POLICY:
            check_policy(data, path, self._folio.settings.registry.stages, self._findings)
        elif paths.experiment_of_path(inner):
            made = check_experiment(data, path, self._findings)
            if made is not None:
                self._experiments[path] = made
        elif not any(each.take(path, inner, data) for each in (self._models, self._reproductions, self._datasets)):
            check_environment(data, path, self._history.restore, self._findings)
