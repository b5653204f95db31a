"""A report as Markdown, as GitHub, GitLab and Gitea show it in a comment on a pull request.

Of HTML there is only ``<details>``, ``<summary>``, ``<b>`` and ``<sub>``, written here and nowhere else; everything that comes from the
change goes through :mod:`runfolio.review.marks`. Alerts (``> [!CAUTION]``) are quotations with a first line of their own where a host
does not know them; a chart that a host cannot draw is a few lines of code.

>>> print(render_markdown(Section("gates", "Gates", (Paragraph((Name("a|b"), " passed")),))))
### Gates
<BLANKLINE>
`a|b` passed
"""

from __future__ import annotations

from collections.abc import Sequence

from runfolio.review.marks import cell, code, marker_value, plain
from runfolio.review.mermaid import draw_bars
from runfolio.review.options import MERMAID_LIMIT
from runfolio.review.parts import (
    BAD,
    GOOD,
    QUIET,
    WARN,
    Alert,
    Bars,
    Block,
    Items,
    Line,
    Name,
    Says,
    Section,
    State,
    Strong,
    Table,
)
from runfolio.review.words import arrow, bars_words
from runfolio.site.words import count_words

SYMBOLS = {GOOD: "✅\u00a0", BAD: "❌\u00a0", WARN: "⚠️\u00a0", QUIET: ""}
"""Before a word of good or bad news, on the same line; the word says the same."""


def render_markdown(section: Section) -> str:
    """Write one section; what it opens it closes.

    Parameters
    ----------
    section : Section

    Returns
    -------
    str
        Lines without a line end at the end; empty where there is nothing to show.
    """
    blocks = [text for text in map(_block, section.blocks) if text]
    if not blocks and not section.title:
        return ""
    if section.name == "footer":
        return "\n\n".join(["---", *(f"<sub>{text}</sub>" for text in blocks)])
    if section.folded:
        return "\n\n".join([f"<details><summary><b>{section.folded}</b></summary>", *blocks, "</details>"])
    level = "##" if section.name == "verdict" else "###"
    title = [f"{level} {SYMBOLS[section.tone]}{section.title}"] if section.title else []
    return "\n\n".join([*title, *blocks])


def marker_line(marker: Sequence[tuple[str, str]]) -> str:
    """Return the first line of a comment, by which it is found again; people don't see it.

    Examples
    --------
    >>> marker_line([("project", "wine"), ("head", "1f2e")])
    '<!-- runfolio:review project=wine head=1f2e -->'
    """
    if not marker:
        return ""
    return " ".join(["<!-- runfolio:review", *(f"{marker_value(name)}={marker_value(text)}" for name, text in marker), "-->"])


def _block(block: Block) -> str:
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Items):
        return "\n".join(_items(block))
    if isinstance(block, Alert):
        return _alert(block)
    if isinstance(block, Bars):
        return _chart(block)
    return _line(block.line)


def _line(line: Line, *, in_table: bool = False) -> str:
    return "".join(_part(part, in_table=in_table) for part in line)


def _part(part: object, *, in_table: bool) -> str:
    mark = cell if in_table else code
    if isinstance(part, Name):
        return mark(part.text, part.most)
    if isinstance(part, Says):
        return plain(part.text, mark=mark)
    if isinstance(part, Strong):
        return f"**{part.text}**"
    if isinstance(part, State):
        return f"{SYMBOLS[part.tone]}{part.text}"
    return str(part)


def _items(items: Items) -> list[str]:
    more = [f"- …and {count_words(items.more, f'more {items.noun}')}"] if items.more else []
    return [*(f"- {_line(line)}" for line in items.lines), *more]


def _alert(alert: Alert) -> str:
    kind = "CAUTION" if alert.tone == BAD else "WARNING"
    lines = [f"[!{kind}]", _line(alert.title), "", *_items(alert.items)]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _table(table: Table) -> str:
    below = f"…and {count_words(table.more, f'more {table.noun}')}" if table.more else ""
    if not table.rows:
        return below
    lines = [
        _row(table.heads),
        "|" + "|".join("--:" if column in table.numbers else "---" for column in range(len(table.heads))) + "|",
        *(_row(row) for row in table.rows),
    ]
    return "\n".join(lines) + (f"\n\n{below}" if below else "")


def _row(cells: Sequence[Line]) -> str:
    return "".join(f"| {_line(found, in_table=True)} " for found in cells) + "|"


def _chart(bars: Bars) -> str:
    lines = draw_bars(bars)
    if not lines:
        return ""
    text = "\n".join(["```mermaid", *lines, "```"])
    baseline = " (green), and the baseline (orange)" if bars.baseline else ""
    words = f"{code(bars.experiment)}: {code(bars.metric)} of {bars_words(bars)}{baseline}; {arrow(bars.direction)}."
    return f"{words}\n\n{text}" if len(text) < MERMAID_LIMIT else ""
