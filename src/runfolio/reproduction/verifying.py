"""Whether a run could be made again, without doing it.

Are code, data, artifacts and environment still there, and intact?

Each fact is ``ok``, ``fault`` or ``unknown`` with its reason; with ``here`` also what has changed between the run and what lies in the
work tree and is installed now. Nothing is changed, fetched or run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, RunfolioError
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.gitstore.ref_values import OBJECT_ID
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.trees import SUBMODULE
from runfolio.records.runs import ArtifactEntry, Run
from runfolio.registry.versions import files_of
from runfolio.reproduction.asking import Asked
from runfolio.reproduction.code import HERE, changed_files, recorded_tree, tree_of
from runfolio.reproduction.data import changed_data, data_facts
from runfolio.reproduction.facts import FAULT, OK, UNKNOWN, Fact
from runfolio.reproduction.starting import masked
from runfolio.reproduction.surroundings import changed_facts, changed_packages, lock_of, obtainable

_MANY = 5


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found.

    Parameters
    ----------
    run : Run
    facts : tuple of Fact
    changed : Mapping of str to Mapping or None
        What differs here and now: ``code`` (files with their lines), ``packages`` and ``facts`` (then and now), ``data`` (digests, then
        and now), ``data_told`` (in words, where there is data that differs); None where that was not asked for.
    """

    run: Run
    facts: tuple[Fact, ...]
    changed: dict[str, dict[str, Any]] | None = field(default=None)

    @property
    def whole(self) -> bool:
        """Whether nothing is amiss: what is unknown is no fault."""
        return all(fact.state != FAULT for fact in self.facts)

    @property
    def same_here(self) -> bool:
        """Whether nothing was found to differ here; true where nobody looked."""
        return not any((self.changed or {}).values())


def verify(folio: Folio, asked: Asked, *, read_data: bool = False, here: bool = False, packages: bool = False) -> Verified:
    """Look whether a run could be made again.

    Parameters
    ----------
    folio : Folio
    asked : Asked
        See :func:`~runfolio.reproduction.asking.asked_for`.
    read_data : bool, optional
        Read every object and compare it with its digest; without it an object must be there.
    here : bool, optional
        Say also what differs in the work tree and in what is installed.
    packages : bool, optional
        Ask the package index for every package of the recorded list.
    """
    run = asked.run
    facts = [
        *_code(folio, run),
        *_arguments(run),
        *data_facts(folio, run, read_data),
        *_objects(folio, run, read_data),
        *_model(folio, asked, read_data),
        *_environment(folio, run, packages),
    ]
    return Verified(run, tuple(facts), _changed(folio, run) if here else None)


def _code(folio: Folio, run: Run) -> Iterator[Fact]:
    tree = recorded_tree(run)
    if not tree:
        yield Fact("code", FAULT, "the record names no code that was kept", "Run it anew in a folio")
        return
    missing = missing_files(folio.repo, tree)
    if missing is None:
        remedy = f"Fetch it: runfolio sync, or git fetch {folio.settings.remote} refs/runfolio/code:refs/runfolio/code"
        yield Fact("code", FAULT, f"the tree {tree[:12]} is not in this clone", remedy)
    elif missing:
        some = ", ".join(missing[:_MANY])
        yield Fact("code", FAULT, f"{len(missing)} files of the tree {tree[:12]} cannot be read: {some}", "Run: git fsck")
    else:
        dirty = ", with changes that were not committed" if run.code.get("dirty") else ""
        yield Fact("code", OK, f"every file of the tree {tree[:12]} is there{dirty}")
    cells = str(run.code.get("cells", ""))
    if cells and folio.repo.read(f"{cells}:cells.py") is None:
        yield Fact("code", FAULT, "the cells are not in this clone", "Fetch them: runfolio sync")
    left_out = run.code.get("left_out") or ()
    if left_out:
        some = ", ".join(str(item.get("path")) for item in list(left_out)[:_MANY])
        yield Fact("code", UNKNOWN, f"{len(left_out)} files were not kept with it: {some}", "Keep data with runfolio data add")


def missing_files(repo: Repo, tree: str) -> list[str] | None:
    """Return the files of a tree that git cannot read; None where the tree itself is not there."""
    if repo.read_kind(tree) != "tree" if OBJECT_ID.match(tree) else repo.read(tree) is None:
        return None
    try:
        entries = [entry for entry in repo.tree_entries(tree, "") if entry.mode != SUBMODULE]
    except RunfolioError:
        return None
    asked = "".join(f"{entry.oid}\n" for entry in entries).encode()
    said = repo.run("cat-file", "--batch-check=%(objecttype)", input=asked).splitlines()
    return [entry.path for entry, kind in zip(entries, said, strict=False) if kind != b"blob"]


def _arguments(run: Run) -> Iterator[Fact]:
    names = [name for _, name in masked([str(item) for item in run.entry.get("args", ())])]
    if names:
        remedy = f"Give them: runfolio reproduce --fill {names[0].lstrip('-')}=…"
        yield Fact("arguments", UNKNOWN, f"the values of {', '.join(names)} are secrets, and not recorded", remedy)
    if not run.entry.get("script"):
        yield Fact("arguments", FAULT, "the record does not say what was started", "Start it from a script or a program")


def _objects(folio: Folio, run: Run, read_data: bool) -> Iterator[Fact]:
    try:
        files = folio.runs.artifacts(run)
    except RunfolioError as error:
        yield Fact("artifacts", FAULT, error.message, "Fetch them: runfolio artifacts pull")
        return
    if files:
        yield _looked_at(folio, "artifacts", files, read_data)
    if run.series is not None and run.series.digest is not None:
        entry = ArtifactEntry(run.series.digest, run.series.size)
        yield _looked_at(folio, "histories", {"the full metric histories": entry}, read_data)


def _model(folio: Folio, asked: Asked, read_data: bool) -> Iterator[Fact]:
    if asked.version is None:
        return
    try:
        files = files_of(folio, asked.version)
    except RunfolioError as error:
        yield Fact("model", FAULT, error.message, "Fetch it: runfolio artifacts pull")
        return
    yield _looked_at(folio, "model", files, read_data)


def _looked_at(folio: Folio, what: str, files: dict[str, ArtifactEntry], read_data: bool) -> Fact:
    digests = {entry.digest: entry.size for entry in files.values()}
    found = folio.store.inspect(digests, list(digests) if read_data else ())
    bad, gone = [], []
    for path, entry in sorted(files.items()):
        said = found.get(entry.digest)
        if isinstance(said, int) and entry.size in (said, -1):
            continue
        if isinstance(said, NotFoundError):
            gone.append(path)
            continue
        bad.append(f"{path}: {said.message if isinstance(said, RunfolioError) else f'{entry.size} bytes recorded, {said} there'}")
    if gone:
        some = ", ".join(gone[:_MANY]) + (f" and {len(gone) - _MANY} more" if len(gone) > _MANY else "")
        bad.insert(0, f"{len(gone)} of {len(files)} files are not in the object store: {some}")
    if bad:
        more = f" … and {len(bad) - _MANY} more" if len(bad) > _MANY else ""
        return Fact(
            what,
            FAULT,
            "; ".join(bad[:_MANY]) + more,
            "Fetch them: runfolio artifacts pull, or from another clone: runfolio artifacts mirror --from FOLDER",
        )
    if len(files) == 1:
        return Fact(what, OK, f"1 file {'matches its digest' if read_data else 'is there, of the right size'}")
    return Fact(what, OK, f"{len(files)} files {'match their digests' if read_data else 'are there, of the right size'}")


def _environment(folio: Folio, run: Run, packages: bool) -> Iterator[Fact]:
    name, lock = run.environment.get("lock"), lock_of(folio, run)
    if not name:
        yield Fact("environment", FAULT, "the record names no package list (capture.packages is off)", "Run it anew with it")
        return
    if lock is None:
        remedy = "runfolio check says which commit to bring it back from"
        yield Fact("environment", FAULT, f"{paths.environment_path(str(name))} is not there", remedy)
        return
    python = run.environment.get("python", "")
    yield Fact("environment", OK, f"the list of {len(lock.splitlines())} packages is there, for Python {python}")
    if packages:
        missing = obtainable(run, lock)
        if missing is None:
            yield Fact("packages", UNKNOWN, "nobody could be asked: there is neither pip nor uv here")
        for line in missing or ():
            yield Fact("packages", FAULT, line, "Without it the environment cannot be made")
        if missing == []:
            yield Fact("packages", OK, "every package can be had")


def _changed(folio: Folio, run: Run) -> dict[str, dict[str, Any]]:
    """Return what differs between a run and what lies and is installed here now."""
    from runfolio.tracking.packages import installed

    made: dict[str, dict[str, Any]] = {"code": {}, "packages": {}, "facts": {}, "data": {}}
    tree = recorded_tree(run)
    if tree and run.code.get("repository", "here") == "here":
        now = tree_of(folio, HERE)
        made["code"] = changed_files(folio.repo, tree, now, folio.place.prefix)
    lock = lock_of(folio, run)
    if lock is not None:
        made["packages"] = dict(changed_packages(lock, installed()))
    here = {"python": "{}.{}.{}".format(*sys.version_info[:3]), "implementation": sys.implementation.name}
    made["facts"] = dict(changed_facts(run.environment, here))
    made["data"] = changed_data(folio, run)
    if made["data"]:
        from runfolio.reproduction.data_told import told_data

        made["data_told"] = told_data(folio, run, made["data"])
    return made
