"""Artifacts of which a journal names a copy and no digest yet: settled by others than the process that logged them.

The process that logs a run settles its copies itself, before the run ends. Where it was killed, or forked and left, whoever takes up the
journal does: a sealed journal is settled before anything reads its artifacts, and the record never names what is not there and verified.
"""

from __future__ import annotations

import os
from contextlib import suppress

from runfolio.errors import DamagedError, NotFoundError, StorageError, storage_error
from runfolio.journal import RunState
from runfolio.journal.events import encode_event
from runfolio.objects import ObjectStore
from runfolio.records.runs import ArtifactEntry


def settle_left(store: ObjectStore, state: RunState) -> None:
    """Settle the copies that a sealed journal still names, write their digests into it, and let go of all of its copies.

    Parameters
    ----------
    store : ObjectStore
        Where the run was logged to.
    state : RunState
        Up to date then.

    Raises
    ------
    DamagedError
        If a copy is not there, or not whole: the journal stays as it is.
    StorageError
        If the store or the journal cannot be written.
    """
    if state.copies:
        _write(state, [line for name in state.copies for line in _settled(store, state, name)])
        state.refresh()
    for name in state.all_copies:
        store.copies.drop(name)


def _settled(store: ObjectStore, state: RunState, name: str) -> tuple[bytes, bytes]:
    path, size = state.copies[name]
    try:
        digest = store.copies.settle(name, size)
    except (NotFoundError, DamagedError) as error:
        raise DamagedError(
            f"{state.path}: artifact {path!r}: {error.message} Bring it back, or name the store where it lies (RUNFOLIO_ARTIFACTS); "
            f"or remove the line with its name from the journal, and the run is committed without it."
        ) from None
    said = f"{path}: hashed after the process that logged it had gone"
    return encode_event("a", path, digest, size, "", name), encode_event("n", said)


def _write(state: RunState, lines: list[bytes]) -> None:
    # A line that a kill cut off is left behind: an empty line costs nothing.
    try:
        with open(state.path, "ab") as journal:
            journal.write(b"\n" + b"".join(lines))
            journal.flush()
            os.fsync(journal.fileno())
    except OSError as error:
        raise storage_error(f"write to the journal {state.path}", error) from None


def settle_seen(store: ObjectStore, state: RunState) -> None:
    """Settle the copies that a journal names for whoever reads the run now; what cannot be settled is passed over.

    Its process may be about to do the same: either of the two makes the object, and that one alone writes to the journal.

    Parameters
    ----------
    store : ObjectStore
    state : RunState
        Up to date then.
    """
    for name, (_, size) in list(state.copies.items()):
        with suppress(NotFoundError, DamagedError, StorageError):
            state.settle(name, ArtifactEntry(store.copies.settle(name, size), size, ""))
    if state.copies:
        state.refresh()  # a copy that is gone has its digest
