"""A digest of a table's or array's content: the same values give the same digest everywhere.

It is SHA-256 over a spelling of our own (version, shape, column names, kinds, values), cut to 32 hex digits because MLflow
allows 36. The spelling depends neither on the version of pandas (text is text, whether the column is ``object``, ``str`` or
Arrow's; times count in nanoseconds) nor on byte order, memory layout, the process or its hash seed. ``hash_pandas_object``,
which MLflow uses on the first 10,000 rows, leaves columns out silently and promises no stability.

Up to `MAX_CELLS` values are all read. Of more, evenly spaced rows are, the first and last among them, and the profile says
how many (``digest_rows``): such a digest can miss a change in the other rows.

It does *not* see what has no value of its own: an object of an unknown class counts by its class and text, and where the
text holds a memory address by its class only.
"""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

MAX_CELLS = 10_000_000
VERSION = b"runfolio-dataset-1"
DIGEST_LETTERS = 32


class ContentHash:
    """SHA-256 over parts that cannot run into each other: each is written with its length.

    >>> ContentHash(b"x").text("a").text("b").hexdigest() == ContentHash(b"x").text("ab").hexdigest()
    False
    """

    def __init__(self, kind: bytes) -> None:
        self._hash = hashlib.sha256()
        self.part(VERSION).part(kind)

    def part(self, data: Any) -> ContentHash:
        """Add bytes, or a contiguous buffer."""
        view = memoryview(data).cast("B") if not isinstance(data, bytes) else data
        self._hash.update(struct.pack("<Q", len(view)))
        self._hash.update(view)
        return self

    def text(self, value: str) -> ContentHash:
        """Add text."""
        return self.part(value.encode("utf-8", "surrogatepass"))

    def numbers(self, *values: int) -> ContentHash:
        """Add whole numbers, such as a shape."""
        return self.text(",".join(str(value) for value in values))

    def array(self, array: Any) -> ContentHash:
        """Add a numpy array: kind, shape and values."""
        self.numbers(*array.shape)
        return self.values(array)

    def values(self, array: Any) -> ContentHash:
        """Add the values of a numpy array, in C order."""
        kind = array.dtype.kind
        if kind in "biufc":
            return self.text(f"{kind}{array.dtype.itemsize}").part(_number_bytes(array))
        if kind in "mM":
            return self._times(array)
        return self.objects(array.ravel().tolist())

    def objects(self, values: list[Any]) -> ContentHash:
        """Add any Python values; a list of text alone takes a fast path with the same care about borders."""
        if all(type(value) is str for value in values):
            encoded = [value.encode("utf-8", "surrogatepass") for value in values]
            lengths = struct.pack(f"<{len(encoded)}Q", *map(len, encoded))
            return self.text("text").part(lengths).part(b"".join(encoded))
        self.text("objects").numbers(len(values))
        for value in values:
            self.part(_spell(value))
        return self

    def hexdigest(self) -> str:
        """Return the digest: 32 hex digits."""
        return self._hash.hexdigest()[:DIGEST_LETTERS]

    def _times(self, array: Any) -> ContentHash:
        import numpy

        # pandas 2 counts in nanoseconds, pandas 3 in microseconds. What has no place in 64 bits of nanoseconds (before 1677,
        # after 2262) is spelled one by one.
        missing = numpy.isnat(array)
        unit, _ = numpy.datetime_data(array.dtype)
        if unit != "generic":
            with suppress(OverflowError):  # of numpy 2.5; before it, another time came back
                counts = array.astype(f"{array.dtype.kind}8[ns]").view("i8")
                back = counts.view(f"{array.dtype.kind}8[ns]").astype(array.dtype)
                if bool(numpy.array_equal(back[~missing], array[~missing])):
                    return self.text(f"{array.dtype.kind}ns").part(_number_bytes(counts))
        return self.objects([str(value) for value in array.ravel()])


def digest_arrays(features: Any, targets: Any = None) -> tuple[str, int | None]:
    """Compute the digest of arrays, or of dictionaries of arrays.

    Parameters
    ----------
    features, targets : ndarray, Mapping of str to ndarray, or None

    Returns
    -------
    str
    int or None
        Rows read of each array, where not all were.
    """
    content = ContentHash(b"arrays")
    sampled: int | None = None
    total = sum(array.size for side in (features, targets) for _, array in _named(side))
    for side in (features, targets):
        arrays = list(_named(side))
        content.numbers(-1 if side is None else len(arrays))
        for name, array in arrays:
            content.text(name).numbers(*array.shape)
            rows = sample_rows(len(array) if array.ndim else 1, total)
            if rows is not None:
                sampled, array = max(sampled or 0, len(rows)), array[rows]
            content.array(array)
    return content.hexdigest(), sampled


def sample_rows(rows: int, cells: int) -> Any:
    """Return which rows a digest reads; None for all of them.

    Parameters
    ----------
    rows : int
    cells : int
        Values in the whole dataset.

    Returns
    -------
    ndarray, shape (n,), or None
        Evenly spaced, with the first and the last.
    """
    if cells <= MAX_CELLS or rows < 2:
        return None
    import numpy

    wanted = max(2, rows * MAX_CELLS // cells)
    # Whole-number arithmetic: rounding must not differ between platforms.
    return numpy.arange(wanted, dtype=numpy.int64) * (rows - 1) // (wanted - 1)


def _named(side: Any) -> Iterable[tuple[str, Any]]:
    if side is None:
        return []
    if isinstance(side, Mapping):
        return sorted((str(name), array) for name, array in side.items())
    return [("", side)]


def _number_bytes(array: Any) -> Any:
    """Return the values as little-endian, C-ordered memory with one kind of NaN."""
    import numpy

    dtype = array.dtype
    if dtype.kind in "fc" and dtype.itemsize > (8 if dtype.kind == "f" else 16):
        # long double is 80, 64 or 128 bits, by platform.
        array = array.astype(numpy.float64 if dtype.kind == "f" else numpy.complex128)
    if array.dtype.kind in "fc":
        missing = numpy.isnan(array)
        if missing.any():
            array = numpy.where(missing, array.dtype.type(numpy.nan), array)
    array = numpy.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
    return array.reshape(-1).view(numpy.uint8)


def is_missing(value: Any) -> bool:
    """Say whether a value stands for "no value": None, NaN, pandas' NaT and NA."""
    return value is None or type(value).__name__ in ("NaTType", "NAType") or (isinstance(value, float) and math.isnan(value))


def _spell(value: Any) -> bytes:
    """Spell one value with its type, so that 1, 1.0, True and "1" differ and every kind of "missing" is one."""
    if is_missing(value):
        return b"n"
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    if isinstance(value, bool):
        return b"b1" if value else b"b0"
    if isinstance(value, int):
        return b"i%d" % int(value)
    if isinstance(value, float):
        return b"f" + struct.pack("<d", value)
    if isinstance(value, (bytes, bytearray)):
        return b"y" + bytes(value)
    return _spell_compound(value)


def _spell_compound(value: Any) -> bytes:
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return _spell(value.tolist())
    if isinstance(value, (list, tuple)):
        return b"l" + b"".join(_framed(entry) for entry in value)
    if isinstance(value, (set, frozenset)):
        return b"e" + b"".join(sorted(_framed(entry) for entry in value))
    if isinstance(value, Mapping):
        return b"d" + b"".join(sorted(_framed(key) + _framed(entry) for key, entry in value.items()))
    text = str(value)
    return b"o" + (type(value).__name__ + ("" if " at 0x" in text else ":" + text)).encode("utf-8", "surrogatepass")


def _framed(value: Any) -> bytes:
    spelled = _spell(value)
    return struct.pack("<Q", len(spelled)) + spelled
