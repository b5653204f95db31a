"""The runs beside which a result that comes out otherwise is judged: those of the same program and code that differ in the seed alone."""

from __future__ import annotations

from runfolio.errors import GitError
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.gitstore.difference import tree_difference
from runfolio.query import parse_filter
from runfolio.records.runs import Run, RunStatus
from runfolio.reproduction.code import recorded_tree

MOST_RUNS = 5000
_PROGRAM = ("type", "script", "module")
_ENTRY_POINT = "mlflow.project.entryPoint"


def replicates_of(folio: Folio, run: Run) -> list[Run]:
    """Return the finished runs that differ from a run in the replicate param (the seed) alone, itself included.

    They are of the same program, params and code. Files that only one of two code trees has are no difference: a program's own output
    may be among them.

    Parameters
    ----------
    folio : Folio
    run : Run
    """
    experiment = folio.experiments.by_slug(run.experiment)
    key = experiment.objective.replicate if experiment and experiment.objective else "seed"
    params = _but(run, key)
    found = folio.runs.search(parse_filter(""), slugs=[run.experiment], limit=MOST_RUNS)
    alike = [
        item
        for item in found
        if item.status is RunStatus.FINISHED
        and (item.parent is None) == (run.parent is None)
        and _program(item) == _program(run)
        and _but(item, key) == params
    ]
    trees = {recorded_tree(item) for item in alike}
    same = {tree for tree in trees if _same_code(folio, recorded_tree(run), tree)}
    made = [item for item in alike if recorded_tree(item) in same]
    return made if any(item.run_id == run.run_id for item in made) else [*made, run]


def _but(run: Run, key: str) -> dict[str, str]:
    return {name: value for name, value in run.params.items() if name != key}


def _program(run: Run) -> tuple[str, ...]:
    return (*(str(run.entry.get(name, "")) for name in _PROGRAM), run.tags.get(_ENTRY_POINT, ""))


def _same_code(folio: Folio, old: str, new: str) -> bool:
    """Tell whether no file that two code trees have differs; not where one of them is not at hand."""
    if old == new:
        return True
    prefix = folio.place.prefix
    ours = tuple(f"{prefix}{name}/" for name in paths.OURS)
    try:
        found = tree_difference(folio.repo, old, new)
    except GitError:
        return False
    return not any(
        item.old and item.new and item.path != f"{prefix}{paths.SETTINGS}" and not item.path.startswith(ours) for item in found
    )
