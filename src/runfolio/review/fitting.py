"""A report in the room there is: rows are left out, the least important ones first, then whole sections, always with a count.

>>> bodies = render_bodies(change, ReportOptions())                                        # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runfolio.review.change import Change
from runfolio.review.markdown import marker_line, render_markdown
from runfolio.review.options import ReportOptions
from runfolio.review.parts import Section
from runfolio.review.report import report_sections
from runfolio.site.words import count_words

SMALLEST = 2_000
"""Characters of the smallest body that is made: the verdict, the loudest alarms and the counts."""
_IMPORTANCE = ("artifacts", "code", "data", "environment", "runs", "chart", "results", "gates", "promotions", "alarms")
"""Least important first; the verdict and the last lines stay."""
_LEVELS = (10, 3, 1)


def characters(text: str) -> int:
    """Count a text's characters as the strictest host does: one beyond U+FFFF is two.

    Examples
    --------
    >>> characters("é😀")
    3
    """
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(sections: Sequence[Section], limit: int, marker: str = "", measure: Callable[[str], int] = characters) -> str:
    """Write sections in at most so many characters.

    Parameters
    ----------
    sections : sequence of Section
    limit : int
    marker : str, optional
        The first line.
    measure : callable, optional
        How the host counts.

    Returns
    -------
    str
        Ends with a line end. Every table, list and fold is whole; what was left out is counted.
    """
    room = _Room(sections, marker, measure)
    places = [at for name in _IMPORTANCE for at, section in enumerate(sections) if section.name == name]
    for level in _LEVELS:
        for at in places:
            if room.size <= limit:
                return room.text()
            room.cut(at, level)
    for at in places:
        if room.size <= limit:
            return room.text()
        room.drop(at)
    return room.text() if room.size <= limit else _head(room.text(), limit, measure)


def render_bodies(change: Change, options: ReportOptions) -> list[str]:
    """Write the comment on a pull request, in decreasing sizes: a host that finds one too long gets the next.

    Parameters
    ----------
    change : Change
    options : ReportOptions

    Returns
    -------
    list of str
        The first has at most `options.limit` characters. Empty where nothing changed, if `options.quiet`.
    """
    if change.empty and options.quiet:
        return []
    sections, marker = report_sections(change, options), marker_line(options.marker)
    bodies = [fit(sections, options.limit, marker)]
    limit = options.limit
    while limit > SMALLEST:
        limit = max(limit // 2, SMALLEST)
        body = fit(sections, limit, marker)
        if characters(body) < characters(bodies[-1]):
            bodies.append(body)
    return bodies


class _Room:
    """The sections as they are shown now, and how much room they take."""

    def __init__(self, sections: Sequence[Section], marker: str, measure: Callable[[str], int]) -> None:
        self._sections = list(sections)
        self._marker, self._measure = marker, measure
        self._texts = [render_markdown(section) for section in sections]
        self._sizes = [measure(text) + 2 for text in self._texts]
        self._dropped: dict[int, str] = {}

    @property
    def size(self) -> int:
        """Characters of the whole text, or a few more."""
        return sum(self._sizes) + self._measure(self._marker) + self._measure(self._left_out()) + 4

    def cut(self, at: int, most: int) -> None:
        """Show at most so many rows of each block of a section."""
        if self._sections[at].longest > most:
            self._set(at, render_markdown(self._sections[at].cut(most)))

    def drop(self, at: int) -> None:
        """Show a section only by its name and how much was in it."""
        section = self._sections[at]
        words = {"alarms": "alarms", "chart": "the chart", "environment": "packages"}.get(
            section.name, section.title.lower() or section.name
        )
        self._dropped[at] = f"{words} ({count_words(section.rows, 'row')})" if section.rows else words
        self._set(at, "")

    def text(self) -> str:
        """Return the whole text."""
        parts = [text for at, text in enumerate(self._texts) if text and self._sections[at].name != "footer"]
        ends = [text for at, text in enumerate(self._texts) if text and self._sections[at].name == "footer"]
        left = self._left_out()
        body = "\n\n".join([*parts, *([left] if left else []), *ends])
        return "\n".join([*([self._marker] if self._marker else []), body, ""])

    def _left_out(self) -> str:
        if not self._dropped:
            return ""
        return f"*Left out, because a comment has a limit: {', '.join(self._dropped[at] for at in sorted(self._dropped))}.*"

    def _set(self, at: int, text: str) -> None:
        self._texts[at], self._sizes[at] = text, self._measure(text) + 2 if text else 0


def _head(text: str, limit: int, measure: Callable[[str], int]) -> str:
    """Return the first lines of a text of which nothing more can be left out: the verdict's, in which nothing is open."""
    kept: list[str] = []
    room = limit - 60
    for line in text.split("\n"):
        room -= measure(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, "", "*The rest was left out, because a comment has a limit.*", ""])
