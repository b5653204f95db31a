"""Run the training, find what it made, and register the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, StateError, UsageError, storage_error
from runfolio.folio.folio import Folio
from runfolio.folio.place import short
from runfolio.pipelines.commands import split
from runfolio.query import Filter, OrderKey
from runfolio.query.grammar import Clause
from runfolio.records import Run, RunStatus

NOTE = "training.json"


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training made.

    Parameters
    ----------
    base : str
        The branch that it began from, and that a pull request goes to.
    branch : str
        The branch that its records are on: the ledger, or one of its own.
    runs : tuple of str
        Ids, the newest first.
    model : str
        The registered model; empty for none.
    version : int
        Of the model; 0 for none.
    """

    base: str
    branch: str
    runs: tuple[str, ...]
    model: str = ""
    version: int = 0

    def keep(self, folio: Folio) -> None:
        """Write it down for the step that proposes."""
        try:
            note_of(folio).write_text(json.dumps(asdict(self)), "utf-8")
        except OSError as error:
            raise storage_error("note what was trained", error) from error


def note_of(folio: Folio) -> Path:
    """Return the file that says what was trained last."""
    return folio.place.local / NOTE


def read_note(folio: Folio) -> Trained:
    """Read what was trained last.

    Raises
    ------
    StateError
        If nothing was.
    """
    try:
        said = json.loads(note_of(folio).read_bytes())
        return Trained(said["base"], said["branch"], tuple(said["runs"]), said["model"], said["version"])
    except (OSError, ValueError, KeyError, TypeError):
        raise StateError("Nothing was trained here that could be proposed. Train first: runfolio ci train") from None


def train(folio: Folio) -> tuple[Trained, int]:
    """Train as the settings say.

    Parameters
    ----------
    folio : Folio

    Returns
    -------
    Trained
    int
        The command's exit status. Where it is not 0 the runs are kept, and no model is registered.

    Raises
    ------
    UsageError
        If the settings name no command, or one that needs a shell.
    StateError
        If HEAD is detached.
    NotFoundError
        If a model is to be registered, and no run has it.
    """
    said = folio.settings.training
    if not said.command.strip():
        raise UsageError("runfolio.yaml: training.command is empty. Write what trains, such as: python train.py")
    try:
        words = split(said.command)
    except ValueError as error:
        raise UsageError(f"runfolio.yaml: training.command: {error}.") from None
    base, branch = _own_branch(folio)
    start = time.time_ns() // 1_000_000
    before = _newest(folio, said.model)
    status = _run(words)
    folio.commit()
    runs = _runs_since(folio, start)
    version = 0
    if status == 0 and not runs:
        raise NotFoundError(
            f"The training ended well, and made no run: {said.command!r} logs nothing here. To keep what it does as a run write "
            f"training.command: runfolio record -- {said.command}"
        )
    if status == 0 and said.model:
        version = _newest(folio, said.model)
        if version == before:
            version = _registered(folio, runs)
    made = Trained(base, branch, tuple(run.run_id for run in runs), said.model if version else "", version)
    made.keep(folio)
    return made, status


def _own_branch(folio: Folio) -> tuple[str, str]:
    """Make a branch for the records of a training, but where they have a ledger; return where it began, and its name."""
    place, repo = folio.place, folio.repo
    if place.ledger:
        return short(place.ledger), short(place.ledger)
    at_hand = repo.head_branch()
    if at_hand is None:
        raise StateError("HEAD is detached: check out the branch that the model is to be merged into.")
    base = short(at_hand)
    number = os.environ.get("GITHUB_RUN_ID") or os.environ.get("CI_PIPELINE_ID") or time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    attempt = os.environ.get("GITHUB_RUN_ATTEMPT", "1")
    name = f"runfolio/train-{number}" + (f"-{attempt}" if attempt != "1" else "")
    repo.run("switch", "--quiet", "--create", name)
    return base, name


def _run(words: tuple[str, ...]) -> int:
    """Run the command; its output passes through, and its runs are its own."""
    sys.stdout.flush()
    try:
        code = subprocess.run(words, check=False).returncode
    except OSError as error:
        raise UsageError(f"runfolio.yaml: training.command: {words[0]} could not be started: {error.strerror}.") from None
    return code if code >= 0 else 128 - code


def _runs_since(folio: Folio, start: int) -> list[Run]:
    begun = Filter((Clause("attributes", "start_time", ">=", start),))
    return folio.runs.search(begun, (OrderKey("attributes", "start_time", ascending=False),), limit=10_000)


def _newest(folio: Folio, name: str) -> int:
    try:
        model = folio.models.find(name) if name else None
    except NotFoundError:
        return 0
    return max((version.version for version in folio.models.versions(model)), default=0) if model else 0


def _registered(folio: Folio, runs: list[Run]) -> int:
    """Register the model of the best run that has one: by its experiment's objective, else the newest."""
    from runfolio.registry import register
    from runfolio.tracking.model_code import code_files

    said = folio.settings.training
    able = [run for run in runs if run.status is RunStatus.FINISHED and _has(folio, run, said.artifact)]
    if not able:
        raise NotFoundError(
            f"The training made {len(runs)} run{'s' * (len(runs) != 1)}, and none that finished has the artifact {said.artifact!r} to "
            f"register as {said.model}. Log the model there, register it in the script, or correct training.artifact in runfolio.yaml."
        )
    chosen = _best(folio, able)
    return register(folio, f"runs:/{chosen.run_id}/{said.artifact}", said.model, code_of=code_files).version


def _has(folio: Folio, run: Run, path: str) -> bool:
    return any(name == path or name.startswith(f"{path}/") for name in folio.runs.artifacts(run))


def _best(folio: Folio, runs: list[Run]) -> Run:
    experiment = folio.experiments.find(runs[0].experiment)
    objective = experiment.objective or folio.settings.objective(experiment.name)
    judged = [run for run in runs if objective and objective.metric in run.metrics]
    if objective is None or not judged:
        return runs[0]
    sign = 1 if objective.direction == "max" else -1
    return max(judged, key=lambda run: sign * run.metrics[objective.metric].last)
