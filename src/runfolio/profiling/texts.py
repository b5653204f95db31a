"""The texts of a column in one pass: lengths, how many different ones, the most frequent, whether they are dates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

MOST_DIFFERENT = 10_000
"""Different values up to which they are counted; a column with more is an identifier or prose."""
SHOWN_LETTERS = 200

_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\Z", re.ASCII)
_BOOLEAN = ({"true", "false"}, {"True", "False"}, {"TRUE", "FALSE"})


class TextStats:
    """Takes texts in chunks."""

    def __init__(self) -> None:
        self.count = 0
        self.shortest, self.longest, self._letters = 0, 0, 0
        self._counts: Counter[str] | None = Counter()
        self._dates = True
        self.first, self.last = "", ""

    def add(self, values: Sequence[str]) -> None:
        """Take some texts."""
        if not values:
            return
        lengths = list(map(len, values))
        shortest, longest = min(lengths), max(lengths)
        self.shortest = min(self.shortest, shortest) if self.count else shortest
        self.longest = max(self.longest, longest)
        self._letters += sum(lengths)
        self.count += len(values)
        if self._counts is not None:
            self._counts.update(values)
            if len(self._counts) > MOST_DIFFERENT:
                self._counts = None
        self._dates = self._dates and all(map(_DATE.match, values))
        if self._dates:
            low, high = min(values), max(values)
            self.first = min(self.first, low) if self.first else low
            self.last = max(self.last, high)

    @property
    def mean_length(self) -> float | None:
        """Letters of a text on average."""
        return self._letters / self.count if self.count else None

    @property
    def distinct(self) -> int | None:
        """How many different texts there are; None where they are more than were counted."""
        return None if self._counts is None else len(self._counts)

    @property
    def dates(self) -> bool:
        """Whether all of them are dates."""
        return self._dates and self.count > 0

    @property
    def booleans(self) -> bool:
        """Whether they are nothing but true and false."""
        return bool(self._counts) and any(self._counts.keys() <= known for known in _BOOLEAN if self._counts is not None)

    def most_frequent(self, most: int) -> dict[str, int]:
        """Return the most frequent texts and their counts; texts as frequent as each other by their letters."""
        ranked = sorted((self._counts or {}).items(), key=lambda item: (-item[1], item[0]))
        return {text[:SHOWN_LETTERS]: count for text, count in ranked[:most]}
