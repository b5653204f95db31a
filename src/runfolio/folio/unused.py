"""Objects that nothing names any more, found and removed: what is in use says :mod:`runfolio.folio.in_use`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from runfolio._dataclass import dataclass, field
from runfolio.errors import DamagedError
from runfolio.folio.folio import Folio
from runfolio.folio.in_use import copies_named, in_use
from runfolio.objects.leaving import SWEEP_AGE_S
from runfolio.records import Digest

GRACE_S = 14 * 24 * 3600.0


@dataclass(slots=True)
class Unused:
    """What a look for unused objects found, or a clean-up did.

    Parameters
    ----------
    digests : dict of Digest to int
        Objects that nothing names and that are older than the grace period, and their bytes.
    copies : set of str
        Names of copies that will become objects: live and waiting runs name them.
    used, used_bytes : int
    young, young_bytes : int
        Objects that nothing names yet, spared for the grace period.
    deleted, freed : int
        Objects that were removed, and their bytes.
    """

    digests: dict[Digest, int] = field(default_factory=dict)
    copies: set[str] = field(default_factory=set)
    used: int = 0
    used_bytes: int = 0
    young: int = 0
    young_bytes: int = 0
    deleted: int = 0
    freed: int = 0

    @property
    def bytes(self) -> int:
        """Bytes of the unused objects."""
        return sum(self.digests.values())


def find_unused(folio: Folio, *, grace_s: float = GRACE_S, others: Iterable[Folio] = (), deleted_runs: bool = False) -> Unused:
    """Look for objects that nothing names.

    Parameters
    ----------
    folio : Folio
    grace_s : float, optional
        Seconds for which an object is kept after it was last put, whoever names it: a run elsewhere may be about to.
    others : iterable of Folio, optional
        Folios that use the same store.
    deleted_runs : bool, optional
        Let go of what only runs name that were deleted longer ago than the grace period.

    Raises
    ------
    StateError
        In a shallow or partial clone, where records may be missing.
    DamagedError, NotFoundError
        If a list of files that is in use cannot be read: what it names is not known. Not where the store is empty.
    """
    before = int((time.time() - grace_s) * 1000)
    others = tuple(others)
    copies = copies_named(folio).union(*map(copies_named, others))
    try:
        used = in_use(folio, folio.store, before, deleted_runs=deleted_runs)
    except DamagedError:
        if next(iter(folio.store.listed()), None) is None:
            return Unused(copies=copies)  # a clone that others did not log in: their artifacts lie in the clones that did
        raise
    for other in others:
        try:
            used |= in_use(other, folio.store, before, deleted_runs=deleted_runs)
        except DamagedError as error:
            raise DamagedError(
                f"{other.place.root} is named as a folio that uses this store: if it keeps its files in another one, name it no more "
                f"(--also). If it does use this store: {error.message}"
            ) from None
    made = Unused(copies=copies)
    for digest, size, modified in folio.store.listed():
        if digest in used:
            made.used, made.used_bytes = made.used + 1, made.used_bytes + size
        elif modified > before:
            made.young, made.young_bytes = made.young + 1, made.young_bytes + size
        else:
            made.digests[digest] = size
    return made


def remove_unused(
    folio: Folio,
    found: Unused,
    *,
    grace_s: float = GRACE_S,
    again: Callable[[], Unused],
    told: Callable[[int], None] | None = None,
) -> None:
    """Remove what :func:`find_unused` found; killed at any moment, the store is whole.

    Parameters
    ----------
    folio : Folio
    found : Unused
        Its `deleted` and `freed` are counted up.
    grace_s : float, optional
        As when it was found; each object's age is looked at once more.
    again : callable
        Looks a second time: what came into use meanwhile stays.
    told : callable, optional
        Told of the bytes of each object that went.
    """
    before = int((time.time() - grace_s) * 1000)
    still = again()

    def gone(digest: Digest) -> None:
        size = found.digests[digest]
        found.deleted, found.freed = found.deleted + 1, found.freed + size
        if told:
            told(size)

    folio.store.discard([digest for digest in found.digests if digest in still.digests], before, gone)
    folio.store.sweep()
    folio.store.copies.sweep(still.copies, max(grace_s, SWEEP_AGE_S))
