"""NumPy's ``.npy`` and ``.npz``, read block by block; a leaf, which needs numpy. Nothing is unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from runfolio.profiling.tables import MOST_COLUMNS, Table

_BLOCK_VALUES = 1 << 18


def read_npy(path: Path, table: Table, arrays: dict[str, str]) -> None:
    """Describe one array; its columns, where it has two dimensions, or its values."""
    import numpy

    try:
        array = numpy.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        table.note(f"it cannot be read as .npy: {str(error)[:200]}")
        return
    arrays["array"] = _described(array)
    _feed(array, table)


def read_npz(path: Path, table: Table, arrays: dict[str, str]) -> None:
    """Describe the arrays of an archive; there are no statistics of a single one among many."""
    import numpy

    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.filename.endswith(".npy"):
                    continue
                with archive.open(info) as member:
                    version = numpy.lib.format.read_magic(member)
                    read = numpy.lib.format.read_array_header_1_0 if version == (1, 0) else numpy.lib.format.read_array_header_2_0
                    shape, _, dtype = read(member)
                    arrays[info.filename.removesuffix(".npy")] = _words(shape, dtype)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        table.note(f"it cannot be read as .npz: {str(error)[:200]}")
        return
    lengths = {text.split(" ")[0] for text in arrays.values()}
    if len(lengths) == 1 and lengths != {"()"}:
        table.rows = int(lengths.pop())


def _feed(array: Any, table: Table) -> None:
    if array.ndim == 0 or array.ndim > 2:
        table.rows = array.shape[0] if array.ndim else 0
        return
    if array.dtype.kind not in "biuf":
        table.rows = array.shape[0]
        table.note(f"no statistics of elements of the type {array.dtype}")
        return
    width = array.shape[1] if array.ndim == 2 else 1
    if width > MOST_COLUMNS:
        table.rows = array.shape[0]
        table.note(f"{width} columns are too many for statistics of each")
        return
    table.begin([str(number) for number in range(width)])
    step = max(_BLOCK_VALUES // max(width, 1), 1)
    for start in range(0, array.shape[0], step):
        block = array[start : start + step]
        columns = [block[:, number].tolist() for number in range(width)] if array.ndim == 2 else [block.tolist()]
        table.add_values(columns, len(block))


def _described(array: Any) -> str:
    return _words(array.shape, array.dtype)


def _words(shape: tuple[int, ...], dtype: Any) -> str:
    return f"{' × '.join(map(str, shape)) or '()'} {dtype}"
