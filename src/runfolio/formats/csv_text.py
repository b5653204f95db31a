"""Rows as CSV (RFC 4180, with line feeds), in which no cell is a formula.

A cell that begins like a formula (``=``, ``+``, ``-``, ``@``, a tab, a carriage return) is run by a spreadsheet that opens the file. Such a
cell gets a ``'`` before it, which spreadsheets take for "this is text"; numbers stay as they are (OWASP, "CSV injection").

>>> csv_text(["name", "loss"], [["=1+1", -0.5]])
"name,loss\\n'=1+1,-0.5\\n"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from runfolio._pattern import pattern

_NUMBER = pattern(r"[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?|inf(inity)?|nan)\Z", re.IGNORECASE)


def csv_text(titles: Sequence[str], rows: Iterable[Sequence[object]], *, raw: bool = False) -> str:
    """Write rows as CSV.

    Parameters
    ----------
    titles : sequence of str
    rows : iterable of sequence
        None becomes an empty cell.
    raw : bool, optional
        Leave cells that a spreadsheet would run as a formula as they are.
    """
    import csv  # a program that writes no CSV does not load it
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    guard = (lambda cell: cell) if raw else guarded
    writer.writerow([guard(title) for title in titles])
    writer.writerows([guard("" if cell is None else str(cell)) for cell in row] for row in rows)
    return out.getvalue()


def guarded(cell: str) -> str:
    """Return a cell that a spreadsheet may open: with a ``'`` before it if it reads as a formula; numbers stay."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d")) and not _NUMBER.match(cell) else cell
