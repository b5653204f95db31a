"""How a folio is: what it costs, what waits, what is set so that it costs, and what will hit a limit when.

The advice is findings, each with a remedy. No network is used: what a remote says is not asked.

Thresholds, with their reasons (measured, ``docs/design/decisions.md``): at 10,000 runs a clone with its work tree takes 3.2 s
instead of 0.2 and ``git status`` 0.12 s, at 100,000 runs 32 s and 0.23 s; an index of 2 MB is read by every git command and
written by every commit of the user's own. git packs loose objects by itself at about 6,700.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime, timezone

from runfolio._dataclass import dataclass, replace
from runfolio.errors import BusyError, GitError, StorageError
from runfolio.folio.folio import Folio
from runfolio.folio.limits import Limit, host_of, limits_of
from runfolio.folio.lock import locked
from runfolio.folio.measuring import (
    IndexSize,
    RecordSizes,
    RepositorySize,
    StoreSize,
    measure_index,
    measure_records,
    measure_repository,
    measure_store,
    measure_sync,
)
from runfolio.folio.place import Place, short
from runfolio.formats import paths
from runfolio.gitstore.program import git_version
from runfolio.records.findings import Finding, Severity

MANY_RUNS = 10_000
LARGE_INDEX = 2 << 20
MANY_LOOSE = 6_700
SLOW_SYNC_MS = 30.0
NEAR = 0.9
"""Share of a limit from which on it is told of."""
SOON_DAYS = 90
_USER = re.compile(r"(?<=://)[^/@]*@")


@dataclass(frozen=True, slots=True)
class Clone:
    """What kind of clone this is.

    Parameters
    ----------
    shallow, partial, sparse, bare : bool
    remotes : tuple of (str, str)
        Name and address, without who logs in.
    """

    shallow: bool
    partial: bool
    sparse: bool
    bare: bool
    remotes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Journals:
    """Runs that are not committed: `live` ones go on, `waiting` ones ended, `left` ones lost their process."""

    live: int
    waiting: int
    left: int


@dataclass(frozen=True, slots=True)
class Health:
    """How a folio is.

    Parameters
    ----------
    root, branch : str
        Where it is, and the branch that takes records (empty where HEAD is detached).
    ledger : bool
        Whether that is a branch of the records' own.
    git : str
        Version.
    lock : str
        ``free``, ``held`` by another process of ours, or ``unwritable``.
    durability : str
        The setting.
    sync_ms : float or None
        What one sync of 4 KB costs on this disk.
    records, repository, index, store, journals, clone : see their classes
    limits : tuple of Limit
    advice : tuple of Finding
    unreadable : str
        What git says where it cannot read the records, which are then not counted.
    """

    root: str
    branch: str
    ledger: bool
    git: str
    lock: str
    durability: str
    sync_ms: float | None
    records: RecordSizes
    repository: RepositorySize
    index: IndexSize | None
    store: StoreSize | None
    journals: Journals
    clone: Clone
    limits: tuple[Limit, ...] = ()
    advice: tuple[Finding, ...] = ()
    unreadable: str = ""


def examine(folio: Folio, *, now_ms: int | None = None) -> Health:
    """Examine a folio.

    Parameters
    ----------
    folio : Folio
    now_ms : int, optional
        Milliseconds since the epoch, UTC; the clock's by default.
    """
    place = folio.place
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    today = datetime.fromtimestamp(now / 1000, timezone.utc).date()
    tip = place.tip()
    records, unreadable = RecordSizes(), ""
    try:
        records = measure_records(place, tip, today) if tip else records
    except GitError as error:
        unreadable = error.message
    repository, store = measure_repository(place), measure_store(folio.store, now)
    clone = _clone(place)
    remote = next((address for name, address in clone.remotes if name == place.settings.remote), "")
    made = Health(
        root=str(place.root),
        branch=short(place.branch_at_hand() or ""),
        ledger=place.ledger is not None,
        git="{}.{}".format(*git_version()),
        lock=_lock(place),
        durability=place.settings.durability,
        sync_ms=measure_sync(place.local / "tmp"),
        records=records,
        repository=repository,
        index=measure_index(place, records.files),
        store=store,
        journals=_journals(folio),
        clone=clone,
        limits=limits_of(host_of(remote), records, repository, store, today),
        unreadable=unreadable,
    )
    return replace(made, advice=advise(place, made, now))


def advise(place: Place, health: Health, now_ms: int) -> tuple[Finding, ...]:
    """Say what is to be done, from what was measured.

    Parameters
    ----------
    place : Place
        Asked for git's settings.
    health : Health
    now_ms : int
        Milliseconds since the epoch, UTC.
    """
    return (*_on_git(place, health), *_on_records(health), *_on_machine(health), *_on_limits(health, now_ms))


def _clone(place: Place) -> Clone:
    repo = place.repo
    listed = repo.run("config", "--get-regexp", r"^(remote\..*\.(url|promisor)|extensions\.partialclone)$", check=False)
    remotes, partial = [], False
    for line in listed.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(" ")
        if key.endswith(".url"):
            remotes.append((key[len("remote.") : -len(".url")], _USER.sub("", value)))
        else:
            partial = partial or value != "false"
    return Clone(repo.shallow, partial, repo.config("core.sparseCheckout") == "true", repo.bare, tuple(remotes))


def _lock(place: Place) -> str:
    try:
        with locked(place.repo.own_folder, 0.0):
            return "free"
    except BusyError:
        return "held"
    except StorageError:
        return "unwritable"


def _journals(folio: Folio) -> Journals:
    journals = folio.spool.journals()
    left = {journal.run_id for journal in folio.spool.left_behind()}
    waiting = {journal.run_id for journal in journals if journal.sealed}
    live = {journal.run_id for journal in journals if not journal.sealed} - left
    return Journals(len(live), len(waiting), len(left))


def _on_git(place: Place, health: Health) -> Iterator[Finding]:
    size = health.repository
    if health.unreadable:
        message = f"git cannot read the records, which are not counted: {health.unreadable}"
        yield _note("doctor.unreadable", "", message, "Run: runfolio check, which says what is damaged", Severity.ERROR)
    if size.loose_objects > MANY_LOOSE or size.packs > 50:
        message = f"{size.loose_objects:,} objects are single files and {size.packs} are packs, which takes room and time"
        off = place.repo.config("gc.auto") == "0"
        hint = ", and let git do it by itself: git config --unset gc.auto" if off else ""
        yield _note("doctor.loose", "", message, f"Run: git gc{hint}", Severity.WARNING)
    if size.garbage:
        message = f"{size.garbage:,} bytes in git's object folder are none of git's: an interrupted fetch or commit left them"
        yield _note("doctor.garbage", "", message, "Run: git gc --prune=now, while no git process runs")
    if place.repo.config("core.compression") == "0" or place.repo.config("pack.compression") == "0":
        message = "objects are stored uncompressed, which makes records about twice as large"
        yield _note("doctor.compression", "core.compression", message, "Run: git config --unset core.compression")
    attribute = place.repo.run("check-attr", "text", "--", place.full(f"{paths.RUNS}/a.json"), check=False).decode().strip()
    if not place.repo.bare and not attribute.endswith("text: unset"):
        message = "git may change the line ends of records, which damages them (autocrlf, or text=auto)"
        file = place.full(".gitattributes")
        yield Finding("doctor.attributes", Severity.WARNING, file, "", message, "Run: runfolio init, which adds the lines")
    if place.repo.config("commit.gpgSign") == "true":
        message = "your own commits are signed, those of records are not"
        yield _note(
            "doctor.signing", "commit.gpgSign", message, "Nothing to do, unless they are to be signed: commit: {sign: true}"
        )


def _on_records(health: Health) -> Iterator[Finding]:
    records, index = health.records, health.index
    in_work_tree = index is not None and not health.ledger and not health.clone.sparse
    if in_work_tree and index is not None and (records.runs >= MANY_RUNS or index.record_bytes > LARGE_INDEX):
        message = (
            f"{index.records:,} records lie in the work tree and take {index.record_bytes / 1e6:.1f} MB of the index, which "
            "every git command reads"
        )
        remedy = "Move them to a ledger branch: runfolio migrate --help"
        yield _note("doctor.ledger", "records.branch", message, remedy, Severity.WARNING)
    if health.clone.shallow:
        message = "the clone is shallow: check cannot see edits of older records, and nothing is cleaned up from here"
        yield _note("doctor.shallow", "", message, "Run: git fetch --unshallow")
    if health.clone.partial:
        message = "the clone is partial: git fetches records one by one as they are read"
        yield _note("doctor.partial", "", message, "Run: git fetch --refetch --no-filter")
    if not health.clone.remotes and records.runs:
        message = "the repository has no remote, so this disk holds the only copy of the runs"
        yield _note("doctor.remote", "", message, "Add one: git remote add origin ADDRESS, then: runfolio sync")


def _on_machine(health: Health) -> Iterator[Finding]:
    if health.sync_ms is None:
        message = "the folder for journals cannot be written, so no run can be logged from here"
        yield _note("doctor.unwritable", "", message, "Check its owner and mode, or name another: RUNFOLIO_SPOOL", Severity.ERROR)
    elif health.sync_ms > SLOW_SYNC_MS and health.durability != "process":
        message = f"one sync takes {health.sync_ms:.0f} ms on this disk, and the end of each run waits for two or three"
        remedy = "Log to a local disk (RUNFOLIO_SPOOL), or, if a power cut may cost the last runs, set durability: process"
        yield _note("doctor.sync", "durability", message, remedy)
    if health.journals.left:
        message = f"{health.journals.left} runs were left by processes that died"
        yield _note("doctor.left", "", message, "Run: runfolio recover", Severity.WARNING)
    if health.journals.waiting:
        yield _note("doctor.waiting", "", f"{health.journals.waiting} finished runs wait", "Run: runfolio commit")


def _on_limits(health: Health, now_ms: int) -> Iterator[Finding]:
    today = datetime.fromtimestamp(now_ms / 1000, timezone.utc).date()
    for limit in health.limits:
        near = limit.limit > 0 and limit.now > NEAR * limit.limit
        soon = limit.day is not None and (limit.day - today).days < SOON_DAYS
        if near or soon:
            when = f", and is reached about {limit.day}" if limit.day else ""
            message = f"{limit.name}: {limit.now / 1e9:.2f} of {limit.limit / 1e9:.2f} GB are used{when}"
            remedy = "Delete what is not needed (runfolio runs delete), or move: artifacts: in runfolio.yaml, runfolio migrate"
            yield _note("doctor.limit", "", message, remedy, Severity.WARNING)


def _note(rule: str, field: str, message: str, remedy: str, severity: Severity = Severity.NOTE) -> Finding:
    return Finding(rule, severity, "", field, message, remedy)
