"""What a user hands over to be stored: files and folders of theirs, read in a fixed order, never changed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from runfolio._typing import BinaryIO
from runfolio.errors import NotFoundError, UsageError, storage_error
from runfolio.objects.incoming import CHUNK_BYTES
from runfolio.records.runs import Digest

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Opening a pipe that no one writes to would wait for ever."""


def open_source(path: Path) -> BinaryIO:
    """Open a regular file for reading; see :func:`open_descriptor`."""
    return os.fdopen(open_descriptor(path), "rb")


def open_descriptor(path: Path | str) -> int:
    """Open a regular file for reading and return its descriptor; a symbolic link is followed.

    Raises
    ------
    NotFoundError
        If there is none.
    UsageError
        If it is a folder, socket, pipe or device.
    StorageError
        If it may not be read.
    """
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            raise UsageError(f"{path} is {_kind(mode)}, not a file: only files can be stored.")
        return os.open(path, _READ)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"There is no file {path}{_link_note(path)}. Check the path.") from None
    except UsageError:
        raise
    except OSError as error:
        raise storage_error(f"read {path}", error) from error


def walk_files(folder: Path) -> list[tuple[str, Path]]:
    """List the files of a folder and of those below it, in order of their relative paths.

    Links to files and folders are followed; a link to a folder that one is already in is passed over, since its files
    are listed there. Empty folders leave no trace.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of (str, Path)
        Path relative to `folder`, with ``/``, and where the file is.

    Raises
    ------
    NotFoundError
        If there is no such folder.
    UsageError
        If it is a file, or holds what cannot be stored: sockets, pipes, devices, links to nothing; all are named.
    """
    found: list[tuple[str, Path]] = []
    faults: list[str] = []
    folder = Path(folder)
    try:
        here = os.stat(folder)
        if not stat.S_ISDIR(here.st_mode):
            raise UsageError(f"{folder} is {_kind(here.st_mode)}, not a folder.")
        _walk(folder, "", {(here.st_dev, here.st_ino)}, found, faults)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"There is no folder {folder}{_link_note(folder)}. Check the path.") from None
    except UsageError:
        raise
    except OSError as error:
        raise storage_error(f"list the files of {folder}", error) from error
    if faults:
        raise UsageError(f"{folder} holds what cannot be stored: {'; '.join(faults)}. Remove it, or log single files.")
    return sorted(found, key=lambda item: item[0])


def _walk(folder: Path, prefix: str, above: set[tuple[int, int]], found: list[tuple[str, Path]], faults: list[str]) -> None:
    for name in sorted(os.listdir(folder)):
        path, relative = folder / name, prefix + name
        try:
            here = os.stat(path)
        except FileNotFoundError:
            # A file that a running program removed since the listing is no fault; a link to nothing is.
            if path.is_symlink():
                faults.append(f"{relative} is a link to nothing")
            continue
        if stat.S_ISREG(here.st_mode):
            found.append((relative, path))
        elif not stat.S_ISDIR(here.st_mode):
            faults.append(f"{relative} is {_kind(here.st_mode)}")
        elif (identity := (here.st_dev, here.st_ino)) not in above:
            _walk(path, relative + "/", above | {identity}, found, faults)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFSOCK: "a socket", stat.S_IFIFO: "a pipe", stat.S_IFREG: "a file"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def _link_note(path: Path | str) -> str:
    return " (a link to nothing)" if os.path.islink(path) else ""


def digest_of_file(path: Path) -> tuple[Digest, int]:
    """Return the digest and the size in bytes of a user's file; nothing is stored.

    Raises
    ------
    NotFoundError, UsageError, StorageError
        As :func:`open_source` does.
    """
    from hashlib import sha256  # OpenSSL takes 3 to 5 ms to load: a run without files need not pay

    sha, size = sha256(), 0
    with open_source(path) as source:
        try:
            while chunk := source.read(CHUNK_BYTES):
                sha.update(chunk)
                size += len(chunk)
        except OSError as error:
            raise storage_error(f"read {path}", error) from error
    return Digest(f"sha256:{sha.hexdigest()}"), size
