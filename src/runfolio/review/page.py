"""A change, or runs side by side, as one HTML file without scripts: it opens from a folder, can be kept and sent, and fetches nothing.

It looks like a page of the site, whose templates, style and charts it is made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runfolio.records import Run
from runfolio.records.visible import visible
from runfolio.review.change import Change, ExperimentChange
from runfolio.review.marks import SENTENCE, shorten
from runfolio.review.options import ReportOptions
from runfolio.review.parts import (
    BAD,
    GOOD,
    QUIET,
    WARN,
    Alert,
    Block,
    Items,
    Line,
    Name,
    Paragraph,
    Says,
    Section,
    State,
    Strong,
    Table,
)
from runfolio.review.report import report_sections
from runfolio.review.sections.results import bars_of
from runfolio.review.words import bars_words, title_of, tone_of, verdict_line
from runfolio.site.single import single_page
from runfolio.site.svg.spread import spread
from runfolio.site.words import count_words, number_words, signed_words

TEMPLATE, STYLE = "review.html", "review/review.css"
_APART = frozenset(("verdict", "chart", "footer"))
"""Sections that the page shows in its own way."""
_MORE = 10
_BEFORE = {"pinned": "Baseline run", "live": "Live now", "best": "Best so far"}


def change_page(change: Change, options: ReportOptions, project: str = "runfolio") -> str:
    """Write a change as a page.

    Parameters
    ----------
    change : Change
    options : ReportOptions
        Of its rows and runs there are ten times as many.
    project : str, optional
        Whose change it is.

    Returns
    -------
    str
        HTML, complete.
    """
    wider = ReportOptions(
        options.sections, options.rows * _MORE, options.runs * _MORE, more=options.more, version=options.version
    )
    sections = report_sections(change, wider)
    blocks = [block for section in sections for block in section.blocks]
    foot = [
        block.line for section in sections if section.name == "footer" for block in section.blocks if isinstance(block, Paragraph)
    ]
    judged = [item for item in change.experiments if item.verdict] if "verdict" in options.sections else []
    return single_page(
        TEMPLATE,
        STYLE,
        title=title_of(change)[0],
        project=visible(project),
        lead=_line(_span(change)),
        numbers=_counts(change),
        alerts=[_alert(block) for block in blocks if isinstance(block, Alert) and block in _loud(sections)],
        verdicts=[_verdict(item) for item in judged[: wider.rows]],
        sections=[found for found in map(_section, sections) if found["name"] not in _APART and found["blocks"]],
        foot=_line(foot[0] if foot else ("Written by runfolio ", Name(options.version), ".")),
    )


def sections_page(sections: Sequence[Section], options: ReportOptions, project: str = "runfolio") -> str:
    """Write other sections as a page, such as those of runs side by side; the first one's title is the page's."""
    first, *rest = sections
    lead = [block.line for block in first.blocks if isinstance(block, Paragraph)]
    return single_page(
        TEMPLATE,
        STYLE,
        title=first.title,
        project=visible(project),
        lead=_line(tuple(part for line in lead for part in (*line, " "))),
        numbers=[],
        alerts=[],
        verdicts=[],
        sections=[_section(section) for section in rest],
        foot=_line(("Written by runfolio ", Name(options.version), ".")),
    )


def _span(change: Change) -> Line:
    span = change.span
    base, head = Name(span.base[:10]), Name(span.head[:10])
    names: Line = (" (", Name(span.head_text), ")") if span.head_text not in (span.head, "HEAD", "") else ()
    return ("What changes from ", base, " to ", head, *names)


def _counts(change: Change) -> list[dict[str, str]]:
    found = [
        ("New runs", change.added, ""), ("Runs edited", len(change.edited), "warn"), ("Runs deleted", len(change.deleted), "bad"),
        ("Alarms", len(change.alarms), "bad" if change.errors else "warn"), ("Promotions", len(change.promotions), ""),
    ]  # fmt: skip
    return [{"name": name, "value": f"{count:,}", "tone": tone if count else ""} for name, count, tone in found]


def _loud(sections: Iterable[Section]) -> list[Block]:
    return [block for section in sections if section.name == "alarms" for block in section.blocks if isinstance(block, Alert)]


def _verdict(item: ExperimentChange) -> dict[str, Any]:
    assert item.verdict is not None
    assert item.objective is not None
    verdict, bars = item.verdict, bars_of(item)
    metric = shorten(visible(item.objective.metric), SENTENCE)
    chart = spread(bars.values, bars.baseline, metric) if bars and len(bars.values) + bool(bars.baseline) > 1 else ""
    numbers = [
        _side(_BEFORE.get(item.baseline_is, "Before"), verdict.before, item.baseline),
        _side("Best of the new runs", verdict.after, item.best),
    ]
    if verdict.difference is not None:
        numbers.append(_difference(item, verdict.difference))
    band = " The dashed line is the baseline's mean, the band its runs." if bars and bars.baseline else ""
    left = f" Shown: {bars_words(bars)}." if bars and bars.tried > len(bars.values) else ""
    return {
        "name": shorten(visible(item.name), SENTENCE),
        "metric": metric,
        "direction": item.objective.direction,
        "word": verdict.word,
        "tone": tone_of(verdict),
        "said": _line((*verdict_line(item, with_name=False), ".")),
        "numbers": numbers,
        "chart": chart,
        "legend": f"Each dot is a run, each stroke the mean of a configuration; the best first.{left}{band}",
    }


def _side(name: str, group: Any, run: Run | None) -> dict[str, str]:
    if group is None:
        return {"name": name, "value": "–", "half": "", "note": "no result", "tone": ""}
    half = "" if group.half != group.half else number_words(group.half)
    shown = shorten(visible(run.name or run.run_id[:12]), SENTENCE) if run else ""
    note = ", ".join([*([shown] if shown else []), count_words(len(group.trials), "run")])
    return {"name": name, "value": number_words(group.mean), "half": half, "note": note, "tone": ""}


def _difference(item: ExperimentChange, gap: float) -> dict[str, str]:
    assert item.verdict is not None
    low, high = item.verdict.low, item.verdict.high
    note = "no interval: it takes two runs on each side" if low is None or high is None else ""
    if low is not None and high is not None:
        note = f"95 % interval {signed_words(low)} to {signed_words(high)}"
    tone = {GOOD: "good", BAD: "bad"}.get(tone_of(item.verdict), "")
    return {"name": "Difference", "value": signed_words(gap), "half": "", "note": note, "tone": tone}


def _section(section: Section) -> dict[str, Any]:
    shown = [block for block in section.blocks if not (isinstance(block, Alert) and section.name == "alarms")]
    blocks = [_block(block, f"{section.title or 'Existing records'}, part {number}") for number, block in enumerate(shown, 1)]
    title = section.title or {"alarms": "Existing records"}.get(section.name, "")
    return {"name": section.name, "title": title, "folded": section.folded, "blocks": [block for block in blocks if block]}


def _block(block: Block, name: str) -> dict[str, Any]:
    if isinstance(block, Table):
        return {
            "kind": "table",
            "label": name,
            "heads": [_line(head) if any(head) else [] for head in block.heads],
            "rows": [[_line(cell) for cell in row] for row in block.rows],
            "numbers": block.numbers,
            "more": count_words(block.more, f"more {block.noun}") if block.more else "",
        }
    if isinstance(block, Items):
        return {"kind": "items"} | _items(block)
    if isinstance(block, Alert):
        return {"kind": "items"} | _items(
            Items(tuple((*block.title, ": ", *line) for line in block.items.lines), block.items.noun)
        )
    if isinstance(block, Paragraph):
        return {"kind": "paragraph", "line": _line(block.line)}
    return {}


def _alert(alert: Alert) -> dict[str, Any]:
    return {"tone": alert.tone, "title": _line(alert.title)} | _items(alert.items)


def _items(items: Items) -> dict[str, Any]:
    more = count_words(items.more, f"more {items.noun}") if items.more else ""
    return {"lines": [_line(line) for line in items.lines], "more": more}


def _line(line: Line) -> list[dict[str, str]]:
    return [_part(part) for part in line]


def _part(part: object) -> dict[str, str]:
    if isinstance(part, Name):
        return {"kind": "name", "text": shorten(visible(part.text), part.most) or "empty", "tone": QUIET}
    if isinstance(part, Says):
        return {"kind": "says", "text": shorten(visible(part.text), SENTENCE), "tone": QUIET}
    if isinstance(part, Strong):
        return {"kind": "strong", "text": part.text, "tone": QUIET}
    if isinstance(part, State):
        return {"kind": "state", "text": part.text, "tone": part.tone}
    return {"kind": "text", "text": str(part), "tone": WARN}
