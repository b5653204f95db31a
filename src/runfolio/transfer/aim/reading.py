"""The leaf that imports ``aim``: a run's databases as plain values, opened without Aim's tidying, so that no file of them changes.

Aim's index (``meta/index``) is made by its server and may lag behind; each run's own database is read instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, missing_package

NUMBERS = ("float", "float64", "int", "number")


@dataclass(frozen=True, slots=True)
class Sequence:
    """What a run tracked under one name and context.

    Parameters
    ----------
    name : str
    context : Mapping
    kind : str
        Aim's word for the values: ``float``, ``aim.image`` …
    place : tuple
        Where its values are.
    """

    name: str
    context: Mapping[str, Any]
    kind: str
    place: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Media:
    """An object of Aim's: bytes, and what is said of them."""

    kind: str
    data: bytes
    said: Mapping[str, Any]


class AimRun:
    """The databases of a run.

    Parameters
    ----------
    folder : Path
        ``.aim``.
    run_hash : str

    Raises
    ------
    MissingPackageError
        If Aim is not installed.
    DamagedError
        If Aim cannot read them.
    """

    def __init__(self, folder: Path, run_hash: str) -> None:
        self._folder, self._hash = folder, run_hash
        with _asked("its metadata"):
            self.meta: dict[str, Any] = (
                _opened(folder / "meta" / "chunks" / run_hash).subtree(("meta", "chunks", run_hash)).collect()
            )
        self._series: Any = None

    def sequences(self) -> Iterator[Sequence]:
        """Yield what was tracked."""
        contexts = self.meta.get("contexts") or {}
        for number, named in (self.meta.get("traces") or {}).items():
            for name, facts in named.items():
                version = facts.get("version", 1)
                start = ("seqs", "chunks") if version == 1 else ("seqs", f"v{version}", "chunks")
                yield Sequence(
                    str(name), contexts.get(number) or {}, facts.get("dtype", "float"), (*start, self._hash, number, name)
                )

    def values(self, sequence: Sequence) -> Iterator[tuple[int, float | None, Any]]:
        """Yield step, time in seconds (None where there is none) and value, ordered by step.

        Raises
        ------
        DamagedError
            If Aim cannot read them.
        """
        with _asked(f"{sequence.name}"):
            if self._series is None:
                self._series = _opened(self._folder / "seqs" / "chunks" / self._hash)
            tree = self._series.subtree(sequence.place)
            columns = set(tree.keys())
            found, times = dict(tree.array("val").items()), dict(tree.array("time").items())
            steps = dict(tree.array("step").items()) if "step" in columns else {key: key for key in found}
            rows = sorted(
                ((int(steps[key]), times.get(key), found[key]) for key in found if key in steps), key=lambda row: row[0]
            )
        yield from rows


def media_of(value: Any) -> list[Media]:
    """Return the objects of a value: one, or a list of them; empty where it holds none.

    Raises
    ------
    DamagedError
        If Aim cannot read them.
    """
    made = []
    with _asked("an object"):
        for item in value if isinstance(value, (list, tuple)) else [value]:
            storage = getattr(item, "storage", None)
            if storage is None:
                return []
            data = storage.get("data") if hasattr(storage, "get") else None
            content = data.encode() if isinstance(data, str) else b"" if data is None else _bytes(data)
            said = item.json() if hasattr(item, "json") else {}
            if "weights" in dir(type(item)):
                said = {**said, "weights": [float(weight) for weight in item.weights]}
            made.append(Media(str(item.AIM_NAME), content, said if isinstance(said, Mapping) else {"data": said}))
    return made


def _bytes(blob: Any) -> bytes:
    loaded = blob.load() if hasattr(blob, "load") else blob
    return loaded.encode() if isinstance(loaded, str) else bytes(loaded)


def _opened(place: Path) -> Any:
    os.environ.setdefault("AIM_UI_TELEMETRY_ENABLED", "0")
    try:
        import aim  # noqa: F401 # its objects are known only then
        from aim.storage.rockscontainer import RocksContainer
    except ImportError:
        raise missing_package("aim", "aim", "read a repository of Aim") from None
    return RocksContainer(str(place), read_only=True, skip_read_optimization=True).tree()


@contextmanager
def _asked(what: str) -> Iterator[None]:
    """Tell whatever Aim or RocksDB raises as damage of the other store."""
    try:
        yield
    except ImportError:
        raise
    except Exception as error:  # noqa: BLE001 # told as the other store's, whatever class its libraries raise
        said = str(error).strip().splitlines()
        raise DamagedError(f"Aim cannot read {what}: {said[0] if said else type(error).__name__}") from None
