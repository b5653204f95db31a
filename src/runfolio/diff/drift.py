"""How the data of one content moved against another: schema, rows, and each column's distribution, from recorded facts alone.

Methods, each named in what is told:

- **mean**: the difference in standard deviations of the old content (Cohen, *Statistical Power Analysis*, 2nd ed. 1988).
- **PSI**, the population stability index, of numbers: over bins that hold a tenth of both together or more; 0.1 is called moderate
  and 0.25 large, as is the custom (Siddiqi, *Credit Risk Scorecards*, 2006). Of few rows PSI is large by chance: beyond
  chance it is where it exceeds what two samples of one population would give in 19 of 20 cases, ``(1/n + 1/m) χ²`` with one degree
  of freedom less than there are bins (Yurdakul and Naranjo, *Statistical properties of the population stability index*, Journal of
  Risk Model Validation 14, 2020).
- **Jensen-Shannon distance** of categories whose counts were recorded: the root of the divergence with logarithms of base 2, 0 to 1
  (Lin, IEEE Trans. Inf. Theory 37, 1991); 0.1 is called moderate, as in Evidently, and 0.2 large, ours.
- **missing**: the share of rows without a value, in percentage points; 1 is called moderate and 10 large, ours, where it is beyond
  chance (two proportions).

A content that grew by a few rows is no second sample: what is said of chance is then too cautious, never too bold.

>>> from runfolio.records.datasets import ColumnFacts, Facts, Histogram
>>> one = ColumnFacts("alcohol", "number", 1000, mean=13.0, std=0.8, histogram=Histogram(11.0, 1.0, (10, 490, 490, 10)))
>>> two = ColumnFacts("alcohol", "number", 1000, mean=13.4, std=0.8, histogram=Histogram(11.0, 1.0, (5, 245, 650, 100)))
>>> made = drift(Facts("sha256:" + "1" * 64, rows=1000, columns=(one,)), Facts("sha256:" + "2" * 64, rows=1000, columns=(two,)))
>>> made.columns[0].text
'alcohol: mean 13 → 13.4 (+0.5 sd), PSI 0.27: large'
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import IntEnum

from runfolio._dataclass import dataclass
from runfolio.records.datasets import ColumnFacts, Facts, Histogram
from runfolio.records.visible import visible

PSI_MODERATE, PSI_LARGE = 0.1, 0.25
JS_MODERATE, JS_LARGE = 0.1, 0.2
MISSING_MODERATE, MISSING_LARGE = 0.01, 0.10
MEAN_MODERATE, MEAN_LARGE = 0.5, 0.8
_LEAST_SHARE = 0.1
_EMPTY = 0.5
"""Counted in a bin that one side leaves empty, in place of nothing, for the logarithm's sake."""


class Level(IntEnum):
    """How far a column moved."""

    NONE = 0
    CHANCE = 1
    """As far as two samples of one population differ."""
    MODERATE = 2
    LARGE = 3


_WORDS = {Level.NONE: "no drift seen", Level.CHANCE: "within chance", Level.MODERATE: "moderate", Level.LARGE: "large"}


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """How one column moved.

    Parameters
    ----------
    name : str
    level : Level
    text : str
        In words, with the methods named.
    mean_shift : float or None
        In standard deviations of the old content.
    psi, js : float or None
    missing : float or None
        The new share of missing values less the old one.
    compared : bool
        Whether anything could be compared.
    """

    name: str
    level: Level
    text: str
    mean_shift: float | None = None
    psi: float | None = None
    js: float | None = None
    missing: float | None = None
    compared: bool = True


@dataclass(frozen=True, slots=True)
class Drift:
    """How one content differs from another.

    Parameters
    ----------
    old, new : str
        Digests.
    rows : (int or None, int or None)
    size : (int, int)
    schema : tuple of str
        Columns that came, went, or have another type, in words.
    columns : tuple of ColumnDrift
        Those that both have, the furthest first.
    files : (int, int)
    """

    old: str
    new: str
    rows: tuple[int | None, int | None]
    size: tuple[int, int]
    schema: tuple[str, ...]
    columns: tuple[ColumnDrift, ...]
    files: tuple[int, int] = (1, 1)

    @property
    def same(self) -> bool:
        """Whether the two are one content."""
        return self.old == self.new

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that moved beyond chance."""
        return tuple(item for item in self.columns if item.level >= Level.MODERATE)

    @property
    def level(self) -> Level:
        """The furthest that a column moved; a change of the schema counts as large."""
        return Level.LARGE if self.schema else max((item.level for item in self.columns), default=Level.NONE)

    def words(self, most: int = 3) -> str:
        """Tell it in a line: rows, schema, the columns that moved furthest."""
        if self.same:
            return "the same content"
        parts = [_change_of("rows", *self.rows)] if self.rows[0] != self.rows[1] else []
        if self.files[0] != self.files[1]:
            parts.append(_change_of("files", *self.files))
        if not parts:
            parts.append(f"{self.rows[0]:,} rows as before" if self.rows[0] is not None else _change_of("bytes", *self.size))
        parts += self.schema[:most]
        moved = [item.text for item in self.drifted]
        parts += moved[:most]
        if len(moved) > most:
            parts.append(f"{len(moved) - most} more columns drifted")
        if not moved and any(item.compared for item in self.columns):
            parts.append("no drift seen")
        elif not moved:
            parts.append("drift is not known: no column could be compared")
        return "; ".join(parts)


def drift(old: Facts, new: Facts) -> Drift:
    """Tell how one content differs from another, from their facts.

    Parameters
    ----------
    old, new : Facts

    Returns
    -------
    Drift
    """
    before = {column.name: column for column in old.columns}
    after = {column.name: column for column in new.columns}
    schema = [f"column {visible(name)} is new" for name in after if name not in before]
    schema += [f"column {visible(name)} is gone" for name in before if name not in after]
    for name, column in before.items():
        other = after.get(name)
        if other is not None and other.type != column.type and "empty" not in (column.type, other.type):
            schema.append(f"column {visible(name)}: {column.type} → {other.type}")
    common = [_column(column, after[name]) for name, column in before.items() if name in after]
    common.sort(key=lambda item: (-item.level, -(item.psi or item.js or 0.0), item.name))
    return Drift(
        old.digest, new.digest, (old.rows, new.rows), (old.size, new.size), tuple(schema), tuple(common), (old.files, new.files)
    )  # fmt: skip


def psi(old: Sequence[float], new: Sequence[float]) -> float:
    """Return the population stability index of two counts over the same bins.

    >>> round(psi([50, 50], [60, 40]), 4)
    0.0405
    """
    total, other = sum(max(count, _EMPTY) for count in old), sum(max(count, _EMPTY) for count in new)
    shares = ((max(one, _EMPTY) / total, max(two, _EMPTY) / other) for one, two in zip(old, new, strict=True))
    return sum((two - one) * math.log(two / one) for one, two in shares)


def jensen_shannon(old: Mapping[str, float], new: Mapping[str, float]) -> float:
    """Return the Jensen-Shannon distance of two counts by category, base 2.

    >>> jensen_shannon({"red": 1}, {"white": 1})
    1.0
    """
    total, other = sum(old.values()), sum(new.values())
    made = 0.0
    for name in sorted(old.keys() | new.keys()):
        one, two = old.get(name, 0) / total, new.get(name, 0) / other
        middle = (one + two) / 2
        made += sum(share * math.log2(share / middle) for share in (one, two) if share) / 2
    return math.sqrt(max(made, 0.0))


def common_bins(old: Histogram, new: Histogram) -> tuple[list[int], list[int]]:
    """Bring two histograms to the same bins, those of the wider of the two widths; what their outer bins hold from further out stays there.

    >>> common_bins(Histogram(0.0, 1.0, (1, 2, 3, 4)), Histogram(2.0, 2.0, (5, 6)))
    ([3, 7, 0], [0, 5, 6])
    """
    width = max(old.width, new.width)
    first, second = _coarser(old, width), _coarser(new, width)
    places = sorted(first.keys() | second.keys())
    return [first.get(at, 0) for at in places], [second.get(at, 0) for at in places]


def _coarser(histogram: Histogram, width: float) -> dict[int, int]:
    made: dict[int, int] = {}
    for number, count in enumerate(histogram.counts):
        at = math.floor((histogram.start + number * histogram.width) / width)
        made[at] = made.get(at, 0) + count
    return made


def _merged(old: Sequence[int], new: Sequence[int]) -> tuple[list[int], list[int]]:
    """Join neighbouring bins until each holds a tenth of both together."""
    least = _LEAST_SHARE * (sum(old) / max(sum(old), 1) + sum(new) / max(sum(new), 1))
    first, second = [0], [0]
    shares = 0.0
    for one, two in zip(old, new, strict=True):
        if shares >= least:
            first.append(0)
            second.append(0)
            shares = 0.0
        first[-1] += one
        second[-1] += two
        shares += one / max(sum(old), 1) + two / max(sum(new), 1)
    if len(first) > 1 and shares < least:
        one, two = first.pop(), second.pop()
        first[-1] += one
        second[-1] += two
    return first, second


def by_chance(bins: int, old: int, new: int, level: float = 0.95) -> float:
    """Return what PSI does not exceed, in 19 of 20 cases, where two samples are of one population (Wilson and Hilferty 1931 for χ²)."""
    freedom = bins - 1
    if freedom < 1:
        return 0.0
    from statistics import NormalDist  # decimals and fractions come along, which few commands need

    normal = NormalDist().inv_cdf(level)
    chi = freedom * (1 - 2 / (9 * freedom) + normal * math.sqrt(2 / (9 * freedom))) ** 3
    return (1 / max(old, 1) + 1 / max(new, 1)) * chi


def _column(old: ColumnFacts, new: ColumnFacts) -> ColumnDrift:
    parts: list[str] = []
    levels = [Level.NONE]
    shift = value = distance = None
    compared = False
    if isinstance(old.mean, (int, float)) and isinstance(new.mean, (int, float)):
        compared = True
        shift = _shift(old, new)
        if old.mean != new.mean:
            parts.append(f"mean {old.mean:.4g} → {new.mean:.4g}" + ("" if shift is None else f" ({shift:+.2g} sd)"))
        levels.append(_mean_level(shift, old, new))
    if old.histogram is not None and new.histogram is not None:
        compared = True
        bins = _merged(*common_bins(old.histogram, new.histogram))
        value = psi(*bins)
        chance = by_chance(len(bins[0]), sum(bins[0]), sum(bins[1]))
        level = _level(value, PSI_MODERATE, PSI_LARGE, beyond=value > chance)
        levels.append(level)
        if value >= 0.005:
            parts.append(f"PSI {value:.2f}")
    if old.values and new.values and (distance := _categories(old, new)) is not None:
        compared = True
        chance = math.sqrt(by_chance(len(old.values.keys() | new.values.keys()), old.count, new.count) / (8 * math.log(2)))
        levels.append(_level(distance, JS_MODERATE, JS_LARGE, beyond=distance > chance))
        if distance >= 0.005:
            parts.append(f"Jensen-Shannon {distance:.2f}")
    missing, missing_level = _missing(old, new)
    levels.append(missing_level)
    if missing is not None and abs(missing) >= 0.0005:
        parts.append(f"missing {_share(old):.1%} → {_share(new):.1%}")
    compared = compared or (missing is not None and missing_level > Level.NONE)
    level = max(levels)
    words = _WORDS[level] if compared else "not compared: nothing of its distribution is recorded"
    text = f"{visible(old.name)}: {', '.join(parts)}{': ' if parts else ''}{words}"
    return ColumnDrift(old.name, level, text, shift, value, distance, missing, compared)


def _shift(old: ColumnFacts, new: ColumnFacts) -> float | None:
    if old.mean is None or new.mean is None or not old.std or not math.isfinite(old.std):
        return None
    return (new.mean - old.mean) / old.std


def _mean_level(shift: float | None, old: ColumnFacts, new: ColumnFacts) -> Level:
    if shift is None:
        return Level.NONE
    error = math.sqrt(1 / max(old.count, 1) + 1 / max(new.count, 1))
    return _level(abs(shift), MEAN_MODERATE, MEAN_LARGE, beyond=abs(shift) > 1.96 * error)


def _level(value: float, moderate: float, large: float, *, beyond: bool) -> Level:
    if value < moderate:
        return Level.NONE
    if not beyond:
        return Level.CHANCE
    return Level.LARGE if value >= large else Level.MODERATE


def _categories(old: ColumnFacts, new: ColumnFacts) -> float | None:
    """Compare the categories whose counts are known on both sides; the rest of each is one category more."""
    whole = [sum(column.values.values()) == column.count for column in (old, new)]
    known = [
        name
        for name in old.values.keys() | new.values.keys()
        if (name in old.values or whole[0]) and (name in new.values or whole[1])
    ]
    if not known or not old.count or not new.count:
        return None
    sides: list[dict[str, float]] = []
    for column in (old, new):
        side: dict[str, float] = {name: column.values.get(name, 0) for name in known}
        sides.append({**side, "\0 the rest": column.count - sum(side.values())})
    return jensen_shannon(*sides)


def _share(column: ColumnFacts) -> float:
    return column.missing / max(column.count + column.missing, 1)


def _missing(old: ColumnFacts, new: ColumnFacts) -> tuple[float | None, Level]:
    rows, others = old.count + old.missing, new.count + new.missing
    if not rows or not others:
        return None, Level.NONE
    moved = _share(new) - _share(old)
    both = (old.missing + new.missing) / (rows + others)
    error = math.sqrt(both * (1 - both) * (1 / rows + 1 / others))
    return moved, _level(abs(moved), MISSING_MODERATE, MISSING_LARGE, beyond=abs(moved) > 1.96 * error)


def _change_of(what: str, old: int | None, new: int | None) -> str:
    return f"{'?' if old is None else f'{old:,}'} → {'?' if new is None else f'{new:,}'} {what}"
