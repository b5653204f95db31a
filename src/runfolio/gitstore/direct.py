"""Make a small commit in this process: no git is started.

Its objects are written loose, its branch is moved by compare-and-swap, both as git would: for one file that is a tenth of the time that
a process of git takes (decision 18). The commit is byte for byte the one that ``git fast-import`` makes of the same files. Whatever is
not plain is left to git: another hash or backend of refs, shared repositories, linked work trees, refs that are new, configured syncing,
paths where a file and a folder change places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runfolio.gitstore.config import Values
from runfolio.gitstore.folders import Folder, Line
from runfolio.gitstore.loose import GIT_LEVEL
from runfolio.gitstore.nearby import NotNearbyError
from runfolio.gitstore.ref_files import LeaveToGitError, RefFiles
from runfolio.gitstore.repo import Repo

if TYPE_CHECKING:
    from runfolio.gitstore.commits import FileChange

_EXTENSIONS = {"objectformat": "sha1", "refstorage": "files", "worktreeconfig": None, "partialclone": None}
_NOT_SET = ("core.fsync", "core.fsyncmethod", "core.fsyncobjectfiles")
_PRIVATE = frozenset(("umask", "false", "0", "no", "off"))
_LEVELS = frozenset(map(str, range(-1, 10)))
_Edits = dict[bytes, "bytes | _Edits | None"]


def commit_directly(
    repo: Repo, branch: str, parent: str, changes: Sequence[FileChange], text: bytes, stamp: str, reflog: str, *, durable: bool
) -> bool:
    """Commit some files on a branch that stands at `parent`.

    Parameters
    ----------
    repo : Repo
    branch : str
        Full ref name.
    parent : str
        Commit id.
    changes : sequence of FileChange
    text : bytes
        The message.
    stamp : str
        Author and committer, with the time.
    reflog : str
        Who, when and why, for the reflog.
    durable : bool
        Sync objects and ref to disk.

    Returns
    -------
    bool
        False if the branch was not at `parent` any more.

    Raises
    ------
    LeaveToGitError
        If it is not done here; nothing was changed but for objects that nothing names.
    """
    said = repo.configured.values()
    if not is_plain(repo, said):
        raise LeaveToGitError("the repository is not plain")
    writer = _Writer(repo, _level(said), durable)
    try:
        root = repo.nearby.folder(repo.nearby.tree_of(parent))
        tree = writer.folder(root, _nested(changes)) or writer.write_folder(Folder())
        head = f"tree {tree}\nparent {parent}\nauthor {stamp}\ncommitter {stamp}\n\n".encode("utf-8", "surrogateescape")
        commit = writer.write("commit", head + text)
    except (NotNearbyError, OSError) as error:
        raise LeaveToGitError(str(error)) from None
    return RefFiles(repo.common_dir).swap(branch, commit, parent, reflog, logged=_logs(said), durable=durable)


def commit_directly_alone(repo: Repo, like: str, changes: Sequence[FileChange], text: bytes, stamp: str) -> str:
    """Write a commit without a parent whose files are those of another one with some changes, and return its id; no ref names it.

    Raises
    ------
    LeaveToGitError
        If it is not done here; nothing was changed but for objects that nothing names.
    """
    said = repo.configured.values()
    if not is_plain(repo, said):
        raise LeaveToGitError("the repository is not plain")
    writer = _Writer(repo, _level(said), durable=False)
    try:
        tree = writer.folder(repo.nearby.folder(repo.nearby.tree_of(like)), _nested(changes)) or writer.write_folder(Folder())
        head = f"tree {tree}\nauthor {stamp}\ncommitter {stamp}\n\n".encode("utf-8", "surrogateescape")
        return writer.write("commit", head + text)
    except (NotNearbyError, OSError) as error:
        raise LeaveToGitError(str(error)) from None


def is_plain(repo: Repo, said: Values) -> bool:
    """Tell whether a repository of that configuration can be written here as git would write it."""
    if not said.said or repo.git_dir != repo.common_dir or not repo.nearby.trusted():
        return False
    for key, value in said.said.items():
        if key.startswith("extensions."):
            name = key.partition(".")[2]
            if name not in _EXTENSIONS or _EXTENSIONS[name] not in (None, value):
                return False
    shared = (said.get("core.sharedRepository") or "umask").lower()
    return shared in _PRIVATE and not any(key in said.said for key in _NOT_SET) and not said.truth("core.preferSymlinkRefs")


def _logs(said: Values) -> bool:
    """Tell whether a branch's move begins a reflog (``core.logAllRefUpdates``; by default where there is a work tree)."""
    found = said.truth("core.logAllRefUpdates")
    if found is None:
        return said.get("core.logAllRefUpdates") == "always" or not said.truth("core.bare")
    return found


def _nested(changes: Sequence[FileChange]) -> _Edits:
    """Sort changes into folders."""
    made: _Edits = {}
    for change in changes:
        *folders, name = change.path.encode("utf-8", "surrogateescape").split(b"/")
        if not all(map(_may_be_named, (*folders, name))):
            raise LeaveToGitError(change.path)
        here = made
        for folder in folders:
            below = here.setdefault(folder, {})
            if not isinstance(below, dict):
                raise LeaveToGitError(change.path)
            here = below
        if isinstance(here.get(name), dict):
            raise LeaveToGitError(change.path)
        here[name] = change.data
    return made


def _may_be_named(name: bytes) -> bool:
    # What some file system may take for .git is left to git to judge: spaces, dots, letters that are ignored, short names.
    plain = bytes(letter for letter in name.lower() if 0x20 < letter < 0x7F)
    return bool(name.strip(b".")) and b"\0" not in name and b"\\" not in name and not plain.startswith((b".git", b"git~"))


class _Writer:
    """Writes the objects of one commit."""

    def __init__(self, repo: Repo, level: int, durable: bool) -> None:
        self._nearby, self._level, self._durable = repo.nearby, level, durable

    def write(self, kind: str, data: bytes, folder: Folder | None = None) -> str:
        """Store an object and return its id."""
        oid = self._nearby.loose.write(kind, data, level=self._level, durable=self._durable)
        self._nearby.keep(oid, kind, data, folder)
        return oid

    def write_folder(self, folder: Folder) -> str:
        """Store a tree and return its id."""
        return self.write("tree", folder.data(), folder)

    def folder(self, before: Folder, edits: _Edits) -> str | None:
        """Store a folder as changed and return its id; None where nothing is left in it."""
        lines: dict[bytes, Line | None] = {}
        for name, edit in edits.items():
            there = before.get(name)
            if isinstance(edit, dict):
                if there is not None and not there.is_folder:
                    raise LeaveToGitError("a file becomes a folder")
                below = self.folder(self._nearby.folder(there.oid.hex()) if there else Folder(), edit)
                lines[name] = Line(b"40000", name, bytes.fromhex(below)) if below else None
            elif there is not None and there.is_folder:
                raise LeaveToGitError("a folder becomes a file")
            else:
                lines[name] = None if edit is None else Line(b"100644", name, bytes.fromhex(self.write("blob", edit)))
        after = before.changed(lines)
        return self.write_folder(after) if len(after) else None


def _level(said: Values) -> int:
    """Return the level of compression of loose objects (``core.looseCompression``, ``core.compression``)."""
    text = said.get("core.looseCompression") or said.get("core.compression") or str(GIT_LEVEL)
    if text not in _LEVELS:
        raise LeaveToGitError(f"core.compression: {text}")  # git says what is wrong with it
    return int(text)
