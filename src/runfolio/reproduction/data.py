"""The data of a run: what the recorded code names by digest, and what the record says was read and is kept nowhere."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, RunfolioError
from runfolio.folio.dataset_adding import Wanted, add
from runfolio.folio.dataset_hashing import digest_of
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
from runfolio.reproduction.scratch import Scratch
from runfolio.reproduction.step_data import input_facts

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


def bring_data(folio: Folio, run: Run, scratch: Scratch, source: str) -> Data:
    """Bring the data of a run to their places in a code tree.

    Parameters
    ----------
    folio : Folio
        Whose store, and whose work tree, the data come from.
    run : Run
    scratch : Scratch
    source : str
        ``recorded``: by the digests that the code names; ``here``: as they lie in the work tree now.

    Raises
    ------
    CannotRunError
        With each dataset that cannot be had, and why.
    """
    if source == HERE:
        return _from_here(folio, run, scratch)
    made = Data()
    told: list[str] = []
    restored = restore(folio.store, scratch.root, scratch.folio.place.prefix)
    made.digests.update({item.dataset.path: item.dataset.digest for item in restored.placed})
    for item in restored.missing:
        if item.dataset is not None and lies_here(folio, item.dataset):
            assert folio.repo.work_tree is not None
            _copy(folio.repo.work_tree / item.dataset.path, scratch.root / item.dataset.path)
            made.digests[item.dataset.path] = item.dataset.digest
        elif item.dataset is not None and not item.dataset.path:
            _without_place(folio, run, item.dataset, made.notes, told)
        else:
            told.append(f"{item.dataset.name if item.dataset else 'datasets'}: {item.reason}")
    _refuse(told)
    # With other code than the recorded one, other contents may be current.
    before = {dataset.path: dataset.digest for dataset in recorded_datasets(folio, run)}
    made.changed.update(
        {path: (before.get(path, ""), digest) for path, digest in made.digests.items() if before.get(path) != digest}
    )
    return made


def _refuse(told: Sequence[str]) -> None:
    if told:
        raise CannotRunError("data is missing:\n" + "\n".join(f"  {line}" for line in told))


def _without_place(folio: Folio, run: Run, dataset: Dataset, notes: list[str], told: list[str]) -> None:
    """Say what becomes of a dataset that has no place in the code tree: no path of the program's leads to it, only its name does."""
    if dataset.object is not None and folio.store.exists(dataset.object):
        return
    reason = how_to_fetch(dataset) if dataset.object is None else f"{dataset.digest} is not in the object store"
    if _named(run, dataset):
        told.append(f"{dataset.name}: {reason}")
    else:
        notes.append(f"the dataset {dataset.name} is not at hand, and the run's record does not name it: {reason}")


def _named(run: Run, dataset: Dataset) -> bool:
    """Tell whether a run's record says that it read a dataset."""
    return any(dataset.name in (item.name, _said(item.source).get("dataset")) for item in run.inputs)


def lies_here(folio: Folio, dataset: Dataset) -> bool:
    """Tell whether the recorded content lies at its place in the work tree: what another tool keeps, or the store has lost."""
    if folio.repo.work_tree is None or not dataset.path:
        return False
    place = folio.repo.work_tree / dataset.path
    try:
        return place.exists() and digest_of(place, dataset.digest) == dataset.digest
    except (RunfolioError, OSError):
        return False


def _from_here(folio: Folio, run: Run, scratch: Scratch) -> Data:
    """Copy what lies in the work tree now, make it current, and say which of it is not what was recorded."""
    work_tree, root = folio.repo.work_tree, scratch.root
    if work_tree is None:
        raise CannotRunError("a bare repository has no data: leave --data here away")
    made = Data()
    told: list[str] = []
    for dataset in datasets_in(root / scratch.folio.place.prefix / paths.DATASETS).datasets:
        if not dataset.path:
            _without_place(folio, run, dataset, made.notes, told)
            continue
        if not (work_tree / dataset.path).exists():
            told.append(f"{dataset.name}: nothing lies at {dataset.path} here")
            continue
        _copy(work_tree / dataset.path, root / dataset.path)
        now = _now(folio, dataset, work_tree / dataset.path)
        made.digests[dataset.path] = now
        if now != dataset.digest:
            made.changed[dataset.path] = dataset.digest, now
            _make_current(scratch, dataset)
    _refuse(told)
    for name in kept_nowhere(run, root):
        if (work_tree / name).exists():
            _copy(work_tree / name, root / name)
            made.notes.append(f"{name} is as it lies in the work tree now: it is not in the recorded code")
    return made


def _make_current(scratch: Scratch, dataset: Dataset) -> None:
    """Let ``runfolio.data.load("wine")`` in the program mean what lies at the dataset's place in the scratch folio."""
    if scratch.folio.repo.work_tree == scratch.root:
        add(scratch.folio, scratch.root / dataset.path, Wanted(name=dataset.name))


def _now(folio: Folio, dataset: Dataset, place: Path) -> str:
    """Say what lies at a dataset's place: its digest; of a folder that is another than recorded, the files that differ."""
    if not place.exists():
        return ""
    if dataset.kind is DatasetKind.FILE:
        return digest_of(place, dataset.digest) if place.is_file() else "a folder"
    if dataset.object is None:  # DVC's: its list of files is not at hand
        return digest_of(place, dataset.digest) if place.is_dir() else "a file"
    wanted = manifest_of(folio.store, dataset.object, dataset.name)
    there = {file.relative_to(place).as_posix(): file for file in sorted(place.rglob("*")) if file.is_file()}
    changed = [name for name in wanted.keys() & there.keys() if digest_of_file(there[name])[0] != wanted[name].digest]
    changed += wanted.keys() ^ there.keys()
    if not changed:
        return dataset.digest
    some = ", ".join(sorted(changed)[:3]) + (" …" if len(changed) > 3 else "")
    return f"{len(changed)} file{'s' * (len(changed) != 1)} differ{'s' * (len(changed) == 1)}: {some}"


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder to a place of the code tree, instead of what lies there."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copyfile(source, target)


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
    said = _said(source)
    uri = str(said.get("uri") or said.get("local_uri") or "")
    return "" if "://" in uri or uri.startswith(("runs:/", "models:/", "data:")) else uri


def _said(source: str) -> dict[str, object]:
    """Return what a dataset's source says of itself; empty where it is not JSON."""
    try:
        said = json.loads(source) if source.startswith("{") else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


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
    yield from input_facts(folio, run)
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
    if dataset.object is None and lies_here(folio, dataset):
        return Fact("data", OK, f"{dataset.name} ({dataset.digest[:19]}) lies at its place here")
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
        remedy = "Fetch it: runfolio artifacts pull"
        if lies_here(folio, dataset):
            remedy = f"It lies at its place here. Keep it: runfolio data add {shlex.quote(dataset.path)}"
        return Fact("data", FAULT, f"{dataset.name}: {error.message}", remedy)
    how = "matches its digest" if read_data else "is there"
    return Fact("data", OK, f"{dataset.name} ({dataset.digest[:19]}) {how}")
