"""One line of a journal, one event.

A line is a JSON array whose first item says what it is::

    ["open", {...}]                 the run's header: everything known at its start
    ["m", key, value, time, step]   a metric's point; NaN and the infinities as text
    ["p", key, value]               a param
    ["t", key, value]               a tag;            ["-t", key] takes it away
    ["a", path, digest, size, type] an artifact whose bytes are in the object store; a sixth item names the copy that became the object
    ["copy", path, name, size]      an artifact of which the store holds a copy, whose digest an "a" tells later
    ["-copy", name]                 a copy that was lost before it had a digest
    ["d", {...}]                    a dataset that was read
    ["n", text]                     a notice: something was redacted, truncated or left out
    ["name", text]                  the run's name
    ["end", status, time]           the end, with the run's status; 0 where no end is known
    ["life", lifecycle, time]       deleted or restored
    ["detach"]                      no process holds the run any more, and it goes on
    ["lines", offset]               a recorded program's file of lines was read up to here

A line that does not parse is one whose writing was cut off; the one who wrote it never got an acknowledgement. Where another
process wrote on behind the cut, its event stands at the end of the same line and is found there (:func:`salvage`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from operator import itemgetter

from runfolio._typing import Any

_quote = json.encoder.encode_basestring


def _one_encoder() -> Callable[[Any], str]:
    """Return an encoder that is made once: `JSONEncoder.encode` makes a C encoder for each call."""
    encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encoder.encode
    chunks = make(None, encoder.default, _quote, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks(value, 0))


_encode = _one_encoder()
_decoder = json.JSONDecoder()
_decode, _scan = _decoder.decode, _decoder.scan_once  # type: ignore[attr-defined]
_LIST, _TEXT, _first = frozenset((list,)), frozenset((str,)), itemgetter(0)


def encode_event(*parts: Any) -> bytes:
    """Write one event as a line."""
    return (_encode(parts) + "\n").encode("utf-8", "surrogatepass")


def encode_text(kind: str, key: str, text: str) -> bytes:
    """Write one param (``p``) or tag (``t``) as a line."""
    return encode_value(kind, _quote(key), text)


def encode_value(kind: str, key: str, text: str) -> bytes:
    """Write one param (``p``) or tag (``t``) as a line, its key from :func:`encode_key`."""
    return f'["{kind}",{key},{_quote(text)}]\n'.encode("utf-8", "surrogatepass")


def encode_key(key: str) -> str:
    """Write a key once; :func:`encode_point` and :func:`encode_value` take it as it is."""
    return _encode(key)


def encode_point(key: str, value: float, timestamp: int, step: int) -> bytes:
    """Write one point of a metric: the hot path.

    Parameters
    ----------
    key : str
        From :func:`encode_key`.
    value : float
    timestamp : int
        Milliseconds since the epoch, UTC.
    step : int
    """
    if value - value != 0.0:  # NaN or infinite
        text = '"NaN"' if value != value else ('"Infinity"' if value > 0 else '"-Infinity"')
        return f'["m",{key},{text},{timestamp},{step}]\n'.encode()
    return f'["m",{key},{value!r},{timestamp},{step}]\n'.encode()


def decode_events(lines: bytes) -> list[list[Any]] | None:
    """Read several lines in one call of the decoder; None unless each of them is one whole event.

    A line that was cut off leaves a bracket or a text open, which no later line closes: joined by commas they don't parse.

    Parameters
    ----------
    lines : bytes
        Without the end of the last one.
    """
    ends = lines.count(b"\n")
    if lines[:2] != b'["' or lines[-1:] != b"]" or lines.count(b']\n["') != ends:
        return None
    try:
        text = "[" + lines.replace(b"\n", b",").decode("utf-8", "surrogatepass") + "]"
        found, end = _scan(text, 0)  # what `decode` calls, between two looks for white space that is not there
        if end != len(text) or len(found) != ends + 1:
            return None
        whole = _LIST.issuperset(map(type, found)) and _TEXT.issuperset(map(type, map(_first, found)))
    except (ValueError, IndexError, StopIteration):
        return None
    return found if whole else None


def decode_event(line: bytes) -> list[Any] | None:
    """Read one line; None where it does not parse."""
    try:
        event = _decode(line.decode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return event if isinstance(event, list) and event and isinstance(event[0], str) else None


def salvage(line: bytes) -> list[Any] | None:
    """Find the whole event behind one that was cut off: a full disk, or a kill, tore the first, and another process went on.

    Within an event the characters ``["`` stand only at its start and in the lists of a header, which the cut leaves open; so the
    first place from which the rest of the line parses is the start of the event that was acknowledged.
    """
    at = line.find(b'["', 1)
    while at > 0:
        event = decode_event(line[at:])
        if event is not None:
            return event
        at = line.find(b'["', at + 1)
    return None
