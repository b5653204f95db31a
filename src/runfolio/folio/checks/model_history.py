"""Registry files that were changed or removed other than by runfolio.

A version's facts are those of a commit that added its file, wherever that commit was made: branches that both took a number, and were
joined by ``runfolio models renumber``, have added it twice. What is in the file now and in none of these was edited since. A version's
file stays for ever (a deleted one says so in it), unless its model goes as a whole or the version moved to another number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from runfolio.errors import GitError, RunfolioError
from runfolio.folio.checks.blobs import read_blobs
from runfolio.folio.checks.faults import restore
from runfolio.formats import paths
from runfolio.formats.models import changed_facts, decode_model, decode_version
from runfolio.gitstore import Repo, TreeEntry
from runfolio.records.findings import Finding, Severity
from runfolio.records.models import ModelVersion, RegisteredModel


class _Past(NamedTuple):
    """What commits did to a file: blobs that were added, and the commits that changed or removed it, newest first."""

    added: list[str]
    changed: list[str]


class ModelHistory:
    """The changes of registry files before a commit.

    Parameters
    ----------
    repo : Repo
    tip : str
    prefix : str
        The folio's folder.
    findings : list of Finding
    """

    def __init__(self, repo: Repo, tip: str, prefix: str, findings: list[Finding]) -> None:
        self._repo, self._tip, self._prefix, self._findings = repo, tip, prefix, findings
        self._past: defaultdict[str, _Past] = defaultdict(lambda: _Past([], []))
        self._load(tip)

    def _load(self, tip: str) -> None:
        options = ("-m", "--full-history", "--no-renames", "--no-abbrev", "--diff-filter=AMDT", "--no-ext-diff", "--format=%H %P")
        folder = f"{self._prefix}{paths.MODELS}"
        try:
            listed = self._repo.run("log", "--raw", *options, "--end-of-options", tip, "--", folder)
        except GitError:
            return  # the history of runs says so
        commit, merge = "", False
        for line in listed.decode("utf-8", "surrogateescape").splitlines():
            if line.startswith(":"):
                head, _, path = line.partition("\t")
                _, _, _, new, kind = head.split(" ")
                if kind != "A":
                    self._past[path].changed.append(commit)
                elif not merge:  # a merge adds to one side what the other has, edits and all
                    self._past[path].added.append(new)
            elif line:
                commit, *parents = line.split()
                merge = len(parents) > 1

    def finish(self, models: Mapping[str, RegisteredModel], versions: Mapping[tuple[str, int], ModelVersion]) -> None:
        """Say which files were edited or removed.

        Parameters
        ----------
        models : Mapping of str to RegisteredModel
            Those that could be read, by slug.
        versions : Mapping of (str, int) to ModelVersion
            Those that could be read, by slug and number.
        """
        for path, past in self._past.items():
            inner = path[len(self._prefix) :]
            slug, named = paths.model_of_path(inner), paths.version_of_path(inner)
            if not past.changed:
                continue
            if slug is not None and slug in models:
                if all(model.created != models[slug].created for model in self._models(path, past)):
                    self._edited("model.edited", path, past, ["created"])
            elif named is not None and named in versions:
                differences = [changed_facts(before, versions[named]) for before in self._versions(path, past)]
                if differences and all(differences):
                    self._edited("version.edited", path, past, min(differences, key=len))
            elif named is not None and named[0] in models:
                others = [version for (slug, _), version in versions.items() if slug == named[0]]
                if not self._is_there(path) and not self._went_whole(named[0], past) and not self._has_moved(path, past, others):
                    self._removed(path, past)

    def _is_there(self, path: str) -> bool:
        return self._repo.read(f"{self._tip}:{path}") is not None

    def _went_whole(self, slug: str, past: _Past) -> bool:
        """Tell whether the commit that removed a version removed its model, which was made anew since."""
        return self._repo.read(f"{past.changed[0]}:{self._prefix}{paths.model_path(slug)}") is None

    def _has_moved(self, path: str, past: _Past, others: list[ModelVersion]) -> bool:
        """Tell whether a version that is gone has another number now."""
        return any(not changed_facts(before, other) for before in self._versions(path, past) for other in others)

    def _edited(self, rule: str, path: str, past: _Past, fields: list[str]) -> None:
        message = f"the file was edited after it was made, last in commit {past.changed[0][:10]}: {', '.join(fields)}"
        self._add(rule, path, fields[0], message, past)

    def _removed(self, path: str, past: _Past) -> None:
        message = f"the commit {past.changed[0][:10]} removed a version whose model is there"
        self._add("version.removed", path, "", message, past)

    def _add(self, rule: str, path: str, field: str, message: str, past: _Past) -> None:
        remedy = restore(path, f"{past.changed[0][:10]}~1")
        self._findings.append(Finding(rule, Severity.ERROR, path, field, message, remedy))

    def _models(self, path: str, past: _Past) -> Iterator[RegisteredModel]:
        for data in self._read(path, past):
            try:
                yield decode_model(data, path[len(self._prefix) :])
            except RunfolioError:
                continue  # older states that cannot be read are of no account

    def _versions(self, path: str, past: _Past) -> Iterator[ModelVersion]:
        for data in self._read(path, past):
            try:
                yield decode_version(data, path[len(self._prefix) :])
            except RunfolioError:
                continue

    def _read(self, path: str, past: _Past) -> Iterator[bytes]:
        for _, data, _ in read_blobs(self._repo, [TreeEntry(path, oid) for oid in dict.fromkeys(past.added)]):
            if data is not None:
                yield data
