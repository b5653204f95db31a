"""Loose objects: one file each, read and written as git does it.

An object is written whole under a temporary name that git's own clean-up knows (``tmp_obj_…``), then renamed: a process killed at any
point leaves either the object or a file that ``git gc`` removes. An object that is there already gets a fresh time instead, so that a
clean-up under way does not take it for left over (git's ``freshen_loose_object``).
"""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

from runfolio._hashing import sha1_of

LARGEST = 16 * 1024 * 1024
"""Bytes of an object from which on it is left to git, which streams."""
_UNFINISHED = "tmp_obj_"
_SMALL = 4096
_STORED = 0xFFFF
"""Bytes that one stored block of zlib holds; to have zlib make it takes three times as long for a tree."""
GIT_LEVEL = 1
"""Git's own level of compression for loose objects (``Z_BEST_SPEED``)."""
_SAMPLED = 64 * 1024
"""Bytes from which on an object is sampled before it is compressed."""
_SAMPLES, _SAMPLE = 16, 1024
_GAIN = 0.9


class LooseObjects:
    """The loose objects of a SHA-1 repository.

    Parameters
    ----------
    folder : Path
        The repository's ``objects``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def _path(self, oid: str) -> str:
        return f"{self._folder}/{oid[:2]}/{oid[2:]}"

    def read(self, oid: str) -> tuple[str, bytes] | None:
        """Return kind and content of an object, or None where it is not loose, too large, or not as git writes it."""
        try:
            with open(self._path(oid), "rb") as file:
                packed = file.read(LARGEST + 1)
        except OSError:
            return None
        if len(packed) > LARGEST:
            return None
        unpack = zlib.decompressobj()
        try:
            data = unpack.decompress(packed, LARGEST)
        except zlib.error:
            return None
        head, zero, content = data.partition(b"\0")
        kind, _, size = head.partition(b" ")
        if not unpack.eof or not zero or size != b"%d" % len(content):
            return None
        return kind.decode("ascii", "replace"), content

    def write(self, oid: str, kind: str, data: bytes, *, level: int = GIT_LEVEL, durable: bool = False) -> None:
        """Store an object, if it is not loose already.

        Parameters
        ----------
        oid : str
            Its id, as :func:`object_id` told it.
        kind : str
            ``blob``, ``tree`` or ``commit``.
        data : bytes
        level : int, optional
            Of compression.
        durable : bool, optional
            Sync it to disk.

        Raises
        ------
        OSError
            If it could not be written.
        """
        target = self._path(oid)
        try:
            os.utime(target)
            return
        except FileNotFoundError:
            pass
        folder = target.rpartition("/")[0]
        temporary = f"{folder}/{_UNFINISHED}{os.urandom(6).hex()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            fd = os.open(temporary, flags, 0o444)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)
            fd = os.open(temporary, flags, 0o444)
        try:
            try:
                write_whole(fd, compressed(_whole(kind, data), level))
                if durable:
                    os.fsync(fd)
            finally:
                os.close(fd)
            os.rename(temporary, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise


def object_id(kind: str, data: bytes) -> str:
    """Return the id of an object."""
    return sha1_of(_whole(kind, data)).hex()


def _whole(kind: str, data: bytes) -> bytes:
    return f"{kind} {len(data)}\0".encode("ascii") + data


def fitting_level(data: bytes, level: int) -> int:
    """Return the level to compress an object with: 0, which stores it, where samples of it hardly become smaller.

    Tables of numbers, pictures and archives lose a few hundredths, for 20 ms a megabyte here and again in each process of git that reads
    them. ``git gc`` compresses what it packs.

    Examples
    --------
    >>> import random
    >>> fitting_level(random.Random(0).randbytes(100_000), 1), fitting_level(b"a" * 100_000, 1)
    (0, 1)
    """
    if len(data) < _SAMPLED:
        return level
    step = len(data) // _SAMPLES
    sample = b"".join([data[at : at + _SAMPLE] for at in range(0, step * _SAMPLES, step)])
    return 0 if len(zlib.compress(sample, GIT_LEVEL)) > _GAIN * len(sample) else level


def compressed(data: bytes, level: int) -> bytes:
    """Return data as git compresses objects."""
    if level == 0 and len(data) <= _STORED:
        # RFC 1950, 2.2, and RFC 1951, 3.2.4: the head, "the last block, stored", its length twice, the bytes, their sum.
        lengths = struct.pack("<HH", len(data), len(data) ^ _STORED)
        return b"\x78\x01\x01%b%b%b" % (lengths, data, zlib.adler32(data).to_bytes(4, "big"))
    if len(data) > _SMALL:
        return zlib.compress(data, level)
    # A window no larger than what goes through it: to clear one of 32 KB takes longer than to compress a small object (46 and 14 us).
    packer = zlib.compressobj(level, zlib.DEFLATED, 12, 5)
    return packer.compress(data) + packer.flush()


def write_whole(fd: int, data: bytes) -> None:
    """Write all bytes to an open file, however many a call takes."""
    done = os.write(fd, data)
    while done < len(data):
        done += os.write(fd, data[done:])
