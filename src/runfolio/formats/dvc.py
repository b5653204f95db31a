"""What DVC writes: ``.dvc`` files and ``dvc.lock``, read and never written; and the digest that DVC gives to a folder.

DVC names a file by the MD5 of its bytes, a folder by the MD5 of a list of its files, as JSON
(https://doc.dvc.org/user-guide/project-structure/dvc-files). Up to its version 2 (no ``hash: md5`` beside the digest) line ends of
texts were taken as ``\\n``.

>>> text = b"outs:\\n- md5: 22e3f61e52c0ba45334d973244efc155\\n  size: 10953\\n  hash: md5\\n  path: wine.csv\\n"
>>> read_dvc(text, "data/wine.csv.dvc")
(DvcOut(path='data/wine.csv', digest='md5:22e3f61e52c0ba45334d973244efc155', size=10953, files=None, plain=True, remote=''),)
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Iterable
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, UsageError
from runfolio.formats.yaml import read_yaml
from runfolio.records.datasets import check_dataset_digest, check_dataset_path

LOCK = "dvc.lock"


@dataclass(frozen=True, slots=True)
class DvcOut:
    """One output that DVC tracks.

    Parameters
    ----------
    path : str
        From the repository's root.
    digest : str
        ``md5:``, 32 hex digits, and ``.dir`` for a folder.
    size : int or None
        Bytes.
    files : int or None
        Of a folder.
    plain : bool
        Whether the digest is that of the bytes as they are (DVC 3); before, line ends of texts were changed.
    remote : str
        The remote of DVC's that keeps it, where the file names one.
    """

    path: str
    digest: str
    size: int | None
    files: int | None
    plain: bool
    remote: str = ""


def is_dvc(name: str) -> bool:
    """Tell whether a file's name is one that DVC gives to what it tracks."""
    last = name.rpartition("/")[2]
    return last == LOCK or (last.endswith(".dvc") and last != ".dvc")


def read_dvc(data: bytes, where: str) -> tuple[DvcOut, ...]:
    """Read the outputs of a ``.dvc`` file or of ``dvc.lock``.

    Parameters
    ----------
    data : bytes
    where : str
        The file, from the repository's root; paths in it are from its folder.

    Raises
    ------
    DamagedError
        If it is none; the message names every wrong output.
    """
    value = read_yaml(data, where).value
    if where.rpartition("/")[2] == LOCK:
        stages = value.get("stages")
        listed = [out for stage in (stages if isinstance(stages, dict) else {}).values() for out in _outs(stage)]
    else:
        listed = list(_outs(value))
    base = (
        posixpath.join(posixpath.dirname(where), str(value.get("wdir", ".")))
        if not where.endswith(LOCK)
        else posixpath.dirname(where)
    )
    made: list[DvcOut] = []
    faults: list[str] = []
    for number, out in enumerate(listed):
        try:
            made.append(_read(out, base))
        except (UsageError, ValueError) as error:
            faults.append(f"{where}: outs[{number}]: {getattr(error, 'message', error)}")
    if not listed:
        faults.append(f"{where}: outs: DVC's file names no output; is it one?")
    if faults:
        raise DamagedError("\n".join(faults))
    return tuple(made)


def _outs(value: Any) -> Iterable[Any]:
    found = value.get("outs") if isinstance(value, dict) else None
    return found if isinstance(found, list) else ()


def _read(out: Any, base: str) -> DvcOut:
    if not isinstance(out, dict) or not isinstance(out.get("path"), str):
        raise ValueError("an output with a path is expected")
    md5 = out.get("md5")
    if not isinstance(md5, str):
        raise ValueError(f"{out['path']}: it has no md5. Commit it with DVC first: dvc commit")
    size, files = (out.get(key) if type(out.get(key)) is int else None for key in ("size", "nfiles"))
    path = check_dataset_path(posixpath.normpath(posixpath.join(base, out["path"])))
    remote = out.get("remote")
    return DvcOut(
        path, check_dataset_digest(f"md5:{md5}"), size, files, out.get("hash") == "md5", remote if isinstance(remote, str) else ""
    )


def folder_digest(files: Iterable[tuple[str, str]]) -> str:
    """Return DVC's digest of a folder.

    Parameters
    ----------
    files : iterable of (str, str)
        Path below the folder, and MD5 in hex, of each file.
    """
    listed = sorted(files, key=lambda item: item[0].split("/"))
    text = json.dumps([{"md5": md5, "relpath": path} for path, md5 in listed])
    return f"md5:{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}.dir"
