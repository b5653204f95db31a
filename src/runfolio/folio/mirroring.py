"""Objects copied between stores: work without a network, a second copy, a move to another cloud."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator

from runfolio._dataclass import dataclass, field
from runfolio.errors import DamagedError, NotFoundError
from runfolio.folio.folio import Folio
from runfolio.objects import LocalStore, ObjectStore, Stored, open_store
from runfolio.records import Digest

_BATCH_BYTES = 256 << 20
_BATCH = 256


@dataclass(slots=True)
class Mirrored:
    """What a copy between stores did.

    Parameters
    ----------
    copied, there : int
        Objects that were copied, and that were there already.
    bytes : int
        Of those that were copied.
    faults : dict of Digest to str
        Objects that are damaged or missing in the store they were to be copied from, and what was found.
    """

    copied: int = 0
    there: int = 0
    bytes: int = 0
    faults: dict[Digest, str] = field(default_factory=dict)


def other_store(folio: Folio, place: str, *, read: bool = False) -> ObjectStore:
    """Open another store than the folio's own; what waits for it waits apart from what waits for the folio's.

    Raises
    ------
    UsageError
        If `place` names no store.
    NotFoundError
        If it is to be read, and is a folder that is not there.
    """
    store = open_store(place, folio.place.local / "mirroring" / "objects", folio.place.root)
    if read and isinstance(store, LocalStore) and not store.root.is_dir():
        raise NotFoundError(f"There is no folder {store.root} to copy objects from.")
    return store


def mirror(
    source: ObjectStore,
    target: ObjectStore,
    held: Iterable[Stored] | None = None,
    told: Callable[[int], None] | None = None,
) -> Mirrored:
    """Copy objects that the target lacks, each verified before it leaves and when it arrives; what there is too much stays.

    Parameters
    ----------
    source, target : ObjectStore
    held : iterable of Stored, optional
        What to copy; all that the source lists by default.
    told : callable, optional
        Told of bytes of the source that were dealt with.

    Raises
    ------
    StorageError
        If a store fails; what was copied is there, and a second call goes on.
    """
    made = Mirrored()
    for batch in _batches(source.listed() if held is None else held):
        there = target.inspect(item.digest for item in batch)
        missing = [item for item in batch if there[item.digest] != item.size]
        made.there += len(batch) - len(missing)
        _copy(source, target, missing, made)
        if told:
            told(sum(item.size for item in batch))
    return made


def _batches(held: Iterable[Stored]) -> Iterator[list[Stored]]:
    batch: list[Stored] = []
    size = 0
    for item in held:
        batch.append(item)
        size += item.size
        if len(batch) == _BATCH or size > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _copy(source: ObjectStore, target: ObjectStore, batch: list[Stored], made: Mirrored) -> None:
    # Several at a time; what is damaged or missing is named below.
    with contextlib.suppress(NotFoundError, DamagedError):
        source.fetch(item.digest for item in batch)
    good = []
    for digest, size, _ in batch:
        try:
            with source.open_verified(digest) as content:
                target.put_stream(content)
        except (NotFoundError, DamagedError) as error:
            made.faults[digest] = error.message
            continue
        good.append(size)
    target.upload()
    made.copied += len(good)
    made.bytes += sum(good)
