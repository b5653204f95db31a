"""Reading the fields of a YAML mapping, with every fault noted and none raised before the end.

A :class:`FieldReader` stands on one mapping of a document. Each ``read`` returns the value or its default, so that a decoder
is a plain list of fields, and a fault in one field never hides those in the others. ``null`` means the default, as people
expect of an entry whose value they commented out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from runfolio._typing import TYPE_CHECKING, Any, TypeVar
from runfolio.errors import DamagedError
from runfolio.formats.yaml import YamlDocument

if TYPE_CHECKING:
    from runfolio.formats.yaml_events import Path

T = TypeVar("T")


class FieldReader:
    """Reads one mapping of a YAML document and notes its faults.

    Parameters
    ----------
    document : YamlDocument
    where : str
        The file, for messages.
    path : path, optional
        Of the mapping; the document's top by default.
    faults : list of (int, str), optional
        Shared between the readers of one document: line and message.
    """

    def __init__(self, document: YamlDocument, where: str, path: Path = (), faults: list[tuple[int, str]] | None = None) -> None:
        self.document, self.where, self.path = document, where, path
        self.faults = [] if faults is None else faults
        found: Any = document.value
        for key in path:
            found = found[key]
        self.value: Mapping[str, Any] = found if isinstance(found, dict) else {}
        if found is not None and not isinstance(found, dict):
            self.fault((), f"'key: value' lines are expected, found {_shown(found)}")

    def fault(self, below: Path, what: str) -> None:
        """Note a fault of the entry at `below`, a path from this reader's mapping."""
        path = (*self.path, *below)
        line = self.document.line(path)
        name = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).lstrip(".")
        end = "" if what.endswith("?") else "."
        self.faults.append((line, f"{self.where}: line {line}: {name}: {what}{end}" if name else f"{self.where}: {what}{end}"))

    def read(self, key: str, reader: Callable[[Any], T], default: T) -> T:
        """Return the entry `key` as `reader` reads it, or `default` where it is missing, null or wrong."""
        value = self.value.get(key)
        if value is None:
            return default
        try:
            return reader(value)
        except ValueError as error:
            self.fault((key,), str(error).rstrip("."))
            return default

    def section(self, key: str) -> FieldReader:
        """Return a reader for the mapping at `key`; an empty one where it is missing."""
        if self.value.get(key) is None:
            return FieldReader(YamlDocument({}, {}), self.where, (), self.faults)
        return FieldReader(self.document, self.where, (*self.path, key), self.faults)

    def items(self, key: str) -> list[FieldReader]:
        """Return a reader for each mapping in the list at `key`."""
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault((key,), f"a list is expected, found {_shown(value)}")
            return []
        return [FieldReader(self.document, self.where, (*self.path, key, index), self.faults) for index in range(len(value))]

    def only(self, known: Iterable[str]) -> None:
        """Note a fault for every key that is not among `known`, with the nearest one that is."""
        names = list(known)
        for key in self.value:
            if key not in names:
                self.fault((key,), f"no such setting{suggestion(key, names)}")

    def report(self) -> None:
        """Raise all the faults noted, if any, in the order of their lines.

        Raises
        ------
        DamagedError
            If there are any.
        """
        if self.faults:
            raise DamagedError("\n".join(text for _, text in sorted(self.faults, key=lambda fault: fault[0])))


def suggestion(key: str, known: Iterable[str], end: str = "") -> str:
    """Return the end of a sentence about an unknown name: the nearest known one, or all of them and `end`."""
    import difflib

    names = list(known)
    near = difflib.get_close_matches(key.lower(), names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(names)}{end}"


def text(value: Any) -> str:
    """Return `value` if it is text."""
    if not isinstance(value, str):
        raise ValueError(f"text is expected, found {_shown(value)}; put it in quotes")
    return value


def some_text(value: Any) -> str:
    """Return `value` if it is text that is not blank."""
    if not text(value).strip():
        raise ValueError("text is expected, found nothing")
    return str(value)


def flag(value: Any) -> bool:
    """Return `value` if it is ``true`` or ``false``."""
    if not isinstance(value, bool):
        hint = {"yes": "; write true", "on": "; write true", "no": "; write false", "off": "; write false"}.get(
            str(value).lower(), ""
        )
        raise ValueError(f"true or false is expected, found {_shown(value)}{hint}")
    return value


def whole(least: int = 0) -> Callable[[Any], int]:
    """Return a reader of whole numbers from `least`."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"a whole number from {least} is expected, found {_shown(value)}")
        return value

    return read


def one_of(*names: str) -> Callable[[Any], str]:
    """Return a reader of one of the given words."""

    def read(value: Any) -> str:
        if value not in names:
            raise ValueError(f"one of {', '.join(names)} is expected, found {_shown(value)}")
        return str(value)

    return read


def texts(value: Any) -> dict[str, str]:
    """Return `value` if it is a mapping of text to text."""
    for key, entry in mapping(value).items():
        if not isinstance(entry, str):
            raise ValueError(f"{key}: text is expected, found {_shown(entry)}; put it in quotes")
    return dict(value)


def mapping(value: Any) -> dict[str, Any]:
    """Return `value` if it is a mapping."""
    if not isinstance(value, dict):
        raise ValueError(f"'key: value' lines are expected, found {_shown(value)}")
    return value


def list_of(reader: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """Return a reader of lists of what `reader` reads."""

    def read(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise ValueError(f"a list is expected, found {_shown(value)}")
        return tuple(reader(entry) for entry in value)

    return read


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    shown = {None: "nothing", True: "true", False: "false"}.get(value) if value is None or isinstance(value, bool) else None
    return shown or (f"{value!r}" if len(repr(value)) < 60 else f"{repr(value)[:57]}…")
