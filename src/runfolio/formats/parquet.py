"""Parquet as bytes: columns to chunks, chunks to a file, and what a file that was made here says of its own chunks.

As much of the format as a table of optional numbers, moments, texts and yes-or-no needs: pages of version 1, texts by dictionary where
they repeat, gzip where it pays. Nothing but the standard library, so that a site or an export needs no package for it. A file is written
group by group (:class:`ParquetWriter`): memory holds one group.
What readers do with it is told in the format's own document, https://parquet.apache.org/docs/file-format/.

Invariants:

- The bytes follow from the values alone: gzip heads carry no time and no system.
- A chunk says nothing of its place, so that the next file can take it over as it is.

>>> chunk = encode_chunk("text", ["a", None, "a"])
>>> chunk.rows, chunk.nulls
(3, 1)
"""

from __future__ import annotations

import io
import json
import struct
import sys
import zlib
from array import array
from collections.abc import Mapping, Sequence

from runfolio._typing import Any, BinaryIO, NamedTuple
from runfolio.formats.thrift import Field, struct_bytes

MAGIC = b"PAR1"
_BOOLEAN, _INT64, _DOUBLE, _BYTES = 0, 2, 5, 6
_UTC_MS: list[Field] = [(8, "struct", [(1, "true", None), (2, "struct", [(1, "struct", [])])])]
_TYPES: dict[str, tuple[int, list[Field]]] = {
    "text": (_BYTES, [(6, "i32", 0)]), "time": (_INT64, [(6, "i32", 9), (10, "struct", _UTC_MS)]), "whole": (_INT64, []),
    "number": (_DOUBLE, []), "flag": (_BOOLEAN, []),
}  # fmt: skip
"""Physical type of a kind of column, and what its values mean."""
_PLAIN, _RLE, _BY_DICTIONARY = 0, 3, 8
_NO_CODEC, _GZIP = 0, 2
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_MOST_CODES = 1 << 16


class Chunk(NamedTuple):
    """The values of one column in one group of rows, encoded.

    Attributes
    ----------
    data : bytes
    rows, nulls : int
    whole : int
        Bytes before compression.
    dictionary : int
        Of `data`, the bytes of the page with the distinct values; 0 where there is none.
    packed : bool
        Whether pages are compressed.
    """

    data: bytes
    rows: int
    nulls: int
    whole: int
    dictionary: int
    packed: bool


class Column(NamedTuple):
    """A column: its key in groups, its name in the file, and the kind of its values, as for :func:`encode_chunk`."""

    key: str
    name: str
    kind: str


class Group(NamedTuple):
    """A group of rows: the name under which the next build finds it again, and its chunks by the column's key."""

    name: str
    rows: int
    chunks: Mapping[str, Chunk]


def encode_chunk(kind: str, values: Sequence[Any]) -> Chunk:
    """Encode a column's values.

    Parameters
    ----------
    kind : str
        ``text``, ``time``, ``whole``, ``number`` or ``flag``.
    values : sequence
        None is missing.
    """
    there = [value for value in values if value is not None]
    levels = _levels(values, len(there))
    pages: list[tuple[dict[str, int], bytes]] = []
    encoding = _PLAIN
    if kind == "text":
        distinct = dict.fromkeys(there)
        if there and 2 * len(distinct) <= len(there) and len(distinct) <= _MOST_CODES:
            encoding = _BY_DICTIONARY
            pages.append(({"values": len(distinct)}, _texts(list(distinct))))
            body = _codes(there, {text: place for place, text in enumerate(distinct)})
        else:
            body = _texts(there)
    elif kind == "flag":
        body = _bits(there)
    else:
        body = _numbers("d" if kind == "number" else "q", there)
    pages.append(({"values": len(values), "encoding": encoding}, levels + body))
    squeezed = [_gzip(data) for _, data in pages]
    packed = sum(map(len, squeezed)) < 0.9 * sum(len(data) for _, data in pages)
    made, whole = [], 0
    for (head, data), small in zip(pages, squeezed, strict=True):
        page = _page_head(head, len(data), len(small if packed else data)) + (small if packed else data)
        made.append(page)
        whole += len(page) - len(small if packed else data) + len(data)
    return Chunk(b"".join(made), len(values), len(values) - len(there), whole, len(made[0]) if len(made) > 1 else 0, packed)


class ParquetWriter:
    """Writes a file group by group.

    Parameters
    ----------
    stream : BinaryIO
        At its beginning.
    columns : sequence of Column
        In their order; a group that lacks one has no value there.
    table : str, optional
        What the file calls its rows.
    """

    def __init__(self, stream: BinaryIO, columns: Sequence[Column], table: str = "runs") -> None:
        self._stream, self._columns, self._table = stream, columns, table
        self._heads: list[list[tuple[int, str, Any]]] = []
        self._remembered: list[Any] = []
        self._rows = 0
        self._at = stream.write(MAGIC)

    def add(self, group: Group) -> None:
        """Write a group; one without a name is not found again."""
        fields: list[Any] = []
        whole, first, numbers = 0, self._at, []
        empty: dict[str, Chunk] = {}
        for key, name, kind in self._columns:
            chunk = group.chunks.get(key) or empty.setdefault(kind, encode_chunk(kind, [None] * group.rows))
            fields.append([(2, "i64", self._at), (3, "struct", _column_head(name, kind, chunk, self._at))])
            numbers.append([len(chunk.data), chunk.nulls, chunk.whole, chunk.dictionary, int(chunk.packed)])
            self._at += self._stream.write(chunk.data)
            whole += chunk.whole
        self._heads.append([(1, "list", ("struct", fields)), (2, "i64", whole), (3, "i64", group.rows)])
        self._remembered.append([group.name, group.rows, first, numbers])
        self._rows += group.rows

    def finish(self, told: Mapping[str, str], *, remember: bool = False) -> None:
        """Write the foot.

        Parameters
        ----------
        told : Mapping of str to str
            What the file says of itself.
        remember : bool, optional
            Say what :func:`read_groups` needs, too.
        """
        if remember:
            names = [column.name for column in self._columns]
            memory = json.dumps({"columns": names, "groups": self._remembered}, separators=(",", ":"))
            told = {**told, "runfolio.groups": memory}
        foot = _foot(self._table, self._columns, self._heads, self._rows, told)
        self._stream.write(b"".join([foot, struct.pack("<i", len(foot)), MAGIC]))


def write_parquet(columns: Sequence[Column], groups: Sequence[Group], told: Mapping[str, str]) -> bytes:
    """Put chunks together to a file that :func:`read_groups` can read; the arguments are those of :class:`ParquetWriter`."""
    stream = io.BytesIO()
    writer = ParquetWriter(stream, columns)
    for group in groups:
        writer.add(group)
    writer.finish(told, remember=True)
    return stream.getvalue()


def read_groups(data: bytes) -> dict[str, Group]:
    """Return the groups of a file that :func:`write_parquet` made, by their name.

    Raises
    ------
    ValueError
        If it is none, or damaged.
    """
    if len(data) < 12 or not data.startswith(MAGIC) or not data.endswith(MAGIC):
        raise ValueError("not a whole Parquet file")
    size = struct.unpack("<i", data[-8:-4])[0]
    # Inside of a text each quotation mark follows a backslash, so the last place that looks like the beginning is it.
    start = data.rfind(b'{"columns":[', max(0, len(data) - 8 - size))
    if start < 0:
        raise ValueError("it does not say what it consists of")
    held, _ = json.JSONDecoder().raw_decode(data[start : len(data) - 8].decode("latin-1"))
    names: list[str] = held["columns"]
    found: dict[str, Group] = {}
    for group, rows, at, numbers in held["groups"]:
        chunks = {}
        for name, (length, nulls, whole, dictionary, packed) in zip(names, numbers, strict=True):
            if nulls < rows:
                chunks[name] = Chunk(data[at : at + length], rows, nulls, whole, dictionary, bool(packed))
            at += length
        if at > len(data) - 8 - size:
            raise ValueError("a group of rows goes beyond the file")
        found[group] = Group(group, rows, chunks)
    found.pop("", None)
    return found


def _foot(table: str, columns: Sequence[Column], heads: Sequence[Any], rows: int, told: Mapping[str, str]) -> bytes:
    schema: list[Any] = [[(4, "text", table), (5, "i32", len(columns))]]
    for _, name, kind in columns:
        physical, meaning = _TYPES[kind]
        schema.append([(1, "i32", physical), (3, "i32", 1), (4, "text", name), *meaning])
    said = [[(1, "text", key), (2, "text", value)] for key, value in sorted(told.items())]
    return struct_bytes(
        [
            (1, "i32", 1), (2, "list", ("struct", schema)), (3, "i64", rows), (4, "list", ("struct", heads)), (5, "list", ("struct", said)),
            (6, "text", "runfolio"),
        ]
    )  # fmt: skip


def _column_head(name: str, kind: str, chunk: Chunk, at: int) -> list[tuple[int, str, Any]]:
    encodings = [_PLAIN, _RLE, *([_BY_DICTIONARY] if chunk.dictionary else [])]
    return [
        (1, "i32", _TYPES[kind][0]), (2, "list", ("i32", encodings)), (3, "list", ("text", [name])),
        (4, "i32", _GZIP if chunk.packed else _NO_CODEC), (5, "i64", chunk.rows), (6, "i64", chunk.whole), (7, "i64", len(chunk.data)),
        (9, "i64", at + chunk.dictionary), *([(11, "i64", at)] if chunk.dictionary else []),
        (12, "struct", [(3, "i64", chunk.nulls)]),
    ]  # fmt: skip


def _page_head(head: Mapping[str, int], whole: int, size: int) -> bytes:
    if "encoding" in head:
        own = [(1, "i32", head["values"]), (2, "i32", head["encoding"]), (3, "i32", _RLE), (4, "i32", _RLE)]
        return struct_bytes([(1, "i32", 0), (2, "i32", whole), (3, "i32", size), (5, "struct", own)])
    own = [(1, "i32", head["values"]), (2, "i32", _PLAIN)]
    return struct_bytes([(1, "i32", 2), (2, "i32", whole), (3, "i32", size), (7, "struct", own)])


def _levels(values: Sequence[Any], there: int) -> bytes:
    """Say which values are there: one run where all or none are, else a bit for each."""
    if there in (0, len(values)):
        made = _varint(len(values) << 1) + (b"\1" if there else b"\0")
    else:
        bits = int("".join(["0" if value is None else "1" for value in values])[::-1], 2)
        made = _bit_packed(len(values), bits.to_bytes(-(-len(values) // 8), "little"))
    return struct.pack("<i", len(made)) + made


def _codes(there: Sequence[str], places: Mapping[str, int]) -> bytes:
    wide = len(places) > 256
    codes = array("H" if wide else "B", map(places.__getitem__, there))
    if wide and sys.byteorder == "big":
        codes.byteswap()
    data = codes.tobytes()
    if len(places) == 1:
        return b"\x08" + _varint(len(there) << 1) + data[:1]
    width = 2 if wide else 1
    groups = -(-len(there) // 8)
    return bytes([8 * width]) + _bit_packed(len(there), data.ljust(8 * width * groups, b"\0"))


def _bit_packed(count: int, data: bytes) -> bytes:
    return _varint((-(-count // 8) << 1) | 1) + data


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def _numbers(code: str, values: Sequence[float]) -> bytes:
    held = array(code, values)
    if sys.byteorder == "big":
        held.byteswap()
    return held.tobytes()


def _bits(values: Sequence[bool]) -> bytes:
    bits = int("".join(["1" if value else "0" for value in values])[::-1] or "0", 2)
    return bits.to_bytes(-(-len(values) // 8), "little")


def _texts(values: Sequence[str]) -> bytes:
    pack = struct.Struct("<i").pack
    parts = []
    for value in values:
        data = value.encode()
        parts.append(pack(len(data)))
        parts.append(data)
    return b"".join(parts)


def _gzip(data: bytes) -> bytes:
    squeezer = zlib.compressobj(1, zlib.DEFLATED, -15)
    body = squeezer.compress(data) + squeezer.flush()
    return _GZIP_HEAD + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)
