"""Contents of datasets brought to where they belong: in the work tree, in a code tree that was restored, in any folder.

Bytes come out of the object store, are compared with their digest before they are seen, and appear whole. What lies at the place
already is left alone where it is right; where it is something else it is replaced only if the store holds those very bytes (so that
nothing is lost), or on demand. A content that another tool keeps is never fetched: what is said is which command does it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, NotFoundError, RunfolioError, StateError, UsageError, storage_error, storage_errors
from runfolio.folio.datasets import datasets_in
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.formats.canonical import MAX_RECORD_BYTES
from runfolio.objects import LocalStore, ObjectStore, decode_manifest
from runfolio.objects.files import digest_of_file
from runfolio.records.datasets import Dataset, DatasetKind, Holder, check_dataset_path
from runfolio.records.runs import ArtifactEntry, Digest
from runfolio.records.visible import visible

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Placed:
    """A dataset whose content lies at its path."""

    dataset: Dataset
    path: Path


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """A dataset whose content does not, and why."""

    dataset: Dataset | None
    reason: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What :func:`restore` did."""

    placed: tuple[Placed, ...]
    missing: tuple[NotPlaced, ...]


def restore(store: ObjectStore, tree: Path, prefix: str = "") -> Restored:
    """Bring the contents that a code tree names to their paths in it.

    Parameters
    ----------
    store : ObjectStore
    tree : Path
        A folder that holds a code tree, such as a run's.
    prefix : str, optional
        The folio's folder in it, with a slash at its end.

    Returns
    -------
    Restored
        A dataset that lies outside the work tree, that another tool keeps, whose content is not in the store or is damaged, or whose
        place is taken by something else, is among the missing, with the reason; what lies there already and is right counts as placed.
    """
    found = datasets_in(tree / prefix / paths.DATASETS)
    placed: list[Placed] = []
    missing = [NotPlaced(None, fault) for fault in found.faults]
    for dataset in found.datasets:
        if not dataset.path:
            missing.append(NotPlaced(dataset, "it lies outside the work tree, so its place is not recorded"))
            continue
        target = tree / dataset.path
        try:
            if dataset.held_by is Holder.STORE:
                place(store, dataset, tree, dataset.path)
                placed.append(Placed(dataset, target))
            else:
                missing.append(NotPlaced(dataset, how_to_fetch(dataset)))
        except RunfolioError as error:
            missing.append(NotPlaced(dataset, error.message))
    return Restored(tuple(placed), tuple(missing))


def how_to_fetch(dataset: Dataset) -> str:
    """Say which command brings a content that is not kept here; it is for people, and never run."""
    source = visible(dataset.source)
    if dataset.held_by is Holder.DVC:
        return f"DVC keeps it. Fetch it with: dvc pull {_quoted(visible(dataset.path))}"
    scheme, _, rest = source.partition("://")
    where = _quoted(visible(dataset.path) or "FOLDER")
    if scheme == "hf" and rest.startswith("datasets/"):
        name, _, revision = rest.removeprefix("datasets/").partition("@")
        at = f" --revision {_quoted(revision.split('/')[0])}" if revision else ""
        repository = "/".join(name.split("/")[:2])
        return f"it is kept at {source}. Fetch it with: hf download --repo-type dataset {_quoted(repository)}{at} --local-dir {where}"
    command = {
        "s3": f"aws s3 cp {_quoted(source)} {where}",
        "gs": f"gcloud storage cp {_quoted(source)} {where}",
        "lakefs": f"lakectl fs download {_quoted(source)} {where}",
        "https": f"curl --fail --location --output {where} {_quoted(source)}",
        "http": f"curl --fail --location --output {where} {_quoted(source)}",
    }.get(scheme)
    if command is not None and dataset.kind is DatasetKind.FOLDER:
        command = command.replace("aws s3 cp", "aws s3 cp --recursive").replace(" cp gs:", " cp --recursive gs:")
        command = command.replace("fs download ", "fs download --recursive ")
    advice = f" Fetch it with: {command}" if command else ""
    return f"it is kept at {source or 'a place that the record does not name'}.{advice}"


def fetch(
    folio: Folio, name: str, output: Path | None = None, *, force: bool = False, link: bool = False
) -> tuple[Dataset, Path, int]:
    """Bring a content that a name means to its place, or into a folder.

    Parameters
    ----------
    folio : Folio
    name : str
        ``wine``, ``wine@REV`` or ``wine@DIGEST``.
    output : Path, optional
        A folder; the dataset's own place in the work tree by default.
    force, link : bool, optional
        As for :func:`place`.

    Returns
    -------
    (Dataset, Path, int)
        What it was, where it lies now, and how many files were written.

    Raises
    ------
    NotFoundError
        If nothing is meant by the name, the content is not in the store, or another tool keeps it: the message says how to fetch it.
    StateError
        If something lies there that would be lost.
    """
    dataset = meant(folio, name)
    if dataset.object is None:
        raise NotFoundError(f"{visible(dataset.name)}: {how_to_fetch(dataset)}")
    if output is not None:
        last = dataset.path.rpartition("/")[2] or dataset.slug
        return dataset, output / last, place(folio.store, dataset, output, last, force=force, link=link)
    root = folio.repo.work_tree
    if root is None or not dataset.path:
        raise UsageError(f"{visible(dataset.name)} lies outside the work tree: name a folder with -o.")
    return dataset, root / dataset.path, place(folio.store, dataset, root, dataset.path, force=force, link=link)


def current_objects(folio: Folio) -> list[ArtifactEntry]:
    """Return the objects of the current contents of all datasets: files, the lists of folders, and what these list."""
    made = []
    for dataset in folio.datasets.all():
        if dataset.object is None:
            continue
        facts = folio.datasets.facts(dataset.slug, dataset.digest)
        if dataset.kind is DatasetKind.FOLDER:
            made.append(ArtifactEntry(dataset.object, facts.manifest_size if facts else 0))
            made += manifest_of(folio.store, dataset.object, dataset.name).values()
        else:
            made.append(ArtifactEntry(dataset.object, facts.size if facts else 0))
    return made


def meant(folio: Folio, name: str) -> Dataset:
    """Return the dataset, with the content, that ``NAME``, ``NAME@REV`` or ``NAME@DIGEST`` means."""
    first, _, rev = name.partition("@")
    return folio.datasets.at(first, rev)


def place(store: ObjectStore, dataset: Dataset, base: Path, path: str, *, force: bool = False, link: bool = False) -> int:
    """Bring a content to a path below a folder.

    Parameters
    ----------
    store : ObjectStore
    dataset : Dataset
        Held by the store.
    base : Path
    path : str
        From `base`; no link on the way is followed.
    force : bool, optional
        Replace what the store does not hold, too.
    link : bool, optional
        Make hard links to the objects, which are read-only, instead of copies; where that cannot be, copies.

    Returns
    -------
    int
        Files that were written; 0 where all were right already.

    Raises
    ------
    StateError
        If something else lies there that would be lost, or a link is in the way.
    NotFoundError, DamagedError
        If the content is not in the store, or damaged.
    """
    assert dataset.object is not None
    target = _inside(base, path)
    if dataset.kind is DatasetKind.FILE:
        wanted = {"": ArtifactEntry(dataset.object, -1)}
    else:
        wanted = dict(manifest_of(store, dataset.object, dataset.name))
    with storage_errors(f"bring {visible(dataset.name)} to {target}"):
        return _place_files(store, wanted, target, force=force, link=link)


def manifest_of(store: ObjectStore, digest: Digest, name: str) -> Mapping[str, ArtifactEntry]:
    """Return the files of a folder's content by their paths.

    Raises
    ------
    NotFoundError, DamagedError
        If the list is not in the store, or damaged, or names a path that no dataset may have.
    """
    where = f"the list of files of {visible(name)} ({digest})"
    listed = decode_manifest(store.read(digest, MAX_RECORD_BYTES), where)
    for path in listed:
        try:
            check_dataset_path(path)
        except UsageError as error:
            raise DamagedError(f"{where}: {error.message}") from None
    return listed


def _inside(base: Path, path: str) -> Path:
    """Return a path below a folder; a link on the way may lead out of it."""
    check_dataset_path(path)
    here = base
    for part in path.split("/"):
        if here.is_symlink() and here != base:
            raise StateError(
                f"{here} is a symbolic link: nothing is written through it. Remove it, or name another place with -o."
            )
        here = here / part
    return here


def _place_files(store: ObjectStore, wanted: Mapping[str, ArtifactEntry], target: Path, *, force: bool, link: bool) -> int:
    folder = "" not in wanted
    if folder and (target.is_symlink() or (target.exists() and not target.is_dir())):
        raise StateError(f"{target} is not a folder. Move it away, or name another place with -o.")
    if not folder and target.is_dir() and not target.is_symlink():
        raise StateError(f"{target} is a folder, the dataset is a file. Move it away, or name another place with -o.")
    there = _there(target, folder)
    right, others = set[str](), list[str]()
    for name, file in there.items():
        entry = wanted.get(name)
        digest = None if file.is_symlink() else digest_of_file(file)[0]
        if entry is not None and digest == entry.digest:
            right.add(name)
        elif not force and (digest is None or not store.exists(digest)):
            others.append(name or target.name)
    if others:
        shown = ", ".join(visible(name) for name in others[:_SHOWN]) + (
            f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        )
        raise StateError(
            f"{target}: {shown}: what lies there is not in the object store and would be lost. Move it away, keep it with "
            "runfolio data add, or replace it with --force."
        )
    missing = {name: entry for name, entry in wanted.items() if name not in right}
    store.fetch(entry.digest for entry in missing.values())
    for name, entry in missing.items():
        place_here = _inside(target, name) if name else target
        _one(store, entry.digest, place_here, link)
    for name in there.keys() - wanted.keys():
        there[name].unlink()
    return len(missing)


def _there(target: Path, folder: bool) -> dict[str, Path]:
    """Return what lies at the place: one file, or all below a folder; links are listed and not followed."""
    if not folder:
        return {"": target} if target.is_symlink() or target.exists() else {}
    made: dict[str, Path] = {}
    for top, names, files in os.walk(target):
        links = [name for name in names if (Path(top) / name).is_symlink()]
        for name in (*files, *links):
            file = Path(top) / name
            if not file.is_symlink() and not stat.S_ISREG(file.stat().st_mode):
                raise StateError(f"{file} is neither a file nor a folder. Move it away.")
            made[file.relative_to(target).as_posix()] = file
    return made


def _one(store: ObjectStore, digest: Digest, target: Path, link: bool) -> None:
    if link and isinstance(store, LocalStore) and _linked(store, digest, target):
        return
    try:
        store.copy_to(digest, target)
    except NotFoundError as error:
        raise NotFoundError(f"{error.message} Fetch it first: runfolio artifacts pull") from None


def _linked(store: LocalStore, digest: Digest, target: Path) -> bool:
    """Make a hard link to an object; False where it cannot be (another file system)."""
    store.verify(digest)
    beside = target.with_name(f".{target.name[:80]}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(store.path(digest), beside)
        os.replace(beside, target)
        beside.unlink(missing_ok=True)  # two names of one file: the rename did nothing (POSIX)
    except OSError:
        try:
            beside.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(f"remove {beside}", error) from error
        return False
    return True


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(text)


def in_words(items: Iterable[NotPlaced]) -> str:
    """Tell what was not placed, one line each."""
    return "\n".join(f"{visible(item.dataset.name) if item.dataset else 'datasets'}: {item.reason}" for item in items)
