"""What differs between two trees, and what lies below a folder, told in this process: no git is started for a few files.

Trees that are the same are not opened, so two commits of a folio are compared by a handful of small objects. Where more is to be
read than a process of git costs, or something is not at hand, git is asked (:exc:`~runfolio.gitstore.nearby.NotNearbyError`).
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from runfolio._typing import NamedTuple
from runfolio.gitstore.folders import Folder, Line
from runfolio.gitstore.nearby import NearbyObjects, NotNearbyError
from runfolio.gitstore.ref_values import OBJECT_ID

MOST_FOLDERS = 64
"""Trees that are read before git is asked instead: each is 0.05 to 0.1 ms, and a process of git 3."""
MOST_FILES = 2000
_MAGIC = frozenset("*?[\\:")
_NOTHING = Folder()


class Difference(NamedTuple):
    """One file that differs between two trees; None where it is not there."""

    path: bytes
    old: Line | None
    new: Line | None


def differences(nearby: NearbyObjects, old: str | None, new: str, folders: Iterable[str]) -> list[Difference]:
    """List the files of some folders that differ between two trees, in git's order.

    Parameters
    ----------
    nearby : NearbyObjects
    old : str or None
        Id of a commit or tree; None compares with nothing.
    new : str
    folders : iterable of str
        From the root; a file's path stands for itself, and an empty one for all.

    Raises
    ------
    NotNearbyError
        If git is to be asked.
    """
    walk = _Walk(nearby)
    sides = [None if oid is None else _tree(nearby, oid) for oid in (old, new)]
    for folder in sorted(set(folders)):
        if _MAGIC.intersection(folder):
            raise NotNearbyError  # git takes these for a pattern
        parts = _parts(folder)
        before, after = (None if tree is None else walk.entry(tree, parts) for tree in sides)
        walk.compare(b"/".join(parts), before, after)
    return sorted(set(walk.found), key=itemgetter(0))


def files_below(nearby: NearbyObjects, rev: str, folder: str) -> list[tuple[bytes, Line]]:
    """List the files below a folder of a commit or tree, in git's order; none where it is not there.

    Raises
    ------
    NotNearbyError
        If git is to be asked.
    """
    walk, parts = _Walk(nearby), _parts(folder)
    line = walk.entry(_tree(nearby, rev), parts)
    if line is not None and not line.is_folder:
        raise NotNearbyError
    return [] if line is None else walk.below(b"/".join(parts), line)


def _parts(folder: str) -> list[bytes]:
    return folder.encode("utf-8", "surrogateescape").split(b"/") if folder else []


def _tree(nearby: NearbyObjects, rev: str) -> str:
    if len(rev) != 40 or not OBJECT_ID.match(rev):
        raise NotNearbyError
    return nearby.tree_of(rev)


class _Walk:
    """Gathers differences, up to as many as are worth it; :exc:`NotNearbyError` where objects here may not be what git would show."""

    def __init__(self, nearby: NearbyObjects) -> None:
        if not nearby.trusted():
            raise NotNearbyError
        self._nearby, self._opened = nearby, 0
        self.found: list[Difference] = []

    def entry(self, tree: str, parts: list[bytes]) -> Line | None:
        """Return the entry of a path; the tree itself where the path is empty."""
        line = Line(b"40000", b"", bytes.fromhex(tree))
        for part in parts:
            if part in (b"", b".", b".."):
                raise NotNearbyError
            found = self._folder(line).get(part) if line.is_folder else None
            if found is None:
                return None
            line = found
        return line

    def compare(self, path: bytes, old: Line | None, new: Line | None) -> None:
        """Gather what differs between two entries of one path."""
        if old == new:
            return
        folders = [self._folder(line) if line is not None and line.is_folder else _NOTHING for line in (old, new)]
        files = [None if line is None or line.is_folder else line for line in (old, new)]
        if any(files):
            self.found.append(Difference(path, *files))
        if len(self.found) > MOST_FILES:
            raise NotNearbyError
        for name, before, after in folders[0].differing(folders[1]):
            self.compare(path + b"/" + name if path else name, before, after)

    def below(self, path: bytes, line: Line) -> list[tuple[bytes, Line]]:
        """Return the files below a folder, in git's order."""
        start, found = path + b"/" if path else path, []
        for inner in self._folder(line).lines():
            if inner.is_folder:
                found += self.below(start + inner.name, inner)
            else:
                found.append((start + inner.name, inner))
        if len(found) > MOST_FILES:
            raise NotNearbyError
        return found

    def _folder(self, line: Line) -> Folder:
        self._opened += 1
        if self._opened > MOST_FOLDERS:
            raise NotNearbyError
        return self._nearby.folder(line.oid.hex())
