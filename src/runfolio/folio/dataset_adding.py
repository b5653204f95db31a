"""A file, a folder, or what DVC tracks, recorded as the current content of a dataset."""

from __future__ import annotations

import os
import re
from pathlib import Path

from runfolio._dataclass import dataclass, field, replace
from runfolio.errors import NotFoundError, UsageError, storage_error
from runfolio.folio.dataset_hashing import digest_of
from runfolio.folio.dataset_reading import read_content
from runfolio.folio.folio import Folio
from runfolio.formats.dvc import DvcOut, is_dvc, read_dvc
from runfolio.objects import media_type_of
from runfolio.profiling import Asked
from runfolio.records.datasets import (
    Dataset,
    DatasetKind,
    Facts,
    Holder,
    check_dataset_digest,
    check_dataset_name,
    check_dataset_path,
)
from runfolio.records.visible import visible


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be recorded beside the content.

    Parameters
    ----------
    name, description, source : str or None
        None keeps what is there.
    asked : Asked
        What may be kept of the values themselves.
    profile : bool
        Describe the columns.
    store : bool
        Keep the bytes in the object store; without, `source` names who does.
    """

    name: str | None = None
    description: str | None = None
    source: str | None = None
    asked: Asked = field(default_factory=Asked)
    profile: bool = True
    store: bool = True


@dataclass(frozen=True, slots=True)
class Added:
    """What was recorded.

    Parameters
    ----------
    dataset : Dataset
    facts : Facts or None
    before : str
        The digest that was current until now; empty for a new dataset.
    notes : tuple of str
        What the user should know.
    """

    dataset: Dataset
    facts: Facts | None
    before: str = ""
    notes: tuple[str, ...] = ()


def add(folio: Folio, path: Path, wanted: Wanted | None = None) -> list[Added]:
    """Record what lies at a path; a file of DVC's records what it tracks.

    Raises
    ------
    NotFoundError, UsageError, StateError, StorageError
        As reading and committing do; nothing is recorded then.
    """
    wanted = wanted or Wanted()
    if folio.repo.work_tree is None:
        raise UsageError("A bare repository has no work tree that data could lie in. Run this in a clone.")
    if is_dvc(path.name) and path.is_file():
        return _add_tracked(folio, path, wanted)
    if not wanted.store and not wanted.source and not _known_source(folio, path, wanted):
        raise UsageError("Without a copy in the object store somebody else must keep the data: name the place with --source URI.")
    where = work_path(folio, path)
    known = _known(folio, wanted.name, where, path)
    content = read_content(path, folio.store if wanted.store else None, asked=wanted.asked, profile=wanted.profile)
    holder = Holder.STORE if wanted.store else Holder.SOURCE
    facts = replace(content.facts, held_by=holder)
    dataset = replace(_described(known, wanted), digest=facts.digest, kind=facts.kind, held_by=holder)
    notes = _notes(folio, where)
    folio.store.upload()
    return [_recorded(folio, dataset, facts, wanted, notes)]


def add_elsewhere(folio: Folio, digest: str, wanted: Wanted) -> Added:
    """Record a content that somebody else keeps and that is not at hand, by its digest.

    Raises
    ------
    UsageError
        If name or source is missing, or the digest is none.
    """
    if not wanted.name or not wanted.source:
        raise UsageError("Data that is not at hand is recorded by --name, --source and --digest together.")
    try:
        check_dataset_digest(digest)
    except ValueError as error:
        raise UsageError(f"--digest: {error}.") from None
    known = _known(folio, wanted.name, "", None)
    kind = DatasetKind.FOLDER if digest.endswith(".dir") else DatasetKind.FILE
    dataset = replace(_described(known, wanted), digest=digest, held_by=Holder.SOURCE, kind=kind)
    return _recorded(folio, dataset, None, wanted, ())


def _recorded(folio: Folio, dataset: Dataset, facts: Facts | None, wanted: Wanted, notes: tuple[str, ...]) -> Added:
    before = next((item.digest for item in folio.datasets.all() if item.slug == dataset.slug), "") if dataset.slug else ""
    again = wanted.asked != Asked()
    made = folio.datasets.record(dataset, facts, "update" if dataset.slug else "add", again=again)
    return Added(made, facts, before, notes)


def _add_tracked(folio: Folio, path: Path, wanted: Wanted) -> list[Added]:
    """Record what DVC tracks: its digests, its paths, and what the data says where it is at hand."""
    where = work_path(folio, path)
    if not where:
        raise UsageError(f"{path} lies outside this repository: run it where that file is tracked by git.")
    try:
        outs = read_dvc(path.read_bytes(), where)
    except OSError as error:
        raise storage_error(f"read {path}", error) from error
    if wanted.name and len(outs) > 1:
        raise UsageError(f"{path} tracks {len(outs)} outputs, which cannot all be called {wanted.name!r}. Leave --name away.")
    return [_one_tracked(folio, out, wanted) for out in outs]


def _one_tracked(folio: Folio, out: DvcOut, wanted: Wanted) -> Added:
    assert folio.repo.work_tree is not None
    data = folio.repo.work_tree / out.path
    kind = DatasetKind.FOLDER if out.digest.endswith(".dir") else DatasetKind.FILE
    facts = Facts(out.digest, kind, out.size or 0, out.files or 1, held_by=Holder.DVC)
    notes: list[str] = []
    if not os.path.lexists(data):
        notes.append(f"{out.path} is not at hand, so nothing but what DVC says of it was recorded. Fetch it with: dvc pull")
    elif digest_of(data, out.digest) != out.digest:
        notes.append(f"{out.path} is other than DVC's file says, so its columns were not described. Run: dvc status")
    else:
        read = read_content(data, None, asked=wanted.asked, profile=wanted.profile).facts
        facts = replace(read, digest=out.digest, held_by=Holder.DVC, manifest_size=0)
    facts = replace(facts, media_type=media_type_of(out.path) if kind is DatasetKind.FILE else "")
    known = _known(folio, wanted.name, out.path, data)
    dataset = replace(_described(known, wanted), digest=out.digest, kind=kind, held_by=Holder.DVC)
    return _recorded(folio, dataset, facts, wanted, tuple(notes))


def work_path(folio: Folio, path: Path) -> str:
    """Return a path from the repository's root, with ``/``; empty where it lies outside.

    Raises
    ------
    UsageError
        If it cannot be recorded.
    """
    root = folio.repo.work_tree
    assert root is not None
    whole = Path(os.path.abspath(path))
    parent = whole.parent.resolve()
    here = parent / whole.name
    if not here.is_relative_to(root) or here == root:
        return ""
    try:
        return check_dataset_path(here.relative_to(root).as_posix())
    except UnicodeError:
        raise UsageError(f"{visible(str(path))}: the name is not UTF-8, so it cannot be recorded. Rename it.") from None


def _known_source(folio: Folio, path: Path, wanted: Wanted) -> str:
    where = work_path(folio, path)
    return next((item.source for item in folio.datasets.all() if (where and item.path == where) or item.name == wanted.name), "")


def _known(folio: Folio, name: str | None, where: str, path: Path | None) -> Dataset:
    """Return the dataset that is meant: of that name, or at that place; else a new one."""
    datasets = folio.datasets.all()
    at_place = next((item for item in datasets if where and item.path == where), None)
    if name is not None:
        check_dataset_name(name)
    elif at_place is None and path is not None:
        name = re.sub(r"\.gz\Z", "", Path(os.path.abspath(path)).name)
        name = check_dataset_name(Path(name).stem or name)
    by_name = next((item for item in datasets if item.name == name), None)
    if at_place is not None and (name is None or at_place.name == name):
        return at_place
    if at_place is not None:
        raise UsageError(
            f"{where} is the place of the dataset {visible(at_place.name)!r}. To rename that, edit datasets/{at_place.slug}.yaml."
        )
    if by_name is not None and by_name.path and where and path is not None and by_name.path != where:
        raise UsageError(
            f"There is a dataset {visible(by_name.name)!r} already, at {by_name.path}. Give this one another name with --name, or if the "
            f"data moved, change path: in datasets/{by_name.slug}.yaml first."
        )
    if by_name is not None:
        return by_name if by_name.path or not where else replace(by_name, path=where)
    assert name is not None
    return Dataset("", name, "", where)


def _described(dataset: Dataset, wanted: Wanted) -> Dataset:
    description = dataset.description if wanted.description is None else wanted.description
    source = dataset.source if wanted.source is None else wanted.source
    return replace(dataset, description=description, source=source)


def _notes(folio: Folio, where: str) -> tuple[str, ...]:
    if not where:
        return ("it lies outside the repository, so its place is not recorded: name a folder when you get it (-o)",)
    if folio.repo.run("ls-files", "-z", "--", f":(top,literal){where}"):
        return (
            f"git tracks {where}, too, so that every version is in git as well. If that is not wanted: git rm -r --cached {where}",
        )
    return ()


def ignore(folio: Folio, where: str) -> Path | None:
    """Have git pass a path over: a line in the ``.gitignore`` beside it, as DVC does.

    Returns
    -------
    Path or None
        The file that was changed; None where git passes it over already.
    """
    root = folio.repo.work_tree
    assert root is not None
    if not where:
        raise UsageError("What lies outside the repository needs no line in .gitignore.")
    if folio.repo.succeeds("check-ignore", "--quiet", "--", where):
        return None
    folder, _, name = where.rpartition("/")
    file = root / folder / ".gitignore"
    line = "/" + re.sub(r"([\\*?\[\]!# ])", r"\\\1", name)
    try:
        old = file.read_text("utf-8") if file.exists() else ""
        file.write_text(f"{old}{'' if not old or old.endswith(chr(10)) else chr(10)}{line}\n", "utf-8")
    except (OSError, UnicodeError) as error:
        reason = error if isinstance(error, OSError) else OSError(str(error))
        raise storage_error(f"write {file}", reason) from error
    return file


def found_or_refused(path: Path) -> Path:
    """Return a path at which something lies.

    Raises
    ------
    NotFoundError
        If nothing does.
    """
    if not path.exists():
        raise NotFoundError(f"There is no file or folder {visible(str(path))}. Check the path.")
    return path
