"""Run a pipeline: what is not up to date, in the order that inputs ask for, at once where they do not.

Exit codes of the command: 0 all is up to date, 1 a step failed, 2 usage, 13 a file that a person changed is in the way or an input is
missing, 14 the file has mistakes, 18 the pipeline runs already; 128 and the signal's number where a signal ended it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runfolio.folio.folio import Folio
from runfolio.pipelines.alone import alone
from runfolio.pipelines.code import path_of
from runfolio.pipelines.course import Course, Told
from runfolio.pipelines.judging import session_of
from runfolio.pipelines.placing import notes_folder
from runfolio.pipelines.planning import Planner
from runfolio.pipelines.reading import FILE, read_pipeline
from runfolio.pipelines.results import PipelineRun
from runfolio.pipelines.wanted import Wanted

if TYPE_CHECKING:
    from runfolio.pipelines.steps import Show


def run(
    pipeline: str | os.PathLike[str] = FILE,
    *,
    params: Mapping[str, Any] | None = None,
    steps: Sequence[str] = (),
    start_from: Sequence[str] = (),
    force: bool = False,
    jobs: int = 1,
    overwrite: bool = False,
    run_name: str | None = None,
    tracking_uri: str | os.PathLike[str] | None = None,
    told: Told | None = None,
    show: Callable[[str], Show | None] | None = None,
) -> PipelineRun:
    """Run a pipeline: make what is not up to date.

    Parameters
    ----------
    pipeline : path, optional
        Its file, or the folder of its ``pipeline.yaml``; that of the current folder by default.
    params : Mapping, optional
        Values in place of the file's.
    steps : sequence of str, optional
        Only these steps and what they need.
    start_from : sequence of str, optional
        Only these steps and what needs them (and what those need).
    force : bool, optional
        Make the named steps again, or all, also where they are up to date.
    jobs : int, optional
        So many steps at once.
    overwrite : bool, optional
        Overwrite outputs that a person changed; else they are refused before anything starts.
    run_name : str, optional
        Of the pipeline's run.
    tracking_uri : path, optional
        The folio, as for ``set_tracking_uri``; the one that was set, else that of the pipeline's folder, by default.
    told : callable, optional
        Told of each step as its state changes.
    show : callable, optional
        Given a step's name, returns what its output is given to; None for our own output.

    Returns
    -------
    PipelineRun
        Look at ``succeeded``: a step that fails does not raise.

    Raises
    ------
    DamagedError
        If the file has mistakes; all are named.
    StateError
        If a file that a person changed is in the way, or an input is missing.
    BusyError
        If the pipeline runs already.
    """
    wanted = Wanted(tuple(steps), tuple(start_from), force, jobs, overwrite)
    repo, said = read_pipeline(pipeline, params)
    held = session_of(path_of(repo, said), tracking_uri)
    assert isinstance(held.folio, Folio)
    planner = Planner(repo, held.folio, said, held.redactor.fresh())
    file = planner.base / said.file.rpartition("/")[2]
    notes = notes_folder(held.folio.place.local, file)
    with alone(notes, held.folio, said, held.say):
        try:
            course = Course(held, planner, wanted, notes, told or (lambda _: None), show or (lambda _: None), run_name)
            return course.go()
        finally:
            planner.stamps.keep()
