"""What a page shows of a text-like artifact: its body, as JSON values that cannot be anything but text.

A body is one of

- ``{"kind": "text", "text": …, "cut": bytes left out}``: source, logs, HTML as text, JSON spelled readably;
- ``{"kind": "table", "columns": […], "rows": [[…]], "numeric": places of columns, "total": n, "hidden": columns left
  out}``: separated values, tables of ``log_table``; cells are texts, numbers, truth values or None;
- ``{"kind": "chart", "spec": {…}}``: a figure in Vega-Lite, as ``log_figure`` writes of Altair's charts;
- ``{"kind": "evaluation", "document": {…}}``: what an evaluation found; see :mod:`runfolio.formats.evaluations`;
- ``{"kind": "pipeline", "document": {…}}``: what became of a pipeline's steps; see :mod:`runfolio.formats.pipelines`;
- ``{"kind": "sweep", "document": {…}}``: what a sweep found; see :mod:`runfolio.formats.sweeps`;
- ``{"kind": "markdown", "nodes": […], "cut": n}``: see :mod:`runfolio.site.markdown`;
- ``{"kind": "image", "source": "data:image/svg+xml;base64,…"}``: an SVG, which runs no script and loads nothing inside ``<img>``, and which
  is published under no name that a browser would open as a document.

Everything is bounded: `MAX_TEXT` characters, `MAX_ROWS` rows, `MAX_COLUMNS` columns, `MAX_CELL` characters.
"""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import math
from collections.abc import Callable
from typing import Any

from runfolio.formats.evaluations import decode_evaluation
from runfolio.formats.pipelines import decode_pipeline_document
from runfolio.formats.sweeps import decode_sweep
from runfolio.site.charts.rows import NUMBER
from runfolio.site.charts.specs import fitted, logged_spec
from runfolio.site.kinds import Kind, is_table_path
from runfolio.site.markdown import MAX_CHARACTERS, markdown_tree

MAX_TEXT = 60_000
MAX_ROWS = 50
MAX_COLUMNS = 60
MAX_CELL = 500
MAX_SVG_BYTES = 400_000
"""SVG beyond it is shown as text: as base64 it would weigh a third more, in every copy of its page's data."""
_MAX_DEPTH = 200


def body_of(kind: Kind, data: bytes, path: str) -> dict[str, Any]:
    """Return what a page shows of an artifact.

    Parameters
    ----------
    kind : Kind
        ``text`` or ``svg``.
    data : bytes
    path : str
        The artifact's name, whose ending says how the text is meant.

    Examples
    --------
    >>> body_of(Kind("text", ".csv"), b"a,b\\n1,<i>\\n", "t.csv")
    {'kind': 'table', 'columns': ['a', 'b'], 'rows': [['1', '<i>']], 'numeric': [], 'total': 1, 'hidden': 0}
    """
    if kind.name == "svg" and len(data) <= MAX_SVG_BYTES:
        return {"kind": "image", "source": "data:image/svg+xml;base64," + base64.b64encode(data).decode()}
    text, name = data.decode("utf-8-sig"), path.lower()
    made: dict[str, Any] | None = None
    if is_table_path(name):
        made = _separated(text, "\t" if name.endswith(".tsv") else ",")
    elif name.endswith((".md", ".markdown")):
        made = {"kind": "markdown", "nodes": markdown_tree(text), "cut": max(0, len(text) - MAX_CHARACTERS)}
    elif name.endswith(".json"):
        made = _told(data, text)
    return made or _plain(text)


def _told(data: bytes, text: str) -> dict[str, Any] | None:
    document = decode_evaluation(data)
    if document is not None:
        return {"kind": "evaluation", "document": document}
    pipeline = decode_pipeline_document(data)
    if pipeline is not None:
        return {"kind": "pipeline", "document": pipeline}
    sweep = decode_sweep(data)
    if sweep is not None:
        return {"kind": "sweep", "document": sweep}
    spec = logged_spec(text)
    return {"kind": "chart", "spec": fitted(spec)} if spec else _json(text)


def preview_kind(kind: Kind, data: bytes, path: str) -> str:
    """Return the word for what :func:`body_of` makes, or the kind of what needs no body."""
    return str(body_of(kind, data, path)["kind"]) if kind.name in ("text", "svg") else kind.name


def _plain(text: str) -> dict[str, Any]:
    return {"kind": "text", "text": text[:MAX_TEXT], "cut": max(0, len(text) - MAX_TEXT)}


def _json(text: str) -> dict[str, Any] | None:
    """Return JSON as a table where it is one (pandas' split form, which ``log_table`` writes), else spelled readably."""
    if _depth(text) > _MAX_DEPTH:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    columns = value.get("columns") if isinstance(value, dict) else None
    rows = value.get("data") if isinstance(value, dict) else None
    if (
        isinstance(columns, list)
        and isinstance(rows, list)
        and all(isinstance(row, list) and len(row) == len(columns) for row in rows)
    ):
        return _table([str(name) for name in columns], rows[:MAX_ROWS], len(rows))
    return _plain(json.dumps(value, indent=2, ensure_ascii=False))


def _fits(row: Any, columns: list[Any]) -> bool:
    return isinstance(row, list) and len(row) == len(columns)


def _depth(text: str) -> int:
    """Return how deep brackets nest, at most; those inside strings count, too, which only makes it more careful."""
    deepest = depth = 0
    for letter in text:
        if letter in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "]}":
            depth -= 1
    return deepest


def _separated(text: str, separator: str) -> dict[str, Any] | None:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        head = next(reader, [])
        rows = list(itertools.islice(reader, MAX_ROWS))
        more = sum(1 for row in reader if row)
    except csv.Error:
        return None
    rows = [row for row in rows if row]
    if not head:
        return None
    width = max(len(head), *(len(row) for row in rows)) if rows else len(head)
    columns = head + [""] * (width - len(head))
    return _table(columns, [row + [""] * (width - len(row)) for row in rows], len(rows) + more, _spells_number)


def _table(
    columns: list[str], rows: list[list[Any]], total: int, is_number: Callable[[Any], bool] | None = None
) -> dict[str, Any]:
    is_number = is_number or _is_number
    shown = [[_cell(value) for value in row[:MAX_COLUMNS]] for row in rows]
    return {
        "kind": "table",
        "columns": [_short(name) for name in columns[:MAX_COLUMNS]],
        "rows": shown,
        "numeric": [at for at in range(min(len(columns), MAX_COLUMNS)) if _is_numeric([row[at] for row in shown], is_number)],
        "total": total,
        "hidden": max(0, len(columns) - MAX_COLUMNS),
    }


def _is_numeric(cells: list[Any], is_number: Callable[[Any], bool]) -> bool:
    held = [cell for cell in cells if cell is not None and cell != ""]
    return bool(held) and all(map(is_number, held))


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def _spells_number(cell: str) -> bool:
    """Tell whether a text is a number, as all are that stand in a file of separated values."""
    return NUMBER.match(cell) is not None


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        # Python reads NaN, and whole numbers beyond what JavaScript holds: those are texts here.
        holds = abs(value) < 1 << 53 if isinstance(value, int) else math.isfinite(value)
        return value if holds else str(value)
    return _short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _short(text: str) -> str:
    return text if len(text) <= MAX_CELL else text[:MAX_CELL] + "…"
