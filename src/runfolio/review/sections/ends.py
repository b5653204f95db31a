"""The first lines of a report, which must do alone, and the last ones."""

from __future__ import annotations

from runfolio.review.change import Change
from runfolio.review.options import ReportOptions
from runfolio.review.parts import Items, Line, Name, Paragraph, Section
from runfolio.review.words import counts_of, title_of, tone_of, verdict_line

SHOWN = 5
"""Experiments that are named in the first lines."""


def verdict(change: Change, options: ReportOptions) -> Section:
    """Say what the change comes to: a title, the result of each experiment, and counts."""
    title, tone = title_of(change)
    judged = [item for item in change.experiments if item.verdict is not None]
    judged.sort(key=lambda item: {"bad": 0, "good": 1, "warn": 2}.get(tone_of(item.verdict), 3))
    lines = tuple(verdict_line(item) for item in judged)
    blocks: list[Paragraph | Items] = []
    if len(lines) == 1:
        blocks.append(Paragraph((*lines[0], ".")))
    elif lines:
        blocks.append(Items(lines, "experiment").cut(SHOWN))
    counts = counts_of(change)
    if counts:
        blocks.append(Paragraph((" · ".join(counts),)))
    return Section("verdict", title, tuple(blocks), tone=tone)


def footer(change: Change, options: ReportOptions) -> Section:
    """Say which commits were compared, by what, and how to see more."""
    span = change.span
    more = options.more or f"runfolio diff {span.base[:10]}..{span.head[:10]}"
    named = "" if span.head_text in (span.head, "HEAD", "") else span.head_text
    head: Line = (Name(span.head[:10]), *((" (", Name(named), ")") if named else ()))
    ledger = "; the runs are those of the commits that it brings" if change.by_source else ""
    line: Line = (
        "This report compares the training runs and models that this change brings with those of its base: ",
        Name(span.base[:10]), " to ", *head, ledger, ". Written by runfolio ", Name(options.version), "; more: ", Name(more, 120), ".",
    )  # fmt: skip
    return Section("footer", "", (Paragraph(line),))
