"""Numbers in words that people read, the same on every machine; the page's scripts spell them alike."""

from __future__ import annotations

import math
import re

from runfolio._pattern import pattern


def number_words(value: float | int | str | None) -> str:
    """Spell a metric's value: 4 decimals from 0.001 to 1,000, else 4 significant digits; NaN and infinities by name.

    Examples
    --------
    >>> [number_words(value) for value in (0.98134, 3, 1234.6, 0.00001234, "NaN", None)]
    ['0.9813', '3', '1,235', '1.234e-5', 'NaN', '–']
    """
    if value is None:
        return "–"
    if isinstance(value, str):
        return {"Infinity": "∞", "-Infinity": "−∞"}.get(value, value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if float(value).is_integer() and size < 1e15:
        return f"{int(value):,}".replace("-", "−")
    if size < 1e-3 or size >= 1e9:
        mantissa, exponent = f"{value:.3e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}".replace("-", "−", 1 if value < 0 else 0)
    text = f"{value:,.4f}" if size < 100 else f"{value:,.2f}" if size < 1000 else f"{value:,.0f}"
    return text.replace("-", "−")


def pair_words(one: float | str | None, other: float | str | None) -> tuple[str, str]:
    """Spell two values that stand beside each other: with more decimals where rounding would hide or exaggerate how far they are apart.

    Examples
    --------
    >>> pair_words(0.9839571, 0.9839431), pair_words(0.984, 0.95)
    (('0.983957', '0.983943'), ('0.9840', '0.9500'))
    """
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        gap, size = abs(one - other), max(abs(one), abs(other))
        if 0 < gap < 1e-3 <= size < 100 and gap >= size * 1e-9:
            decimals = max(4, math.ceil(-math.log10(gap) - 1e-6) + 1)
            return f"{one:.{decimals}f}".replace("-", "−"), f"{other:.{decimals}f}".replace("-", "−")
    return number_words(one), number_words(other)


_LONG = pattern(r"-?\d+\.\d{7,}(?:[eE][-+]?\d+)?|-?\d(?:\.\d{4,})?[eE][-+]?\d+", re.ASCII)


def param_words(text: str) -> str:
    """Spell a param's value in a table: a number with more digits than a cell holds as a metric's, all else as it is.

    Cut off at the end of the cell, 1.2345678e-05 would be read as 1.2345.

    Examples
    --------
    >>> [param_words(text) for text in ("0.30000000000000004", "1.2345678e-05", "0.001", "1e-05", "adam", "1.0.0.20240101")]
    ['0.3000', '1.235e-5', '0.001', '1e-5', 'adam', '1.0.0.20240101']
    """
    return number_words(float(text)) if _LONG.fullmatch(text) else text


def signed_words(value: float) -> str:
    """Spell a difference with its sign.

    Examples
    --------
    >>> [signed_words(value) for value in (0.0218, -3, 0)]
    ['+0.0218', '−3', '0']
    """
    return ("+" if value > 0 else "") + number_words(value)


def count_words(count: int, one: str, many: str = "") -> str:
    """Spell a number of things.

    Examples
    --------
    >>> count_words(1, "run"), count_words(1284, "run"), count_words(0, "entry", "entries")
    ('1 run', '1,284 runs', '0 entries')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def bytes_words(size: int) -> str:
    """Spell a size in decimal units.

    Examples
    --------
    >>> [bytes_words(size) for size in (999, 12_900_000)]
    ['999 B', '12.9 MB']
    """
    if size < 1000:
        return f"{size} B"
    number = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        number /= 1000
        if number < 999.95 or unit == "TB":
            break
    return f"{number:.1f}".removesuffix(".0") + f" {unit}"


def duration_words(ms: float | None) -> str:
    """Spell a duration, two units at most.

    Examples
    --------
    >>> [duration_words(ms) for ms in (12, 1500, 83_000, 7_380_000, 90_000_000)]
    ['12 ms', '1.5 s', '1 min 23 s', '2 h 3 min', '1 d 1 h']
    """
    if ms is None:
        return "–"
    if ms < 0:
        return "−" + duration_words(-ms)
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f}".removesuffix(".0") + " s"
    seconds = round(ms / 1000)
    for unit, size, small, part in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{seconds} s"
