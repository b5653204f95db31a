"""Tables that fit the terminal, and the same rows as CSV and JSON.

Text from records passes :func:`runfolio.records.visible.visible` here, once, so that no name repaints a terminal. Wide (East
Asian) characters count as two columns, combining ones as none. Where a table is too wide, long cells are cut with ``…`` first,
then whole columns go, those with the largest `rank` first; nothing is dropped where the output is no terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from runfolio._dataclass import dataclass
from runfolio.records.visible import visible

GAP = 2
LEAST = 8
"""No cell is cut to fewer columns than this, but for a column that says otherwise."""

STYLES = {"FINISHED": "green", "RUNNING": "cyan", "SCHEDULED": "cyan", "FAILED": "red", "KILLED": "yellow", "deleted": "red"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str
    right : bool
        Aligned to the right, as numbers are.
    rank : int
        Columns with the largest go first where there is no room; 0 always stays.
    whole : bool
        Its cells are never cut.
    least : int
        Its cells are not cut to fewer columns than this; another column goes before that.
    """

    title: str
    right: bool = False
    rank: int = 0
    whole: bool = False
    least: int = LEAST


def render_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> tuple[str, list[str]]:
    """Lay a table out that is given by its rows; see :func:`render_columns`.

    Parameters
    ----------
    columns : sequence of Column
    rows : sequence of sequence of str
        One cell a column.
    width : int or None
    """
    return render_columns(columns, list(zip(*rows, strict=True)) if rows else [()] * len(columns), width)


def render_columns(columns: Sequence[Column], texts: Sequence[Sequence[str]], width: int | None) -> tuple[str, list[str]]:
    """Lay a table out that is given by its columns.

    Parameters
    ----------
    columns : sequence of Column
    texts : sequence of sequence of str
        The cells of each column, from the first row to the last.
    width : int or None
        Columns of the terminal; None for no limit.

    Returns
    -------
    str
        Lines, each with its line end; styled (click takes styles out where they do not belong).
    list of str
        Titles of the columns for which there was no room.
    """
    made = [_Cells.of(cells) for cells in texts]
    titles = [visible(column.title) for column in columns]
    heads = [text_width(title) for title in titles]
    wide = [max(head, cells.widest) for head, cells in zip(heads, made, strict=True)]
    shown = list(range(len(columns)))
    dropped = []
    if width is not None:
        while True:
            sizes = _fitted([columns[at] for at in shown], [wide[at] for at in shown], [heads[at] for at in shown], width)
            last = max(shown, key=lambda at: (columns[at].rank, at), default=0)
            if sizes is not None or not columns or columns[last].rank == 0:
                break
            shown.remove(last)
            dropped.append(last)
        # Where even the least does not fit, no more than that: one long name would make every line as long.
        least = [wide[at] if columns[at].whole else min(wide[at], max(columns[at].least, heads[at])) for at in shown]
        for at, size in zip(shown, sizes or least, strict=True):
            wide[at] = size
    header = [_padded(titles[at], wide[at], columns[at], bold=True) for at in shown]
    lines = [(" " * GAP).join(header).rstrip(), *_lines([(columns[at], made[at], wide[at]) for at in shown])]
    return "".join([f"{line}\n" for line in lines]), [titles[at] for at in sorted(dropped)]


class _Cells(NamedTuple):
    """One column's cells as they may be shown.

    Attributes
    ----------
    texts : sequence of str
    widest : int
        Columns of a terminal that the widest takes; 0 where there is none.
    plain : bool
        Each letter of each cell takes one column.
    """

    texts: Sequence[str]
    widest: int
    plain: bool

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Cells:
        """Spell out what no one can see. Most columns hold nothing of the kind, which one look at all their cells tells."""
        whole = "".join(texts)
        if whole.isascii():
            texts = texts if whole.isprintable() else [visible(text) for text in texts]
            return cls(texts, max(map(len, texts), default=0), True)
        texts = [visible(text) for text in texts]
        return cls(texts, max(map(text_width, texts), default=0), False)


def _fitted(columns: Sequence[Column], wide: Sequence[int], titles: Sequence[int], width: int) -> list[int] | None:
    """Return widths that fit, made by cutting the longest cells; None if that does not do."""
    sizes = list(wide)
    while sum(sizes) + GAP * (len(sizes) - 1) > width:
        cuttable = [
            at for at, column in enumerate(columns) if not column.whole and sizes[at] > max(column.least, min(titles[at], 16))
        ]
        if not cuttable:
            return None
        longest = max(cuttable, key=lambda at: sizes[at])
        sizes[longest] -= 1
    return sizes


def _lines(columns: Sequence[tuple[Column, _Cells, int]]) -> list[str]:
    """Return the rows without their line ends. Plain cells are padded by one template for each row, others one by one."""
    template, parts = [], []
    for column, cells, size in columns:
        if cells.plain and cells.widest <= size and STYLES.keys().isdisjoint(cells.texts):
            template.append(f"%{'' if column.right else '-'}{size}s")
            parts.append(cells.texts)
        else:
            made = {text: _padded(text, size, column) for text in set(cells.texts)}
            template.append("%s")
            parts.append([made[text] for text in cells.texts])
    line = (" " * GAP).join(template)
    return [(line % row).rstrip() for row in zip(*parts, strict=True)]


def _padded(text: str, size: int, column: Column, *, bold: bool = False) -> str:
    """Cut, style and pad one cell."""
    cut = shortened(text, size)
    space = " " * (size - text_width(cut))
    if cut and (bold or text in STYLES):
        cut = click.style(cut, bold=True) if bold else click.style(cut, fg=STYLES[text])
    return space + cut if column.right else cut + space


def text_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> int:
    import unicodedata

    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def shortened(text: str, size: int) -> str:
    """Cut a text to `size` columns; its last one is then ``…``."""
    if text_width(text) <= size:
        return text
    taken, kept = 0, []
    for letter in text:
        taken += _letter_width(letter)
        if taken > size - 1:
            break
        kept.append(letter)
    return "".join(kept) + "…"


def terminal_width() -> int | None:
    """Return the columns of the terminal; None where the output goes elsewhere."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    """Print a table on standard output and return the titles of the columns for which there was no room."""
    text, dropped = render_table(columns, rows, terminal_width())
    click.echo(text, nl=False)
    return dropped


def print_columns(columns: Sequence[Column], texts: Sequence[Sequence[str]]) -> list[str]:
    """Print a table that is given by its columns, as :func:`print_table` does."""
    text, dropped = render_columns(columns, texts, terminal_width())
    click.echo(text, nl=False)
    return dropped


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
