"""Find the plain repository around a folder without starting git.

Plain is what nearly every command meets: a ``.git`` folder at or above the folder given, on the same file system, the user's own, whose
configuration says nothing that moves the work tree or needs a git that knows more. For everything else (bare repositories, linked work
trees, submodules, another owner, extensions, includes) git is asked, in its own words.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from runfolio.gitstore.settled import read_small

_ODD = re.compile(rb"^\s*\[\s*(extensions|include)|worktree", re.IGNORECASE | re.MULTILINE)
_BARE = re.compile(rb"^\s*bare\b(?!\s*=\s*false\s*$)", re.IGNORECASE | re.MULTILINE)
_VERSION = re.compile(rb"^\s*repositoryformatversion\b(?!\s*=\s*0\s*$)", re.IGNORECASE | re.MULTILINE)
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
    text = read_small(str(git_dir / "config"))
    return not (_ODD.search(text) or _BARE.search(text) or _VERSION.search(text))
