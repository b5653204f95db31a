"""Which objects are in use: those that any record names which a ref, live run or worktree holds, or held within the grace period.

An object is in use if its digest stands anywhere in a file of the folio: in the tree of any ref (branches, tags, stashes, what was
last seen of remotes), of any HEAD, of any commit that a ref or HEAD stood on within the grace period; in a version of a file that a
commit of the grace period replaced or removed (a revert may itself be reverted); in the index or the files of any worktree; or in
anything that waits or runs here. What a manifest in use lists is in use. History further back does not count: a run is in it for
ever, and its objects go once its record went, or once the run was deleted and that is asked for.

Datasets are the exception: a content is in use as long as any version of a dataset's file names it, in the whole history of any ref,
or in the code tree of any run. Going back to an old commit, or making an old run again, must find the data it stood on.

Text is searched for digests, not decoded: a field that a newer runfolio writes keeps its object, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from runfolio.errors import DamagedError, GitError, NotFoundError, RunfolioError, StateError, UsageError
from runfolio.folio.bucket_inbox import bucket_inbox
from runfolio.folio.folio import Folio
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.canonical import MAX_RECORD_BYTES
from runfolio.formats.runs import decode_run
from runfolio.gitstore import Repo
from runfolio.gitstore.history import raw_changes
from runfolio.journal import Spool
from runfolio.objects import LocalStore, ObjectStore, decode_manifest
from runfolio.objects.remote import RemoteStore
from runfolio.records import Digest, Lifecycle

_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
_COPY = re.compile(rb"\.[0-9a-f]{32}\.copy")
_LISTS = re.compile(rb'(?:"manifest":\s*\{[^}]*?"digest":\s*"|^digest:\s*["\']?)(sha256:[0-9a-f]{64})', re.MULTILINE)
_TAIL_BYTES = 80
_FOLDERS = (paths.RUNS, paths.MODELS, paths.EXPERIMENTS, paths.REPRODUCTIONS)
_FOLDER = re.compile(rb"^kind:\s*[\"']?folder\b", re.MULTILINE)
_ELSEWHERE = re.compile(rb"^held_by:\s*[\"']?(?!store\b)\w", re.MULTILINE)
_CODE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{38,64}/")
"""Where a run's code tree lies in the ref that keeps them."""


def in_use(folio: Folio, store: ObjectStore, before_ms: int, *, deleted_runs: bool = False) -> set[Digest]:
    """Return the digests of all objects of a store that a folio names.

    Parameters
    ----------
    folio : Folio
    store : ObjectStore
        Where lists of files are read.
    before_ms : int
        Start of the grace period, milliseconds since the epoch, UTC.
    deleted_runs : bool, optional
        Let go of what only runs name that were deleted before that.

    Raises
    ------
    StateError
        In a shallow or partial clone, where records may be missing, and where one cannot be read.
    DamagedError
        If a list of files that is in use cannot be read: what it names is not known.
    """
    place = folio.place
    _refuse_half(place)
    used: set[Digest] = set()
    # Before the records: a run that is committed meanwhile is found in one or the other.
    for file in _waiting(folio, store):
        used.update(Digest(name.decode()) for name in _found_in(file, _DIGEST))
    lists: dict[Digest, str] = {}
    for path, data in _records(place, before_ms):
        if deleted_runs and _long_deleted(path, data, before_ms):
            continue
        used.update(Digest(found.decode()) for found in _DIGEST.findall(data))
        for found in () if _is_no_list(path, data) else _LISTS.findall(data):
            lists.setdefault(Digest(found.decode()), path)
    for digest, path in lists.items():
        used.update(_listed_in(store, digest, path))
    return used


def copies_named(folio: Folio) -> set[str]:
    """Return the names of the copies that the journals of a folio name; see :mod:`runfolio.objects.copies`."""
    journals = {journal.path for top in (folio.spool.folder, folio.place.local) for journal in Spool(top).journals()}
    return {name.decode() for journal in journals for name in _found_in(journal, _COPY)}


def _is_no_list(path: str, data: bytes) -> bool:
    """Tell whether a file is that of a dataset whose digest is no manifest of ours: that of one file, or kept by another tool."""
    return paths.dataset_of_path(path) is not None and (not _FOLDER.search(data) or _ELSEWHERE.search(data) is not None)


def _listed_in(store: ObjectStore, digest: Digest, path: str) -> Iterator[Digest]:
    where = f"{path}: the list of its files ({digest})"
    try:
        listed = decode_manifest(store.read(digest, MAX_RECORD_BYTES), where)
    except (NotFoundError, DamagedError, UsageError) as error:
        raise DamagedError(
            f"{where} cannot be read, so nobody knows which objects are in use; nothing was removed. {error.message} "
            "Bring it back (runfolio artifacts mirror from a store that has it, or a backup), or remove what names it."
        ) from None
    return (entry.digest for entry in listed.values())


def _refuse_half(place: Place) -> None:
    if place.repo.shallow:
        raise StateError(
            "This is a shallow clone: records may be missing, and with them what is in use. Run: git fetch --unshallow"
        )
    if place.repo.run("config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$", check=False).strip():
        raise StateError(
            "This is a partial clone: records may be missing, and with them what is in use. Clean up in a full clone."
        )


def _records(place: Place, before_ms: int) -> Iterator[tuple[str, bytes]]:
    """Yield the folio's files, each version of each once, with their paths in the folio."""
    repo = place.repo
    worktrees = repo.run("worktree", "list", "--porcelain").decode("utf-8", "surrogateescape").splitlines()
    heads = [line[5:] for line in worktrees if line.startswith("HEAD ")]
    found = _in_trees(place, before_ms, heads) | _replaced(place, before_ms) | _of_datasets(place, heads)
    for oid, data in repo.read_many(found):
        if data is None:
            raise StateError(f"{found[oid]} ({oid}) cannot be read from git: run git fsck. Nothing was removed.")
        yield found[oid], data
    for line in worktrees:
        if line.startswith("worktree "):
            yield from _uncommitted(Path(line[9:]), place.prefix)


def _in_trees(place: Place, before_ms: int, heads: list[str]) -> dict[str, str]:
    """Return the blobs in the trees of all refs, of `heads`, of where refs and HEADs stood lately, and of the index."""
    repo = place.repo
    lately = repo.run("log", "--walk-reflogs", "--all", f"--since={before_ms // 1000}", "--format=%H", check=False)
    heads = [head for head in dict.fromkeys(heads + lately.decode().split()) if set(head) != {"0"}]
    asked = "".join(f"{head}\n" for head in heads).encode()
    indexed = () if repo.bare else ("--indexed-objects",)
    listed = repo.run("rev-list", "--objects", "--no-walk", "--ignore-missing", "--all", *indexed, "--stdin", input=asked)
    lines = listed.decode("utf-8", "surrogateescape").splitlines()
    _see_all(repo, heads, lines)
    found: dict[str, str] = {}
    for line in lines:
        oid, _, path = line.partition(" ")
        name = path[len(place.prefix) :] if path.startswith(place.prefix) else ""
        if (name.partition("/")[0] in _FOLDERS and "/" in name) or paths.is_of_dataset(name):
            found.setdefault(oid, name)
    return found


def _see_all(repo: Repo, heads: list[str], lines: list[str]) -> None:
    """See that git looked at each of these commits that is there: it ends with 0 also where it could not read to the end which."""
    seen = set(lines)
    missed = next((head for head in heads if head not in seen and repo.resolve(head)), None)
    if missed:
        raise GitError(f"git rev-list did not look at all it was asked for (not at {missed}). Nothing was removed; try again.")


def _of_datasets(place: Place, heads: list[str]) -> dict[str, str]:
    """Return all versions of the datasets' files in the history of all refs and heads, and those in the code trees of runs."""
    in_code = place.dataset_files[0].replace("top)", "top)??/*/", 1)
    told = place.repo.run(
        "log", "--all", *(head for head in heads if set(head) != {"0"}), "--full-history", "--root", "--format=", "-m", "--raw",
        "--no-abbrev", "--no-renames", "--no-show-signature", "-z", "--diff-filter=AMT", "--", *place.dataset_files, in_code, check=False,
    )  # fmt: skip
    found: dict[str, str] = {}
    for change in raw_changes(told):
        if change.new is not None:
            code = _CODE.match(change.path)
            found.setdefault(change.new, place.strip(change.path[code.end() :] if code else change.path))
    return found


def _replaced(place: Place, before_ms: int) -> dict[str, str]:
    """Return the blobs that commits of the grace period replaced or removed."""
    told = place.repo.run(
        "log", "--all", "--full-history", f"--since={before_ms // 1000}", "--format=", "-m", "--raw", "--no-abbrev", "--no-renames", "-z",
        "--diff-filter=DM", "--", *(place.full(folder) for folder in _FOLDERS), check=False,
    )  # fmt: skip
    fields = iter(told.decode("utf-8", "surrogateescape").split("\0"))
    found: dict[str, str] = {}
    for field in fields:
        # ":old-mode new-mode old-blob new-blob status", and the path in the next field.
        if field.lstrip("\n").startswith(":"):
            found.setdefault(field.split()[2], place.strip(next(fields)))
    return found


def _uncommitted(worktree: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Yield files of the folio in a worktree that are new there, or other than in its index."""
    if not worktree.is_dir():
        return
    repo = Repo.discover(worktree)
    if repo.bare:
        return
    folders = [f"{prefix}{folder}" for folder in (*_FOLDERS, paths.DATASETS)]
    for name in (
        repo.run("ls-files", "-z", "--modified", "--others", "--", *folders).decode("utf-8", "surrogateescape").split("\0")
    ):
        file = worktree / name
        ours = not name.startswith(f"{prefix}{paths.DATASETS}/") or paths.is_of_dataset(name[len(prefix) :])
        if name and ours and file.is_file() and not file.is_symlink():
            try:
                yield name[len(prefix) :], file.read_bytes()
            except OSError as error:
                raise StateError(f"{file} cannot be read, so nobody knows what it names: {error}. Nothing was removed.") from None


def _long_deleted(path: str, data: bytes, before: int) -> bool:
    if paths.run_of_path(path) is None:
        return False
    try:
        run = decode_run(data, path)
    except RunfolioError:
        return False
    return run.lifecycle is Lifecycle.DELETED and run.deleted_at is not None and run.deleted_at < before


def _waiting(folio: Folio, store: ObjectStore) -> Iterator[Path]:
    """Yield the files of runs that are live, wait, or are being taken in; of the folio and of its inbox."""
    inbox = store.root / "inbox" if isinstance(store, LocalStore) else None
    for top in filter(None, (folio.place.local, folio.spool.folder, inbox)):
        for folder, names, files in os.walk(top):
            names[:] = [name for name in names if not (Path(folder) == top and name in ("objects", "waiting", "data"))]
            for name in files:
                if not name.startswith("index.sqlite"):
                    yield Path(folder) / name
    if isinstance(store, RemoteStore):
        with bucket_inbox(store.bucket, folio.place.local) as bucket:
            if bucket.refused:
                raise StateError(f"{bucket.refused[0][1]} Nobody knows what it names, so nothing was removed.")
            yield from (Path(folder) / name for folder, _, files in os.walk(bucket.folder) for name in files)


def _found_in(file: Path, wanted: re.Pattern[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    tail = b""
    try:
        with open(file, "rb") as source:
            while chunk := source.read(1 << 20):
                found.update(wanted.findall(tail + chunk))
                tail = chunk[-_TAIL_BYTES:]
    except FileNotFoundError:
        pass  # its run was committed meanwhile: the records, which are read next, name its objects
    except OSError as error:
        raise StateError(f"{file} cannot be read, so nobody knows what it names: {error}. Nothing was removed.") from None
    return found
