"""A report for a terminal: the verdict first, then what a reviewer must see; plain lines that the command line may colour.

>>> print("\\n".join(line.text for line in text_lines(change, ReportOptions(), width=80)))  # doctest: +SKIP
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from runfolio._dataclass import dataclass
from runfolio.records.visible import visible
from runfolio.review.change import Change
from runfolio.review.marks import SENTENCE, shorten
from runfolio.review.options import ReportOptions
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
    Paragraph,
    Says,
    Section,
    State,
    Strong,
    Table,
)
from runfolio.review.report import report_sections
from runfolio.review.words import bars_words
from runfolio.site.words import count_words

NARROWEST = 40
_GAP = 2
_LEAST = 12
"""Columns that the cells of a narrow table have on average; with fewer, a table becomes a list."""
_WORST = {BAD: 3, WARN: 2, GOOD: 1, QUIET: 0}


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text.

    Parameters
    ----------
    text : str
        Nothing in it acts on a terminal.
    tone : str
        How it looks: see :mod:`runfolio.review.parts`.
    strong : bool
        Whether it is a heading.
    """

    text: str
    tone: str = QUIET
    strong: bool = False


def text_lines(change: Change, options: ReportOptions, width: int = 100) -> list[TextLine]:
    """Write a change for a terminal.

    Parameters
    ----------
    change : Change
    options : ReportOptions
    width : int, optional
        Columns; paragraphs and cells are wrapped to it.
    """
    return section_lines(report_sections(change, options), width)


def section_lines(sections: Sequence[Section], width: int = 100) -> list[TextLine]:
    """Write sections for a terminal."""
    room = max(width, NARROWEST)
    made: list[TextLine] = []
    for section in sections:
        lines = list(_section(section, room))
        if lines and made:
            made.append(TextLine(""))
        made += lines
    return made


def report_text(change: Change, options: ReportOptions, width: int = 100) -> str:
    """Write a change for a terminal, without colours; ends with a line end."""
    return "".join(f"{line.text}\n" for line in text_lines(change, options, width))


def table_lines(table: Table, width: int) -> Iterator[TextLine]:
    """Yield a table in columns; where they do not fit, the widest are narrowed, and their cells take several lines."""
    rows = [[_plain(cell) for cell in row] for row in (table.heads, *table.rows)]
    tones = [QUIET, *(_tone(part for cell in row for part in cell) for row in table.rows)]
    wanted = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    room = width - _GAP * (len(wanted) - 1)
    if sum(wanted) > room and room < _LEAST * len(wanted):
        yield from _cards(rows, tones, width)
    elif table.rows:
        widths = _widths(wanted, room)
        for at, (row, tone) in enumerate(zip(rows, tones, strict=True)):
            cells = [_folded(cell, size) for cell, size in zip(row, widths, strict=True)]
            for parts in zip_longest(*cells, fillvalue=""):
                shown = [
                    _padded(part, size, right=column in table.numbers)
                    for column, (part, size) in enumerate(zip(parts, widths, strict=True))
                ]
                yield TextLine((" " * _GAP).join(shown).rstrip(), tone, strong=at == 0)
    if table.more:
        yield TextLine(f"…and {count_words(table.more, f'more {table.noun}')}")


def _cards(rows: Sequence[Sequence[str]], tones: Sequence[str], width: int) -> Iterator[TextLine]:
    """Yield rows for which there is no room side by side: a line a cell."""
    heads = rows[0]
    for row, tone in zip(rows[1:], tones[1:], strict=True):
        yield from _wrapped(f"- {row[0] or row[1]}", width, tone, "  ", strong=True)
        for head, cell in list(zip(heads, row, strict=True))[1 if row[0] else 2 :]:
            if cell:
                yield from _wrapped(f"  {head}: {cell}" if head else f"  {cell}", width, tone, "    ")


def columns_of(text: str) -> int:
    """Count the columns that a text takes: wide letters two, combining marks none.

    Examples
    --------
    >>> columns_of("a漢")
    3
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text
    )


def _section(section: Section, width: int) -> Iterator[TextLine]:
    title = section.folded or section.title
    if title:
        yield from _wrapped(title, width, section.tone, strong=True)
    for at, block in enumerate(section.blocks):
        if at:
            yield TextLine("")
        yield from _block(block, width)


def _block(block: Block, width: int) -> Iterator[TextLine]:
    if isinstance(block, Table):
        yield from table_lines(block, width)
    elif isinstance(block, Items):
        yield from _items(block, width)
    elif isinstance(block, Alert):
        yield from _wrapped(f"! {_plain(block.title)}", width, block.tone, "  ", strong=True)
        yield from _items(block.items, width)
    elif isinstance(block, Paragraph):
        yield from _wrapped(_plain(block.line), width, _tone(block.line))
    elif isinstance(block, Bars):
        yield from _bars(block, width)


def _items(items: Items, width: int) -> Iterator[TextLine]:
    for line in items.lines:
        yield from _wrapped(f"- {_plain(line)}", width, _tone(line), "  ")
    if items.more:
        yield TextLine(f"- …and {count_words(items.more, f'more {items.noun}')}")


def _bars(bars: Bars, width: int) -> Iterator[TextLine]:
    """Yield the configurations as bars from the worst value shown to the best."""
    from runfolio.diff.sparklines import sparkline

    means = [sum(values) / len(values) for values in bars.values]
    shown = [*([sum(bars.baseline) / len(bars.baseline)] if bars.baseline else []), *means]
    before = "the baseline, then " if bars.baseline else ""
    words = f"{visible(bars.metric)} of {before}{bars_words(bars)}, the best first: "
    yield from _wrapped(words + sparkline(shown, len(shown)), width, QUIET)


def _plain(line: Line) -> str:
    return "".join(_part(part) for part in line)


def _part(part: object) -> str:
    if isinstance(part, Name):
        return shorten(visible(part.text), part.most)
    if isinstance(part, Says):
        return shorten(visible(part.text), SENTENCE)
    if isinstance(part, (Strong, State)):
        return part.text
    return str(part)


def _tone(line: object) -> str:
    """Return the worst tone of a line's parts."""
    tones = [part.tone for part in line if isinstance(part, State)]  # type: ignore[attr-defined]
    return max(tones, key=_WORST.__getitem__, default=QUIET)


def _wrapped(text: str, width: int, tone: str, indent: str = "", *, strong: bool = False) -> Iterator[TextLine]:
    """Yield a text in lines of so many columns; those after the first are indented."""
    start = text[: len(text) - len(text.lstrip(" "))]
    first, *rest = _folded(text.lstrip(" "), width - len(start), width - len(indent))
    yield TextLine(start + first, tone, strong)
    for line in rest:
        yield TextLine(indent + line, tone, strong)


def _widths(wanted: Sequence[int], room: int) -> list[int]:
    """Return the width of each column: the widest give way first."""
    widths = list(wanted)
    while sum(widths) > room:
        at = widths.index(max(widths))
        widths[at] -= 1
    return widths


def _folded(text: str, width: int, after: int = 0) -> list[str]:
    """Break a text into lines of so many columns, between words where there are any.

    Parameters
    ----------
    text : str
    width : int
    after : int, optional
        Columns of the lines after the first, where these are others.
    """
    lines = [""]
    for word in text.split(" "):
        room = after if after and len(lines) > 1 else width
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if columns_of(joined) <= room:
            lines[-1] = joined
        else:
            lines = [*(lines if lines[-1] else lines[:-1]), *_pieces(word, min(width, after or width))]
    return lines


def _pieces(word: str, width: int) -> list[str]:
    """Cut a word into pieces of so many columns."""
    pieces, size = [""], 0
    for letter in word:
        step = columns_of(letter)
        if size + step > width and pieces[-1]:
            pieces.append("")
            size = 0
        pieces[-1] += letter
        size += step
    return pieces


def _padded(text: str, width: int, *, right: bool) -> str:
    pad = " " * (width - columns_of(text))
    return pad + text if right else text + pad
