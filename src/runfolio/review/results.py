"""What a change brought to each experiment: its new runs, the baseline they are held against, and the verdict.

The baseline is the run that the experiment pins, else the one whose model is in Production, else the best configuration of the base;
with its replicates. All of it is read as the base has it, so that an edit of an old result cannot make a new one look better. The cost
follows the change: of the base, only the best runs by the objective and the replicates of a few configurations are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Final, NamedTuple

from runfolio._dataclass import dataclass
from runfolio.diff.states import FieldChange, diff_fields
from runfolio.diff.verdict import (
    FIRST,
    IMPROVED,
    NOISE,
    OTHER_DATA,
    REGRESSED,
    SINGLE,
    Trial,
    Verdict,
    best_group,
    group_trials,
    is_number,
    judge,
)  # fmt: skip
from runfolio.errors import RunfolioError
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.formats.experiments import experiment_fields
from runfolio.index import Index
from runfolio.query import Filter, OrderKey
from runfolio.query.grammar import METRICS, PARAMS, Clause
from runfolio.records import Experiment, Lifecycle, Objective, Run, RunStatus
from runfolio.review.change import ExperimentChange
from runfolio.review.judged import live_stage
from runfolio.review.reading import Read

BEST: Final = 100
"""So many runs of the base, the best by the objective, are looked at for its best configuration."""
_CONFIGURATIONS: Final = 10
_REPLICATES: Final = 1000
_PARAMS: Final = 20
_NEWS: Final = {word: rank for rank, word in enumerate((REGRESSED, IMPROVED, FIRST, OTHER_DATA, SINGLE, NOISE))}
"""Verdicts in the order in which a reviewer wants them."""


@dataclass(slots=True)
class Base:
    """What the base holds, asked without moving the index.

    Parameters
    ----------
    folio : Folio
    index : Index
        Of the head, or of any commit that has the base's runs.
    commit : str
    experiments : Mapping of str to Experiment
        By slug, as the base has them.
    unseen : frozenset of str
        Ids of runs that the base does not have, or has in another form than the index.
    instead : Mapping of str to Run
        Runs in the base's form, of those that the change edited or removed.
    live : Mapping of str to tuple
        Runs whose models are live: by run id, the model and the version in words.
    live_unread : sequence of str
        What to say of versions that are live and whose record cannot be read.
    damaged : Mapping of str to str
        Records that cannot be read in the base, though the index can: by path from the folio's root, what is wrong.
    """

    folio: Folio
    index: Index
    commit: str
    experiments: Mapping[str, Experiment]
    unseen: frozenset[str] = frozenset()
    instead: Mapping[str, Run] = field(default_factory=dict)
    live: Mapping[str, str] = field(default_factory=dict)
    live_unread: Sequence[str] = ()
    damaged: Mapping[str, str] = field(default_factory=dict)

    def objective(self, slug: str, new: Experiment | None) -> Objective | None:
        """Return an experiment's objective: as the base has it, in the experiment or the settings, else as the new file says."""
        found = self.experiments.get(slug) or new
        own = found.objective if found else None
        judged = own or self.folio.settings.objective(found.name if found else slug)
        return judged or (new.objective if new else None)

    def run(self, run_id: str) -> Run | None:
        """Return a run as the base has it, or None."""
        if run_id in self.instead:
            return self.instead[run_id]
        return None if run_id in self.unseen else self.index.get_run(run_id)

    def faults(self) -> dict[str, tuple[str, str]]:
        """Return the run records that the base has and that cannot be read: by run id, the experiment's slug, and what is wrong."""
        made = {}
        for path, why in (*((fault.path, fault.message) for fault in self.index.faults()), *self.damaged.items()):
            parts = path.split("/")
            if parts[0] == paths.RUNS and len(parts) > 2:
                made[parts[-1].removesuffix(".json")] = (parts[1], _first_line(why))
        return made

    def best(self, slug: str, objective: Objective) -> list[Run]:
        """Return the best runs of an experiment by its objective, best first."""
        order = [OrderKey(METRICS, objective.metric, objective.direction == "min")]
        wanted = Filter((Clause(METRICS, objective.metric, "IS NOT NULL"),))
        found = self.index.search_runs(wanted, order, [slug], limit=BEST + len(self.unseen))
        kept = [run for run in found if run.run_id not in self.unseen]
        return [*kept[:BEST], *(run for run in self.instead.values() if run.experiment == slug)]

    def replicates(self, run: Run, objective: Objective) -> list[Run]:
        """Return the runs with the params of one, but for the replicate key; itself included."""
        params = {key: value for key, value in run.params.items() if key != objective.replicate}
        clauses = tuple(Clause(PARAMS, key, "=", value) for key, value in sorted(params.items())[:_PARAMS])
        found = self.index.search_runs(Filter(clauses), (), [run.experiment], limit=_REPLICATES + len(self.unseen))
        every = [item for item in found if item.run_id not in self.unseen] + list(self.instead.values())
        made = [item for item in every if item.experiment == run.experiment and _without(item.params, objective) == params]
        return made if any(item.run_id == run.run_id for item in made) else [run, *made]


def live_runs(folio: Folio, commit: str) -> tuple[dict[str, str], list[str]]:
    """Return the runs whose models are in Production, or in the last stage where a team has no such one: id → model, version, stage.

    Beside them what to say of versions there whose record cannot be read.
    """
    wanted = live_stage(folio.settings)
    made: dict[str, str] = {}
    unread = []
    for model in folio.models.all(commit):
        for number in model.stages.get(wanted, ()):
            try:
                version = folio.models.version(model, number, commit)
            except RunfolioError as error:
                unread.append(f"{model.name} {number} in {wanted} is no baseline. {_first_line(error.message)}")
                continue
            if version.run_id:
                made[version.run_id] = f"{model.name} {number} in {wanted}"
    return made, unread


def experiment_changes(base: Base, read: Read, added: Sequence[Run], choice: str, notes: list[str]) -> list[ExperimentChange]:
    """Tell what a change brought to the experiments.

    Parameters
    ----------
    base : Base
    read : Read
    added : sequence of Run
        The new runs.
    choice : str
        Which baseline: ``auto``, ``pinned``, ``live`` or ``best``.
    notes : list of str
        Takes why an experiment is held against another baseline than the one that is asked for.

    Returns
    -------
    list of ExperimentChange
        Those with new runs first: what got worse, what got better, then the others; of each by slug.
    """
    by_slug: dict[str, list[Run]] = {}
    for run in added:
        if run.lifecycle is Lifecycle.ACTIVE:
            by_slug.setdefault(run.experiment, []).append(run)
    before, after = read.before.experiments, read.after.experiments
    slugs = sorted({*by_slug, *before, *after}, key=lambda slug: (slug not in by_slug, slug))
    made = []
    for slug in slugs:
        old, new = before.get(slug), after.get(slug)
        what = "created" if new and not old else "removed" if old and not new else "changed" if old and new else ""
        if paths.experiment_path(slug) in read.unread:
            what = ""  # damaged, not removed; or mended, not created
        fields = diff_fields(experiment_fields(old), experiment_fields(new)) if old and new else ()
        known = new or base.experiments.get(slug) or old
        facts = _File(slug, known.name if known and known.name.strip() else slug, what, fields)
        change = _experiment_change(base, facts, known, by_slug.get(slug, []), choice)
        if change.verdict is not None:
            notes += _passed_over(base, change, choice)
        made.append(change)
    if any(change.verdict is not None and change.baseline_is != "pinned" for change in made) and choice in ("auto", "live"):
        notes += base.live_unread
    return sorted(
        made, key=lambda item: (item.slug not in by_slug, _NEWS.get(item.verdict.word if item.verdict else "", len(_NEWS)))
    )


class _File(NamedTuple):
    """What the file of an experiment says of itself, and how that changed."""

    slug: str
    name: str
    what: str
    fields: tuple[FieldChange, ...]


def _experiment_change(base: Base, file: _File, known: Experiment | None, runs: list[Run], choice: str) -> ExperimentChange:
    objective = base.objective(file.slug, known)
    failed = sum(run.status in (RunStatus.FAILED, RunStatus.KILLED) for run in runs)
    if not runs or objective is None:
        newest = tuple(sorted(runs, key=lambda run: (-run.start, run.run_id)))
        return ExperimentChange(file.slug, file.name, file.what, file.fields, objective, newest, failed)
    kind, baseline, old = _baseline(base, file.slug, objective, choice)
    new = trials_of(runs, objective)
    verdict = judge(trials_of(old, objective), new, objective)
    by_id = {run.run_id: run for run in (*old, *runs)}
    shown = verdict.before.trials[0].run_id if verdict.before else ""
    if baseline is not None and any(
        trial.run_id == baseline.run_id for trial in (verdict.before.trials if verdict.before else ())
    ):
        shown = baseline.run_id
    beside = by_id.get(shown)
    return ExperimentChange(
        file.slug, file.name, file.what, file.fields, objective, _ranked(runs, objective), failed, verdict, beside, kind,
        base.live.get(shown, "") if kind == "live" else "", _representative(verdict, objective, by_id, beside),
        _without_result(verdict, objective, runs, new),
    )  # fmt: skip


def _without_result(verdict: Verdict, objective: Objective, runs: Sequence[Run], judged: Sequence[Trial]) -> int:
    """Count the new runs of the verdict's configuration that have no number: seeds that failed must not pass for none."""
    if verdict.after is None:
        return 0
    params, known = _without(verdict.after.trials[0].params, objective), {trial.run_id for trial in judged}
    return sum(run.run_id not in known and _without(run.params, objective) == params for run in runs)


def _baseline(base: Base, slug: str, objective: Objective, choice: str) -> tuple[str, Run | None, list[Run]]:
    """Return which baseline it is, its run, and the runs of its configuration."""
    experiment = base.experiments.get(slug)
    if choice in ("auto", "pinned") and experiment and experiment.baseline:
        pinned = base.run(experiment.baseline)
        if pinned is not None and trials_of([pinned], objective):
            return "pinned", pinned, base.replicates(pinned, objective)
    if choice in ("auto", "live"):
        found = [run for run_id in base.live if (run := base.run(run_id)) is not None and run.experiment == slug]
        best = _ranked([run for run in found if trials_of([run], objective)], objective)
        if best:
            return "live", best[0], base.replicates(best[0], objective)
    if choice in ("auto", "best"):
        top = [run for run in base.best(slug, objective) if trials_of([run], objective)]
        first: dict[tuple[tuple[str, str], ...], Run] = {}
        for run in _ranked(top, objective):
            first.setdefault(tuple(sorted(_without(run.params, objective).items())), run)
        every = {item.run_id: item for run in list(first.values())[:_CONFIGURATIONS] for item in base.replicates(run, objective)}
        group = best_group(group_trials(trials_of(every.values(), objective), objective), objective)
        if group is not None:
            return "best", every[group.trials[0].run_id], [every[trial.run_id] for trial in group.trials]
    return "", None, []


def _passed_over(base: Base, change: ExperimentChange, choice: str) -> Iterator[str]:
    """Tell which baseline was meant and could not be taken: a record that is damaged must not lower the bar without a word."""
    if change.baseline_is == "pinned":
        return
    against = {"live": "what is live", "best": "the best of the base"}.get(change.baseline_is, "nothing")
    experiment = base.experiments.get(change.slug)
    pinned = experiment.baseline if experiment and choice in ("auto", "pinned") else None
    if pinned:
        run = base.run(pinned)
        why = (base.faults().get(pinned) if run is None else None) or (change.slug, _not_taken(run, change.objective))
        yield f"{change.name}: its baseline is the run {pinned}, but it is held against {against}. {why[1]}"
    for run_id, model in base.live.items() if choice in ("auto", "live") else ():
        slug, said = base.faults().get(run_id, ("", "")) if base.run(run_id) is None else ("", "")
        if slug == change.slug:
            yield f"{change.name}: the run {run_id} of {model} is no baseline, and it is held against {against}. {said}"


def _not_taken(run: Run | None, objective: Objective | None) -> str:
    if run is None:
        return "The base has no such run."
    if run.lifecycle is not Lifecycle.ACTIVE:
        return "The run is deleted."
    if run.status is not RunStatus.FINISHED:
        return f"The run is {run.status.value}, not FINISHED."
    return f"The run has no finite {objective.metric if objective else 'objective'}."


def _first_line(message: str) -> str:
    return message.strip().partition("\n")[0]


def trials_of(runs: Iterable[Run], objective: Objective) -> list[Trial]:
    """Return what a verdict looks at, of the finished runs that have a number for the objective."""
    return [
        Trial(run.run_id, run.name, run.params, run.metrics[objective.metric].last, frozenset(item.digest for item in run.inputs))
        for run in runs
        if run.status is RunStatus.FINISHED
        and run.lifecycle is Lifecycle.ACTIVE
        and objective.metric in run.metrics
        and is_number(run.metrics[objective.metric].last)
    ]


def _ranked(runs: Iterable[Run], objective: Objective) -> tuple[Run, ...]:
    """Return runs, the best by the objective first; those without a number for it last, the newest first."""
    sign = -1.0 if objective.direction == "max" else 1.0

    def rank(run: Run) -> tuple[bool, float, int, str]:
        found = run.metrics.get(objective.metric)
        known = found is not None and is_number(found.last) and run.status is RunStatus.FINISHED
        return (not known, sign * found.last if known and found is not None else 0.0, -run.start, run.run_id)

    return tuple(sorted(runs, key=rank))


def _representative(verdict: Verdict, objective: Objective, by_id: Mapping[str, Run], baseline: Run | None) -> Run | None:
    """Return the run that is shown for the new side: the one with the baseline's seed, else the one nearest to the mean."""
    if verdict.after is None:
        return None
    seed = baseline.params.get(objective.replicate) if baseline else None
    mean = verdict.after.mean

    def rank(trial: Trial) -> tuple[bool, float, str]:
        return (seed is None or trial.params.get(objective.replicate) != seed, abs(trial.value - mean), trial.run_id)

    return by_id.get(min(verdict.after.trials, key=rank).run_id)


def _without(params: Mapping[str, str], objective: Objective) -> dict[str, str]:
    return {key: value for key, value in params.items() if key != objective.replicate}
