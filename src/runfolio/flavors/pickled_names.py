"""What a pickle refers to, read without loading it: the modules that it would import.

The opcodes are walked as the unpickler would (Python's own ``pickletools``), with just enough of its stack and memo to know which module
each global is of. Modules that cloudpickle carries by name (its ``subimport``) are found too.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Iterator

_STRINGS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
_MEMO_GETS = {"BINGET", "LONG_BINGET", "GET"}


def modules_of(made: bytes) -> set[str]:
    """Return the dotted names of the modules that a pickle refers to.

    Examples
    --------
    >>> import fractions, pickle
    >>> modules_of(pickle.dumps(fractions.Fraction(1, 2), protocol=5))
    {'fractions'}
    """
    return set(_modules(made))


def _modules(made: bytes) -> Iterator[str]:
    memo: list[str] = []
    texts: list[str] = []  # texts that were pushed, in order; other values are pushed as ""
    by_name = False
    for opcode, argument, _ in pickletools.genops(io.BytesIO(made)):
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
