r"""YAML as people edit it, read strictly.

One document, UTF-8, plain data only: no tags, no anchors or aliases (so no "billion laughs" and no merge keys), no doubled
keys, bounded in size and depth. Scalars follow the core schema of YAML 1.2 (section 10.3.2), not that of 1.1: ``no``,
``on``, ``12:30`` and ``2026-01-31`` stay text, ``010`` is ten, ``1e3`` is a number. Keys are text. Characters by which a line
can look other than it is (bidi overrides, control characters) are refused in their raw form, comments included.

Every fault is a :class:`~runfolio.errors.DamagedError` with file, line, column and remedy; as many as can be found in one
pass are told at once.

>>> load_yaml(b"when: auto\nanswer: no\n", "runfolio.yaml")
{'when': 'auto', 'answer': 'no'}

Writing is in :mod:`runfolio.formats.yaml_text`, changing without losing comments in :mod:`runfolio.formats.yaml_edit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property

from runfolio._dataclass import dataclass
from runfolio._pattern import pattern
from runfolio._typing import TYPE_CHECKING, Any
from runfolio.errors import DamagedError
from runfolio.formats.yaml_plain import plain_places, read_plain

if TYPE_CHECKING:
    from runfolio.formats.yaml_events import Path, Place

MAX_BYTES = 64 * 1024
_LATELY, _LONGEST = 32, 16 * 1024
_lately: dict[bytes, YamlDocument] = {}

_REFUSED = pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufff0-\ufffb\ufffe\uffff]|\r(?!\n)")


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """What a YAML file says, and where it says it.

    Parameters
    ----------
    value : dict
    places : Mapping of path to Place
        By path of keys and indices; the whole document's is ``()``, missing where the file is empty.
    """

    value: dict[str, Any]
    places: Mapping[Path, Place]

    def line(self, path: Path) -> int:
        """Return the line of the entry at `path`, or of the nearest one around it; 1 if there is none."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places[path].line if path in self.places else 1


def load_yaml(data: bytes, where: str, *, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Read a YAML file that people edit.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for messages.
    limit : int, optional
        The most bytes that are read.

    Returns
    -------
    dict
        Empty where the file holds nothing but comments.

    Raises
    ------
    DamagedError
        With file, line, column and remedy, for every fault that was found.
    """
    return _parse(data, where, limit).value


def read_yaml(data: bytes, where: str, *, limit: int = MAX_BYTES) -> YamlDocument:
    """Read a YAML file together with the places of its entries; see :func:`load_yaml`.

    A text that was read lately is not parsed again: an edit reads what it changes, checks what it wrote, and both are read once more by
    whoever asks for the file. The document is shared: it is not to be changed.
    """
    held = _lately.get(data)
    if held is None or len(data) > limit:
        held = _parse(data, where, limit)
        if len(_lately) >= _LATELY:
            with suppress(StopIteration, KeyError, RuntimeError):  # another thread did so just now
                del _lately[next(iter(_lately))]
        if len(data) <= _LONGEST:
            _lately[data] = held
    return held


class _PlacesLater(Mapping["Path", "Place"]):
    """The places of a text that was read without the library, found where somebody wants to know."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _places(self) -> Mapping[Path, Place]:
        return plain_places(self._text)

    def __getitem__(self, path: Path) -> Place:
        return self._places[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _parse(data: bytes, where: str, limit: int) -> YamlDocument:
    text = _text_of(data, where, limit)
    plain = read_plain(text)
    return _parsed(text, where) if plain is None else YamlDocument(plain, _PlacesLater(text))


def _parsed(text: str, where: str) -> YamlDocument:
    import yaml

    from runfolio.formats.yaml_events import MAX_DEPTH, Builder

    builder = Builder(where, text)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        said = error.problem or error.context or "it cannot be read"
        if "nesting depth" in said:  # libyaml, since PyYAML 6.0.4, looks that far ahead before it says the first bracket
            builder.fault(line, column, f"nested deeper than {MAX_DEPTH} levels. Flatten it.")
        else:
            builder.fault(line, column, f"not YAML: {said}. Check the indentation, colons and quotes around it.")
    except (yaml.YAMLError, ValueError) as error:
        builder.fault(1, 1, f"not YAML: {error}. Check the file's characters.")
    builder.report()
    return YamlDocument(builder.root, builder.places)


def _text_of(data: bytes, where: str, limit: int) -> str:
    if len(data) > limit:
        raise DamagedError(f"{where}: the file has {len(data)} bytes; {limit} are the most. Shorten it.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _line_column(data[: error.start].decode("utf-8"), error.start)
        raise DamagedError(
            f"{where}: line {line}, column {column}: the byte 0x{data[error.start]:02x} is not UTF-8. Save the file as UTF-8."
        ) from None
    faults = []
    for match in _REFUSED.finditer(text):
        line, column = _line_column(text, match.start())
        if match.group() == "\ufeff" and match.start() == 0:
            remedy = "a byte order mark. Save the file as UTF-8 without one"
        elif match.group() == "\r":
            remedy = "a lone carriage return. Save the file with Unix line ends"
        else:
            code = ord(match.group())
            remedy = f"the invisible character U+{code:04X}. Delete it, or write \\u{code:04x} in double quotes"
        faults.append(f"{where}: line {line}, column {column}: {remedy}.")
    if faults:
        from runfolio.formats.yaml_events import MAX_FAULTS

        raise DamagedError("\n".join(faults[:MAX_FAULTS]))
    return text


def _line_column(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, len(before) - before.rfind("\n")
