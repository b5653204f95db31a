"""Objects that nothing names any more: found by reading every record that any ref, live run or worktree holds, and removed.

An object is in use if its digest stands anywhere in a file of the folio, in the tree of any ref (branches, tags, stashes, what was
last seen of remotes), of any HEAD, of any commit that a HEAD stood on within the grace period, or in the index; or in anything that
waits or runs here. What a manifest in use lists is in use. History further back does not count: a run is in it for ever, and its
objects go once its record went, or once the run was deleted and that is asked for.

Text is searched for digests, not decoded: a field that a newer runfolio writes keeps its object, too.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runfolio.errors import DamagedError, NotFoundError, RunfolioError, StateError, UsageError
from runfolio.folio.folio import Folio
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.canonical import MAX_RECORD_BYTES
from runfolio.formats.runs import decode_run
from runfolio.objects import decode_manifest
from runfolio.records import Digest, Lifecycle

GRACE_S = 14 * 24 * 3600.0
_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
_LISTS = re.compile(rb'(?:"manifest":\s*\{[^}]*?"digest":\s*"|^digest:\s*["\']?)(sha256:[0-9a-f]{64})', re.MULTILINE)
_TAIL_BYTES = 80


@dataclass(slots=True)
class Unused:
    """What a look for unused objects found, or a clean-up did.

    Parameters
    ----------
    digests : dict of Digest to int
        Objects that nothing names and that are older than the grace period, and their bytes.
    used, used_bytes : int
    young, young_bytes : int
        Objects that nothing names yet, spared for the grace period.
    deleted, freed : int
        Objects that were removed, and their bytes.
    """

    digests: dict[Digest, int] = field(default_factory=dict)
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
        If a list of files that is in use cannot be read: what it names is not known.
    """
    before = int((time.time() - grace_s) * 1000)
    used: set[Digest] = set()
    for each in (folio, *others):
        used |= _in_use(each, folio, before, deleted_runs)
    made = Unused()
    for digest in folio.store.digests():
        try:
            size = folio.store.size(digest)
            young = digest not in used and folio.store.modified(digest) > before
        except NotFoundError:
            continue
        if digest in used:
            made.used, made.used_bytes = made.used + 1, made.used_bytes + size
        elif young:
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
    still = again().digests
    for digest, size in found.digests.items():
        if digest in still and folio.store.discard(digest, before):
            found.deleted, found.freed = found.deleted + 1, found.freed + size
            if told:
                told(size)


def _in_use(folio: Folio, owner: Folio, before: int, deleted_runs: bool) -> set[Digest]:
    place = folio.place
    _refuse_half(place)
    used: set[Digest] = set()
    lists: dict[Digest, str] = {}
    for path, data in _records(place, before):
        if deleted_runs and _long_deleted(path, data, before):
            continue
        used.update(Digest(found.decode()) for found in _DIGEST.findall(data))
        for found in _LISTS.findall(data):
            lists.setdefault(Digest(found.decode()), path)
    for file in _waiting(folio):
        used.update(_digests_in(file))
    for digest, path in lists.items():
        where = f"{path}: the list of its files ({digest})"
        try:
            used.update(entry.digest for entry in decode_manifest(owner.store.read(digest, MAX_RECORD_BYTES), where).values())
        except (NotFoundError, DamagedError, UsageError) as error:
            raise DamagedError(
                f"{where} cannot be read, so nobody knows which objects are in use; nothing was removed. {error.message} "
                "Bring it back (runfolio artifacts mirror from a store that has it, or a backup), or remove what names it."
            ) from None
    return used


def _refuse_half(place: Place) -> None:
    repo = place.repo
    if repo.shallow:
        raise StateError(
            "This is a shallow clone: records may be missing, and with them what is in use. Run: git fetch --unshallow"
        )
    if repo.run("config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$", check=False).strip():
        raise StateError(
            "This is a partial clone: records may be missing, and with them what is in use. Clean up in a full clone."
        )


def _records(place: Place, before: int) -> Iterator[tuple[str, bytes]]:
    """Yield the folio's files in the trees of all refs, of HEADs now and lately, and of the index; each blob once."""
    repo = place.repo
    heads = repo.run("log", "--walk-reflogs", "--all", f"--since={before // 1000}", "--format=%H", check=False).decode().split()
    heads += [line[5:] for line in repo.run("worktree", "list", "--porcelain").decode().splitlines() if line.startswith("HEAD ")]
    heads = [head for head in dict.fromkeys(heads) if set(head) != {"0"}]
    asked = "".join(f"{head}\n" for head in heads)
    indexed = () if repo.bare else ("--indexed-objects",)
    listed = repo.run(
        "rev-list", "--objects", "--no-walk", "--ignore-missing", "--all", *indexed, "--stdin", input=asked.encode()
    )
    # A tag of a tree or blob is listed as such: what has no path is read, too.
    found: dict[str, str] = {}
    prefix = f"{place.prefix}/" if place.prefix else ""
    for line in listed.decode("utf-8", "surrogateescape").splitlines():
        oid, _, path = line.partition(" ")
        name = path[len(prefix) :] if path.startswith(prefix) else ""
        if name.startswith(_FOLDERS) or (place.prefix == "" and name in _FILES):
            found.setdefault(oid, name)
    for oid, data in repo.read_many(found):
        if data is None:
            raise StateError(f"{found[oid]} ({oid}) cannot be read from git: run git fsck. Nothing was removed.")
        yield found[oid], data


_FOLDERS = (f"{paths.RUNS}/", f"{paths.MODELS}/", f"{paths.EXPERIMENTS}/")
_FILES = ("runfolio.yaml",)


def _long_deleted(path: str, data: bytes, before: int) -> bool:
    if paths.run_of_path(path) is None:
        return False
    try:
        run = decode_run(data, path)
    except RunfolioError:
        return False
    return run.lifecycle is Lifecycle.DELETED and run.deleted_at is not None and run.deleted_at < before


def _waiting(folio: Folio) -> Iterator[Path]:
    """Yield the files of runs that are live, wait, or are being taken in; of the folio and of its inbox."""
    inbox = folio.store.root / "inbox" if hasattr(folio.store, "root") else None
    for top in filter(None, (folio.place.local, folio.spool.folder, inbox)):
        for folder, names, files in os.walk(top):
            names[:] = [name for name in names if not (Path(folder) == top and name in ("objects", "waiting"))]
            for name in files:
                if not name.startswith("index.sqlite"):
                    yield Path(folder) / name


def _digests_in(file: Path) -> set[Digest]:
    found: set[Digest] = set()
    tail = b""
    try:
        with open(file, "rb") as source:
            while chunk := source.read(1 << 20):
                found.update(Digest(item.decode()) for item in _DIGEST.findall(tail + chunk))
                tail = chunk[-_TAIL_BYTES:]
    except FileNotFoundError:
        pass  # its run was committed meanwhile: the look at the records, or the next one, finds it
    except OSError as error:
        raise StateError(f"{file} cannot be read, so nobody knows what it names: {error}. Nothing was removed.") from None
    return found
