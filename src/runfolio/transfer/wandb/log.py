"""The transaction log of a W&B run, ``run-ID.wandb``: LevelDB's log format with a header of its own, a protocol buffer each record.

Format: seven bytes ``:W&B``, 0xBEE1 (little endian), version 0; then blocks of 32 KiB (the first counts the header), in which each piece
is CRC-32 of type and data (4 bytes), length (2), type (1: whole, 2: first, 3: middle, 4: last), data. Sources: LevelDB's
``doc/log_format.md``; ``wandb/proto/wandb_internal.proto`` for the numbers of fields.

Invariant: what is whole is yielded, whatever follows; what is not is told once.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runfolio.errors import DamagedError

BLOCK = 32 * 1024
_HEADER = b":W&B\xe1\xbe\x00"
_PIECE = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4

Fields = dict[int, list[Any]]
"""Values by field number: whole numbers for varints, bytes for everything else."""


def records(place: Path, tell: Callable[[str], None]) -> Iterator[bytes]:
    """Yield the records of a log, as far as it can be read.

    Parameters
    ----------
    place : Path
    tell : callable
        Given in words what could not be read.

    Raises
    ------
    DamagedError
        If it is no such log.
    """
    with open(place, "rb") as file:
        block = file.read(BLOCK)
        if not block.startswith(_HEADER[:4]):
            raise DamagedError(f"{place} is no log of W&B: it does not begin with ':W&B'")
        if len(block) < len(_HEADER) or block[4:7] != _HEADER[4:]:
            raise DamagedError(f"{place}: its header says another version of W&B's log than the one known here (0)")
        at, begun = len(_HEADER), b""
        number = 0
        while block:
            for kind, data in _pieces(block, at, number * BLOCK, tell):
                if kind == _WHOLE:
                    yield data
                elif kind == _FIRST:
                    begun = data
                elif kind == _MIDDLE and begun:
                    begun += data
                elif kind == _LAST and begun:
                    yield begun + data
                    begun = b""
            at, number, block = 0, number + 1, file.read(BLOCK)
        if begun:
            tell("the log ends within a record: what was logged last is not in it")


def _pieces(block: bytes, at: int, offset: int, tell: Callable[[str], None]) -> Iterator[tuple[int, bytes]]:
    """Yield type and data of a block's pieces; the rest of a block is left where a checksum is wrong, as LevelDB does."""
    while BLOCK - at >= _PIECE.size and at < len(block):
        if len(block) - at < _PIECE.size:
            tell(f"the log ends within a record, at byte {offset + at}")
            return
        checksum, length, kind = _PIECE.unpack_from(block, at)
        if kind == 0 and length == 0:  # a block that was allocated and not written
            return
        data = block[at + _PIECE.size : at + _PIECE.size + length]
        if len(data) < length:
            tell(f"the log ends within a record, at byte {offset + at}")
            return
        if zlib.crc32(data, zlib.crc32(bytes([kind]))) != checksum:
            tell(f"the log is damaged at byte {offset + at}: a checksum is wrong; the rest of its block was left out")
            return
        yield kind, data
        at += _PIECE.size + length


def fields_of(data: bytes) -> Fields:
    """Take a protocol buffer apart.

    Raises
    ------
    DamagedError
        If it is none.
    """
    found: Fields = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        value: int | bytes
        if wire == 0:
            value, at = _varint(data, at)
        elif wire in (1, 2, 5):
            length, at = (8, at) if wire == 1 else (4, at) if wire == 5 else _varint(data, at)
            value = data[at : at + length]
            at += length
            if at > len(data):
                raise DamagedError("a record ends within a field")
        else:
            raise DamagedError(f"a record has a field of the unknown kind {wire}")
        found.setdefault(number, []).append(value)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise DamagedError("a record ends within a number")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7


def text(fields: Fields, number: int) -> str:
    """Return a field's last value as text; empty where it is missing."""
    found = fields.get(number)
    return found[-1].decode("utf-8", "replace") if found and isinstance(found[-1], bytes) else ""


def texts(fields: Fields, number: int) -> list[str]:
    """Return all values of a repeated field as text."""
    return [item.decode("utf-8", "replace") for item in fields.get(number, ()) if isinstance(item, bytes)]


def whole(fields: Fields, number: int) -> int:
    """Return a field's last value as a signed number; 0 where it is missing, as protocol buffers have it."""
    found = fields.get(number)
    if not found or not isinstance(found[-1], int):
        return 0
    value: int = found[-1]
    return value - (1 << 64) if value >> 63 else value


def parts(fields: Fields, number: int) -> Iterator[Fields]:
    """Yield the messages of a repeated field."""
    for item in fields.get(number, ()):
        if isinstance(item, bytes):
            yield fields_of(item)


def part(fields: Fields, number: int) -> Fields:
    """Return the message of a field; empty where it is missing."""
    found = fields.get(number)
    return fields_of(found[-1]) if found and isinstance(found[-1], bytes) else {}


def moment(fields: Fields, number: int) -> int:
    """Return a Timestamp in milliseconds since the epoch, UTC; 0 where it is missing."""
    at = part(fields, number)
    return whole(at, 1) * 1000 + whole(at, 2) // 1_000_000


def items(fields: Fields, number: int) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield path and value of the items of a config, a summary or a row of the history: key 1, nested key 2, JSON 16."""
    for item in parts(fields, number):
        path = tuple(texts(item, 2)) or (text(item, 1),)
        spelled = text(item, 16)
        try:
            yield path, json.loads(spelled) if spelled else None
        except (ValueError, RecursionError):
            yield path, spelled
