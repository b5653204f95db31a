"""Which of the runs that a command made is the one that was to be made again.

A script may make many (a sweep with its children). The one with the most in common counts: experiment, params, name, whether it has a
parent; of several that are alike, the one in the same position among those of the same parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runfolio.records.runs import Run
from runfolio.reproduction.asking import CannotRunError


def matching_run(original: Run, siblings: Sequence[Run], made: Sequence[Run]) -> Run:
    """Return the new run that corresponds.

    Parameters
    ----------
    original : Run
    siblings : sequence of Run
        The original's parent's children, itself included; itself alone where it has no parent.
    made : sequence of Run
        All that the command made.

    Raises
    ------
    CannotRunError
        If none corresponds.
    """
    if not made:
        raise CannotRunError("it ran to its end, and logged no run")
    best = max(_likeness(original, run) for run in made)
    alike = sorted((run for run in made if _likeness(original, run) == best), key=_order)
    if best[0] < 1 and best[1] == 0 and not best[2] and len(made) > 1:
        names = ", ".join(repr(run.name or run.run_id) for run in made[:5])
        raise CannotRunError(f"it ran to its end, and none of the {len(made)} runs that it made corresponds: {names}")
    before = sorted((run for run in siblings if _same(original, run)), key=_order)
    position = next((at for at, run in enumerate(before) if run.run_id == original.run_id), 0)
    return alike[min(position, len(alike) - 1)]


def _likeness(original: Run, run: Run) -> tuple[float, float, bool, bool, float]:
    """Compare by what says most: experiment, share of the params, name, place in the tree, share of the metrics."""
    return (
        float(run.experiment == original.experiment),
        _share(original.params.items(), run.params.items()),
        bool(original.name) and run.name == original.name,
        (run.parent is None) == (original.parent is None),
        _share(original.metrics.keys(), run.metrics.keys()),
    )


def _share(one: Iterable[object], other: Iterable[object]) -> float:
    both, either = len(set(one) & set(other)), len(set(one) | set(other))
    return both / either if either else 1.0


def _same(original: Run, run: Run) -> bool:
    return run.experiment == original.experiment and run.params == original.params and run.name == original.name


def _order(run: Run) -> tuple[int, str]:
    return run.start, run.run_id
