"""Differences as data, and as words: runs side by side, two states of a folio, the text of a record, a commit's message.

Pure: records in, values or text out. Nothing here opens a file, knows git, or judges; policies and reports stand on what
this room finds.
"""

from __future__ import annotations

from runfolio._lazy import lazy_names
from runfolio._typing import TYPE_CHECKING

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

__getattr__ = lazy_names(
    __name__,
    {
        "compare": ("Comparison", "Row", "compare_runs"),
        "describe": ("describe_run",),
        "messages": ("commit_message",),
        "states": ("ABSENT", "FieldChange", "StateDiff", "apply_diff", "diff_states"),
    },
)
