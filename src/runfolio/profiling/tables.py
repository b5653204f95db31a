"""A table that is fed rows in chunks, column by column, and tells of each column at the end."""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.profiling.numbers import NumberStats
from runfolio.profiling.texts import SHOWN_LETTERS, TextStats
from runfolio.records.datasets import ColumnFacts

SAMPLE = 10_000
MOST_COLUMNS = 500
MOST_NOTES = 20
_SAMPLED_VALUES = 1_000_000
"""Numbers that are held for all columns together (8 bytes each)."""
MISSING = frozenset(["", "#N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "?"])
"""What stands for no value in a text file: as in pandas, and ``?``, as in the data sets of UCI."""
_NUMBER_START = frozenset("0123456789+-.iInN")
_NOT_WHOLE = re.compile(r"[.eEnN]")


@dataclass(frozen=True, slots=True)
class Asked:
    """What may be kept of the values themselves, which can be personal data: nothing unless it is asked for.

    Parameters
    ----------
    sample : int
        How many of the first rows.
    top_values : int
        How many of the most frequent texts of a column, with their counts.
    """

    sample: int = 0
    top_values: int = 0


class Column:
    """One column, fed in chunks.

    Parameters
    ----------
    name : str
    sample : int
        How many numbers are held.
    """

    def __init__(self, name: str, sample: int) -> None:
        self.name = name
        self.missing = 0
        self.nested = 0
        self.yes = self.no = 0
        self.other = ""
        self._numbers, self._texts = NumberStats(sample), TextStats()

    def add_texts(self, values: Sequence[str]) -> None:
        """Take cells of a text file: numbers where they read as such."""
        there = [value for value in values if value not in MISSING]
        self.missing += len(values) - len(there)
        if not there:
            return
        joined = "".join(there) if not self._texts.count else "_"
        if "_" not in joined:
            try:
                self._numbers.add(list(map(float, there)), whole=_NOT_WHOLE.search(joined) is None)
                return
            except ValueError:
                pass
        numbers, texts, whole = [], [], True
        for value in there:
            if value[0] in _NUMBER_START and "_" not in value:
                try:
                    numbers.append(float(value))
                    whole = whole and _NOT_WHOLE.search(value) is None
                    continue
                except ValueError:
                    pass
            texts.append(value)
        self._numbers.add(numbers, whole=whole)
        self._texts.add(texts)

    def add_values(self, values: Iterable[Any]) -> None:
        """Take values that have types of their own."""
        numbers: list[float] = []
        texts: list[str] = []
        whole = True
        for value in values:
            kind = type(value)
            if value is None or (kind is float and value != value):
                self.missing += 1
            elif kind is bool:
                self.yes, self.no = self.yes + value, self.no + (not value)
            elif kind is float or kind is int or kind is decimal.Decimal:
                numbers.append(_as_float(value))
                whole = whole and kind is int
            elif kind is str:
                texts.append(value)
            elif isinstance(value, (datetime.date, datetime.datetime)):
                texts.append(value.isoformat())
            else:
                self.nested += 1
        self._numbers.add(numbers, whole=whole)
        self._texts.add(texts)

    def facts(self, rows: int, asked: Asked) -> ColumnFacts:
        """Return what is known; rows that brought no value count as missing."""
        numbers, texts = self._numbers, self._texts
        all_numbers = numbers.count + numbers.not_finite
        flags = self.yes + self.no
        count = all_numbers + texts.count + self.nested + flags
        made: dict[str, Any] = {"name": self.name, "count": count, "missing": max(rows - count, 0)}
        made["type"] = self._type(all_numbers, flags)
        if numbers.count:
            shape = numbers.shape()
            assert shape is not None
            made.update(min=_plain(numbers.min, numbers.whole), max=_plain(numbers.max, numbers.whole))
            made.update(
                mean=numbers.mean, std=numbers.std, quantiles=tuple(_plain(item, numbers.whole) for item in shape.quantiles)
            )
            made.update(histogram=shape.histogram, sampled=shape.sampled)
        made["not_finite"] = numbers.not_finite
        if made["type"] == "boolean":
            made["values"] = {"true": self.yes, "false": self.no} if flags else texts.most_frequent(2)
        elif texts.count:
            made.update(length_min=texts.shortest, length_mean=texts.mean_length, length_max=texts.longest)
            made["distinct"] = texts.distinct
            made["values"] = texts.most_frequent(asked.top_values)
            if all_numbers:
                made["texts"] = texts.count
            elif made["type"] == "date":
                made.update(min=texts.first, max=texts.last)
        return ColumnFacts(**made)

    def _type(self, numbers: int, flags: int) -> str:
        kinds = [numbers > 0, self._texts.count > 0, flags > 0, self.nested > 0]
        if sum(kinds) == 0:
            return self.other or "empty"
        if sum(kinds) > 1:
            return "mixed"
        if numbers:
            return "integer" if self._numbers.whole and not self._numbers.not_finite else "number"
        if self.nested:
            return self.other or "nested"
        if flags or self._texts.booleans:
            return "boolean"
        return "date" if self._texts.dates else "text"


class Table:
    """Takes the rows of one or several files, and tells of their columns.

    Parameters
    ----------
    asked : Asked, optional
        What may be kept of the values themselves.
    """

    def __init__(self, asked: Asked | None = None) -> None:
        self.asked = asked or Asked()
        self.rows = 0
        self.left_out = 0
        self.sample: list[dict[str, Any]] = []
        self._columns: list[Column] = []
        self._by_name: dict[str, Column] = {}
        self._notes: dict[str, None] = {}

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self._columns]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not read, and why."""
        return tuple(self._notes)[:MOST_NOTES]

    def note(self, text: str) -> None:
        """Say that something was not read."""
        self._notes[text] = None

    def begin(self, names: Sequence[str], width: int | None = None) -> None:
        """Name the columns; those beyond the first 500 are counted and not looked at."""
        sample = max(min(SAMPLE, _SAMPLED_VALUES // max(width or len(names), 1)), 500)
        self.left_out = max(len(names) - MOST_COLUMNS, 0)
        self._columns = [Column(name[:SHOWN_LETTERS], sample) for name in names[:MOST_COLUMNS]]

    def column(self, name: str) -> Column | None:
        """Return the column of that name, made where it is new; None where there are too many."""
        found = self._by_name.get(name)
        if found is None:
            if len(self._columns) >= MOST_COLUMNS:
                return None
            found = self._by_name[name] = Column(name[:SHOWN_LETTERS], SAMPLE // 5)
            self._columns.append(found)
        return found

    def add_texts(self, columns: Sequence[Sequence[str]], rows: int) -> None:
        """Take cells of a text file, column by column."""
        for column, values in zip(self._columns, columns, strict=False):
            column.add_texts(values)
        self.rows += rows

    def add_values(self, columns: Sequence[Iterable[Any]], rows: int) -> None:
        """Take values that have types of their own, column by column."""
        for column, values in zip(self._columns, columns, strict=False):
            column.add_values(values)
        self.rows += rows

    def add_sample(self, row: Mapping[str, Any]) -> None:
        """Keep a row, if rows are to be kept and there is room."""
        if len(self.sample) < self.asked.sample:
            self.sample.append({name[:SHOWN_LETTERS]: _short(value) for name, value in row.items()})

    def columns(self) -> tuple[ColumnFacts, ...]:
        """Return what is known of the columns, in order."""
        return tuple(column.facts(self.rows, self.asked) for column in self._columns)

    def type_of(self, place: int, kind: str) -> None:
        """Say what the file itself calls a column's type, for where there is no value to see it by."""
        if place < len(self._columns):
            self._columns[place].other = kind


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _plain(value: float, whole: bool) -> float:
    return int(value) if whole and abs(value) < 2**53 else value


def _short(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}…"
