"""Make a run again and judge it.

The order: the code is brought (or the attempt ends there), then the data, the environment, then the command runs, and what it logged is
compared. Whatever cannot be had ends the attempt with a verdict of its own, ``could_not_run``, that says why.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.environments import LOCAL
from runfolio.errors import EXIT_DONE, EXIT_FINDINGS, NotFoundError, StorageError, UsageError
from runfolio.folio.committing import author_of
from runfolio.folio.folio import Folio
from runfolio.formats.runs import encode_run
from runfolio.query import parse_filter
from runfolio.records.names import new_run_id
from runfolio.records.pipelines import STEP_DOCUMENT, STEP_TAG
from runfolio.records.redaction import Redactor
from runfolio.records.reproductions import Outcome, Reproduction
from runfolio.records.runs import ArtifactEntry, Run, RunStatus
from runfolio.records.sweeps import TRIAL_TAG
from runfolio.reproduction.asking import Asked, CannotRunError
from runfolio.reproduction.code import RECORDED, changed_files, recorded_tree
from runfolio.reproduction.comparing import (
    changed_inputs,
    changed_params,
    compare_artifacts,
    compare_metrics,
    points_by_key,
    spread_of,
)
from runfolio.reproduction.data import Data, bring_data, kept_nowhere, missing_words
from runfolio.reproduction.matching import matching_run
from runfolio.reproduction.model_files import not_at_hand, same_but_for_names
from runfolio.reproduction.replicates import MOST_RUNS, replicates_of
from runfolio.reproduction.running import Ended, run_command
from runfolio.reproduction.scratch import Scratch, make_scratch, scratch_folder
from runfolio.reproduction.starting import Start, start_of
from runfolio.reproduction.step_data import bring_inputs, outputs_made
from runfolio.reproduction.surroundings import (
    Surroundings,
    changed_facts,
    changed_packages,
    chosen_manager,
    lock_of,
    surroundings_of,
)
from runfolio.tracking.session import SCRATCH_VARIABLE

_LOGS = frozenset(("console.log", STEP_DOCUMENT))


@dataclass(frozen=True, slots=True)
class ReproduceOptions:
    """How a run is made again.

    Parameters
    ----------
    manager : str or None
        ``local``, ``virtualenv``, ``uv`` or ``conda``; None is ``local`` where the Python at hand is just what the run had, else
        ``virtualenv``.
    tolerance : float or None
        Relative; as the settings say by default.
    ignore : tuple of str
        Patterns of metrics that are not compared, beside those of the settings.
    code : str
        ``recorded``, ``here`` (the work tree) or a revision.
    data : str
        ``recorded`` or ``here``.
    timeout_s : float or None
    filled : Mapping of str to str
        Values for arguments that the record has masked.
    keep : Path or None
        A new folder that takes the code as it ran, and what it wrote.
    record : bool
        Commit the verdict.
    """

    manager: str | None = None
    tolerance: float | None = None
    ignore: tuple[str, ...] = ()
    code: str = RECORDED
    data: str = RECORDED
    timeout_s: float | None = None
    filled: Mapping[str, str] = field(default_factory=dict)
    keep: Path | None = None
    record: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """What came of making a run again.

    Parameters
    ----------
    verdict : Reproduction
    path : str
        Of its record, from the folio's root; empty where none was written.
    last_words : str
        Of the command, where it failed.
    """

    verdict: Reproduction
    path: str = ""
    last_words: str = ""

    @property
    def exit_code(self) -> int:
        """0 for the same result (or within the replicates' spread), 1 where it differs, 22 where it could not be run."""
        if self.verdict.verdict is Outcome.COULD_NOT_RUN:
            return CannotRunError.exit_code
        return EXIT_FINDINGS if self.verdict.verdict is Outcome.DIFFERS else EXIT_DONE


def reproduce(
    folio: Folio, asked: Asked, options: ReproduceOptions | None = None, tell: Callable[[str], None] = lambda _: None
) -> Made:
    """Make a run again, compare it with its record, and commit the verdict.

    Parameters
    ----------
    folio : Folio
    asked : Asked
        See :func:`~runfolio.reproduction.asking.asked_for`.
    options : ReproduceOptions, optional
    tell : callable, optional
        Told of what takes long.

    Raises
    ------
    UsageError
        If a masked argument has no value, or an option is wrong.
    StateError
        If no commit can go to the branch at hand: nothing is run then.
    """
    chosen = options or ReproduceOptions()
    if asked.run.status in (RunStatus.RUNNING, RunStatus.SCHEDULED):
        raise UsageError(f"Run {asked.run.run_id} has not ended yet, so there is nothing to compare with.")
    if chosen.keep is not None and chosen.keep.exists() and any(chosen.keep.iterdir()):
        raise UsageError(f"{chosen.keep} is not empty. Name a new folder.")
    if chosen.record:
        folio.place.require_writable(folio.place.branch_at_hand())
    attempt = _Attempt(folio, asked, chosen, tell)
    verdict = attempt.run()
    path = folio.reproductions.record(verdict) if chosen.record else ""
    return Made(verdict, path, attempt.last_words)


class _Attempt:
    """One attempt, from the record to the verdict."""

    def __init__(self, folio: Folio, asked: Asked, options: ReproduceOptions, tell: Callable[[str], None]) -> None:
        self._folio, self._original, self._options, self._tell = folio, asked.run, options, tell
        self.last_words = ""
        self._began = 0
        settings = folio.settings.reproduce
        self._tolerance = settings.tolerance if options.tolerance is None else options.tolerance
        self._ignored = tuple(dict.fromkeys((*settings.ignore, *options.ignore)))
        self._verdict = Reproduction(
            asked.run.run_id, new_run_id(), Outcome.COULD_NOT_RUN, at=time.time_ns() // 1_000_000,
            user=author_of(folio.place).name, asked=asked.text, tolerance=self._tolerance, ignored=self._ignored,
            code=self._source(options),
        )  # fmt: skip

    def run(self) -> Reproduction:
        """Return the verdict, whatever happens on the way; a wrong option is an error."""
        try:
            with scratch_folder() as base:
                self._in_scratch(base)
        except CannotRunError as error:
            self._note(verdict=Outcome.COULD_NOT_RUN, reason=self._hidden(error.message))
        except StorageError as error:
            self._note(verdict=Outcome.COULD_NOT_RUN, reason=self._hidden(error.message))
        return self._verdict

    @staticmethod
    def _source(options: ReproduceOptions) -> dict[str, str]:
        return {"from": options.code} if options.data == RECORDED else {"from": options.code, "data": options.data}

    def _note(self, **changes: object) -> None:
        self._verdict = replace(self._verdict, **changes)  # type: ignore[arg-type]  # names of its own fields

    def _noted(self, notes: Iterable[str]) -> None:
        self._note(notes=tuple(dict.fromkeys((*self._verdict.notes, *map(self._hidden, notes)))))

    def _hidden(self, text: str) -> str:
        settings = self._folio.settings.redact
        return Redactor(settings.patterns, settings.keys, home=str(Path.home())).text(text)

    def _in_scratch(self, base: Path) -> None:
        run, folio, options = self._original, self._folio, self._options
        experiment = folio.experiments.by_slug(run.experiment)
        name = experiment.name if experiment else run.experiment
        scratch = make_scratch(folio, run, options.code, base)
        try:
            self._noted(scratch.notes)
            self._note(code={**self._source(options), "tree": scratch.code.tree})
            recorded = recorded_tree(run)
            if options.code != RECORDED and recorded:
                self._note(changed_code=changed_files(scratch.folio.repo, recorded, scratch.code.tree, folio.place.prefix))
            start = start_of(scratch.folio.repo, run, name, scratch.root, options.filled)
            self._note(command=start.shown)
            self._noted(start.notes)
            data = bring_data(folio, run, scratch, options.data)
            folder = scratch.root / start.folder
            data.digests.update(bring_inputs(folio, run, folder))
            self._note(data=data.digests)
            self._noted(data.notes)
            manager = options.manager or chosen_manager(folio, run)
            self._note(manager=manager)
            around = surroundings_of(folio, run, manager, scratch.root, self._tell)
            self._noted(around.notes)
            ended = self._started(scratch, start, around)
            self._judge(scratch, ended, data, folder)
        finally:
            self._kept(scratch)
            scratch.folio.close()

    def _started(self, scratch: Scratch, start: Start, around: Surroundings) -> Ended:
        cells = ""
        if start.cells:
            cells = str(scratch.base / ("cells.ipy" if "IPython" in start.words else "cells.py"))
            Path(cells).write_text(start.cells, "utf-8")
        folder = scratch.root / start.folder
        folder.mkdir(parents=True, exist_ok=True)
        env = _variables(scratch, start, around)
        self._tell(f"running {' '.join(start.shown[:6])}{' …' if len(start.shown) > 6 else ''}")
        self._began = time.time_ns() // 1_000_000
        with around.environment.held() as hold:
            ended = run_command(
                start.argv(str(around.environment.python), cells), folder, env, scratch.base / "log", timeout_s=self._options.timeout_s,
                hold=hold,
            )  # fmt: skip
        self._note(duration_ms=round(ended.seconds * 1000), exit_code=ended.code)
        if ended.log is not None:
            self._note(log=ArtifactEntry(*self._folio.store.put_file(ended.log)))
        return ended

    def _judge(self, scratch: Scratch, ended: Ended, data: Data, folder: Path) -> None:
        original, made = self._original, self._made(scratch)
        if ended.why:
            self.last_words = ended.last_words
        try:
            found = matching_run(original, self._siblings(), made)
        except CannotRunError as error:
            raise CannotRunError(self._failed(scratch, ended) if ended.why else error.message) from None
        if ended.why and found.status is not RunStatus.FINISHED and found.status is not original.status:
            raise CannotRunError(self._failed(scratch, ended))
        if ended.why:
            self._noted([ended.why])
        if found.status is not original.status:
            self._noted([f"the run ended as {found.status}, the original as {original.status}"])
        self._compare(scratch, found, data, folder)

    def _made(self, scratch: Scratch) -> list[Run]:
        """Return the runs that the command made: they wait in their journals, or (a sweep's, a pipeline's) are committed there."""
        waiting = scratch.folio.runs.live()
        if waiting:
            return list(waiting)
        found = scratch.folio.runs.search(parse_filter(""), limit=MOST_RUNS)
        return [run for run in found if run.start >= self._began and not self._is_known(run.run_id)]

    def _is_known(self, run_id: str) -> bool:
        try:
            self._folio.runs.get(run_id)
        except NotFoundError:
            return False
        return True

    def _failed(self, scratch: Scratch, ended: Ended) -> str:
        words = [line for line in ended.last_words.splitlines() if not line.startswith("runfolio: recorded ")]
        last = words[-1:] or [""]
        said = f": {last[0].strip()[:300]}" if last[0].strip() else ""
        return f"{ended.why}{said}{missing_words(kept_nowhere(self._original, scratch.root))}"

    def _siblings(self) -> list[Run]:
        run = self._original
        if run.parent is None:
            return [run]
        named = parse_filter(f"tags.`mlflow.parentRunId` = '{run.parent}'")
        return self._folio.runs.search(named, slugs=[run.experiment], limit=MOST_RUNS)

    def _compare(self, scratch: Scratch, found: Run, data: Data, folder: Path) -> None:
        folio, original = self._folio, self._original
        replicates = replicates_of(folio, original)
        compared = compare_metrics(
            points_by_key(folio.runs.history(original)), points_by_key(scratch.folio.runs.history(found)),
            tolerance=self._tolerance, spread=spread_of(replicates), ignored=self._ignored,
        )  # fmt: skip
        old, new = folio.runs.artifacts(original), scratch.folio.runs.artifacts(found)
        for path in _LOGS:
            old.pop(path, None), new.pop(path, None)
        new.update(outputs_made(original, old, folder))
        alike = same_but_for_names(folio.store, old, scratch.folio.store, new)
        unread = not_at_hand(folio.store, old, new)
        if unread:
            some = ", ".join(unread[:3]) + (" …" if len(unread) > 3 else "")
            self._noted([f"the original of {some} is not here, so that only its digest was compared: it names run and time"])
        said = found
        if _by_a_runner(original):
            # What ran the program logged its params, and what a step read; that is not run again.
            said = replace(found, params={**original.params, **found.params}, inputs=found.inputs or original.inputs)
        before, after = lock_of(folio, original), lock_of(scratch.folio, found)
        self._note(
            verdict=compared.verdict, compared=compared.compared, exact=compared.exact, metrics=compared.metrics,
            replicates=len(replicates), artifacts=compare_artifacts(old, new, alike), params=changed_params(original, said),
            inputs={**data.changed, **changed_inputs(original, said)},
            packages=changed_packages(before, after) if before is not None and after is not None else {},
            facts=changed_facts(original.environment, found.environment),
            environment={key: str(value) for key, value in found.environment.items() if key != "host"},
            record=ArtifactEntry(*folio.store.put_bytes(encode_run(_recorded(found)))),
        )  # fmt: skip
        if compared.compared == 0:
            self._note(
                verdict=Outcome.COULD_NOT_RUN, reason="it ran, and there is no metric to compare: the original logged none"
            )

    def _kept(self, scratch: Scratch) -> None:
        """Leave the folder as it is after the run, without its git folder, where it was asked for."""
        if self._options.keep is None:
            return
        import shutil

        with suppress(OSError):
            shutil.rmtree(scratch.root / ".git", ignore_errors=True)
            shutil.copytree(scratch.root, self._options.keep, symlinks=True, dirs_exist_ok=True)
            if (scratch.base / "log" / "console.log").is_file():
                shutil.copyfile(scratch.base / "log" / "console.log", self._options.keep / "reproduce.log")


def _by_a_runner(run: Run) -> bool:
    """Tell whether a run is one of many programs that a sweep or a pipeline started."""
    return run.entry.get("type") == "PROGRAM" and (STEP_TAG in run.tags or TRIAL_TAG in run.tags)


def _recorded(run: Run) -> Run:
    """Return the record of a run whose journal was never sealed; its artifacts stand in it as they are."""
    return replace(run, end=run.end or run.start)


def _variables(scratch: Scratch, start: Start, around: Surroundings) -> dict[str, str]:
    outer = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("RUNFOLIO_", "GIT_")) and key not in ("PYTHONHASHSEED", "PYTHONSTARTUP", "PWD", "OLDPWD")
    }
    made = around.environment.variables(outer)
    made |= {"PYTHONUNBUFFERED": "1", "RUNFOLIO_COMMIT": "demand"} | dict(start.variables)
    place = str(scratch.folio.place.root)
    made |= {"RUNFOLIO_TRACKING_URI": place, SCRATCH_VARIABLE: place, "PWD": str(scratch.root / start.folder)}
    # Folders of the code first: what was installed from it is the recorded code, whatever is installed here.
    inherited = outer.get("PYTHONPATH", "") if around.environment.manager == LOCAL else ""
    path = [*around.paths, start.variables.get("PYTHONPATH", ""), inherited]
    joined = os.pathsep.join(part for part in path if part)
    return {**made, "PYTHONPATH": joined} if joined else made
