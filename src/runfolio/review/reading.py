"""The files that a change touches, told apart by kind and read on both sides; what cannot be read is named, and hides no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, GitError, NewerSchemaError
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.formats.datasets import decode_dataset, decode_facts
from runfolio.formats.deployments import decode_deployment
from runfolio.formats.experiments import decode_experiment
from runfolio.formats.models import decode_model, decode_version
from runfolio.formats.reproductions import decode_reproduction
from runfolio.formats.runs import decode_run
from runfolio.gitstore.difference import PLAIN, FileDifference, tree_difference
from runfolio.records import Experiment, Run
from runfolio.records.datasets import Dataset, Facts
from runfolio.records.deployments import Deployment
from runfolio.records.findings import Finding, Severity
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.reproductions import Reproduction
from runfolio.site.words import count_words

_BATCH = 512


@dataclass(slots=True)
class Side:
    """The records among the changed files, as one of the two commits has them."""

    runs: dict[str, Run] = field(default_factory=dict)
    experiments: dict[str, Experiment] = field(default_factory=dict)
    models: dict[str, RegisteredModel] = field(default_factory=dict)
    versions: dict[tuple[str, int], ModelVersion] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    cards: dict[str, str] = field(default_factory=dict)
    environments: dict[str, bytes] = field(default_factory=dict)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    reproductions: dict[str, Reproduction] = field(default_factory=dict)


@dataclass(slots=True)
class Read:
    """What was read of a change.

    Parameters
    ----------
    before, after : Side
    run_paths : dict of str to str
        Where the record of each run lies, from the repository's root.
    touched : list of FileDifference
        Every file that differs, in and outside the folio; paths from the repository's root.
    inner : list of FileDifference
        Those in the folio's folders; paths from the repository's root.
    faults : list of Finding
        What could not be read, or is no plain file.
    unread : set of str
        Paths from the folio's root that one side has and that could not be read there: of them nothing is known to be new or gone.
    files : Counter
        How many files of each kind; see :class:`runfolio.review.change.Change`.
    """

    before: Side = field(default_factory=Side)
    after: Side = field(default_factory=Side)
    run_paths: dict[str, str] = field(default_factory=dict)
    touched: list[FileDifference] = field(default_factory=list)
    inner: list[FileDifference] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    files: Counter[str] = field(default_factory=Counter)


def read_change(place: Place, base: str, head: str) -> Read:
    """Read what differs between two commits.

    Parameters
    ----------
    place : Place
    base, head : str
        Commit ids.

    Raises
    ------
    GitError
        If one of the commits is not in this clone.
    """
    read = Read(touched=tree_difference(place.repo, base, head))
    for item in read.touched:
        kind = kind_of(place.strip(item.path)) if item.path.startswith(place.prefix) else "other"
        read.files[kind] += 1
        if kind != "other":
            read.inner.append(item)
    for side, which in ((read.before, "old"), (read.after, "new")):
        _read_side(place, read, side, which)
    return read


def kind_of(path: str) -> str:
    """Return what a file of the folio is about, by its path from the folio's root: a name of ``Change.files``."""
    if path in (paths.SETTINGS, paths.POLICY):
        return "settings"
    if paths.is_of_dataset(path):
        return paths.DATASETS
    first = path.split("/", 1)[0]
    return first if first in paths.OURS and "/" in path else "other"


def _read_side(place: Place, read: Read, side: Side, which: str) -> None:
    wanted = []
    for item in read.inner:
        oid, mode = getattr(item, which), getattr(item, f"{which}_mode")
        if oid is None:
            continue
        if mode not in PLAIN:
            read.unread.add(place.strip(item.path))
            if which == "new":
                read.faults.append(_odd_mode(item))
            continue
        wanted.append((item, oid))
    for item, data in _contents(place, wanted):
        inner = place.strip(item.path)
        if data is None:
            read.unread.add(inner)
            read.faults.append(_missing(item.path))
            continue
        try:
            _take(side, inner, data, trusted=which == "old")
        except (DamagedError, NewerSchemaError) as error:
            read.unread.add(inner)
            read.faults += _damage(item, error) if which == "new" else _damaged_before(item)
        named = paths.run_of_path(inner)
        if named is not None:
            read.run_paths[named[1]] = item.path


def _contents(place: Place, wanted: list[tuple[FileDifference, str]]) -> Iterator[tuple[FileDifference, bytes | None]]:
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        try:
            found: Iterable[bytes | None] = [data for _, data in place.repo.read_many(oid for _, oid in part)]
        except GitError:  # git stops at an object that it cannot unpack: ask for each alone
            found = [_one(place, oid) for _, oid in part]
        yield from zip((item for item, _ in part), found, strict=True)


def _one(place: Place, oid: str) -> bytes | None:
    try:
        return place.repo.read(oid)
    except GitError:
        return None


def _take(side: Side, path: str, data: bytes, *, trusted: bool) -> None:
    decode: Mapping[str, Callable[[], Any]] = {
        paths.RUNS: lambda: _take_run(side, path, data, trusted=trusted),
        paths.EXPERIMENTS: lambda: _take_experiment(side, path, data),
        paths.MODELS: lambda: _take_model(side, path, data),
        paths.DATASETS: lambda: _take_dataset(side, path, data, trusted=trusted),
        paths.ENVIRONMENTS: lambda: side.environments.__setitem__(path, data),
        paths.REPRODUCTIONS: lambda: _take_reproduction(side, path, data, trusted=trusted),
    }
    found = decode.get(path.split("/", 1)[0])
    if found is not None:
        found()


def _take_run(side: Side, path: str, data: bytes, *, trusted: bool) -> None:
    named = paths.run_of_path(path)
    if named is not None:
        side.runs[named[1]] = decode_run(data, path, trusted=trusted)


def _take_reproduction(side: Side, path: str, data: bytes, *, trusted: bool) -> None:
    if paths.reproduction_of_path(path) is not None:
        side.reproductions[path] = decode_reproduction(data, path, trusted=trusted)


def _take_experiment(side: Side, path: str, data: bytes) -> None:
    slug = paths.experiment_of_path(path)
    if slug is not None:
        side.experiments[slug] = decode_experiment(data, path)


def _take_model(side: Side, path: str, data: bytes) -> None:
    slug, found = paths.model_of_path(path), paths.version_of_path(path)
    if slug is not None:
        side.models[slug] = decode_model(data, path)
    elif found is not None:
        side.versions[found] = decode_version(data, path)
    elif paths.card_of_path(path) is not None:
        side.cards[path] = data.decode("utf-8", "replace")
    elif paths.deployment_of_path(path) is not None:
        side.deployments[path] = decode_deployment(data, path)


def _take_dataset(side: Side, path: str, data: bytes, *, trusted: bool) -> None:
    slug = paths.dataset_of_path(path)
    if slug is not None:
        side.datasets[slug] = decode_dataset(data, path)
    elif paths.facts_of_path(path) is not None:
        found = decode_facts(data, path, trusted=trusted)
        side.facts[found.digest] = found


_KINDS = {"120000": "a symbolic link", "160000": "a submodule", "100755": "an executable file"}


def _odd_mode(item: FileDifference) -> Finding:
    kind = _KINDS.get(item.new_mode, f"of mode {item.new_mode}")
    return Finding(
        "review.mode", Severity.ERROR, item.path, "", f"a plain file is expected here, this is {kind}", "Do not merge it"
    )


def _missing(path: str) -> Finding:
    message = "its content is not in this clone (a partial clone, or damage)"
    return Finding("review.unread", Severity.ERROR, path, "", message, "Fetch it: git fetch --refetch")


def _damage(item: FileDifference, error: DamagedError) -> list[Finding]:
    lines = [line for line in error.message.splitlines() if line.strip()]
    first = lines[0].removeprefix(f"{item.path}: ").rstrip(".") if lines else "it cannot be read"
    more = f" (and {count_words(len(lines) - 1, 'more fault')})" if len(lines) > 1 else ""
    remedy = "" if "runfolio check" in first else "Every fault, and what to do: runfolio check"
    what = "it cannot be read any more" if item.old else "it cannot be read"
    return [Finding("review.damaged", Severity.ERROR, item.path, "", f"{what}: {first}{more}", remedy)]


def _damaged_before(item: FileDifference) -> list[Finding]:
    change = "it is gone now" if item.new is None else "what was changed is not known, and it counts as nothing new"
    remedy = "Compare it with the version before that one: git log -p"
    return [
        Finding("review.base-damaged", Severity.WARNING, item.path, "", f"the base's version cannot be read; {change}", remedy)
    ]
