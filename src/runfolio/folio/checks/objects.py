"""What records name by digest: artifacts and full histories in the object store, code trees in git.

Each object is looked up once, whatever the number of runs that name it; its size is compared with the record's, which finds
what was cut short without reading a byte.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import NamedTuple

from runfolio._dataclass import replace
from runfolio.errors import DamagedError, GitError, NotFoundError, RunfolioError, StorageError
from runfolio.folio.checks.faults import Restore, faults_of
from runfolio.gitstore import Repo
from runfolio.gitstore.ref_values import OBJECT_ID
from runfolio.gitstore.snapshots import CODE_REF, has_tree
from runfolio.objects import ObjectStore, decode_manifest
from runfolio.records import ArtifactEntry, Digest, Lifecycle, Run
from runfolio.records.datasets import Facts
from runfolio.records.findings import Finding, Severity
from runfolio.records.models import ModelVersion

_FILES = "the list of its files"
_BATCH = 2000
_MANY = 20
"""Missing objects, or code trees, from which one finding for all is said, if not a single one is there."""


class _Named(NamedTuple):
    """What names an object: file, run or version, field, what the object is, its entry (a size of -1 is not recorded), and whose it is."""

    path: str
    who: str
    field: str
    what: str
    entry: ArtifactEntry
    user: str = ""


class _List(NamedTuple):
    """What names a list of files, the field that says how many they are, and that number."""

    named: _Named
    counted: str
    number: int


class Elsewhere(NamedTuple):
    """Why a store may have none of the objects, though nothing is lost (empty where it may not), and what would bring them here."""

    why: str
    remedy: str


class ObjectCheck:
    """Looks up the objects that runs, versions of models and datasets name, many at a time: in a bucket each look is a request.

    Parameters
    ----------
    store : ObjectStore
    share : float
        Of the objects, from 0 to 1, those whose bytes are read and compared.
    restore : callable
    findings : list of Finding
    elsewhere : Elsewhere, optional
        For a look at records alone, as CI does at a pull request's: objects that this machine cannot look at say nothing of them. Then it
        is a warning that the store has none of them, where that may be so, or cannot be reached.
    own : tuple of str and Elsewhere, optional
        For a store that no other clone shares, who logs here, and why the objects of others, by the user that their records name, are not.
    """

    def __init__(
        self,
        store: ObjectStore,
        share: float,
        restore: Restore,
        findings: list[Finding],
        elsewhere: Elsewhere | None = None,
        own: tuple[str, Elsewhere] | None = None,
    ) -> None:
        self._store, self._share, self._restore, self._findings = store, share, restore, findings
        self._elsewhere, self._own = elsewhere, own
        self._others: dict[bytes, str] = {}
        self._known: dict[bytes, int | str] = {}
        self._named: list[_Named] = []
        self._lists: list[_List] = []
        self._missing: list[Finding] = []
        self._present = 0
        self._unreachable = False
        self.read = 0

    @property
    def known(self) -> int:
        """How many objects were looked up."""
        return len(self._known)

    def take(self, path: str, run: Run) -> None:
        """Look up the objects of one run; those of a deleted one may be gone (``runfolio gc --deleted-runs``)."""
        if run.lifecycle is Lifecycle.DELETED:
            return
        who = f"run {run.run_id}"
        self._named.extend(_Named(path, who, field, what, entry, run.user) for field, what, entry in _of_run(run))
        if run.manifest is not None:
            named = _Named(path, who, "manifest", _FILES, run.manifest, run.user)
            self._lists.append(_List(named, "artifact_count", run.artifact_count))
        self._look_at_many()

    def take_version(self, path: str, version: ModelVersion) -> None:
        """Look up the objects of one version of a registered model: its manifest, and the files that it lists."""
        if version.digest is not None:
            named = _Named(path, f"version {version.version}", "digest", _FILES, ArtifactEntry(version.digest, -1), version.user)
            self._lists.append(_List(named, "files", version.file_count))
        self._look_at_many()

    def take_object(self, path: str, who: str, field: str, what: str, entry: ArtifactEntry) -> None:
        """Look up one object that another record names."""
        self._named.append(_Named(path, who, field, what, entry))
        self._look_at_many()

    def take_content(self, path: str, facts: Facts) -> None:
        """Look up the object with a content of a dataset, and what it lists where that is a folder."""
        digest, who = Digest(facts.digest), f"dataset {path.split('/')[-2]}"
        if facts.manifest_size:
            named = _Named(path, who, "manifest", _FILES, ArtifactEntry(digest, facts.manifest_size))
            self._lists.append(_List(named, "files", facts.files))
        else:
            self._named.append(_Named(path, who, "digest", "its content", ArtifactEntry(digest, facts.size)))
        self._look_at_many()

    def finish(self) -> None:
        """Say what is missing: one by one, or at once where this clone has no object at all."""
        self._look()
        if self._others and self._own:
            users = sorted(set(self._others.values()))
            named = f"{', '.join(users[:3])}{f' and {len(users) - 3:,} more' if len(users) > 3 else ''}"
            many = len(self._others)
            verb = "is" if many == 1 else "are"
            message = f"{many:,} of the objects that records of {named} name {verb} not here: {self._own[1].why}"
            self._findings.append(Finding("object.elsewhere", Severity.WARNING, "", "", message, self._own[1].remedy))
        if self._missing and not self._present and self._elsewhere and self._elsewhere.why:
            message = f"none of the {self.known:,} objects that records name is here to be looked at: {self._elsewhere.why}"
            self._findings.append(Finding("object.elsewhere", Severity.WARNING, "", "", message, self._elsewhere.remedy))
            return
        if self._present or len(self._missing) <= _MANY:
            self._findings.extend(self._missing)
            return
        message = (
            f"none of the {len(self._missing)} objects that runs name is in the object store of this clone, "
            f"such as {self._missing[0].message}"
        )
        remedy = "Name the store that has them (RUNFOLIO_ARTIFACTS, or artifacts: in runfolio.yaml), or copy it here"
        self._findings.append(Finding("object.missing", Severity.ERROR, "", "", message, remedy))

    def _look_at_many(self) -> None:
        if len(self._named) + len(self._lists) >= _BATCH:
            self._look()

    def _look(self) -> None:
        """Look up what was named, then what the lists name that are whole."""
        lists, self._lists = self._lists, []
        named, self._named = self._named + [item.named for item in lists], []
        self._inspect(named)
        good = {id(item) for item in named if self._judge(item)}
        inner: list[_Named] = []
        for item in lists:
            if id(item.named) in good:
                inner += self._read(item)
        self._inspect(inner)
        for each in inner:
            self._judge(each)

    def _inspect(self, named: list[_Named]) -> None:
        """Find out about objects that are not known yet."""
        sizes = {item.entry.digest: item.entry.size for item in named if _key(item.entry) not in self._known}
        if not sizes or self._unreachable:
            return
        # So many, rounded up, and not each by a throw: of three objects a half is two, never none.
        read = set(random.sample(list(sizes), math.ceil(len(sizes) * self._share)))
        self.read += len(read)
        try:
            found = self._store.inspect(sizes, read)
            # Bytes are read where the size is wrong, to tell a wrong record from a damaged object.
            wrong = {digest for digest, size in found.items() if size != sizes[digest] >= 0 and isinstance(size, int)} - read
            found.update(self._store.inspect(wrong, wrong))
        except StorageError as error:
            self._unreachable = True
            remedy = "Check the place and the network, and run this again"
            severity = Severity.WARNING if self._elsewhere else Severity.ERROR
            self._findings.append(Finding("object.unreachable", severity, "", "", error.message.rstrip("."), remedy))
            return
        for digest, said in found.items():
            self._present += isinstance(said, int)
            self._known[bytes.fromhex(digest[7:])] = said if isinstance(said, int) else _fault(said)

    def _judge(self, item: _Named) -> bool:
        """Tell whether an object can be read, and say what is wrong with it."""
        found = self._known.get(_key(item.entry))
        if found is None:
            return False
        digest, size = item.entry.digest, item.entry.size
        if isinstance(found, str):
            rule = "object.missing" if found.startswith("not in") else "object.damaged"
            if rule == "object.missing" and self._own and item.user not in ("", self._own[0]):
                self._others.setdefault(_key(item.entry), item.user)
                return False
            message = f"{item.who}: {item.what}: the object {digest} is {found}"
            remedy = "Copy it from a store that has it (runfolio artifacts mirror --from PLACE), or run again"
            if rule == "object.damaged":  # what is there is not written again
                remedy = f"Delete it. {remedy}"
            made = Finding(rule, Severity.ERROR, item.path, item.field, message, remedy)
            (self._missing if rule == "object.missing" else self._findings).append(made)
            return False
        if found != size >= 0:
            message = f"{item.who}: {item.what}: the record says {size} bytes, the object {digest} has {found}"
            self._findings.append(
                Finding("object.size", Severity.ERROR, item.path, item.field, message, self._restore(item.path))
            )
        return True

    def _read(self, item: _List) -> list[_Named]:
        """Return what a list of files names."""
        path, who, field, _, manifest, user = item.named
        where = f"the list of files of {who} ({manifest.digest})"
        try:
            listed = decode_manifest(self._store.read(manifest.digest), where)
        except DamagedError as error:
            made = faults_of(error, where, b"", "object.manifest", self._restore(path))
            self._findings.extend(replace(one, file=path, field=f"{field} {one.field}".strip()) for one in made)
            return []
        except (NotFoundError, StorageError) as error:
            self._findings.append(
                Finding("object.unreachable", Severity.ERROR, path, field, error.message.rstrip("."), "Run this again")
            )
            return []
        if item.number != len(listed):
            message = f"{item.number} in the record, {len(listed)} in the list that it names"
            self._findings.append(Finding("object.manifest", Severity.ERROR, path, item.counted, message, self._restore(path)))
        return [_Named(path, who, f"artifacts.{name}", f"artifact {name}", entry, user) for name, entry in listed.items()]


def _key(entry: ArtifactEntry) -> bytes:
    return bytes.fromhex(entry.digest[7:])


def _fault(error: RunfolioError) -> str:
    if isinstance(error, NotFoundError):
        return "not in the object store"
    if isinstance(error, DamagedError):
        return "damaged: its bytes are not those of its digest"
    return f"unreadable: {error.message.rstrip('.')}"


class CodeCheck:
    """Looks up the code trees that runs name.

    Parameters
    ----------
    repo : Repo
    remote : str
        Where a fetch would look.
    findings : list of Finding
    """

    def __init__(self, repo: Repo, remote: str, restore: Restore, findings: list[Finding]) -> None:
        self._repo, self._remote, self._restore, self._findings = repo, remote, restore, findings
        self._known: dict[str, bool] = {}  # trees and commits
        self._missing: dict[str, tuple[str, int]] = {}

    def take(self, path: str, run: Run) -> None:
        """Look up the code of one run."""
        for field in ("commit", "tree"):
            oid = run.code.get(field)
            if oid is not None and not (isinstance(oid, str) and OBJECT_ID.match(oid)):
                message = f"40 or 64 hex digits are expected, found {oid!r}"
                self._findings.append(Finding("code.id", Severity.ERROR, path, f"code.{field}", message, self._restore(path)))
                continue
            if oid is not None and field == "tree" and not self._there(oid) and not self._committed(run):
                first, count = self._missing.get(oid, (path, 0))
                self._missing[oid] = (first, count + 1)

    def _there(self, oid: str) -> bool:
        known = self._known.get(oid)
        if known is None:
            try:
                known = has_tree(self._repo, oid) or self._repo.read(oid) is not None
            except GitError:
                known = False
            self._known[oid] = known
        return known

    def _committed(self, run: Run) -> bool:
        """Tell whether a commit that is here holds the code: `git push` takes no hidden ref along, but it takes that."""
        commit = run.code.get("commit")
        return (
            run.code.get("dirty") is False and isinstance(commit, str) and bool(OBJECT_ID.match(commit)) and self._there(commit)
        )

    def finish(self) -> None:
        """Say which code is missing; where this clone never fetched any, once for all."""
        if not self._missing:
            return
        remedy = f"Push it from the clone that made the run (runfolio sync), then: git fetch {self._remote} {CODE_REF}:{CODE_REF}"
        trees = self._missing.items()
        if len(self._missing) > _MANY and self._repo.resolve(CODE_REF) is None:
            runs = sum(count for _, (_, count) in trees)
            message = f"the code of {runs} runs ({len(trees)} trees) is not in this clone: it has no {CODE_REF}"
            self._findings.append(Finding("code.missing", Severity.WARNING, "", "", message, remedy))
            return
        for tree, (path, count) in trees:
            more = f" (and of {count - 1} more runs)" if count > 1 else ""
            message = f"the tree {tree} with the exact code of the run{more} is not in this clone"
            self._findings.append(Finding("code.missing", Severity.WARNING, path, "code.tree", message, remedy))


def _of_run(run: Run) -> Iterator[tuple[str, str, ArtifactEntry]]:
    for name, entry in run.artifacts.items():
        yield f"artifacts.{name}", f"artifact {name}", entry
    if run.series is not None and run.series.digest is not None:
        yield "series.digest", "the full metric histories", ArtifactEntry(run.series.digest, run.series.size)
