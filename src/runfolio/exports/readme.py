"""The README of an export of tables: what is in it, each column with its kind and unit, and how odd values are written."""

from __future__ import annotations

from collections.abc import Sequence

from runfolio.exports import tables
from runfolio.exports.report import Report
from runfolio.exports.selection import Selection
from runfolio.exports.tables import Table
from runfolio.records.visible import visible

_KINDS = {
    "parquet": {
        "text": "string (UTF-8)",
        "time": "timestamp, milliseconds, UTC",
        "whole": "int64",
        "number": "double",
        "flag": "boolean",
    },
    "csv": {
        "text": "text",
        "time": "ISO 8601, UTC, milliseconds",
        "whole": "whole number",
        "number": "number",
        "flag": "true or false",
    },
}
_RULES = {
    "parquet": (
        "A missing value is null. NaN and the infinities are values of a double, told from null.",
        "A time outside of the years that a reader takes is still the number of milliseconds since 1970-01-01.",
    ),
    "csv": (
        "UTF-8, commas, line feeds, quotes doubled (RFC 4180). A missing value and an empty text are both an empty cell.",
        "Numbers have all their digits. NaN and the infinities are NaN, inf and -inf.",
        "A time outside of the years 1 to 9999 is @<milliseconds since 1970-01-01>ms.",
    ),
}
_GUARDED = "A cell that a spreadsheet would run as a formula (it begins with = + - @, a tab or a return, and is no number) has a ' before."
_PLAIN = "Cells are as they are recorded (--raw): do not open the files with a spreadsheet that runs formulas."


def readme_text(listed: Sequence[Table], kind: str, selection: Selection, report: Report, *, raw: bool) -> str:
    """Return the README in Markdown.

    Parameters
    ----------
    listed : sequence of Table
    kind : str
        ``parquet`` or ``csv``.
    selection : Selection
    report : Report
    raw : bool
        Of CSV: whether formulas were left as they are.
    """
    lines = ["# Records of a folio as tables", "", *_head(selection, report), ""]
    rules = [*_RULES[kind], *([_PLAIN if raw else _GUARDED] if kind == "csv" else [])]
    rules += ["Times are in UTC, durations in seconds, sizes in bytes. Rows of a run stand together, runs by id."]
    rules += ["`run_id` joins the tables; of registered models `model` and `version` do."]
    lines += [f"- {rule}" for rule in rules]
    for table in listed:
        lines += ["", f"## {table.name}.{kind}", "", f"{table.says} {report.counts.get(table.name, 0):,} rows.", ""]
        lines += ["| column | type | meaning |", "|---|---|---|"]
        shown = table.fields if table.name != "runs_wide" else tables.WIDE
        lines += [f"| `{field.name}` | {_KINDS[kind][field.kind]} | {field.says} |" for field in shown]
        if table.name == "runs_wide":
            lines += [
                f"| `metrics.KEY` | {_KINDS[kind]['number']} | The last value of the metric KEY. |",
                "| `params.KEY`, `tags.KEY` | text | The param, or tag, KEY. |",
            ]
    return "\n".join(lines) + "\n"


def _head(selection: Selection, report: Report) -> list[str]:
    said = selection.document()
    parts = [f"Commit {report.commit or '(none yet)'}, {said['runs']} runs"]
    if selection.experiments:
        parts.append("experiments " + ", ".join(f"`{visible(name)}`" for name in selection.experiments))
    if selection.filter:
        parts.append(f"filter `{visible(selection.filter)}`")
    lines = ["; ".join(parts) + ". Written by runfolio; `export.json` has the same for machines, and each file's SHA-256."]
    lines += [f"\n{note}" for note in report.notes]
    count = len(report.findings) + report.more
    if count:
        lines.append(f"\n{count:,} finding{'s' * (count != 1)}: what could not be written as it was is named in `export.json`.")
    return lines
