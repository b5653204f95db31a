"""The run table's data: records to columns, columns to bytes that a page's script reads.

Columnar and dictionary-coded, because that is 40 bytes a run on the wire where rows of JSON are 72 and Parquet is 47 to 61, and
it needs no reader (``docs/design/site.md``). Where a run lacks a key the column has ``null``, or, where most do, only the rows
that have it. The encodings:

====  =======================================================================
t     column
====  =======================================================================
n     numbers: ``v``; NaN and infinities by name; sparse with ``i``, the rows
d     whole numbers as the first and the differences: ``v``
s     text: ``d`` and ``c`` (place in ``d``, -1 missing), or ``v`` as it is
l     lists of text: ``d`` and ``c``
====  =======================================================================

Pure: bytes in, values out; what is shown of a run is decided in :mod:`runfolio.site.details`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.site.spelling import compact

SPARSE = 0.25
MAX_TEXT = 500


@dataclass(slots=True)
class Cells:
    """The cells of one column in one shard, in the order of the rows.

    Parameters
    ----------
    kind : str
        ``num``, ``time``, ``text`` or ``list``.
    rows : list of int
        Rows that have a value.
    values : list
        Their values.
    """

    kind: str
    rows: list[int]
    values: list[Any]


def cells_of(rows: Iterable[Mapping[str, Mapping[str, Any]]]) -> dict[str, Cells]:
    """Turn rows into columns.

    Parameters
    ----------
    rows : iterable of Mapping
        One a run: values by kind and column key, as :func:`runfolio.site.details.row_cells` makes them.

    Returns
    -------
    dict of str to Cells
    """
    made: dict[str, Cells] = {}
    add_cells(made, rows)
    return made


def add_cells(made: dict[str, Cells], rows: Iterable[Mapping[str, Mapping[str, Any]]], first: int = 0) -> None:
    """Put rows below those that `made` has; `first` is the number of the first of them."""
    for number, row in enumerate(rows, first):
        for kind, values in row.items():
            for key, value in values.items():
                cells = made.get(key)
                if cells is None:
                    cells = made[key] = Cells(kind, [], [])
                cells.rows.append(number)
                cells.values.append(value)


def facts_of(cells: Cells) -> dict[str, Any]:
    """Return what the list of columns says of one column in one shard.

    Returns
    -------
    dict
        ``kind``, ``filled``; of numbers ``min`` and ``max`` (absent where there is none that is finite); ``only``, the value, where all
        are the same.
    """
    made: dict[str, Any] = {"kind": cells.kind, "filled": len(cells.rows)}
    if cells.kind in ("num", "time"):
        finite = [value for value in cells.values if not isinstance(value, str)]
        if finite:
            made["min"], made["max"] = min(finite), max(finite)
    first = cells.values[0]
    if all(value == first for value in cells.values):
        made["only"] = first[:MAX_TEXT] if cells.kind == "text" else list(first) if cells.kind == "list" else first
    return made


def join_facts(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Join what several shards say of one column."""
    made: dict[str, Any] = {"kind": parts[0]["kind"], "filled": sum(part["filled"] for part in parts)}
    for name, choose in (("min", min), ("max", max)):
        found = [part[name] for part in parts if name in part]
        if found:
            made[name] = choose(found)
    if all("only" in part and part["only"] == parts[0].get("only") for part in parts):
        made["only"] = parts[0]["only"]
    return made


def encode_column(cells: Cells, rows: int, digits: int | None) -> dict[str, Any]:
    """Return a column as JSON values.

    Parameters
    ----------
    cells : Cells
    rows : int
        Rows of the shard.
    digits : int or None
        Significant digits that numbers are rounded to; None writes them whole.
    """
    sparse = len(cells.rows) < SPARSE * rows
    if cells.kind == "time" and len(cells.rows) == rows:
        return {"t": "d", "v": [now - before for now, before in zip(cells.values, [0, *cells.values[:-1]], strict=True)]}
    if cells.kind in ("num", "time"):
        values = _rounded(cells.values, digits) if cells.kind == "num" else cells.values
        return {"t": "n", "i": cells.rows, "v": values} if sparse else {"t": "n", "v": _spread(cells.rows, values, rows, None)}
    kind = "l" if cells.kind == "list" else "s"
    texts = cells.values if kind == "l" or max(map(len, cells.values)) <= MAX_TEXT else [text[:MAX_TEXT] for text in cells.values]
    places = dict.fromkeys(texts)
    if kind == "s" and len(places) > len(texts) // 2 and len(places) > 16:
        return {"t": "s", "i": cells.rows, "v": texts} if sparse else {"t": "s", "v": _spread(cells.rows, texts, rows, None)}
    ranked = {value: place for place, value in enumerate(sorted(places))}
    codes = [ranked[value] for value in texts]
    if sparse:
        return {"t": kind, "d": list(ranked), "i": cells.rows, "c": codes}
    return {"t": kind, "d": list(ranked), "c": _spread(cells.rows, codes, rows, -1)}


def decode_column(column: Mapping[str, Any], kind: str) -> Cells:
    """Return the cells of a column that :func:`encode_column` made, with what it rounded and cut.

    Parameters
    ----------
    column : Mapping
    kind : str
        As in the facts of the column.
    """
    if column["t"] == "d":
        return Cells(kind, list(range(len(column["v"]))), list(accumulate(column["v"])))
    coded = "c" in column
    held, missing = (column["c"], -1) if coded else (column["v"], None)
    rows = column.get("i")
    if rows is None:
        rows = [row for row, value in enumerate(held) if value != missing] if missing in held else list(range(len(held)))
        held = [value for value in held if value != missing] if len(rows) < len(held) else held
    words = [tuple(word) for word in column["d"]] if kind == "list" else column.get("d", ())
    return Cells(kind, rows, [words[code] for code in held] if coded else list(held))


def lengthened(column: Mapping[str, Any], filled: int, new: Cells | None, rows: int, digits: int | None) -> dict[str, Any] | None:
    """Put cells below an encoded column, where that needs none of the others: a value or a code for each row, before and after.

    Parameters
    ----------
    column : Mapping
        Encoded, its numbers rounded to `digits`.
    filled : int
        How many rows have a value in it.
    new : Cells or None
    rows : int
        Rows of the shard now.
    digits : int or None

    Returns
    -------
    dict or None
        What :func:`encode_column` gives for all the cells; None where that is not sure.
    """
    before = len(column.get("v", column.get("c", ())))
    there = [] if new is None else [row - before for row in new.rows]
    filled += len(there)
    if "i" in column or filled < SPARSE * rows or rows < before:
        return None
    kind, more = column["t"], rows - before
    if kind == "d" and new is not None and len(there) == more:
        return {
            "t": "d",
            "v": [*column["v"], *(now - last for now, last in zip(new.values, [sum(column["v"]), *new.values], strict=False))],
        }
    if kind == "n" and (new is None or new.kind == "num"):
        values = _rounded(new.values, digits) if new else []
        return {"t": "n", "v": [*column["v"], *_spread(there, values, more, None)]}
    if "c" not in column or (kind == "s" and len(column["d"]) > max(16, filled // 2)):
        return None
    places = {tuple(word) if kind == "l" else word: place for place, word in enumerate(column["d"])}
    codes = [places.get(value if kind == "l" else value[:MAX_TEXT], -1) for value in new.values] if new else []
    return None if -1 in codes else {"t": kind, "d": column["d"], "c": [*column["c"], *_spread(there, codes, more, -1)]}


_PROTO = re.compile(r'(?<=[{,])"__proto__":')
_PROTO_KEY = '["__proto__"]:'


def script(key: str, value: object) -> bytes:
    """Return a data file: one call, which a page loads as a classic script (the only form that also works from a folder)."""
    return f"rfData({compact(key)},{script_text(value)});\n".encode()


def script_value(data: bytes) -> Any:
    """Return the value of a data file that :func:`script` made, where no key in it is ``__proto__``."""
    text = data.decode()
    return json.loads(text[text.index(",") + 1 : -3])


def record_text(body: bytes) -> str:
    """Return a record in the canonical spelling as a script's text, without the breaks between its lines."""
    if b"__proto__" in body or not body.isascii():
        return script_text(json.loads(body))
    # In JSON a line break never stands inside of a text, so this needs no parsing.
    for indent in (b"\n    ", b"\n  ", b"\n"):
        body = body.replace(indent, b"")
    return body.decode("ascii")


def script_of_texts(key: str, parts: Mapping[str, str]) -> bytes:
    """Return a data file whose value is an object of values that are spelled already."""
    fields = ",".join(f"{compact(name)}:{text}" for name, text in parts.items())
    return f"rfData({compact(key)},{{{fields}}});\n".encode()


def script_text(value: object) -> str:
    """Spell a value as a script's text."""
    # In a script, unlike in JSON, `{"__proto__": x}` sets no key but the prototype; `["__proto__"]` is a key. Inside of a text each
    # quotation mark follows a backslash, so that the pattern finds keys only.
    text = compact(value)
    return _PROTO.sub(_PROTO_KEY, text) if "__proto__" in text else text


def _spread(rows: Sequence[int], values: Sequence[Any], count: int, missing: Any) -> list[Any]:
    if len(rows) == count:
        return list(values)
    made: list[Any] = [missing] * count
    for row, value in zip(rows, values, strict=True):
        made[row] = value
    return made


def _rounded(values: Sequence[Any], digits: int | None) -> list[Any]:
    if digits is None:
        return [_short(value) for value in values]
    return [value if isinstance(value, str) else _short(float(f"{value:.{digits}g}")) for value in values]


def _short(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
