"""Steps that are entry points of the folder's ``MLproject``: found, given the pipeline's params, and started as MLflow starts them.

An entry point's command is for a shell, with its own rules for quoting values (`runfolio.projects.quoting`); its parameters have types and
defaults. It runs in the environment at hand: the project's own environment is not made here.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runfolio.errors import DamagedError, NotFoundError, RunfolioError, UsageError
from runfolio.pipelines.commands import fill
from runfolio.pipelines.model import Pipeline, Step


def with_entries(pipeline: Pipeline, folder: Path) -> Pipeline:
    """Return the pipeline with what its steps' entry points say.

    Raises
    ------
    DamagedError
        If there is no ``MLproject``, or it has no such entry point; all steps are named.
    """
    if not any(step.entry for step in pipeline.steps):
        return pipeline
    from runfolio.projects.mlproject import load_project

    project = load_project(folder)
    faults, steps = [], []
    for step in pipeline.steps:
        try:
            steps.append(_found(step, project.entry_point(step.entry), pipeline) if step.entry else step)
        except NotFoundError as error:
            faults.append(f"{pipeline.file}: step {step.name}: entry: {error.message}")
    if faults:
        raise DamagedError("\n".join(faults))
    return replace(pipeline, steps=tuple(steps))


def _found(step: Step, point: object, pipeline: Pipeline) -> Step:
    from runfolio.projects.mlproject import EntryPoint

    assert isinstance(point, EntryPoint)
    known = {**pipeline.params, **step.own_params}
    defaults = {
        name: str(item.default) for name, item in point.parameters.items() if name not in known and item.default is not None
    }
    names = [name for name in point.parameters if name in known or name in defaults]
    return replace(
        step, command=(step.entry, point.command), point=point, own_params={**defaults, **step.own_params},
        params=tuple(dict.fromkeys((*names, *step.params))),
    )  # fmt: skip


def argv_of(step: Step, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return what is started for a step.

    Raises
    ------
    UsageError
        If an entry point lacks a parameter, or has one of another type.
    """
    if step.point is None:
        return fill(step.command, values)
    return ("bash", "-c", _line(step, values))


def typed(step: Step, values: Mapping[str, str]) -> str:
    """Return a step's command as one would type it."""
    try:
        return shlex.join(fill(step.command, values)) if step.point is None else _line(step, values)
    except RunfolioError:
        return step.entry


def _line(step: Step, values: Mapping[str, str]) -> str:
    from runfolio.projects.parameters import chosen, command_line

    assert step.point is not None
    try:
        declared, more = chosen(step.point, values)
    except UsageError as error:
        raise UsageError(f"step {step.name}: {error.message}") from None
    return command_line(step.point, declared, more, lambda _name, value, _at: value)
