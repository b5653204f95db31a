"""Where the files of loaded models lie: a temporary folder for each list of files, removed when the process ends.

A model may read its files later than it is loaded (mapped weights, an image that is opened lazily), so the folder stays as long as the
process. Loading the same bytes again takes the same folder, if it still holds just them: each file is compared with its digest first, so
what a model's code changed there is fetched anew, beside it.

A process that was forked makes folders of its own: its parent's go when the parent ends. One that is killed leaves its folders behind, as
everything does that lies in a temporary folder.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from runfolio.errors import RunfolioError
from runfolio.objects.files import digest_of_file
from runfolio.objects.store import ObjectStore
from runfolio.records.runs import ArtifactEntry
from runfolio.tracking.artifacts import copy_out
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.fetching import MODELS, split_runs_uri

_BYTECODE = "__pycache__"  # what Python leaves beside a model's code as it imports it, and compares with that code itself

_Key = tuple[object, frozenset[tuple[str, str]]]
_owner = 0
_known: dict[_Key, Path] = {}
_made: list[Path] = []


def fetch_to_load(uri: str, purpose: object = None) -> Path:
    """Fetch what is about to be loaded, each file verified, and return where it is until the process ends.

    Parameters
    ----------
    uri : str
        ``runs:/…`` or ``models:/…``.
    purpose : optional
        Loads of another purpose get another folder: how far a model is trusted is said of its folder.
    """
    copy = partial(_kept, purpose)
    if uri.startswith(MODELS):
        from runfolio.tracking.model_files import download_model

        return Path(download_model(uri, copy=copy))
    return Path(RunfolioClient().download_last_part(*split_runs_uri(uri), copy=copy))


def _kept(purpose: object, store: ObjectStore, files: Mapping[str, ArtifactEntry], dst_path: None = None) -> Path:
    """Return a folder of this process that holds these files; takes the place of ``copy_out``."""
    if _owner != os.getpid():
        _begin()
    key = (purpose, frozenset((name, entry.digest) for name, entry in files.items()))
    known = _known.get(key)
    if known is None or not _holds(known, files):
        known = Path(tempfile.mkdtemp(prefix="runfolio-"))
        _made.append(known)
        copy_out(store, files, known)
        _known[key] = known
    return known


def _holds(folder: Path, files: Mapping[str, ArtifactEntry]) -> bool:
    """Say whether a folder holds just these files, by their bytes."""
    found = set()
    try:
        for top, names, below in os.walk(folder):
            names[:] = [name for name in names if name != _BYTECODE]
            for name in below:
                path = Path(top, name)
                entry = files.get(path.relative_to(folder).as_posix())
                if (
                    entry is None
                    or path.is_symlink()
                    or path.stat().st_size != entry.size
                    or digest_of_file(path)[0] != entry.digest
                ):
                    return False
                found.add(path)
    except (OSError, RunfolioError):
        return False
    return len(found) == len(files)


def _begin() -> None:
    """Begin anew in a process that was forked, and see to it that the folders go with this one."""
    global _owner
    _owner = os.getpid()
    _known.clear()
    _made.clear()
    atexit.register(_remove, _owner)
    process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        end: Callable[[int], None] = _remove
        util.Finalize(
            None, end, args=(_owner,), exitpriority=-2
        )  # after a fork a worker ends by os._exit, which passes atexit by


def _remove(owner: int) -> None:
    if owner == os.getpid():
        while _made:
            shutil.rmtree(_made.pop(), ignore_errors=True)
        _known.clear()
