"""A sweep as its runs tell it: what each trial came to, read from tags alone.

Tags may have been written by anybody: what does not have the right shape counts as not there, and the trial as cut off.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from runfolio.records import Run
from runfolio.records import sweeps as tags
from runfolio.sweeps.trials import TrialResult, TrialState

_COUNTED = {str(each): each for each in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED)}


def result_of(run: Run) -> TrialResult | None:
    """Return how a trial's run went; None for one that was cut off, or is no trial's."""
    number, state = tags.trial_number(run), _COUNTED.get(run.tags.get(tags.STATE_TAG, ""))
    if number is None or state is None or run.end is None:
        return None
    values = _numbers(run.tags.get(tags.VALUES_TAG, ""))
    if state is TrialState.COMPLETE and not values:
        return None
    return TrialResult(
        number,
        run.run_id,
        state,
        values if state is not TrialState.FAILED else (),
        replicate_of(run),
        fault=run.tags.get(tags.FAULT_TAG, ""),
        point=run.tags.get(tags.POINT_TAG, "") if tags.DISTRIBUTIONS_TAG in run.tags else "",
        distributions=run.tags.get(tags.DISTRIBUTIONS_TAG, ""),
    )


def replicate_of(run: Run) -> int | None:
    """Return the place of a run among the replicates of its trial, or None."""
    text = run.tags.get(tags.REPLICATE_TAG, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def point_of(text: str) -> dict[str, float] | None:
    """Read a point: a number for each name; None where the text is none."""
    said = _mapping(text)
    if said is None or not all(isinstance(value, (int, float)) and math.isfinite(value) for value in said.values()):
        return None
    return {name: float(value) for name, value in said.items()}


def _mapping(text: str) -> dict[str, Any] | None:
    try:
        said = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, Mapping) else None  # type: ignore[return-value]  # json makes dicts


def _numbers(text: str) -> tuple[float, ...]:
    try:
        said = json.loads(text) if text else ()
    except (ValueError, RecursionError):
        return ()
    if not isinstance(said, (list, tuple)) or not all(isinstance(each, (int, float)) for each in said):
        return ()
    return tuple(float(each) for each in said)
