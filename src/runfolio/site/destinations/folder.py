"""Publish to a folder of this machine, such as the one that a web server shows.

The new site is put together beside the old one (unchanged files are hard links), then the two folders change places in one system
call. Where the system or the file system has no such call, the files are replaced in order instead: content, pages, entry pages.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import sys
from contextlib import suppress
from pathlib import Path

from runfolio.errors import StateError, storage_error
from runfolio.site.destinations.contents import LIST, Built, Listing, Published, Unpublished, decode_listing, rank
from runfolio.site.destinations.turns import in_turn

_RENAME_EXCHANGE, _AT_FDCWD = 2, -100
_RENAME_SWAP = 2
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_UNABLE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV)


def publish_to_folder(built: Built, target: Path) -> Published:
    """Bring a folder up to date.

    Parameters
    ----------
    built : Built
    target : Path
        New, empty, or published to before. A link is followed.

    Raises
    ------
    StateError
        If the folder holds something else.
    StorageError
        If it cannot be written; the old site is then as it was.
    """
    target = target.expanduser().resolve()
    if (
        target == built.folder.resolve()
        or built.folder.resolve().is_relative_to(target)
        or target.is_relative_to(built.folder.resolve())
    ):
        raise StateError(f"{target} and the built site {built.folder} lie in one another. Publish to another folder.")
    beside = target.with_name(f".{target.name}.runfolio-new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with in_turn(target.parent):
            return _brought(built, target, beside)
    except OSError as error:
        raise storage_error(f"publish to {target}", error) from error


def _brought(built: Built, target: Path, beside: Path) -> Published:
    """Put the new site into the old one's place; nobody else does meanwhile."""
    _finish(target, beside)
    old = _listing(target)
    if old.files == built.digests() and _all_there(target, built):
        return Published(str(target), 0, len(built.files), 0, 0)
    made = _assemble(built, target, beside, old)
    if not target.exists():
        os.rename(beside, target)
    elif _exchange(beside, target):
        _clear(beside, target, old)
    else:
        _replace(built, beside, target, old)
    return made


def unpublish_from_folder(target: Path) -> Unpublished:
    """Take the site in a folder away; what lies beside it is kept, a folder in which nothing is left goes.

    Raises
    ------
    DamagedError
        If the list of what was published cannot be read.
    StorageError
        If something cannot be removed; the next call goes on.
    """
    target = target.expanduser().resolve()
    try:
        if not target.parent.is_dir():
            return Unpublished(str(target), 0)
        with in_turn(target.parent):
            return _taken_away(target)
    except OSError as error:
        raise storage_error(f"take the site away from {target}", error) from error


def _taken_away(target: Path) -> Unpublished:
    _finish(target, target.with_name(f".{target.name}.runfolio-new"))
    if not (target / LIST).is_file():
        return Unpublished(str(target), 0)
    old = decode_listing((target / LIST).read_bytes(), str(target))
    beside = target / f"{LIST}.part"
    beside.write_bytes(old.away().encode())
    os.replace(beside, target / LIST)
    paths = old.leaving_order()
    for path in [*paths, LIST]:
        (target / path).unlink(missing_ok=True)
        _remove_empty(target, path)
    if not any(target.iterdir()):
        target.rmdir()
    return Unpublished(str(target), len(paths))


def _remove_empty(target: Path, path: str) -> None:
    """Remove the folders of a file that is gone, where nothing is left in them."""
    for parent in Path(path).parents:
        if str(parent) == "." or not (target / parent).is_dir() or any((target / parent).iterdir()):
            return
        (target / parent).rmdir()


def _finish(target: Path, beside: Path) -> None:
    """Finish what a publish that was killed had begun."""
    if not beside.is_dir():
        return
    if (beside / LIST).is_file() and (target / LIST).is_file():
        # Killed after the exchange, perhaps: what lay beside the old site goes to where the site is now.
        _clear(beside, target, decode_listing((beside / LIST).read_bytes(), str(beside)))
    else:
        shutil.rmtree(beside)


def _listing(target: Path) -> Listing:
    try:
        return decode_listing((target / LIST).read_bytes(), str(target))
    except FileNotFoundError:
        if target.is_dir() and any(target.iterdir()):
            raise StateError(
                f"{target} is not empty and holds no site that runfolio published, so nothing was written there. Name a new folder."
            ) from None
        return Listing()


def _all_there(target: Path, built: Built) -> bool:
    for path, file in built.files.items():
        try:
            if os.stat(os.path.join(target, path)).st_size != file.size:
                return False
        except OSError:
            return False
    return True


def _assemble(built: Built, target: Path, beside: Path, old: Listing) -> Published:
    """Put the new site together beside the old one."""
    sent = size = 0
    # Texts rather than paths: this is done for each file of the site, whatever changed.
    source, there, here, known = str(built.folder), str(target), str(beside), old.files
    beside.mkdir(exist_ok=True)
    folders = {""}
    for path, file in built.files.items():
        folder = path.rpartition("/")[0]
        if folder not in folders:
            try:
                os.mkdir(f"{here}/{folder}")
            except OSError:
                os.makedirs(f"{here}/{folder}", exist_ok=True)
            folders.add(folder)
        if known.get(path) == file.digest and _linked(f"{there}/{path}", f"{here}/{path}", file.size):
            continue
        shutil.copyfile(f"{source}/{path}", f"{here}/{path}")
        sent, size = sent + 1, size + file.size
    (beside / LIST).write_bytes(Listing(built.digests()).encode())
    return Published(str(target), sent, len(built.files) - sent, len(old.files.keys() - built.files.keys()), size)


def _linked(source: str, place: str, size: int) -> bool:
    try:
        found = os.lstat(source)
        if stat.S_ISLNK(found.st_mode) or found.st_size != size:
            return False
        os.link(source, place)
    except OSError:
        return False
    return True


def _clear(old_place: Path, target: Path, old: Listing) -> None:
    """Bring over what lay in the old folder and was not ours, and remove the rest of it: its list last, which says what is ours."""
    ours = old.known()
    tops = {path.partition("/")[0] for path in (*ours, LIST)}
    for item in sorted(old_place.iterdir()):
        if item.name not in tops and not (target / item.name).exists():
            os.rename(item, target / item.name)
    top = os.open(old_place, _FOLDER)
    try:
        _empty(top, "", target, ours)
        with suppress(FileNotFoundError):  # a folder that was empty before
            os.unlink(LIST, dir_fd=top)
    finally:
        os.close(top)
    os.rmdir(old_place)


def _empty(folder: int, start: str, target: Path, ours: set[str]) -> None:
    """Empty an open folder whose paths begin with `start`; as `shutil.rmtree`, it never follows a link that was put in a folder's place."""
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        name, path = entry.name, start + entry.name
        if entry.is_dir(follow_symlinks=False):
            below = os.open(name, _FOLDER, dir_fd=folder)
            try:
                _empty(below, f"{path}/", target, ours)
            finally:
                os.close(below)
            os.rmdir(name, dir_fd=folder)
        elif path in ours:
            os.unlink(name, dir_fd=folder)
        elif path != LIST:
            place = target / path
            if os.path.lexists(place):
                os.unlink(name, dir_fd=folder)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                os.rename(name, place, src_dir_fd=folder)


def _replace(built: Built, beside: Path, target: Path, old: Listing) -> None:
    """Replace file by file, so that no page ever names what is not there."""
    for path in sorted(built.files, key=lambda path: (rank(path, old.files), path)):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(beside / path, target / path)
    os.replace(beside / LIST, target / LIST)
    for path in old.files.keys() - built.files.keys():
        (target / path).unlink(missing_ok=True)
        _remove_empty(target, path)
    shutil.rmtree(beside)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where that cannot be done."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        call, arguments = getattr(libc, "renamex_np", None), (os.fsencode(one), os.fsencode(other), _RENAME_SWAP)
        if call is None or call(*arguments) == 0:
            return call is not None
    else:
        call = getattr(libc, "renameat2", None)
        if call is None:
            return False
        if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
            return True
    code = ctypes.get_errno()
    if code in _UNABLE:
        return False
    raise OSError(code, os.strerror(code), str(other))
