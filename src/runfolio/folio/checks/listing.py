"""The files of a folio's record folders at a commit: whether they are files, and their names ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runfolio.errors import GitError
from runfolio.folio.checks.faults import Restore
from runfolio.formats import paths
from runfolio.gitstore import Repo, TreeEntry
from runfolio.gitstore.trees import EXECUTABLE, SUBMODULE, SYMLINK
from runfolio.records.findings import Finding, Severity

_KINDS = {SYMLINK: "a symbolic link", EXECUTABLE: "an executable file", SUBMODULE: "a submodule"}
_FILE_MODES = ("100644", "100664")


def list_files(repo: Repo, tip: str, names: Sequence[str], findings: list[Finding]) -> Iterator[TreeEntry]:
    """Yield the files of a commit below some folders, in git's order.

    Where a tree cannot be read, the folder is named and the others are listed all the same.

    Parameters
    ----------
    repo : Repo
    tip : str
    names : sequence of str
        Files and folders from the repository's root; those that are missing yield nothing.
    findings : list of Finding
        Takes the folders that cannot be read.
    """
    try:
        yield from _entries(repo.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tip, *names))
    except GitError as error:
        if not names or names == [""]:
            findings.append(_unreadable("", error))
            return
        for name in names:
            yield from _list_level(repo, tip, name, findings)


def _list_level(repo: Repo, tip: str, name: str, findings: list[Finding]) -> Iterator[TreeEntry]:
    """List one folder, level by level, round the trees that cannot be read."""
    try:
        yield from _entries(repo.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tip, name))
        return
    except GitError as error:
        try:
            level = list(_entries(repo.run("ls-tree", "-z", "--full-tree", "--end-of-options", tip, f"{name}/")))
        except GitError:
            findings.append(_unreadable(name, error))
            return
    for entry in level:
        if entry.mode == "040000":
            yield from _list_level(repo, tip, entry.path, findings)
        else:
            yield entry


def _entries(listed: bytes) -> Iterator[TreeEntry]:
    start = 0
    while (end := listed.find(b"\0", start)) >= 0:
        head, _, path = listed[start:end].partition(b"\t")
        mode, _, oid = head.split(b" ")
        yield TreeEntry(path.decode("utf-8", "surrogateescape"), oid.decode(), mode.decode())
        start = end + 1


def _unreadable(name: str, error: GitError) -> Finding:
    message = f"git cannot read the list of its files: {error.message.rstrip('.')}"
    remedy = "Run: git fsck. Fetch the object from another clone: git fetch --refetch"
    return Finding("git.tree", Severity.ERROR, name, "", message, remedy)


class NameCheck:
    """Looks at one file's path and mode after the other, in git's order.

    Parameters
    ----------
    prefix : str
        The folio's folder.
    restore : callable
    findings : list of Finding
    """

    def __init__(self, prefix: str, restore: Restore, findings: list[Finding]) -> None:
        self._prefix, self._restore, self._findings = prefix, restore, findings
        self._folders: dict[str, str] = {}
        self._seen: set[str] = set()
        self._folder = ""
        self._names: dict[str, str] = {}

    def take(self, entry: TreeEntry) -> bool:
        """Check a file's name and mode; return whether its content can be looked at."""
        path = entry.path[len(self._prefix) :]
        known = is_known(path)
        if not known and path.split("/")[0] == paths.DATASETS:
            return False  # many a repository has a folder datasets/ of its own
        self._case(entry.path)
        if entry.mode not in _FILE_MODES:
            if known or path.split("/")[0] in (paths.RUNS, paths.ENVIRONMENTS, paths.MODELS, paths.REPRODUCTIONS):
                kind = _KINDS.get(entry.mode, f"of mode {entry.mode}")
                message = f"a plain file is expected, this is {kind}"
                self._add("file.mode", Severity.ERROR, entry.path, message, self._restore(entry.path))
            return known and entry.mode == EXECUTABLE
        if not known:
            message = "no record has such a path, so nothing reads the file"
            remedy = f"If it is not needed here: git rm --cached :/{entry.path}"
            self._add("file.unknown", Severity.WARNING, entry.path, message, remedy)
        return known

    def _case(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        if folder != self._folder:
            self._folder, self._names = folder, {}
            parent = folder
            while parent and parent not in self._seen:
                self._seen.add(parent)
                self._same(self._folders, parent, parent)
                parent = parent.rpartition("/")[0]
        self._same(self._names, name, path)

    def _same(self, seen: dict[str, str], name: str, path: str) -> None:
        other = seen.setdefault(name.casefold(), path)
        if other != path:
            message = f"it differs from {other} in the case of letters only: one file on macOS and Windows"
            self._add("file.case", Severity.ERROR, path, message, f"Rename or remove one of them: git mv :/{path} NEW")

    def _add(self, rule: str, severity: Severity, path: str, message: str, remedy: str) -> None:
        self._findings.append(Finding(rule, severity, path, "", message, remedy))


def is_known(path: str) -> bool:
    """Tell whether a path from the folio's root is that of a record that ``check`` reads."""
    if (
        path in (paths.SETTINGS, paths.POLICY)
        or paths.run_of_path(path)
        or paths.series_of_path(path)
        or paths.experiment_of_path(path)
    ):
        return True
    if paths.model_of_path(path) or paths.version_of_path(path) or paths.card_of_path(path) or paths.deployment_of_path(path):
        return True
    if paths.is_of_dataset(path) or paths.reproduction_of_path(path) is not None:
        return True
    return environment_of_path(path) is not None


def environment_of_path(path: str) -> str | None:
    """Return the name of a package list if `path` is one's, else None."""
    name = path.removeprefix(f"{paths.ENVIRONMENTS}/").removesuffix(".txt")
    right = path == paths.environment_path(name) and len(name) == 16 and not set(name) - set("0123456789abcdef")
    return name if right else None
