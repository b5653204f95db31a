"""Which of a work tree's changed and new files a code tree takes, and why it leaves out the others.

Left out are large new files (data, not code), files whose names are those of secrets, and what git itself cannot hold.
Each is named with its size and the reason. Nothing is read here but names and sizes; tracked files that did not change
are no concern of this module: the commit holds them.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from runfolio._pattern import pattern
from runfolio._typing import NamedTuple

MAX_NEW_FILES = 5000
ABSENT = "000000"

_DATA = r"(?:\.(?:json|ya?ml|toml|ini|txt|env|cfg|conf|csv|xml|db))?"
_SECRET_NAMES = pattern(
    r"\.env(?:\..+|rc)?|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg)|id_(?:rsa|dsa|ecdsa|ed25519).*|"
    r"\.netrc|_netrc|\.pgpass|\.pypirc|\.npmrc|\.htpasswd|\.git-credentials|\.dockercfg|kaggle\.json|"
    rf"(?:.*[._-])?(?:credentials?|secrets?|service[_-]?account){_DATA}",
    re.IGNORECASE,
)
_NOT_SECRET = pattern(r".*\.(?:example|sample|template|dist|pub)", re.IGNORECASE)


class LeftOut(NamedTuple):
    """A file that the code tree does not hold: path from the repository's root, bytes, and why."""

    path: str
    size: int
    reason: str


class Changed(NamedTuple):
    """A tracked path that differs; mode and id are HEAD's, zeros where it is not in HEAD; `gone`: not in the work tree."""

    path: str
    mode: str
    oid: str
    submodule: str
    gone: bool

    def removed(self) -> Changed:
        """Return the state in which the path is not there."""
        return self._replace(mode="0", oid="")


def choose(
    root: Path, changed: Sequence[Changed], new: Sequence[str], new_max: int, all_max: int
) -> tuple[list[str], list[Changed], list[LeftOut]]:
    """Choose what a code tree takes from a work tree.

    Parameters
    ----------
    root : Path
        The work tree.
    changed : sequence of Changed
    new : sequence of str
        Paths that git does not track; one that ends with ``/`` is a folder that is not looked into.
    new_max, all_max : int
        The most bytes of one new file, and of all files together.

    Returns
    -------
    tuple of (list of str, list of Changed, list of LeftOut)
        Paths to take as they are now; index entries to set to the state given; what is left out.
    """
    taken: list[str] = []
    reset: list[Changed] = []
    left_out: list[LeftOut] = []
    room = all_max
    tracked = {item.path: item for item in changed}
    unknown = set(new)
    for path in dict.fromkeys([*tracked, *new]):
        item = tracked.get(path)
        if item and item.gone and path not in unknown:
            reset.append(item.removed())
            continue
        size, reason = _judge(root, path, item, new_max, room)
        if reason:
            left_out.append(LeftOut(path, size, reason))
        if not reason or (item and item.submodule.startswith("SC")):
            room -= size
            taken.append(path)
        elif item and not item.submodule.startswith("S"):
            # The copied index may hold a staged state of it: what is left out is left out in that state too.
            reset.append(item.removed() if item.mode == ABSENT else item)
    return taken, reset, left_out


def _judge(root: Path, path: str, item: Changed | None, new_max: int, room: int) -> tuple[int, str]:
    """Return a path's size, and why it is left out (empty: it is taken)."""
    if item and item.submodule.startswith("S"):
        # S<c><m><u>: c, another commit is checked out, which the tree can name; m and u, changes inside, which it can't.
        return 0, "a submodule with changes of its own: commit them there" if {"M", "U"} & set(item.submodule[2:]) else ""
    if path.endswith("/"):
        own = (root / path / ".git").exists()
        return 0, "a git repository of its own" if own else f"a folder of more than {MAX_NEW_FILES} new files"
    try:
        found = os.lstat(root / path)
    except FileNotFoundError:
        return 0, ""  # deleted since git looked: that is taken over
    except OSError as error:
        return 0, f"not readable: {error.strerror}"
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        return 0, "neither a file nor a link"
    name = path.rsplit("/", 1)[-1]
    if _SECRET_NAMES.fullmatch(name) and not _NOT_SECRET.fullmatch(name):
        return found.st_size, "its name is that of a secret"
    if (item is None or item.mode == ABSENT) and found.st_size > new_max:
        return found.st_size, f"a new file of more than {new_max} bytes"
    if found.st_size > room:
        return found.st_size, "changed and new files are too large together"
    if stat.S_ISREG(found.st_mode) and not os.access(root / path, os.R_OK):
        return found.st_size, "not readable: permission denied"
    return found.st_size, ""
