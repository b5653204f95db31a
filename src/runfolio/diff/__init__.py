"""Differences as data, and as words: runs side by side, two states of a folio, the text of a record, a commit's message.

Pure: records in, values or text out. Nothing here opens a file, knows git, or judges; policies and reports stand on what
this room finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.diff.compare import Comparison, Row, compare_runs
    from runfolio.diff.describe import describe_run
    from runfolio.diff.messages import commit_message
    from runfolio.diff.states import ABSENT, FieldChange, StateDiff, apply_diff, diff_states

__all__ = [
    "ABSENT",
    "Comparison",
    "FieldChange",
    "Row",
    "StateDiff",
    "apply_diff",
    "commit_message",
    "compare_runs",
    "describe_run",
    "diff_states",
]

_MODULES = {
    **dict.fromkeys(("Comparison", "Row", "compare_runs"), "compare"),
    **dict.fromkeys(("ABSENT", "FieldChange", "StateDiff", "apply_diff", "diff_states"), "states"),
    "commit_message": "messages",
    "describe_run": "describe",
}


def __getattr__(name: str) -> object:
    # Loaded when it is used: a list of runs needs one small file of this room, and the rest costs 20 ms.
    import importlib

    if name not in _MODULES:
        raise AttributeError(f"module 'runfolio.diff' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"runfolio.diff.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
