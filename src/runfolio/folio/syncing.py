"""Fetch, integrate, push: runs of many clones come together.

Records of two clones are different files, so they join without conflicts; a tag, note or description that both changed is
joined field by field. History is never rewritten, nothing is pushed by force, and commits of the user's own code are pushed only
when that is asked for.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable

from runfolio._dataclass import dataclass
from runfolio.errors import BusyError, RemoteError, StateError, StorageError
from runfolio.folio.committing import author_of
from runfolio.folio.folding import FoldResult
from runfolio.folio.folio import Folio
from runfolio.folio.joining import join_records
from runfolio.folio.lock import locked
from runfolio.folio.place import Place, short
from runfolio.formats import paths
from runfolio.gitstore import merging, remotes
from runfolio.gitstore.checkout import advance, finish_pending
from runfolio.gitstore.snapshots import CODE_REF, merge_code_refs
from runfolio.records.visible import visible

TRIES = 40
_RECORDS = re.compile(rf"(?P<root>(?:.*?/)?)(?P<folder>(?:{'|'.join(paths.OURS)})/)")


@dataclass(slots=True)
class SyncResult:
    """What a sync did.

    Parameters
    ----------
    fold : FoldResult
        What was committed first.
    brought, sent : int
        Run records that came, and that went.
    remote : str
    branch : str
    tries : int
        Pushes that it took.
    files_stay : bool
        Runs went whose files others may not have: artifacts of this folio lie in this clone alone, and git does not carry them.
    """

    fold: FoldResult
    brought: int = 0
    sent: int = 0
    remote: str = ""
    branch: str = ""
    tries: int = 0
    files_stay: bool = False


def sync(
    folio: Folio,
    remote: str | None = None,
    *,
    with_code: bool = False,
    push: bool = True,
    told: Callable[[int], None] | None = None,
) -> SyncResult:
    """Bring the folio and a remote together.

    Parameters
    ----------
    folio : Folio
    remote : str, optional
        Name of a git remote; the setting ``sync.remote`` by default.
    with_code : bool, optional
        Push commits of the user's own, too.
    push : bool, optional
        False only fetches and integrates.
    told : callable, optional
        Told of bytes of artifacts as they go up.

    Raises
    ------
    RemoteError
        If there is no such remote, it cannot be reached, or refuses.
    StateError
        If there are commits of the user's own to push and `with_code` is false, or HEAD is detached.
    """
    place = folio.place
    name = remote or place.settings.remote
    if place.repo.config(f"remote.{name}.url") is None:
        raise RemoteError(
            f"There is no git remote {name!r}. Add one: git remote add {name} URL; or name another: runfolio sync --remote NAME"
        )
    result = SyncResult(folio.commit(told=told), remote=name)
    if push:
        _send_objects(folio, told)
    branch = place.require_writable(place.branch_at_hand())
    result.branch = short(branch)
    for attempt in range(TRIES):
        result.tries = attempt + 1
        theirs = _fetch(place, name, branch)
        with locked(place.repo.own_folder):
            finish_pending(place.repo)
            result.brought += _integrate(place, branch, theirs, name)
        ours = place.repo.resolve(branch)
        if not push or ours is None or ours == theirs:
            break
        if not with_code:
            _refuse_code(place, ours, theirs, branch, name)
        if remotes.push(place.repo, name, f"{ours}:{branch}"):
            result.sent = _records_between(place, theirs, ours)
            place.repo.run("update-ref", f"refs/remotes/{name}/{short(branch)}", ours, check=False)
            break
        time.sleep(random.uniform(0.01, 0.05) * min(attempt + 1, 8))
    else:
        raise BusyError(f"{name} kept moving under {TRIES} pushes. Your runs are committed here; sync again.")
    if push:
        _sync_code(place, name)
    result.files_stay = result.sent > 0 and folio.artifacts_place is None and any((place.local / "objects" / "sha256").glob("*"))
    return result


def _send_objects(folio: Folio, told: Callable[[int], None] | None) -> None:
    """Take waiting objects to the store: a record that others see names nothing that they cannot have."""
    try:
        folio.store.upload(told)
    except StorageError as error:
        raise StorageError(
            f"{error.message} Nothing was pushed: the runs are committed here, and their objects wait. "
            "Sync again once the store can be reached; runfolio sync --no-push brings in what others did."
        ) from None


def _fetch(place: Place, remote: str, branch: str) -> str | None:
    tracking = f"refs/remotes/{remote}/{short(branch)}"
    if not remotes.fetch(place.repo, remote, (f"+{branch}:{tracking}",)):
        return None
    return place.repo.resolve(tracking)


def _integrate(place: Place, branch: str, theirs: str | None, remote: str) -> int:
    """Bring the remote's commits in; returns how many run records came."""
    repo = place.repo
    ours = repo.resolve(branch)
    if theirs is None or (ours is not None and merging.is_ancestor(repo, theirs, ours)):
        return 0
    if ours is None or merging.is_ancestor(repo, ours, theirs):
        new = theirs
    else:
        message = f"runs: bring in {visible(remote)}/{short(branch)}\n"
        durable = place.settings.durability != "process"
        sign = place.settings.commit.sign
        new = merging.merge(repo, ours, theirs, join_records(place), message, author_of(place), durable=durable, sign=sign)
    home = place.checked_out(branch)
    if home is not None and ours is not None:
        advance(home, branch, ours, new)
    elif not repo.update_ref(branch, new, ours, "runfolio: sync"):
        raise BusyError("the branch moved while runfolio was bringing in the remote's runs. Run sync again.")
    return _records_between(place, ours, new)


def _records_between(place: Place, old: str | None, new: str) -> int:
    folder = place.folder(paths.RUNS)
    if old is None:
        found = [entry.path for entry in place.repo.tree_entries(new, folder)]
    else:
        found = [change.path for change in place.repo.changes(old, new, folder)]
    return sum(paths.run_of_path(place.strip(path)) is not None for path in found)


def _refuse_code(place: Place, ours: str, theirs: str | None, branch: str, remote: str) -> None:
    # A new branch brings no code to a remote that has it in another one.
    named = merging.foreign_paths(place.repo, ours, theirs, place.run_folders, remote)
    others = _folders_of_others(place, ours, named, ledger=branch == place.ledger)
    foreign = [
        path
        for path in named
        if not (path.startswith(place.prefix) and paths.is_of_dataset(place.strip(path))) and not path.startswith(others)
    ]
    if foreign:
        some = ", ".join(visible(path) for path in foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise StateError(
            f"{short(branch)} has commits of your own that are not pushed ({some}). Push them yourself, or with the runs: "
            "runfolio sync --with-code. The remote's runs have been brought in."
        )


def _folders_of_others(place: Place, ours: str, named: list[str], *, ledger: bool) -> tuple[str, ...]:
    """Return the folders of records of the other folios in this repository; all that lie in a ledger branch are some folio's."""
    found = {(match["root"], match["folder"]) for path in named if (match := _RECORDS.match(path))}
    return tuple(
        root + folder for root, folder in found if ledger or place.repo.read(f"{ours}:{root}{paths.SETTINGS}") is not None
    )


def _sync_code(place: Place, remote: str) -> None:
    """Bring the code snapshots of both sides together."""
    repo = place.repo
    arrived = f"refs/runfolio/remotes/{remote}/code"
    for attempt in range(TRIES):
        theirs = repo.resolve(arrived) if remotes.fetch(repo, remote, (f"+{CODE_REF}:{arrived}",)) else None
        ours = repo.resolve(CODE_REF)
        if theirs is not None and theirs != ours:
            merged = theirs if ours is None else merge_code_refs(repo, ours, theirs)
            if merged != ours and not repo.update_ref(CODE_REF, merged, ours, "runfolio: sync"):
                continue
            ours = merged
        if ours is None or ours == theirs or remotes.push(repo, remote, f"{ours}:{CODE_REF}"):
            return
        time.sleep(random.uniform(0.01, 0.05) * min(attempt + 1, 8))
    raise BusyError(f"{remote} kept moving under {TRIES} pushes of the code snapshots. The runs are pushed; sync again.")
