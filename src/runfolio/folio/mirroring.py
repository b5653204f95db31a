"""Objects copied between stores: work without a network, a second copy, a move to another cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from runfolio.errors import DamagedError, NotFoundError
from runfolio.folio.folio import Folio
from runfolio.objects import ObjectStore, open_store
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


def other_store(folio: Folio, place: str) -> ObjectStore:
    """Open another store than the folio's own; what waits for it waits apart from what waits for the folio's.

    Raises
    ------
    UsageError
        If `place` names no store.
    """
    return open_store(place, folio.place.local / "mirroring" / "objects", folio.place.root)


def mirror(
    source: ObjectStore, target: ObjectStore, digests: Iterable[Digest] | None = None, told: Callable[[int], None] | None = None
) -> Mirrored:
    """Copy objects that the target lacks, each verified before it leaves and when it arrives; what there is too much stays.

    Parameters
    ----------
    source, target : ObjectStore
    digests : iterable of Digest, optional
        All of the source by default.
    told : callable, optional
        Told of the bytes of each object that was copied.

    Raises
    ------
    StorageError
        If a store fails; what was copied is there, and a second call goes on.
    """
    made = Mirrored()
    pending: list[tuple[Digest, int]] = []
    for digest in source.digests() if digests is None else digests:
        try:
            size = source.size(digest)
        except (NotFoundError, DamagedError) as error:
            made.faults[digest] = error.message
            continue
        if target.exists(digest) and target.size(digest) == size:
            made.there += 1
            continue
        pending.append((digest, size))
        if len(pending) == _BATCH or sum(item[1] for item in pending) > _BATCH_BYTES:
            _copy(source, target, pending, made, told)
            pending = []
    _copy(source, target, pending, made, told)
    return made


def _copy(
    source: ObjectStore, target: ObjectStore, batch: list[tuple[Digest, int]], made: Mirrored, told: Callable[[int], None] | None
) -> None:
    good = []
    for digest, size in batch:
        try:
            with source.open_verified(digest) as content:
                target.put_stream(content)
        except (NotFoundError, DamagedError) as error:
            made.faults[digest] = error.message
            continue
        good.append(size)
        if told:
            told(size)
    target.upload()
    made.copied += len(good)
    made.bytes += sum(good)
