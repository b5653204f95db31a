"""Find the plain repository around a folder without starting git.

Plain is what nearly every command meets: a ``.git`` folder at or above the folder given, on the same file system, the user's own, whose
configuration says nothing that moves the work tree or needs a git that knows more. For everything else (bare repositories, linked work
trees, submodules, another owner, extensions, includes) git is asked, in its own words.
"""

from __future__ import annotations

import os
from pathlib import Path

from runfolio.gitstore.settled import read_small

_ONLY = {b"bare": b"false", b"repositoryformatversion": b"0"}
"""What a plain repository says, where it says anything."""
_LOOKS_BARE = ("HEAD", "objects", "refs")


def plain_repository(path: Path) -> Path | None:
    """Return the work tree of the plain repository that holds a folder; None where git is to be asked.

    Parameters
    ----------
    path : Path
        Resolved.
    """
    try:
        device = os.stat(path).st_dev
        for folder in (path, *path.parents):
            if os.stat(folder).st_dev != device:
                return None  # git stops at the border of a file system
            if os.path.lexists(folder / ".git"):
                return folder if _is_plain(folder) else None
            if all(os.path.exists(folder / name) for name in _LOOKS_BARE):
                return None
    except OSError:
        pass
    return None


def _is_plain(folder: Path) -> bool:
    git_dir = folder / ".git"
    names = set(os.listdir(git_dir))
    if git_dir.is_symlink() or "commondir" in names or not names.issuperset(("config", *_LOOKS_BARE)):
        return False
    mine = os.geteuid()
    if any(os.lstat(place).st_uid != mine for place in (folder, git_dir)):
        return False
    return _says_nothing_odd(read_small(str(git_dir / "config")))


def _says_nothing_odd(text: bytes) -> bool:
    """Tell whether a configuration is a plain repository's; regular expressions for it took half a millisecond to compile."""
    text = text.lower()
    if b"worktree" in text:
        return False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith(b"["):
            section, _, line = line[1:].partition(b"]")
            if section.lstrip().startswith((b"extensions", b"include")):
                return False
            line = line.strip()
        key, _, value = line.partition(b"=")
        if _ONLY.get(key.strip(), value.strip()) != value.strip():
            return False
    return True
