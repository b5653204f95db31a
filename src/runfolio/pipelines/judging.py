"""What a run of a pipeline would do now, and why, without doing it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.errors import StateError, UsageError
from runfolio.folio.folio import Folio
from runfolio.pipelines.code import path_of
from runfolio.pipelines.finding import Made
from runfolio.pipelines.model import Pipeline
from runfolio.pipelines.planning import Judged, Planner
from runfolio.pipelines.reading import FILE, read_pipeline
from runfolio.pipelines.wanted import Wanted

if TYPE_CHECKING:
    from runfolio.tracking.session import Session


def session_of(folder: Path, tracking_uri: str | os.PathLike[str] | None) -> Session:
    """Return the session of the folio that a pipeline's runs are in.

    Parameters
    ----------
    folder : Path
        The pipeline's.
    tracking_uri : path or None
        What was given.

    Raises
    ------
    UsageError
        If it is a spool folder.
    """
    from runfolio.tracking.session import current_uri, session

    uri = None if tracking_uri is None else os.fspath(tracking_uri)
    if uri is None and not current_uri() and not Path.cwd().is_relative_to(folder):
        uri = str(folder)
    held = session(uri)
    if not isinstance(held.folio, Folio):
        raise UsageError("A spool folder holds no finished runs to look steps up in: give a folio.")
    return held


def status(
    pipeline: str | os.PathLike[str] = FILE,
    *,
    params: Mapping[str, Any] | None = None,
    steps: Sequence[str] = (),
    start_from: Sequence[str] = (),
    force: bool = False,
    tracking_uri: str | os.PathLike[str] | None = None,
) -> tuple[Pipeline, list[Judged]]:
    """Judge the steps of a pipeline as they are now; nothing is changed.

    Parameters
    ----------
    pipeline, params, steps, start_from, force, tracking_uri
        As for :func:`runfolio.pipelines.run`.

    Returns
    -------
    Pipeline
    list of Judged
        In order; one that is up to date has ``made``, the others say ``why`` not.
    """
    repo, said = read_pipeline(pipeline, params)
    held = session_of(path_of(repo, said), tracking_uri)
    assert isinstance(held.folio, Folio)
    planner = Planner(repo, held.folio, said, held.redactor.fresh())
    said = planner.pipeline
    chosen, forced = Wanted(tuple(steps), tuple(start_from), force).chosen(said)
    try:
        faults = planner.faults(chosen)
        if faults:
            raise StateError("\n".join(faults))
        made: dict[str, Made] = {}
        judged = []
        for step in chosen:
            one = planner.judge(step, made, force=step.name in forced)
            if one.made is not None:
                made[step.name] = one.made
            judged.append(one)
        return said, judged
    finally:
        planner.stamps.keep()
