"""What a build remembers of itself in the site's folder, ``.runfolio-build.json``: which files it made, of what, and for which state.

It is written last by a build that is done, and first by one that begins, which says so (``unfinished``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from runfolio._typing import NamedTuple
from runfolio.errors import StateError
from runfolio.formats.paths import BUILT_SITE

MEMORY = BUILT_SITE
VERSION = 1


class Made(NamedTuple):
    """A file as the last build left it.

    Attributes
    ----------
    key : str
        Digest of its inputs.
    path : str
        From the site's root.
    size : int
    digest : str
        Of its bytes.
    facts : object
        What :class:`~runfolio.site.plan.Data` said about them.
    """

    key: str
    path: str
    size: int
    digest: str
    facts: object = None

    def is_there(self, folder: Path) -> bool:
        """Tell whether the file lies in the site's folder, with its size."""
        try:
            return os.stat(os.path.join(folder, self.path)).st_size == self.size
        except OSError:
            return False


class Memory(NamedTuple):
    """What the last build left.

    Attributes
    ----------
    files : Mapping of str to Made
        By name.
    state : str
        Digest of all that the site depends on; empty where that build did not end.
    told : Mapping of str to int
        What it said of the site.
    unfinished : bool
    """

    files: Mapping[str, Made]
    state: str
    told: Mapping[str, int]
    unfinished: bool

    def is_current(self, folder: Path, state: str) -> bool:
        """Tell whether the last build made just this, and its files are all there."""
        return bool(self.told) and self.state == state and all(made.is_there(folder) for made in self.files.values())


NOTHING = Memory({}, "", {}, False)


def read_memory(folder: Path) -> Memory:
    """Read what the last build left in a folder; nothing where it is empty, or the memory is damaged.

    Raises
    ------
    StateError
        If the folder holds something that no build of ours wrote.
    """
    unfinished = False
    try:
        held = json.loads((folder / MEMORY).read_bytes())
        unfinished = bool(held.get("unfinished"))
        if held["version"] == VERSION:
            files = {name: Made(*made) for name, made in held["files"].items()}
            return Memory(files, held["state"], dict(held.get("told", {})), unfinished)
    except FileNotFoundError:
        if folder.is_dir() and any(folder.iterdir()):
            raise StateError(
                f"{folder} is not empty and holds no site of runfolio's ({MEMORY} is missing), so nothing was written "
                "there. Give a new folder: runfolio site build -o DIR"
            ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return NOTHING._replace(unfinished=unfinished)
