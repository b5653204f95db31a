"""Runs side by side, for ``runfolio diff RUN RUN…``: what differs between them, in the same forms as a change.

>>> sections = comparison_sections(compare_runs([one, other]), [one, other])               # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runfolio.diff.compare import Comparison, Row
from runfolio.formats.canonical import spell_number
from runfolio.records import Run
from runfolio.records.times import utc_text
from runfolio.review.fitting import fit
from runfolio.review.options import ReportOptions
from runfolio.review.parts import Block, Line, Name, Paragraph, Section, Table, value
from runfolio.review.text import section_lines
from runfolio.site.words import count_words, duration_words, number_words, signed_words

COLUMNS = 8
"""Runs that stand side by side; a table with more is no longer read."""
_TITLES = {
    "attribute": "The runs", "param": "Params", "metric": "Metrics", "tag": "Tags", "dataset": "Data", "code": "Code",
    "environment": "Environment",
}  # fmt: skip
_ORDER = ("metric", "param", "dataset", "code", "environment", "tag", "attribute")
_HEAD = ("attribute", "name")
"""Stands above the columns."""
_ATTRIBUTES = {"duration_ms": "duration"}


def comparison_sections(comparison: Comparison, runs: Sequence[Run], options: ReportOptions) -> tuple[Section, ...]:
    """Return what differs between runs as sections, the metrics first; which of two single runs is better is not claimed.

    Parameters
    ----------
    comparison : Comparison
    runs : sequence of Run
        Those that are compared, in the same order.
    options : ReportOptions
        For the number of rows.
    """
    shown = min(len(runs), COLUMNS)
    title = f"{count_words(len(runs), 'run')} side by side"
    if not any(row.differs for row in comparison.rows):
        return (Section("verdict", title, (Paragraph(("They do not differ.",)),)),)
    intro: list[Block] = [Paragraph(("Differences are from the run ", Name(_name(runs[comparison.baseline])), "."))]
    if shown < len(runs):
        intro.append(Paragraph((f"The first {shown} are shown, and {count_words(len(runs) - shown, 'more run')} not.",)))
    heads: tuple[Line, ...] = (("",), *((Name(_name(run)),) for run in runs[:shown]))
    made = [Section("verdict", title, tuple(intro))]
    for kind in _ORDER:
        rows = tuple(
            _row(row, shown, comparison.baseline) for row in comparison.rows if row.kind == kind and (kind, row.key) != _HEAD
        )
        if rows:
            numbers = frozenset(range(1, shown + 1)) if kind == "metric" else frozenset[int]()
            table = Table(heads, rows, "row", numbers).cut(options.rows)
            made.append(Section("results", _TITLES[kind], (table,)))
    return tuple(made)


def comparison_markdown(comparison: Comparison, runs: Sequence[Run], options: ReportOptions) -> str:
    """Write runs side by side as Markdown, within the limit of the options."""
    return fit(comparison_sections(comparison, runs, options), options.limit)


def comparison_text(comparison: Comparison, runs: Sequence[Run], options: ReportOptions, width: int = 100) -> str:
    """Write runs side by side for a terminal; ends with a line end."""
    lines = section_lines(comparison_sections(comparison, runs, options), width)
    return "".join(f"{line.text}\n" for line in lines)


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return runs side by side as JSON values; docs/review-format.md tells the fields, ``comparison.schema.json`` their types."""
    return {
        "run_ids": list(comparison.run_ids),
        "baseline": comparison.run_ids[comparison.baseline],
        "rows": [
            {
                "kind": row.kind,
                "key": row.key,
                "differs": row.differs,
                "values": [_json(found) for found in row.values],
                **({"deltas": [_json(delta) for delta in row.deltas]} if row.deltas else {}),
            }
            for row in comparison.rows
        ],
    }


def _json(found: Any) -> Any:
    return spell_number(found) if isinstance(found, float) else found


def _name(run: Run) -> str:
    return run.name or run.run_id[:12]


def _row(row: Row, shown: int, baseline: int) -> tuple[Line, ...]:
    key: Line = (_ATTRIBUTES.get(row.key, row.key),) if row.kind == "attribute" else (Name(row.key),)
    return (key, *(_cell(row, at, baseline) for at in range(shown)))


def _cell(row: Row, at: int, baseline: int) -> Line:
    found = row.values[at]
    if found is None:
        return ("–",)
    if row.kind == "attribute" and row.key == "start":
        return (utc_text(found),)
    if row.kind == "attribute" and row.key == "duration_ms":
        return (duration_words(found),)
    if not isinstance(found, float):
        return (value(str(found)),)
    delta = row.deltas[at] if row.deltas and at != baseline else None
    return (f"{number_words(found)} ({signed_words(delta)})" if delta else number_words(found),)
