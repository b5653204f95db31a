"""Tables that fit the terminal, and the same rows as CSV and JSON.

Text from records passes :func:`runfolio.records.visible.visible` here, once, so that no name repaints a terminal. Wide (East
Asian) characters count as two columns, combining ones as none. Where a table is too wide, long cells are cut with ``…`` first,
then whole columns go, those with the largest `rank` first; nothing is dropped where the output is no terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

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
    """Lay a table out.

    Parameters
    ----------
    columns : sequence of Column
    rows : sequence of sequence of str
        One cell a column.
    width : int or None
        Columns of the terminal; None for no limit.

    Returns
    -------
    str
        Lines, each with its line end; styled (click takes styles out where they do not belong).
    list of str
        Titles of the columns for which there was no room.
    """
    cells = [[visible(cell) for cell in row] for row in rows]
    titles = [visible(column.title) for column in columns]
    wide = [max([text_width(titles[at]), *(text_width(row[at]) for row in cells)]) for at in range(len(columns))]
    shown = list(range(len(columns)))
    dropped = []
    if width is not None:
        while True:
            sizes = _fitted(
                [columns[at] for at in shown], [wide[at] for at in shown], [text_width(titles[at]) for at in shown], width
            )
            last = max(shown, key=lambda at: (columns[at].rank, at), default=0)
            if sizes is not None or not columns or columns[last].rank == 0:
                break
            shown.remove(last)
            dropped.append(last)
        for at, size in zip(shown, sizes or [wide[at] for at in shown], strict=True):
            wide[at] = size
    lines = [_line([(columns[at], titles[at], wide[at]) for at in shown], header=True)]
    lines += [_line([(columns[at], row[at], wide[at]) for at in shown]) for row in cells]
    return "".join(lines), [titles[at] for at in sorted(dropped)]


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


def _line(cells: Sequence[tuple[Column, str, int]], *, header: bool = False) -> str:
    parts = []
    for column, text, size in cells:
        if len(text) <= size and not header and text not in STYLES and text.isascii():
            parts.append(text.rjust(size) if column.right else text.ljust(size))
            continue
        cut = shortened(text, size)
        space = " " * (size - text_width(cut))
        styled = (
            cut
            if not cut
            else click.style(cut, bold=True)
            if header
            else click.style(cut, fg=STYLES[text])
            if text in STYLES
            else cut
        )
        parts.append(space + styled if column.right else styled + space)
    return (" " * GAP).join(parts).rstrip() + "\n"


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
    """Return the columns of the terminal; None where the output goes elsewhere, unless COLUMNS says so."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    """Print a table on standard output and return the titles of the columns for which there was no room."""
    text, dropped = render_table(columns, rows, terminal_width())
    click.echo(text, nl=False)
    return dropped


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
