"""One record to the rows that the tables hold of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError
from runfolio.formats.paths import run_of_path
from runfolio.formats.runs import decode_run
from runfolio.records.runs import Run

ODD, HIDDEN = 1, 2
LATELY = 2000
"""Runs whose decoded form is kept from the loading of the tables to the question that loaded them."""
_lately: dict[bytes, Run] = {}
_WHOLE = 1 << 63


@dataclass(frozen=True, slots=True)
class RecordFault:
    """A file that holds no readable record.

    Parameters
    ----------
    path : str
        From the folio's root.
    message : str
        What is wrong, as the error says it.
    """

    path: str
    message: str


def read_run(data: bytes, path: str) -> Run:
    """Decode the record at `path`, which must be the record of the run that the path names.

    Raises
    ------
    DamagedError
        If it cannot be read, or belongs elsewhere.
    """
    run = decode_run(data, path, trusted=True)
    named = run_of_path(path)
    if named != (run.experiment, run.run_id):
        raise DamagedError(
            f"{path}: the record is of run {run.run_id!r} of experiment {run.experiment!r}, which belongs under another path. "
            "Restore the file from git."
        )
    if len(_lately) < LATELY:
        _lately[data] = run
    return run


def decode_lately(data: bytes, path: str) -> Run:
    """Decode a record that :func:`read_run` has read before; one that was read just now is handed over as it is."""
    return _lately.pop(data, None) or decode_run(data, path, trusted=True)


def forget_lately() -> None:
    """Let go of what was kept for the question that comes first."""
    _lately.clear()


def is_odd(run: Run, data: bytes) -> bool:
    """Tell whether SQLite cannot hold a value of this run as Python has it."""
    if not (-_WHOLE <= run.start < _WHOLE and -_WHOLE <= (run.end or 0) < _WHOLE):
        return True
    # An unpaired surrogate can stand in a record as an escape only, for its bytes are UTF-8.
    return b"\\u" in data and (b"\\ud" in data or b"\\uD" in data) and not all(encodable(text) for text in _texts(run))


def encodable(text: str) -> bool:
    """Tell whether SQLite can hold this text, that is, whether it is free of unpaired surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(run: Run) -> Iterable[str]:
    yield from (run.name, run.user)
    for texts in (run.params, run.all_tags):
        yield from texts
        yield from texts.values()
    yield from run.metrics
    for item in run.inputs:
        yield from (item.name, item.digest, item.context or "")
