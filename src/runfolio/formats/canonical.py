"""The one spelling of a machine-written record.

The rule: *a record is valid only if its bytes equal* :func:`dump` *of* :func:`load` *of them*. That one comparison
refuses duplicate keys, byte order marks, CRLF, NaN literals, ``1e400``, retyped scalars, torn files and trailing junk.

The spelling: UTF-8, keys sorted by code point, top-level fields one a line, entries of a top-level object or array one a
line, everything deeper on its entry's line, so that a diff reads like a sentence. Characters that no one can see (control,
format and bidi characters, line separators, unpaired surrogates, variation selectors, tags) are spelled ``\\uXXXX``.

>>> print(dump({"b": {"y": [1, 2], "x": 0.5}, "a": 1}).decode(), end="")
{
  "a": 1,
  "b": {
    "x": 0.5,
    "y": [1, 2]
  }
}
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from runfolio._pattern import pattern
from runfolio._typing import Any, NoReturn, TypeVar
from runfolio.errors import DamagedError

MAX_RECORD_BYTES = 16 * 1024 * 1024
_SPELLING = "not in the canonical spelling"

_INVISIBLE = pattern(
    "[\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
T = TypeVar("T")
_quote = json.encoder.encode_basestring
_PLAIN, _OBJECT, _TEXT = frozenset((str, int, float, bool, type(None))), frozenset((dict,)), frozenset((str,))


class Entries(str):
    """The entries of a top-level object, spelled already, from :func:`entries`: a field of a record that :func:`dump` takes as it is."""

    __slots__ = ()


def one_encoder(settings: json.JSONEncoder) -> Callable[[Any], str]:
    """Return the ``encode`` of an encoder without indents, which makes a C encoder for each call; here one is made once."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return settings.encode
    quote = json.encoder.encode_basestring_ascii if settings.ensure_ascii else _quote
    chunks = make(
        None, settings.default, quote, None, settings.key_separator, settings.item_separator, settings.sort_keys, False, settings.allow_nan
    )  # fmt: skip
    return lambda value: "".join(chunks(value, 0))


def _canonical(between: str) -> Callable[[Any], str]:
    return one_encoder(json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(between, ": ")))


_BETWEEN = ",\n    "
spelled, _encode_lines = _canonical(", "), _canonical(_BETWEEN)


def _spell(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code > 0xFFFF:
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
    return f"\\u{code:04x}"


def dump(record: dict[str, Any]) -> bytes:
    """Spell a record canonically.

    Parameters
    ----------
    record : dict
        JSON values only; numbers must be finite (:func:`spell_number` writes the others). A field may be :class:`Entries`.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        If a number is NaN or infinite.
    """
    lines = []
    for key in sorted(record):
        value = record[key]
        kind = type(value)
        if kind is str:
            lines.append(f"  {_quote(key)}: {_quote(value)}")
        elif kind is int:
            lines.append(f"  {_quote(key)}: {value!r}")
        elif kind is Entries:
            lines.append(f"  {_quote(key)}: {{\n    {value}\n  }}")
        elif isinstance(value, dict) and value:
            lines.append(f"  {_quote(key)}: {{\n    {_spelled_entries(value)}\n  }}")
        elif isinstance(value, (list, tuple)) and value:
            inner = ",\n".join(f"    {spelled(entry)}" for entry in value)
            lines.append(f"  {_quote(key)}: [\n{inner}\n  ]")
        else:
            lines.append(f"  {_quote(key)}: {spelled(value)}")
    text = "{\n" + ",\n".join(lines) + "\n}\n" if lines else "{}\n"
    if not text.isascii():
        text = _INVISIBLE.sub(_spell, text)
    elif "\x7f" in text:
        text = text.replace("\x7f", "\\u007f")
    return text.encode()


def _spelled_entries(value: dict[str, Any]) -> str:
    """Spell the entries of a field, one a line: by as few calls of the C encoder, each of which takes as long as some texts, as can be."""
    kinds = set(map(type, value.values()))
    if kinds <= _TEXT:
        return _BETWEEN.join([f"{_quote(key)}: {_quote(value[key])}" for key in sorted(value)])
    if kinds <= _PLAIN:
        return _encode_lines(value)[1:-1]
    if kinds <= _OBJECT:
        text = spelled(value)[1:-1]
        # These four characters stand between two entries. They may also stand in a text, or deeper: then there are more of them.
        if text.count('}, "') == len(value) - 1:
            return text.replace('}, "', '},\n    "')
    return _BETWEEN.join([f"{_quote(key)}: {spelled(value[key])}" for key in sorted(value)])


def entries(value: Mapping[str, T], spell: Callable[[T], str]) -> Entries:
    """Spell the entries of a field, one a line, by what spells one.

    Parameters
    ----------
    value : mapping
        At least one entry.
    spell : callable
        Gives the JSON of an entry's value as it stands on its line (:func:`spelled` is that of any).
    """
    return Entries(_BETWEEN.join([f"{_quote(key)}: {spell(value[key])}" for key in sorted(value)]))


class SharedField:
    """A field that is the same in many records, written one after the other: it is spelled again where it differs from the one before."""

    __slots__ = ("_before",)

    def __init__(self) -> None:
        self._before: tuple[dict[str, Any], list[type], Entries] | None = None

    def spelled(self, value: Mapping[str, Any]) -> Entries | dict[str, Any]:
        """Return what :func:`dump` takes for a field of these entries."""
        kinds, before = list(map(type, value.values())), self._before
        # True is 1 in a comparison, and is not in a record.
        if before is not None and before[0] == value and before[1] == kinds:
            return before[2]
        made = dict(value)
        if not made or not _PLAIN.issuperset(kinds):
            return made
        self._before = made, kinds, Entries(_spelled_entries(made))  # at once: another thread may ask
        return self._before[2]


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key!r} stands twice")
            seen.add(key)
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number; it is written as the text {json.dumps(name)}")


_decode = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant).decode
_decode_fast = json.JSONDecoder().decode


def load(data: bytes, where: str, *, trusted: bool = False) -> dict[str, Any]:
    """Read a canonical record.

    Parameters
    ----------
    data : bytes
    where : str
        The file, for messages.
    trusted : bool, optional
        Skip the comparison with the canonical spelling (three times as fast); ``check`` never does.

    Returns
    -------
    dict

    Raises
    ------
    DamagedError
        If the bytes are not a JSON object in the canonical spelling.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise DamagedError(f"{where}: the record has {len(data)} bytes; {MAX_RECORD_BYTES} are the most.")
    try:
        text = data.decode("utf-8")
        value = (_decode_fast if trusted else _decode)(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise DamagedError(
            f"{where}: not a readable record: {reason}. Restore it from git; the commit to take it from: runfolio check"
        ) from None
    if not isinstance(value, dict):
        raise DamagedError(f"{where}: not a record: a JSON object is expected, this is {type(value).__name__}.")
    if not trusted:
        try:
            spelled = dump(value)
        except (ValueError, RecursionError) as error:
            raise DamagedError(f"{where}: not a readable record: {error}.") from None
        if spelled != data:
            line = next(
                (n for n, (a, b) in enumerate(zip(spelled.split(b"\n"), data.split(b"\n"), strict=False), 1) if a != b), 0
            )
            place = f"line {line}" if line else "the end"
            raise DamagedError(
                f"{where}: {_SPELLING}, first at {place}: it was edited by hand or damaged. "
                "Records are written by runfolio only; restore it with git checkout."
            )
    return value


def is_of_spelling(error: DamagedError) -> bool:
    """Tell whether an error of :func:`load` is that a record, which can be read, is spelled in another way."""
    return _SPELLING in error.message


def spell_number(value: float) -> float | int | str:
    """Give the written form of a number: NaN and the infinities become text.

    Parameters
    ----------
    value : float

    Returns
    -------
    float, int or str
        ``"NaN"``, ``"Infinity"``, ``"-Infinity"``, or the value itself.
    """
    if value - value == 0:
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


_SPELLED = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def read_number(value: Any) -> float:
    """Read a number in its written form.

    Raises
    ------
    ValueError
        If it is neither a number nor one of the three texts of :func:`spell_number`.
    """
    if isinstance(value, str):
        if value in _SPELLED:
            return _SPELLED[value]
        raise ValueError(f"{value!r} is not a number; only NaN, Infinity and -Infinity are written as text")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"a number is expected, this is {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("the number is too large for a float") from None
