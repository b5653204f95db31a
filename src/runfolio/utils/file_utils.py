"""Folders and files, under the names that MLflow's scripts import: ``mlflow.utils.file_utils``.

>>> import os
>>> with TempDir() as folder:
...     os.path.isdir(folder.path())
True
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit


class TempDir:
    """A new folder, removed at the end of the block.

    Parameters
    ----------
    chdr : bool, optional
        Whether it is the current folder within the block.
    remove_on_exit : bool, optional
    """

    def __init__(self, chdr: bool = False, remove_on_exit: bool = True) -> None:
        self._chdr, self._remove = chdr, remove_on_exit
        self._folder = self._before = ""

    def __enter__(self) -> TempDir:
        self._folder = tempfile.mkdtemp()
        if self._chdr:
            self._before = os.getcwd()
            os.chdir(self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before:
            os.chdir(self._before)
        if self._remove:
            shutil.rmtree(self._folder, ignore_errors=True)

    def path(self, *path: str) -> str:
        """Return the path of something in the folder; of the folder, without a name."""
        return os.path.join("./" if self._chdr else self._folder, *path)


def path_to_local_file_uri(path: str | os.PathLike[str]) -> str:
    """Return the ``file:`` address of a path."""
    return Path(path).absolute().as_uri()


def local_file_uri_to_path(uri: str) -> str:
    """Return the path of a ``file:`` address; any other text as it is."""
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri
