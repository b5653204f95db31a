"""How objects leave a folder while others put and read them, without a lock; and what killed processes left there.

An object is moved aside before its time is looked at. A put that meets it has either renewed it before, and it is moved back, or
does not find it, and stores it anew. Whoever looks for one that lies aside moves it back: the clean-up then leaves it alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from runfolio._pattern import pattern
from runfolio.errors import storage_error
from runfolio.records.runs import Digest

SWEEP_AGE_S = 24 * 3600
_ASIDE = pattern(r"\.[0-9a-f]{64}\.gone\Z")
_PART = pattern(r"\..*\.part\Z")


class Aside:
    """Objects that a clean-up judges, or judged when it was killed.

    Parameters
    ----------
    folder : Path
        On the same file system as the objects.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before, self._after = f"{folder}{os.sep}.", ".gone"

    def remove(self, digest: Digest, path: Path, before_ms: int) -> bool:
        """Remove an object unless it was put since `before_ms`; return whether it is gone."""
        aside = self._place(digest)
        try:
            if path.lstat().st_mtime_ns // 1_000_000 > before_ms:
                return False
            self._folder.mkdir(exist_ok=True)
            os.rename(path, aside)
            if os.lstat(aside).st_mtime_ns // 1_000_000 > before_ms:
                self.bring_back(digest, path)
                return False
            os.unlink(aside)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise storage_error(f"delete object {digest}", error) from error
        return True

    def bring_back(self, digest: Digest, path: str | Path) -> bool:
        """Move an object back that lies aside; return whether it is there now, whoever brought it."""
        aside = self._place(digest)
        try:
            if os.path.exists(path):
                os.unlink(aside)
            else:
                os.rename(aside, path)
        except OSError:
            return os.path.exists(path)
        return True

    def digests(self) -> Iterator[Digest]:
        """Yield what lies aside."""
        for name in names_in(self._folder, _ASIDE):
            yield Digest(f"sha256:{name[1:65]}")

    def _place(self, digest: Digest) -> str:
        return f"{self._before}{digest[7:]}{self._after}"


def sweep(folder: Path, older_than_s: float) -> int:
    """Remove files and folders in the making that nobody has written to for a while; return how many."""
    removed, oldest = 0, time.time() - older_than_s
    for name in names_in(folder, _PART):
        with contextlib.suppress(FileNotFoundError):
            path = folder / name
            if path.lstat().st_mtime <= oldest:
                _remove(path)
                removed += 1
    return removed


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        import shutil  # brings two libraries of compression along

        shutil.rmtree(path)
    else:
        path.unlink()


def names_in(folder: Path, pattern: re.Pattern[str]) -> list[str]:
    """List the names in a folder that match, in order; none where there is no folder."""
    try:
        return sorted(name for name in os.listdir(folder) if pattern.match(name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise storage_error("list the objects", error) from error
