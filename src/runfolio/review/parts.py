"""What a report is made of, before anybody decides how it looks: sections of blocks, blocks of lines, lines of parts.

The same sections are written as Markdown, as text for a terminal and as a page. A plain ``str`` in a line is runfolio's own words;
everything that comes from the change is a :class:`Name` or :class:`Says`, so that no writer can forget to make it safe.

>>> Line = ("the run ", Name("seed-1"), " failed")
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Union

from runfolio._dataclass import dataclass
from runfolio.review.marks import NAME, VALUE

GOOD, BAD, WARN, QUIET = "good", "bad", "warn", "quiet"
"""How something looks: a good end, a bad one, something to look at, nothing special."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name, key or value out of a record; `most` letters of it are shown."""

    text: str
    most: int = NAME


@dataclass(frozen=True, slots=True)
class Says:
    """A message that may quote records."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Words of our own that stand out."""

    text: str


@dataclass(frozen=True, slots=True)
class State:
    """A word of our own that is good or bad news: ``failed``, ``better``.

    Parameters
    ----------
    text : str
    tone : str
        :data:`GOOD`, :data:`BAD`, :data:`WARN` or :data:`QUIET`.
    """

    text: str
    tone: str = QUIET


Part = Union[str, Name, Says, Strong, State]  # noqa: UP007  (an alias is evaluated, and 3.10 has no | of a class and a string)
Line = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line by itself."""

    line: Line


@dataclass(frozen=True, slots=True)
class Items:
    """A list.

    Parameters
    ----------
    lines : tuple of Line
    noun : str
        What there are more of, where some are left out: ``"alarm"``.
    more : int
        How many were left out already.
    """

    lines: tuple[Line, ...]
    noun: str
    more: int = 0

    @property
    def size(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    def cut(self, most: int) -> Items:
        """Return the first `most`; the others are counted."""
        return replace(self, lines=self.lines[:most], more=self.more + max(0, len(self.lines) - most))


@dataclass(frozen=True, slots=True)
class Alert:
    """Items that must be seen.

    Parameters
    ----------
    tone : str
        :data:`BAD` or :data:`WARN`.
    title : Line
    items : Items
    """

    tone: str
    title: Line
    items: Items

    @property
    def size(self) -> int:
        """How many items there are."""
        return self.items.size

    def cut(self, most: int) -> Alert:
        """Return it with the first `most` items; the others are counted."""
        return replace(self, items=self.items.cut(most))


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under heads.

    Parameters
    ----------
    heads : tuple of Line
    rows : tuple of tuple of Line
        As many cells in each as there are heads.
    noun : str
        What a row is, for counting those that are left out.
    numbers : frozenset of int
        Columns that hold numbers.
    more : int
        How many rows were left out already.
    """

    heads: tuple[Line, ...]
    rows: tuple[tuple[Line, ...], ...]
    noun: str
    numbers: frozenset[int] = frozenset()
    more: int = 0

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def cut(self, most: int) -> Table:
        """Return the first `most` rows; the others are counted."""
        return replace(self, rows=self.rows[:most], more=self.more + max(0, len(self.rows) - most))


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart: the objective of each new configuration, the best first, beside the baseline.

    Parameters
    ----------
    experiment, metric : str
    direction : str
    values : tuple of tuple of float
        Of the replicates of each configuration, the best first.
    baseline : tuple of float
        Of the replicates of the baseline; empty where there is none.
    tried : int
        How many configurations there are; only the best of many are among the values.
    """

    experiment: str
    metric: str
    direction: str
    values: tuple[tuple[float, ...], ...]
    baseline: tuple[float, ...]
    tried: int


Block = Union[Paragraph, Items, Alert, Table, Bars]  # noqa: UP007  (as above)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report that can be moved, folded, shortened or left out as one.

    Parameters
    ----------
    name : str
        One of :data:`runfolio.records.settings.SECTIONS`.
    title : str
    blocks : tuple of Block
    folded : str
        What stands where the section is folded away; empty where it is open.
    tone : str
        Of its title.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]
    folded: str = ""
    tone: str = QUIET

    @property
    def longest(self) -> int:
        """How many rows its longest block has."""
        return max((block.size for block in self._long), default=0)

    @property
    def rows(self) -> int:
        """How many rows and items there are, those that were left out already as well."""
        return sum(block.size + (block.items if isinstance(block, Alert) else block).more for block in self._long)

    @property
    def _long(self) -> list[Items | Alert | Table]:
        return [block for block in self.blocks if isinstance(block, (Items, Alert, Table))]

    def cut(self, most: int) -> Section:
        """Return it with at most `most` rows in each block; the others are counted."""
        return replace(
            self, blocks=tuple(block.cut(most) if isinstance(block, (Items, Alert, Table)) else block for block in self.blocks)
        )


def value(text: str) -> Name:
    """Return a value out of a record, of which more letters are shown than of a name."""
    return Name(text, VALUE)


def says(text: str) -> Says:
    """Return a message without its full stop, to stand in a sentence of ours."""
    return Says(text.rstrip(". \n"))


def joined(lines: Iterable[Line], between: str = ", ") -> Line:
    """Join lines to one."""
    made: list[Part] = []
    for line in lines:
        made += [between, *line] if made else line
    return tuple(made)


def table(heads: Sequence[str], rows: Sequence[tuple[Line, ...]], noun: str, numbers: Iterable[int] = (), more: int = 0) -> Table:
    """Return a table whose heads are our own words."""
    return Table(tuple((head,) for head in heads), tuple(rows), noun, frozenset(numbers), more)
