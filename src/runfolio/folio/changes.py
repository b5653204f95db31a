"""What commits brought: which records they added, edited and took away.

Along the first parents only, so that a merge counts as one change with all that it brought, as a reviewer sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from runfolio._dataclass import dataclass
from runfolio.diff.states import StateDiff, diff_states
from runfolio.errors import DamagedError, NewerSchemaError
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.experiments import decode_experiment
from runfolio.formats.paths import experiment_of_path, run_of_path
from runfolio.formats.runs import decode_run
from runfolio.gitstore.first_parents import read_commit
from runfolio.gitstore.history import raw_changes
from runfolio.gitstore.nearby import NotNearbyError
from runfolio.gitstore.repo import Change, change_of
from runfolio.gitstore.tree_changes import Difference, differences
from runfolio.records import Experiment, Run

_NEW_COMMITS = 8
"""Commits that are read here: for more, a process of git costs less."""
_FORMAT = "%x01%H%x02%P%x02%ct%x02%an%x02%s%x01"


@dataclass(frozen=True, slots=True)
class RecordCommit:
    """One commit that changed records.

    Parameters
    ----------
    oid : str
    parents : tuple of str
    at : int
        When it was committed, milliseconds since the epoch, UTC.
    author, subject : str
    """

    oid: str
    parents: tuple[str, ...]
    at: int
    author: str
    subject: str


def record_log(place: Place, tip: str, limit: int, known: Sequence[RecordCommit] = ()) -> list[RecordCommit]:
    """Return the newest commits that changed records, newest first.

    Parameters
    ----------
    place : Place
    tip : str
        Commit to begin with.
    limit : int
    known : sequence of RecordCommit, optional
        What this returned for an earlier tip and the same limit: where it is met again, the rest need not be read.
    """
    with suppress(NotNearbyError):
        return _longer(place, tip, limit, known)
    said = place.repo.run(
        "log", f"--max-count={limit}", "--first-parent", "--no-show-signature", f"--format={_FORMAT}", "--end-of-options", tip, "--",
        *_folders(place),
    )  # fmt: skip
    made = []
    for head in said.split(b"\x01")[1::2]:
        oid, parents, at, author, subject = head.decode("utf-8", "replace").split("\x02", 4)
        made.append(RecordCommit(oid, tuple(parents.split()), int(at) * 1000, author, subject))
    return made


def files_of_commits(place: Place, oids: Sequence[str]) -> dict[str, tuple[Change, ...]]:
    """Return the files of records that commits changed against their first parents; paths from the folio's root.

    Parameters
    ----------
    place : Place
    oids : sequence of str
        Of the commits.
    """
    if not oids:
        return {}
    with suppress(NotNearbyError):
        return _files_here(place, oids)
    said = place.repo.run(
        "log", "-z", "--no-walk=unsorted", "--first-parent", "-m", "--root", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff",
        "--no-show-signature", "--format=%x01%H%x01", "--end-of-options", *oids, "--", *_folders(place),
    )  # fmt: skip
    # A commit is its digest, in \1, and its changes, ended by NUL each.
    parts = said.split(b"\x01")
    return {oid.decode(): tuple(_changes(place, body)) for oid, body in zip(parts[1::2], parts[2::2], strict=True)}


def _longer(place: Place, tip: str, limit: int, known: Sequence[RecordCommit]) -> list[RecordCommit]:
    """Put the commits from `tip` on before those that are known."""
    places = {commit.oid: at for at, commit in enumerate(known)}
    made: list[RecordCommit] = []
    oid = tip
    for _ in range(_NEW_COMMITS):
        at = places.get(oid)
        if at is not None:
            if len(known) >= limit and at > len(made):
                break  # older ones are wanted than were asked for then
            return [*made, *known[at:]][:limit]
        if not known:
            break
        commit = read_commit(place.repo, oid)
        if not commit.parents:
            break
        if _touches_records(place, oid, commit.parents[0]):
            made.append(RecordCommit(oid, commit.parents, commit.at * 1000, commit.author, commit.subject))
        oid = commit.parents[0]
    raise NotNearbyError


def _touches_records(place: Place, new: str, old: str) -> bool:
    return bool(_differences(place, old, new))


def _differences(place: Place, old: str | None, new: str) -> list[Difference]:
    """Return the files of records that differ.

    Raises
    ------
    NotNearbyError
        Also where something in the folder of datasets does: which files there are records is a pattern.
    """
    nearby = place.repo.nearby
    if differences(nearby, old, new, [place.full(paths.DATASETS)]):
        raise NotNearbyError
    return differences(nearby, old, new, [*place.run_folders, place.full(paths.SETTINGS), place.full(paths.POLICY)])


def _files_here(place: Place, oids: Sequence[str]) -> dict[str, tuple[Change, ...]]:
    if len(oids) > _NEW_COMMITS:
        raise NotNearbyError
    made = {}
    for oid in oids:
        commit = read_commit(place.repo, oid)
        found = map(change_of, _differences(place, next(iter(commit.parents), None), oid))
        made[oid] = tuple(Change(place.strip(item.path), item.old, item.new) for item in found)
    return made


def _folders(place: Place) -> tuple[str, ...]:
    return (*place.run_folders, *place.dataset_files, place.full(paths.SETTINGS), place.full(paths.POLICY))


def changes_between(place: Place, old: str, new: str) -> tuple[Change, ...]:
    """Return the files of records that differ between two commits; paths from the folio's root."""
    found = place.repo.changes(old, new, place.prefix.rstrip("/"))
    ours = tuple(f"{name}/" for name in paths.OURS)
    whole = (paths.SETTINGS, paths.POLICY)
    inner = (Change(place.strip(item.path), item.old, item.new) for item in found)
    return tuple(item for item in inner if item.path.startswith(ours) or item.path in whole or paths.is_of_dataset(item.path))


def read_difference(
    place: Place, changes: Sequence[Change], see: Callable[[Run], Run] = lambda run: run
) -> tuple[StateDiff, list[str]]:
    """Read the records that changed, before and after.

    Parameters
    ----------
    place : Place
    changes : sequence of Change
    see : callable, optional
        Takes from each run what is not to be compared.

    Returns
    -------
    StateDiff
    list of str
        Files that could not be read, each with the reason.
    """
    faults: list[str] = []
    sides = []
    for name in ("old", "new"):
        wanted = [(item.path, oid) for item in changes if (oid := getattr(item, name))]
        runs: dict[str, Run] = {}
        experiments: dict[str, Experiment] = {}
        for (path, _), (_, data) in zip(wanted, place.repo.read_many(oid for _, oid in wanted), strict=True):
            named, slug = run_of_path(path), experiment_of_path(path)
            try:
                if data is not None and named:
                    runs[named[1]] = see(decode_run(data, path, trusted=True))
                elif data is not None and slug:
                    experiments[slug] = decode_experiment(data, path)
            except (DamagedError, NewerSchemaError) as error:
                faults.append(error.message)
        sides.append((runs, experiments))
    (before, experiments_before), (after, experiments_after) = sides
    return diff_states(before, after, experiments_before, experiments_after), faults


def _changes(place: Place, body: bytes) -> Iterable[Change]:
    return (Change(place.strip(item.path), item.old, item.new) for item in raw_changes(body))
