"""What a user calls the data that a function is given: the name of the variable, as it is read off the frames of the callers.

A frame that was itself given the data as an argument passes it on, and its caller is asked: ``evaluate(X_test)`` names ``X_test``, and
not the parameter of ``evaluate``.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

_OURS = "runfolio.autologging"


def name_of(value: Any) -> str | None:
    """Return the name of the variable that holds a value in the code that called us; None where no variable does."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (_is_ours(frame) or any(each is value for each in _arguments(frame))):
        frame = frame.f_back
    if frame is None:
        return None
    return next((name for name, held in list(frame.f_locals.items()) if held is value), None)


def called_from(package: str) -> bool:
    """Tell whether code of a package called us, and not a user's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
    return frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == package


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(_OURS)


def _arguments(frame: FrameType) -> list[Any]:
    code, held = frame.f_code, frame.f_locals
    count = code.co_argcount + code.co_kwonlyargcount
    given = [held.get(name) for name in code.co_varnames[:count]]
    rest = list(code.co_varnames[count:])
    if code.co_flags & 0x04:  # *args
        given += held.get(rest.pop(0)) or ()
    if code.co_flags & 0x08:  # **kwargs
        given += (held.get(rest.pop(0)) or {}).values()
    return given
