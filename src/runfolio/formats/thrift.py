"""Thrift's compact protocol, as far as the metadata of Parquet needs it: structures of numbers, texts, lists and structures.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

>>> struct_bytes([(1, "i32", -1), (3, "text", "a")])
b'\\x15\\x01(\\x01a\\x00'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Field = tuple[int, str, Any]
"""Number, type, value. Types: ``true`` (which has no value), ``i32``, ``i64``, ``text``, ``struct`` and ``list``, whose value is the type
of its items and the items."""
_CODES = {"true": 1, "i32": 5, "i64": 6, "text": 8, "list": 9, "struct": 12}


def struct_bytes(fields: Sequence[Field]) -> bytes:
    """Spell a structure; its fields stand by their number."""
    made = bytearray()
    _struct(made, fields)
    return bytes(made)


def _struct(made: bytearray, fields: Sequence[Field]) -> None:
    last = 0
    for number, kind, value in fields:
        made.append((number - last) << 4 | _CODES[kind])
        last = number
        _value(made, kind, value)
    made.append(0)


def _value(made: bytearray, kind: str, value: Any) -> None:
    if kind in ("i32", "i64"):
        _varint(made, value << 1 if value >= 0 else (-value << 1) - 1)
    elif kind == "text":
        data = value.encode()
        _varint(made, len(data))
        made += data
    elif kind == "struct":
        _struct(made, value)
    elif kind == "list":
        inner, items = value
        if len(items) < 15:
            made.append(len(items) << 4 | _CODES[inner])
        else:
            made.append(0xF0 | _CODES[inner])
            _varint(made, len(items))
        for item in items:
            _value(made, inner, item)


def _varint(made: bytearray, value: int) -> None:
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
