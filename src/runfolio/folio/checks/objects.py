"""What records name by digest: artifacts and full histories in the object store, code trees in git.

Each object is looked up once, whatever the number of runs that name it; its size is compared with the record's, which finds
what was cut short without reading a byte.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from runfolio.errors import DamagedError, GitError, NotFoundError, RunfolioError
from runfolio.folio.checks.faults import Restore, faults_of
from runfolio.gitstore import Repo
from runfolio.gitstore.repo import OBJECT_ID
from runfolio.gitstore.snapshots import CODE_REF, has_tree
from runfolio.objects import ObjectStore, decode_manifest
from runfolio.records import ArtifactEntry, Lifecycle, Run
from runfolio.records.findings import Finding, Severity
from runfolio.records.models import ModelVersion

_MANY = 20
"""Missing objects, or code trees, from which one finding for all is said, if not a single one is there."""


class ObjectCheck:
    """Looks up the objects that runs and versions of models name; a size of -1 is that of a list whose size no record says.

    Parameters
    ----------
    store : ObjectStore
    share : float
        Of the objects, from 0 to 1, those whose bytes are read and compared.
    restore : callable
    findings : list of Finding
    """

    def __init__(self, store: ObjectStore, share: float, restore: Restore, findings: list[Finding]) -> None:
        self._store, self._share, self._restore, self._findings = store, share, restore, findings
        self._known: dict[bytes, int | str] = {}
        self._missing: list[Finding] = []
        self._present = 0
        self.read = 0

    def take(self, path: str, run: Run) -> None:
        """Look up the objects of one run; those of a deleted one may be gone (``runfolio gc --deleted-runs``)."""
        if run.lifecycle is Lifecycle.DELETED:
            return
        who = f"run {run.run_id}"
        for field, what, entry in _named(run):
            self._one(path, who, field, what, entry)
        if run.manifest is not None:
            self._manifest(path, who, "manifest", run.manifest, run.artifact_count)

    def take_version(self, path: str, version: ModelVersion) -> None:
        """Look up the objects of one version of a registered model: its manifest, and the files that it lists."""
        if version.digest is not None:
            self._manifest(path, f"version {version.version}", "digest", ArtifactEntry(version.digest, -1), version.file_count)

    def finish(self) -> None:
        """Say what is missing: one by one, or at once where this clone has no object at all."""
        if self._present or len(self._missing) <= _MANY:
            self._findings.extend(self._missing)
            return
        message = (
            f"none of the {len(self._missing)} objects that runs name is in the object store of this clone, "
            f"such as {self._missing[0].message}"
        )
        remedy = "Name the store that has them (RUNFOLIO_ARTIFACTS, or artifacts: in runfolio.yaml), or copy it here"
        self._findings.append(Finding("object.missing", Severity.ERROR, "", "", message, remedy))

    def _one(self, path: str, who: str, field: str, what: str, entry: ArtifactEntry) -> bool:
        key = bytes.fromhex(entry.digest[7:])
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._look(entry)
        if isinstance(found, str):
            rule = "object.missing" if found.startswith("not in") else "object.damaged"
            message = f"{who}: {what}: the object {entry.digest} is {found}"
            remedy = "Copy it from a store that has it (runfolio sync, or a backup), or run again"
            made = Finding(rule, Severity.ERROR, path, field, message, remedy)
            (self._missing if rule == "object.missing" else self._findings).append(made)
            return False
        if found != entry.size >= 0:
            message = f"{who}: {what}: the record says {entry.size} bytes, the object {entry.digest} has {found}"
            self._findings.append(Finding("object.size", Severity.ERROR, path, field, message, self._restore(path)))
        return True

    def _look(self, entry: ArtifactEntry) -> int | str:
        """Return an object's size, or what is wrong with it."""
        try:
            size = self._store.size(entry.digest)
            self._present += 1
            # Bytes are read where the size is wrong, to tell a wrong record from a damaged object.
            if size != entry.size >= 0 or random.random() < self._share:
                self.read += 1
                self._store.verify(entry.digest)
            return size
        except NotFoundError:
            return "not in the object store"
        except DamagedError:
            return "damaged: its bytes are not those of its digest"
        except RunfolioError as error:
            return f"unreadable: {error.message.rstrip('.')}"

    def _manifest(self, path: str, who: str, field: str, manifest: ArtifactEntry, count: int) -> None:
        if not self._one(path, who, field, "the list of its files", manifest):
            return
        where = f"the list of files of {who} ({manifest.digest})"
        try:
            listed = decode_manifest(self._store.read(manifest.digest), where)
        except DamagedError as error:
            made = faults_of(error, where, b"", "object.manifest", self._restore(path))
            self._findings.extend(replace(item, file=path, field=f"{field} {item.field}".strip()) for item in made)
            return
        if count != len(listed):
            message = f"{count} in the record, {len(listed)} in the list that it names"
            fix = self._restore(path)
            counted = "artifact_count" if field == "manifest" else "files"
            self._findings.append(Finding("object.manifest", Severity.ERROR, path, counted, message, fix))
        for name, entry in listed.items():
            self._one(path, who, f"artifacts.{name}", f"artifact {name}", entry)


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
        self._known: dict[str, bool] = {}
        self._missing: dict[str, tuple[str, int]] = {}

    def take(self, path: str, run: Run) -> None:
        """Look up the code of one run."""
        for field in ("commit", "tree"):
            oid = run.code.get(field)
            if oid is not None and not (isinstance(oid, str) and OBJECT_ID.match(oid)):
                message = f"40 or 64 hex digits are expected, found {oid!r}"
                self._findings.append(Finding("code.id", Severity.ERROR, path, f"code.{field}", message, self._restore(path)))
                continue
            if oid is not None and field == "tree" and not self._there(oid):
                first, count = self._missing.get(oid, (path, 0))
                self._missing[oid] = (first, count + 1)

    def _there(self, tree: str) -> bool:
        known = self._known.get(tree)
        if known is None:
            try:
                known = has_tree(self._repo, tree) or self._repo.read(tree) is not None
            except GitError:
                known = False
            self._known[tree] = known
        return known

    def finish(self) -> None:
        """Say which code is missing; where this clone never fetched any, once for all."""
        if not self._missing:
            return
        remedy = f"Fetch it: git fetch {self._remote} {CODE_REF}:{CODE_REF}"
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


def _named(run: Run) -> Iterator[tuple[str, str, ArtifactEntry]]:
    for name, entry in run.artifacts.items():
        yield f"artifacts.{name}", f"artifact {name}", entry
    if run.series is not None and run.series.digest is not None:
        yield "series.digest", "the full metric histories", ArtifactEntry(run.series.digest, run.series.size)
