"""Conditions of a filter held against one run, told in words; a value that is not there is no value that fits."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from runfolio.diff.describe import number_text
from runfolio.query import Clause, parse_filter, read_value
from runfolio.query.evaluate import holds_for, read_input
from runfolio.records.runs import Run

Answer = tuple[bool | None, str]
"""Whether a gate is passed (None: it cannot be evaluated), and why."""


def clauses_hold(argument: str, run: Run) -> Answer:
    """Hold the conditions of a filter against a run.

    Parameters
    ----------
    argument : str
        The filter's text, which parses.
    run : Run

    Returns
    -------
    tuple of bool or None, and str
        None where the run lacks what is asked for.
    """
    texts, passed = [], True
    for clause in parse_filter(argument).clauses:
        if clause.entity == "datasets":
            values = [said for item in run.inputs if (said := read_input(item, clause.key)) is not None]
            held = any(holds_for(clause, said) for said in values) if values else clause.operator == "IS NULL"
            texts.append(f"dataset {clause.key} {clause.operator} {_shown(clause.value)} {'holds' if held else 'does not hold'}")
            passed = passed and held
            continue
        value = read_value(run, clause.entity, clause.key)
        if value is None and clause.operator != "IS NULL":
            return None, _missing(clause, run)
        held = clause.operator == "IS NULL" if value is None else holds_for(clause, value)
        passed = passed and held
        name = clause.key if clause.entity == "metrics" else f"{clause.entity}.{clause.key}"
        texts.append(
            f"{name} is {_shown(value)}, {'as asked' if held else 'not as asked'}: {clause.operator} {_shown(clause.value)}".rstrip()
        )
    return passed, f"{'; '.join(texts)}."


def _missing(clause: Clause, run: Run) -> str:
    kinds: dict[str, Iterable[str]] = {"metrics": run.metrics, "params": run.params, "tags": run.all_tags}
    known = list(kinds.get(clause.entity, ()))
    near = difflib.get_close_matches(clause.key, known, 1, 0.6)
    hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(sorted(known)[:8]) or 'none'}."
    return f"The run has no {clause.entity}.{clause.key}{hint}"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return number_text(value) if isinstance(value, float) else repr(value)
