"""The data of a run: what the recorded code names by digest, and what the record says was read and is kept nowhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, RunfolioError
from runfolio.folio.dataset_placing import how_to_fetch, manifest_of, restore
from runfolio.folio.datasets import datasets_in
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.formats.datasets import decode_dataset
from runfolio.gitstore.trees import folder_names
from runfolio.objects.files import digest_of_file
from runfolio.records.datasets import Dataset, DatasetKind, Holder
from runfolio.records.runs import ArtifactEntry, Run
from runfolio.reproduction.asking import CannotRunError
from runfolio.reproduction.code import recorded_tree
from runfolio.reproduction.facts import FAULT, OK, UNKNOWN, Fact

RECORDED, HERE = "recorded", "here"


@dataclass(slots=True)
class Data:
    """What was brought.

    Parameters
    ----------
    digests : dict of str to str
        Of the datasets that lie at their paths.
    changed : dict of str to (str, str)
        Datasets whose content is another than the recorded one, then and now.
    notes : list of str
    """

    digests: dict[str, str] = field(default_factory=dict)
    changed: dict[str, tuple[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def bring_data(folio: Folio, run: Run, root: Path, prefix: str, source: str) -> Data:
    """Bring the data of a run to its places in a code tree.

    Parameters
    ----------
    folio : Folio
        Whose store, and whose work tree, the data come from.
    run : Run
    root : Path
        The code tree.
    prefix : str
        The folio's folder in it.
    source : str
        ``recorded``: by the digests that the code names; ``here``: as it lies in the work tree now.

    Raises
    ------
    CannotRunError
        With each dataset that cannot be had, and why.
    """
    if source == HERE:
        return _from_here(folio, run, root, prefix)
    restored = restore(folio.store, root, prefix)
    if restored.missing:
        told = [f"{item.dataset.name if item.dataset else 'datasets'}: {item.reason}" for item in restored.missing]
        raise CannotRunError("data is missing:\n" + "\n".join(f"  {line}" for line in told))
    placed = {item.dataset.path: item.dataset.digest for item in restored.placed}
    # With other code than the recorded one, other contents may be current.
    before = {dataset.path: dataset.digest for dataset in recorded_datasets(folio, run)}
    changed = {path: (before.get(path, ""), digest) for path, digest in placed.items() if before.get(path) != digest}
    return Data(placed, changed)


def _from_here(folio: Folio, run: Run, root: Path, prefix: str) -> Data:
    """Copy what lies in the work tree now, and say which of it is not what was recorded."""
    work_tree = folio.repo.work_tree
    if work_tree is None:
        raise CannotRunError("a bare repository has no data: leave --data here away")
    made = Data()
    for dataset in datasets_in(root / prefix / paths.DATASETS).datasets:
        if not dataset.path or not _copy(work_tree / dataset.path, root / dataset.path):
            raise CannotRunError(f"data is missing:\n  {dataset.name}: nothing lies at {dataset.path or 'its place'} here")
        now = _now(folio, dataset, work_tree / dataset.path)
        made.digests[dataset.path] = now
        if now != dataset.digest:
            made.changed[dataset.path] = dataset.digest, now
    for name in kept_nowhere(run, root):
        if _copy(work_tree / name, root / name):
            made.notes.append(f"{name} is as it lies in the work tree now: it is not in the recorded code")
    return made


def _now(folio: Folio, dataset: Dataset, place: Path) -> str:
    """Say what lies at a dataset's place: its digest; of a folder that is another than recorded, the files that differ."""
    if not place.exists():
        return ""
    if dataset.kind is DatasetKind.FILE:
        return str(digest_of_file(place)[0]) if place.is_file() else "a folder"
    assert dataset.object is not None
    wanted = manifest_of(folio.store, dataset.object, dataset.name)
    there = {file.relative_to(place).as_posix(): file for file in sorted(place.rglob("*")) if file.is_file()}
    changed = [name for name in wanted.keys() & there.keys() if digest_of_file(there[name])[0] != wanted[name].digest]
    changed += wanted.keys() ^ there.keys()
    if not changed:
        return dataset.digest
    some = ", ".join(sorted(changed)[:3]) + (" …" if len(changed) > 3 else "")
    return f"{len(changed)} file{'s' * (len(changed) != 1)} differ{'s' * (len(changed) == 1)}: {some}"


def _copy(source: Path, target: Path) -> bool:
    if target.exists():
        return True
    if not source.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copyfile(source, target)
    return True


def kept_nowhere(run: Run, root: Path) -> list[str]:
    """Return files that the run found or read and that do not lie in a folder with its code, from its root."""
    return [name for name in read_files(run) if not (root / name).exists()]


def read_files(run: Run) -> list[str]:
    """Return what the snapshot of the code left out, and local files that the run says it read, from the root of its code."""
    names = [str(item.get("path", "")) for item in run.code.get("left_out", ()) if isinstance(item, dict)]
    cwd = str(run.entry.get("cwd", ""))
    for item in run.inputs:
        path = _local_path(item.source)
        if path and not os.path.isabs(path) and not path.startswith("~"):
            names.append(os.path.normpath(os.path.join("" if cwd == ".." else cwd, path)))
    return [name for name in dict.fromkeys(names) if name and not name.startswith("..") and not os.path.isabs(name)]


def _local_path(source: str) -> str:
    """Return the path of a dataset's source that is a file; empty for any other."""
    try:
        said = json.loads(source) if source.startswith("{") else {}
    except ValueError:
        return ""
    uri = str(said.get("uri") or said.get("local_uri") or "")
    return "" if "://" in uri else uri


def missing_words(names: Sequence[str]) -> str:
    """Say what may be missing, as the end of a reason; empty where nothing is."""
    if not names:
        return ""
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (
        f"\nIt ran without {some}: not in the recorded code, nor a dataset by digest. Keep data with runfolio data add; take what lies in "
        "the work tree now with --data here."
    )


def data_facts(folio: Folio, run: Run, read_data: bool) -> Iterator[Fact]:
    """Say whether the data that the recorded code names by digest are there, and which are kept nowhere.

    Parameters
    ----------
    folio : Folio
    run : Run
    read_data : bool
        Read the bytes, and compare them.
    """
    for dataset in recorded_datasets(folio, run):
        yield _dataset_fact(folio, dataset, read_data)
    names = _outside(folio, run)
    if names:
        some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        yield Fact("data", UNKNOWN, f"read, and kept nowhere by digest: {some}", "Keep it: runfolio data add PATH")


def _outside(folio: Folio, run: Run) -> list[str]:
    """Return local files that the run says it read and that are neither in its code nor datasets."""
    tree = recorded_tree(run)
    names = [name for name in read_files(run) if not tree or folio.repo.read_kind(f"{tree}:{name}") is None]
    held = {dataset.path for dataset in recorded_datasets(folio, run)}
    return [name for name in names if not any(name == path or name.startswith(f"{path}/") for path in held)]


def changed_data(folio: Folio, run: Run) -> dict[str, tuple[str, str]]:
    """Return the datasets that are other in the work tree than the run's code names: digest then and now, ``""`` where it is gone."""
    work_tree = folio.repo.work_tree
    made: dict[str, tuple[str, str]] = {}
    for dataset in recorded_datasets(folio, run) if work_tree is not None else ():
        assert work_tree is not None
        place = work_tree / dataset.path
        now = _now(folio, dataset, place) if dataset.path and dataset.held_by is Holder.STORE else dataset.digest
        if now != dataset.digest:
            made[dataset.path or dataset.name] = dataset.digest, now
    return made


def recorded_datasets(folio: Folio, run: Run) -> list[Dataset]:
    """Return the datasets that the recorded code names."""
    tree = recorded_tree(run)
    folder = f"{tree}:{folio.place.full(paths.DATASETS)}"
    made = []
    for name in folder_names(folio.repo, folder) if tree else ():
        path = f"{paths.DATASETS}/{name}"
        data = folio.repo.read(f"{folder}/{name}") if paths.dataset_of_path(path) else None
        if data is not None:
            with suppress(DamagedError):
                made.append(decode_dataset(data, path))
    return made


def _dataset_fact(folio: Folio, dataset: Dataset, read_data: bool) -> Fact:
    if dataset.object is None:
        return Fact("data", UNKNOWN, f"{dataset.name}: {how_to_fetch(dataset)}")
    try:
        files = {"": ArtifactEntry(dataset.object, -1)}
        if dataset.kind is DatasetKind.FOLDER:
            files = {**manifest_of(folio.store, dataset.object, dataset.name)}
        found = folio.store.inspect(
            [entry.digest for entry in files.values()], [e.digest for e in files.values()] if read_data else ()
        )
        bad = next((said for said in found.values() if isinstance(said, RunfolioError)), None)
        if bad is not None:
            raise bad
    except RunfolioError as error:
        return Fact("data", FAULT, f"{dataset.name}: {error.message}", "Fetch it: runfolio artifacts pull")
    how = "matches its digest" if read_data else "is there"
    return Fact("data", OK, f"{dataset.name} ({dataset.digest[:19]}) {how}")
