"""What a pickle refers to, read without loading it: the modules that it would import.

The opcodes are walked as the unpickler would (Python's own ``pickletools``), with just enough of its stack and memo to know which module
each global is of. Modules that cloudpickle carries by name (its ``subimport``) are found too.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterable, Iterator

_STRINGS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_MEMO_GETS = {"BINGET", "LONG_BINGET", "GET"}


class _Pieces:
    """A pickle in pieces, read as a file; a piece that is only a number is that many bytes which nobody kept, and left out."""

    def __init__(self, pieces: Iterable[bytes | int]) -> None:
        self._next = _without_gaps(pieces)
        self._held, self._at = b"", 0

    def read(self, size: int) -> bytes:
        while len(self._held) - self._at < size and (piece := next(self._next, None)) is not None:
            self._held, self._at = self._held[self._at :] + piece, 0
        self._at += size
        return self._held[self._at - size : self._at]

    def readline(self) -> bytes:
        line = b""
        while not line.endswith(b"\n") and (letter := self.read(1)):
            line += letter
        return line


def _without_gaps(pieces: Iterable[bytes | int]) -> Iterator[bytes]:
    """Yield the pieces as if those that nobody kept were empty: the length before each says so."""
    before = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            yield before
            before = piece
            continue
        said = piece.to_bytes(8, "little")
        width = 8 if before.endswith(said) else 4 if piece < 1 << 32 and before.endswith(said[:4]) else 0
        before = before[:-width] + bytes(width) if width else before + bytes(piece)
    yield before


def modules_of(made: bytes | Iterable[bytes | int]) -> set[str]:
    """Return the dotted names of the modules that a pickle refers to.

    Parameters
    ----------
    made : bytes, or pieces of them
        Of a large piece without names only the number of bytes.

    Examples
    --------
    >>> import fractions, pickle
    >>> modules_of(pickle.dumps(fractions.Fraction(1, 2), protocol=5))
    {'fractions'}
    """
    return set(_modules(_Pieces([made] if isinstance(made, bytes) else made)))


def _modules(made: _Pieces) -> Iterator[str]:
    memo: list[str] = []
    texts: list[str] = []  # texts that were pushed, in order; other values are pushed as ""
    by_name = False
    for opcode, argument, _ in pickletools.genops(made):  # type: ignore[arg-type] # it reads, and asks for no more
        name = opcode.name
        if name in _STRINGS:
            texts.append(str(argument))
        elif name == "MEMOIZE":
            memo.append(texts[-1] if texts else "")
        elif name in _MEMO_GETS:
            index = int(argument or 0)
            texts.append(memo[index] if index < len(memo) else "")
        elif name == "GLOBAL":
            yield str(argument).partition(" ")[0]
            texts.append("")
        elif name == "STACK_GLOBAL":
            module, attribute = texts[-2:] if len(texts) > 1 else ("", "")
            yield module
            by_name = attribute == "subimport"
            texts.append("")
        elif name == "TUPLE1" and by_name:
            yield texts[-1]
            by_name = False
            texts.append("")
        elif name not in ("PROTO", "FRAME", "MARK"):
            texts.append("")
