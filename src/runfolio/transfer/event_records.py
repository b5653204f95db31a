"""TensorBoard's event files, record by record: TFRecord's framing with its checksums, read as far as a file goes.

A record is its length (8 bytes, little-endian), the length's masked CRC-32C (4 bytes), the data, and the data's masked CRC-32C
(https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details; Castagnoli's polynomial, RFC 3720, appendix B.4).
What lies in a record is not read here.
"""

from __future__ import annotations

import functools
import os
import struct
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from runfolio.errors import DamagedError

_HEAD = struct.Struct("<QI")
_POLYNOMIAL = 0x82F63B78


@functools.cache
def _tables() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what one byte and what two bytes make of a checksum; two at a time halves the work of Python."""
    one = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        one.append(value)
    return tuple(one), tuple(one[one[value & 255] & 255 ^ value >> 8] ^ one[value & 255] >> 8 for value in range(1 << 16))


def masked_crc(data: bytes) -> int:
    """Return the masked CRC-32C of bytes, as TFRecord has it.

    Examples
    --------
    >>> hex(masked_crc(b"123456789"))  # whose CRC-32C is e3069283
    '0xc78ab0e5'
    """
    one, two = _tables()
    even = len(data) & ~1
    pairs = array("H", data[:even])
    if sys.byteorder == "big":
        pairs.byteswap()
    crc = 0xFFFFFFFF
    for pair in pairs:
        crc = two[(crc ^ pair) & 0xFFFF] ^ crc >> 16
    for byte in data[even:]:
        crc = one[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(file: Path, problem: Callable[[str], None] = lambda said: None) -> Iterator[tuple[int, bytes]]:
    """Yield where each record of a file begins, and its data.

    Parameters
    ----------
    file : Path
    problem : callable, optional
        Told, in words, what is broken: a record whose data fail their checksum is passed over; where a length does, or the file ends
        within a record, nothing more can be read.
    """
    try:
        with open(file, "rb") as stream:
            yield from _records(stream, os.fstat(stream.fileno()).st_size, problem)
    except OSError as error:
        problem(f"it cannot be read: {error.strerror or error}")


def _records(stream: BinaryIO, size: int, problem: Callable[[str], None]) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < size:
        head = stream.read(_HEAD.size)
        if len(head) == _HEAD.size:
            length, crc = _HEAD.unpack(head)
            if masked_crc(head[:8]) != crc:
                problem(
                    f"it is broken at byte {at:,} of {size:,}: the checksum of a record's length fails; the rest cannot be read"
                )
                return
        else:
            length = size
        if at + _HEAD.size + length + 4 > size:
            problem(f"it ends within a record, at byte {at:,} of {size:,}: its writer was killed, or is writing still")
            return
        data, tail = stream.read(length), stream.read(4)
        if len(data) < length or len(tail) < 4:
            problem(f"it became shorter while it was read, at byte {at:,} of {size:,}")
            return
        if masked_crc(data) == int.from_bytes(tail, "little"):
            yield at, data
        else:
            problem(f"the record at byte {at:,} is broken: its checksum fails; it was passed over")
        at += _HEAD.size + length + 4


def record_at(file: Path, at: int) -> bytes:
    """Return the data of a record that :func:`records` gave.

    Raises
    ------
    DamagedError
        If the file cannot be read any more.
    """
    try:
        with open(file, "rb") as stream:
            stream.seek(at)
            length, _ = _HEAD.unpack(stream.read(_HEAD.size))
            return stream.read(length)
    except (OSError, struct.error) as error:
        raise DamagedError(f"{file.name} was read before, and cannot be read now: {error}") from None
