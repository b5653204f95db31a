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
from pathlib import Path

from runfolio.errors import StateError, storage_error
from runfolio.site.destinations.contents import LIST, Built, Listing, Published, Unpublished, decode_listing, rank

_RENAME_EXCHANGE, _AT_FDCWD = 2, -100
_RENAME_SWAP = 2
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
        _finish(target, beside)
        old = _listing(target)
        if old.files == built.digests() and _all_there(target, built):
            return Published(str(target), 0, len(built.files), 0, 0)
        made = _assemble(built, target, beside, old)
        if not target.exists():
            os.rename(beside, target)
        elif _exchange(beside, target):
            _keep_others(beside, target, old)
            shutil.rmtree(beside)
        else:
            _replace(built, beside, target, old)
        return made
    except OSError as error:
        raise storage_error(f"publish to {target}", error) from error


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
    except OSError as error:
        raise storage_error(f"take the site away from {target}", error) from error


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
        _keep_others(beside, target, decode_listing((beside / LIST).read_bytes(), str(beside)))
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
    folders: set[str] = set()
    for path, file in built.files.items():
        place = os.path.join(beside, path)
        folder = os.path.dirname(place)
        if folder not in folders:
            os.makedirs(folder, exist_ok=True)
            folders.add(folder)
        if old.files.get(path) == file.digest and _linked(os.path.join(target, path), place, file.size):
            continue
        shutil.copyfile(os.path.join(built.folder, path), place)
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


def _keep_others(old_place: Path, target: Path, old: Listing) -> None:
    """Bring over what lay in the old folder and was not ours."""
    ours = {*old.known(), LIST}
    tops = {path.partition("/")[0] for path in ours}
    for item in sorted(old_place.iterdir()):
        if item.name not in tops and not (target / item.name).exists():
            os.rename(item, target / item.name)
    top = len(os.fspath(old_place)) + 1
    for folder, _, names in os.walk(old_place):
        for name in names:
            place = os.path.join(folder, name)
            path = place[top:].replace(os.sep, "/")
            if path not in ours and not (target / path).exists():
                (target / path).parent.mkdir(parents=True, exist_ok=True)
                os.rename(place, target / path)


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
