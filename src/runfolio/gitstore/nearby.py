"""Answer from this process what needs no git: a few small objects, loose, packed, or read before.

An object never changes, so what was read once, or written here, stays true; only a bounded amount is kept. Whatever is not found is a
question for ``git cat-file``, which also knows alternates and fetches from promisors. Where objects are replaced (``git replace``),
nothing is answered here: git shows another object than the one that is asked for.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from runfolio.errors import DamagedError
from runfolio.gitstore.folders import Folder
from runfolio.gitstore.loose import LooseObjects
from runfolio.gitstore.packs import PackedObjects

MOST_BYTES = 4 * 1024 * 1024
_LARGEST_KEPT = 512 * 1024
_MOST_FOUND = 256
"""Paths of one commit whose objects are remembered: a verb asks two or three times for the same file of the same commit."""
_MOST_COMMITS = 16
_SAME_MOMENT_S = 0.001
"""How long an answer about replaced objects holds: a commit asks ten times within it, and no git replaces one faster."""
_NAME = re.compile(r"([0-9a-f]{40})(?:\^\{(tree)\}|:(.*))?", re.DOTALL)
Found = tuple[str, bytes]


class NotNearbyError(Exception):
    """It cannot be answered here: git is to be asked."""


class NearbyObjects:
    """Small objects of a repository, read without git.

    Parameters
    ----------
    common_dir : Path
    """

    def __init__(self, common_dir: Path) -> None:
        self._common, self._replace = str(common_dir), f"{common_dir}/refs/replace"
        self.loose = LooseObjects(common_dir / "objects")
        self._packs = PackedObjects(common_dir / "objects" / "pack")
        self._held: dict[str, Found] = {}
        self._folders: dict[str, Folder] = {}
        self._found: dict[str, dict[str, str | None]] = {}
        self._large: tuple[str, Folder] = ("", Folder())
        self._bytes = 0
        self._sha1: bool | None = None
        self._packed_refs: tuple[int, bool] = (-1, False)
        self._any_replaced, self._asked_at = False, -1.0

    def answer(self, name: str) -> bytes | None:
        """Return the content of an object id, ``ID^{tree}`` or ``ID:path``; None where the tree has no such path.

        Raises
        ------
        NotNearbyError
            If git is to be asked.
        """
        oid = self._object(name)
        return None if oid is None else self.read(oid)[1]

    def names(self, name: str) -> list[str]:
        """Return the names in a folder, as :meth:`answer` finds it; none where it is not there."""
        oid = self._object(name)
        found = [] if oid is None else self.folder(oid).names()
        return [item.decode("utf-8", "surrogateescape") for item in found]

    def numbers(self, name: str, ending: bytes) -> Sequence[int]:
        """Return the numbers that files of a folder are named by; see :meth:`Folder.numbers`; none where it is not there."""
        oid = self._object(name)
        return () if oid is None else self.folder(oid).numbers(ending)

    def followed(self, parent: str, commit: str, changed: Mapping[str, str | None]) -> None:
        """Take note of a commit that was made here: what was found in its parent, it holds too, but for what changed.

        Parameters
        ----------
        parent, commit : str
        changed : mapping of path to object id, or to None where nothing is there any more
            Each file that changed, and each folder on the way to one.
        """
        known = self._found.get(parent, {})
        if len(known) + len(changed) <= _MOST_FOUND:
            self._known(commit).update({**known, **changed})

    def _known(self, commit: str) -> dict[str, str | None]:
        if commit not in self._found and len(self._found) >= _MOST_COMMITS:
            self._found = {}
        return self._found.setdefault(commit, {})

    def _object(self, name: str) -> str | None:
        """Return the id of what a name says, looked for once; see :meth:`answer`."""
        commit, path = name[:40], name[41:]
        if name[40:41] != ":":
            return self._find(name)
        known = self._found.get(commit, {})
        if path in known:
            return known[path]
        found = self._find(name)
        known = self._known(commit)
        if len(known) >= _MOST_FOUND:
            known = self._found[commit] = {}
        known[path] = found
        return found

    def _find(self, name: str) -> str | None:
        match = _NAME.fullmatch(name)
        if match is None:
            raise NotNearbyError
        oid, peel, path = match.groups()
        if peel is None and path is None:
            return str(oid)
        tree = self.tree_of(oid)
        if not path:
            return tree
        *folders, last = path.encode("utf-8", "surrogateescape").split(b"/")
        if {b"", b".", b".."}.intersection((*folders, last)):
            raise NotNearbyError  # git resolves these in ways of its own
        for part in folders:
            below = self.folder(tree).below(part)
            if below is None:
                return None
            tree = below
        line = self.folder(tree).get(last)
        if line is not None and line.mode == b"160000":
            raise NotNearbyError
        return None if line is None else line.oid.hex()

    def tree_of(self, oid: str) -> str:
        """Return the id of a commit's tree, or of the tree itself."""
        kind, data = self.read(oid)
        if kind == "tree":
            return oid
        if kind != "commit" or not data.startswith(b"tree ") or data[45:46] != b"\n":
            raise NotNearbyError
        return data[5:45].decode("ascii")

    def folder(self, oid: str) -> Folder:
        """Return a tree's entries."""
        held = self._large[1] if self._large[0] == oid else self._folders.get(oid)
        if held is None:
            kind, data = self.read(oid)
            if kind != "tree":
                raise NotNearbyError
            try:
                held = Folder.parse(data)
            except DamagedError:
                raise NotNearbyError from None
            self._cut_up(oid, held)
        return held

    def _cut_up(self, oid: str, folder: Folder) -> None:
        if oid in self._held:
            self._folders[oid] = folder
        else:  # too large to be kept among the others: the last of these alone, since to cut it up anew for each name costs milliseconds
            self._large = (oid, folder)

    def read(self, oid: str) -> Found:
        """Return kind and content of an object.

        Raises
        ------
        NotNearbyError
            If it is not at hand.
        """
        held = self._held.get(oid)
        if held is None:
            held = self.loose.read(oid) or self._packs.read(oid)
            if held is None:
                raise NotNearbyError
            self.keep(oid, *held)
        return held

    def keep(self, oid: str, kind: str, data: bytes, folder: Folder | None = None) -> None:
        """Remember an object that was read or written."""
        if len(data) > _LARGEST_KEPT:
            if folder is not None:
                self._large = (oid, folder)
            return
        if self._bytes > MOST_BYTES:
            self._held, self._folders, self._bytes = {}, {}, 0
        self._held[oid] = (kind, data)
        self._bytes += len(data) + 200
        if folder is not None:
            self._folders[oid] = folder

    def trusted(self) -> bool:
        """Tell whether objects here are what git would show: ids are SHA-1, and nothing is replaced."""
        if self._sha1 is None:
            try:
                with open(f"{self._common}/config", encoding="utf-8", errors="replace") as file:
                    self._sha1 = "objectformat" not in file.read().lower()
            except OSError:
                self._sha1 = False
        return self._sha1 and not self._replaced()

    def _replaced(self) -> bool:
        now = time.monotonic()
        if not 0 <= now - self._asked_at < _SAME_MOMENT_S:
            self._any_replaced, self._asked_at = self._look_for_replaced(), now
        return self._any_replaced

    def _look_for_replaced(self) -> bool:
        # What is not there is asked for by `access`: to raise an error takes longer than the question.
        packed = f"{self._common}/packed-refs"
        try:
            if os.access(self._replace, os.F_OK) and os.listdir(self._replace):
                return True
        except OSError:
            pass
        if not os.access(packed, os.F_OK):
            return False
        try:
            stamp = os.stat(packed).st_mtime_ns
            if stamp != self._packed_refs[0]:
                with open(packed, "rb") as file:
                    self._packed_refs = (stamp, b" refs/replace/" in file.read())
        except OSError:
            return False
        return self._packed_refs[1]
