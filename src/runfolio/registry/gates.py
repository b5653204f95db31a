"""Gather the facts that a policy looks at, and have it judge: locally before the commit, and in CI between two commits.

The policy is always that of the base: what was agreed on before the change was proposed. The facts are those of the proposal. Costly
facts (every byte of the files verified, replicates searched) are gathered only where a gate asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable

from runfolio._dataclass import dataclass
from runfolio.diff.statistics import values_of_replicates
from runfolio.errors import DamagedError, NotFoundError, RunfolioError, StateError
from runfolio.folio.folio import Folio
from runfolio.formats import paths
from runfolio.gitstore.snapshots import has_tree
from runfolio.policy import Facts, Policy, Verdict, decode_policy, judge, waive
from runfolio.policy.rules import Margin
from runfolio.query import parse_filter
from runfolio.records.evaluations import DIGEST_TAG, evaluated_on
from runfolio.records.models import ARCHIVED, NO_STAGE, ModelVersion, RegisteredModel, Waiver
from runfolio.records.reproductions import Reproduction
from runfolio.records.runs import Run, RunStatus
from runfolio.registry.cards import read_card, sections
from runfolio.registry.promotion import Promotion
from runfolio.registry.versions import files_of

MOST_RUNS = 5000
REPRODUCED = "reproduced_by"
"""Tag of a run or version: the run by which it was made again."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """One version that a change puts into a stage."""

    model: str
    version: int
    stage: str


def load_policy(folio: Folio, base: str | None = None) -> Policy:
    """Read the policy as a commit has it; where there is none, one without gates.

    Parameters
    ----------
    folio : Folio
    base : str, optional
        Commit; the folio's tip by default. Where records have a branch of their own, the policy stands on that of the code, too.

    Raises
    ------
    DamagedError
        If any line of it is not understood, or a gate stands before a stage that is not there.
    """
    data = _policy_file(folio, base)
    if data is None:
        return Policy()
    return decode_policy(data, paths.POLICY, folio.settings.registry.stages)


def _policy_file(folio: Folio, base: str | None = None) -> bytes | None:
    data = folio.place.read(base or folio.place.tip(), paths.POLICY)
    if data is None and folio.place.ledger:
        data = folio.place.read(folio.repo.resolve("HEAD"), paths.POLICY)
    return data


def rules_unknown(folio: Folio, base: str | None, rules: str | None) -> str:
    """Say why nobody knows which policy judges a change; empty where it is known, or there can be none.

    Parameters
    ----------
    folio : Folio
    base : str or None
        Commit before the change.
    rules : str or None
        Commit whose settings and policy hold, as :func:`runfolio.folio.opening.open_trusted` finds it.
    """
    if rules is not None or base is None or not folio.models.all(base):
        return ""  # a change that brings the first settings has no policy before it
    return (
        "the base holds models and no runfolio.yaml, as a ledger branch does, and the branch of the code is not known here "
        "(refs/remotes/origin/HEAD), so nobody knows the policy"
    )


FIND_RULES = (
    "Fetch that branch, and name it: git fetch origin && git remote set-head origin --auto (in a job of CI: runfolio ci fetch)"
)


def policy_unheard(folio: Folio) -> str:
    """Say that ``policy.yaml`` of the work tree is not the one that judges; empty where it is, or there is none.

    Raises
    ------
    StateError
        If none is committed at all: whoever wrote it believes that it guards.
    """
    try:
        here = (folio.place.root / paths.POLICY).read_bytes()
    except OSError:
        return ""
    committed = _policy_file(folio)
    if committed is None:
        raise StateError(
            f"{paths.POLICY} is not committed, so no gate of it is judged. "
            f"Commit it first: git add {paths.POLICY} && git commit -m 'What a promotion needs' -- {paths.POLICY}"
        )
    if here.splitlines() == committed.splitlines():  # lines may end as the machine ends them
        return ""
    return (
        f"{paths.POLICY} was changed since it was committed: the committed one judges. To try the changes: runfolio policy test"
    )


def judge_promotion(
    folio: Folio,
    policy: Policy,
    model: RegisteredModel,
    version: ModelVersion,
    stage: str,
    *,
    now: int,
    live: ModelVersion | None,
    tip: str | None = None,
    approvals: tuple[str, ...] | None = None,
    pending: bool = False,
) -> Verdict:
    """Judge one promotion.

    Parameters
    ----------
    folio : Folio
    policy : Policy
        Of the base.
    model : RegisteredModel
    version : ModelVersion
        As the proposal has it.
    stage : str
    now : int
        Milliseconds since the epoch, UTC.
    live : ModelVersion or None
        The version that is in the stage in the base.
    tip : str, optional
        Commit of the proposal; the folio's tip by default.
    approvals : tuple of str, optional
        Who approved.
    pending : bool, optional
        Whether approvals may still come.
    """
    gates = policy.gates(model.name, stage)
    kinds = {gate.kind for gate in gates}
    noisy = [gate.argument.metric for gate in gates if isinstance(gate.argument, Margin) and gate.argument.noise]
    run, live_run = _run(folio, version, tip), _run(folio, live, tip) if live else None
    card = read_card(folio, model.slug, version.version, tip) if "card" in kinds else None
    facts = Facts(
        model=model.name,
        stage=stage,
        version=version,
        run=run,
        live=live,
        replicates=_replicates(folio, run, noisy, tip),
        live_replicates=_replicates(folio, live_run, noisy, tip),
        directions=_directions(folio, run, tip),
        recoverable_code=_recoverable(folio, run) if "recoverable_code" in kinds else None,
        artifact_faults=_artifact_faults(folio, version) if "verified_artifacts" in kinds else None,
        reproduced=_reproduced(folio, run, version, tip) if "reproduced" in kinds else None,
        reproduction=newest_reproduction(folio, version, tip) if "reproduced" in kinds else None,
        card=None if card is None else sections(card),
        approvals=approvals,
        evaluations=evaluations_of(folio, version, tip) if "evaluated" in kinds else None,
        pending_approvals=pending,
        now=now,
    )
    return judge(policy, facts)


def judge_at_tip(
    folio: Folio, promotion: Promotion, waivers: Iterable[Waiver] = (), *, now: int, pending: bool = False
) -> Verdict:
    """Judge a promotion that is not committed yet, by the policy and the models of the folio's tip.

    Parameters
    ----------
    folio : Folio
    promotion : Promotion
    waivers : iterable of Waiver, optional
        Those that would be committed with it.
    now : int
        Milliseconds since the epoch, UTC.
    pending : bool, optional
        Whether approvals may still come.

    Returns
    -------
    Verdict
        Without gates where a version leaves its stage, or is archived.
    """
    tip = folio.place.tip()
    model = folio.models.find(promotion.model, tip)
    version = folio.models.version(model, promotion.version, tip)
    if promotion.stage in (NO_STAGE, ARCHIVED):
        return Verdict(model.name, version.version, promotion.stage)
    for waiver in waivers:
        version = waive(version, waiver)
    live = live_version(folio, model, promotion.stage, tip)
    return judge_promotion(folio, load_policy(folio), model, version, promotion.stage, now=now, live=live, pending=pending)


def proposed_between(folio: Folio, base: str | None, head: str) -> list[Proposed]:
    """List the versions that are in a stage at `head` and were not in it at `base`; ``Archived`` is no promotion."""
    before = {model.slug: model for model in folio.models.all(base)} if base else {}
    made = []
    for model in folio.models.all(head):
        old = before.get(model.slug)
        for stage, numbers in model.stages.items():
            there = old.stages.get(stage, ()) if old else ()
            made += [Proposed(model.name, number, stage) for number in numbers if number not in there and stage != ARCHIVED]
    return made


def judge_change(
    folio: Folio, base: str | None, head: str, *, now: int, approvals: tuple[str, ...] | None = None, rules: str | None = None
) -> list[Verdict]:
    """Judge all promotions between two commits by the policy of the first, or of another commit that is trusted.

    Parameters
    ----------
    folio : Folio
    base, head : str
        Commits.
    now : int
        Milliseconds since the epoch, UTC.
    approvals : tuple of str, optional
        Who approved.
    rules : str, optional
        Commit whose policy holds; `base` by default.

    Raises
    ------
    DamagedError
        If the policy of the base, or a file of a model, cannot be read.
    """
    policy = load_policy(folio, rules or base) if rules or base else Policy()
    verdicts = []
    for proposed in proposed_between(folio, base, head):
        model = folio.models.find(proposed.model, head)
        version = folio.models.version(model, proposed.version, head)
        live = live_version(folio, model, proposed.stage, base)
        verdicts.append(
            judge_promotion(folio, policy, model, version, proposed.stage, now=now, live=live, tip=head, approvals=approvals)
        )
    return verdicts


def live_version(folio: Folio, model: RegisteredModel, stage: str, base: str | None) -> ModelVersion | None:
    """Return the newest version in a stage at a commit; None where it is empty, or the model was not there."""
    old = next((item for item in folio.models.all(base) if item.slug == model.slug), None) if base else None
    numbers = old.stages.get(stage, ()) if old else ()
    return folio.models.version(model, numbers[-1], base) if numbers else None


def _run(folio: Folio, version: ModelVersion, tip: str | None) -> Run | None:
    if version.run_id is None:
        return None
    if tip is not None:
        return folio.runs.committed(version.run_id, tip)
    try:
        return folio.runs.get(version.run_id)
    except NotFoundError:
        return None


def evaluations_of(folio: Folio, version: ModelVersion, tip: str | None = None) -> tuple[Run, ...]:
    """Return the finished runs that evaluated a version: those that name the digest of its files, and the one that made it.

    Parameters
    ----------
    folio : Folio
    version : ModelVersion
    tip : str, optional
        Commit; with what is not committed yet by default.
    """
    found = {}
    if version.digest is not None:
        named = parse_filter(f"tags.`{DIGEST_TAG}` = '{version.digest}'")
        found = {run.run_id: run for run in folio.runs.search(named, limit=MOST_RUNS, at=tip)}
    made = _run(folio, version, tip)
    if made is not None:
        found[made.run_id] = made
    return tuple(run for run in found.values() if run.status is RunStatus.FINISHED and evaluated_on(run))


def _directions(folio: Folio, run: Run | None, tip: str | None) -> dict[str, str]:
    if run is None:
        return {}
    experiment = next((item for item in folio.experiments.all(tip) if item.slug == run.experiment), None)
    objective = (experiment.objective if experiment else None) or folio.settings.objective(experiment.name if experiment else "")
    return {objective.metric: objective.direction} if objective else {}


def _replicates(folio: Folio, run: Run | None, metrics: Iterable[str], tip: str | None) -> dict[str, tuple[float, ...]]:
    """Return the values of metrics over the runs that differ from one in its replicate param (the seed) alone."""
    wanted = list(metrics)
    if run is None or not wanted:
        return {}
    experiment = next((item for item in folio.experiments.all(tip) if item.slug == run.experiment), None)
    key = experiment.objective.replicate if experiment and experiment.objective else "seed"
    params = {name: value for name, value in run.params.items() if name != key}
    found = folio.runs.search(parse_filter(""), slugs=[run.experiment], limit=MOST_RUNS, at=tip)
    same = [
        item
        for item in found
        if item.status is RunStatus.FINISHED and {name: value for name, value in item.params.items() if name != key} == params
    ]
    return {
        name: values_of_replicates((item.params.get(key), item.metrics[name].last) for item in same if name in item.metrics)
        for name in wanted
    }


def _recoverable(folio: Folio, run: Run | None) -> bool | None:
    if run is None or not run.code.get("commit"):
        return None
    if run.code.get("tree"):
        return has_tree(folio.repo, str(run.code["tree"]))
    return not run.code.get("dirty") and folio.repo.read(str(run.code["commit"])) is not None


def _artifact_faults(folio: Folio, version: ModelVersion) -> tuple[str, ...] | None:
    try:
        files = files_of(folio, version)
    except NotFoundError as error:
        return None if version.digest is None else (error.message,)
    except DamagedError as error:
        return (error.message,)
    faults = []
    for name, entry in sorted(files.items()):
        try:
            folio.store.verify(entry.digest)
        except RunfolioError as error:
            faults.append(f"{name}: {error.message}")
    return tuple(faults)


def newest_reproduction(folio: Folio, version: ModelVersion, tip: str | None = None) -> Reproduction | None:
    """Return the newest verdict on the run behind a version; attempts with other code than the recorded one do not count."""
    found = folio.reproductions.of_run(version.run_id, tip) if version.run_id else []
    return next((item for item in found if item.same_code), None)


def _reproduced(folio: Folio, run: Run | None, version: ModelVersion, tip: str | None) -> bool | None:
    name = version.tags.get(REPRODUCED) or (run.tags.get(REPRODUCED) if run else None)
    if not name or run is None:
        return None
    other = folio.runs.committed(name, tip)
    if other is None or other.run_id == run.run_id:
        return None
    import math

    there = {key: value.last for key, value in other.metrics.items()}
    return all(
        key in there and math.isclose(value, there[key], rel_tol=1e-9, abs_tol=1e-12) for key, value in version.metrics.items()
    )
