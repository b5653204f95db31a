"""One step: its program followed to the end, what it made stored and named, and only then its key set."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from runfolio._dataclass import dataclass
from runfolio.errors import RunfolioError, UsageError
from runfolio.objects import walk_files
from runfolio.pipelines.contents import digest_of, joined
from runfolio.pipelines.entries import argv_of
from runfolio.pipelines.finding import Made
from runfolio.pipelines.model import Pipeline
from runfolio.pipelines.planning import Judged
from runfolio.pipelines.stopping import Halt, Leash
from runfolio.records import DatasetInput, Experiment, RunStatus
from runfolio.records.pipelines import KEY_TAG, OUTPUTS, STEP_DOCUMENT
from runfolio.records.runs import ArtifactEntry
from runfolio.tracking.program import Manner
from runfolio.tracking.recording import run_recorded

if TYPE_CHECKING:
    from runfolio.tracking.live import LiveRun
    from runfolio.tracking.session import Session

Show = Callable[[int, bytes], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended.

    Parameters
    ----------
    status : RunStatus
    why : str
        In words, where it did not finish.
    files : dict of str to ArtifactEntry
        What it made, by path from the pipeline's folder.
    """

    status: RunStatus
    why: str
    files: dict[str, ArtifactEntry]


@dataclass(frozen=True, slots=True)
class Bench:
    """What all steps of a run have in common.

    Parameters
    ----------
    held : Session
    experiment : Experiment
    pipeline : Pipeline
    base : Path
        The pipeline's folder.
    hold : Path
        A file that each step's program keeps open while it runs.
    halt : Halt
    """

    held: Session
    experiment: Experiment
    pipeline: Pipeline
    base: Path
    hold: Path
    halt: Halt


def describe(bench: Bench, live: LiveRun, judged: Judged, made: dict[str, Made]) -> None:
    """Log what a step is made of to its run, before it is started."""
    assert judged.facts is not None
    for item in judged.step.inputs:
        digest = digest_of(judged.inputs[item.place])
        source = {"digest": digest}
        if item.step:
            source["uri"] = f"runs:/{made[item.step].run.run_id}/{OUTPUTS}/{item.place}"
        elif item.uri or item.dataset:
            source["uri"] = item.uri or f"data:{item.dataset}"
        else:
            source["path"] = joined(bench.pipeline.folder, item.place)
        said = json.dumps(source, sort_keys=True)
        name = digest.removeprefix("sha256:")[:16]
        live.input(DatasetInput(item.place, name, "runfolio", said, tags={"mlflow.data.context": "input"}))
    live.batch((), bench.pipeline.values(judged.step), {})
    live.artifact_bytes(judged.facts.written(live.redactor), STEP_DOCUMENT)


def carry_out(bench: Bench, live: LiveRun, judged: Judged, show: Show | None) -> Outcome:
    """Run a step's program and store what it made; the caller ends the run."""
    step = judged.step
    leash = Leash(bench.halt, step.timeout_s)
    try:
        argv = argv_of(step, bench.pipeline.values(step))
        with _held_open(bench.hold) as hold:
            manner = Manner(str(bench.base), step.env, (hold,), True, show, leash.watch)
            ending = run_recorded(bench.held, live, bench.experiment, argv, manner=manner)
            fcntl.flock(hold, fcntl.LOCK_UN)
        if bench.halt.signal:
            return Outcome(RunStatus.KILLED, "it was ended with the pipeline", {})
        if leash.late:
            return Outcome(RunStatus.FAILED, f"it took longer than {step.timeout_s} s and was ended", {})
        if ending.status != "FINISHED":
            how = f"it was ended by {ending.signal}" if ending.signal else f"exit status {ending.code}"
            return Outcome(RunStatus(ending.status), how, {})
        files = _stored(bench.base, live, step.outputs)
        assert judged.facts is not None
        live.batch((), {}, {KEY_TAG: judged.facts.key})
    except RunfolioError as error:
        return Outcome(RunStatus.FAILED, error.message, {})
    return Outcome(RunStatus.FINISHED, "", files)


def _stored(base: Path, live: LiveRun, places: tuple[str, ...]) -> dict[str, ArtifactEntry]:
    """Store what a step made, every place of it.

    Raises
    ------
    UsageError
        If something is missing.
    """
    missing = [place for place in places if not (base / place).exists()]
    empty = [place for place in places if (base / place).is_dir() and not walk_files(base / place)]
    if missing or empty:
        what = f"did not make {', '.join(missing)}" if missing else f"left the folder {', '.join(empty)} empty"
        raise UsageError(f"its program ended well, but {what}. Correct the outputs in the pipeline's file, or the program.")
    made: dict[str, ArtifactEntry] = {}
    for place in places:
        path = base / place
        for name, file in walk_files(path) if path.is_dir() else [("", path)]:
            made[joined(place, name)] = live.artifact_file(file, f"{OUTPUTS}/{joined(place, name)}")
    return made


@contextmanager
def _held_open(path: Path) -> Iterator[int]:
    """Yield a file that the program inherits, held as long as it runs: also when we are killed."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield fd
    finally:
        os.close(fd)
