"""What a change does to registered models, and whether the policy of the base lets it."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError, RunfolioError
from runfolio.folio.folio import Folio
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.policy import GateResult, Policy
from runfolio.policy import Verdict as GateVerdict
from runfolio.policy.verdict import FAILED
from runfolio.records.findings import Finding, Severity
from runfolio.records.models import ARCHIVED, NO_STAGE, ModelVersion, RegisteredModel
from runfolio.registry.gates import judge_promotion, live_version, load_policy, rules_unknown
from runfolio.registry.history import deployment_events, model_events, version_events
from runfolio.review.beside import card_changes
from runfolio.review.change import Promotion, RegistryChange, Span
from runfolio.review.reading import Read


@dataclass(frozen=True, slots=True)
class Judging:
    """How promotions are judged.

    Parameters
    ----------
    rules : str or None
        Commit whose policy holds; None: there is none.
    now : int
        Milliseconds since the epoch, UTC.
    approvals : tuple of str or None
        Who approved; None where nobody could be asked.
    """

    rules: str | None
    now: int
    approvals: tuple[str, ...] | None = None


def registry_changes(read: Read) -> list[RegistryChange]:
    """Tell what changed in the registry, models before their versions."""
    made: list[RegistryChange] = []
    before, after = read.before, read.after
    names = {slug: model.name for slug, model in (before.models | after.models).items()}
    at = {slug: paths.model_path(slug) for slug in names}
    for slug in sorted(names):
        if at[slug] in read.unread:
            continue  # damaged, not deleted; or mended, not new
        events = model_events(before.models.get(slug), after.models.get(slug))
        made += [_change(names[slug], at[slug], event) for event in events]
    for slug, number in sorted(before.versions.keys() | after.versions.keys()):
        path = paths.version_path(slug, number)
        if path in read.unread:
            continue
        events = version_events(before.versions.get((slug, number)), after.versions.get((slug, number)), number)
        made += [_change(names.get(slug, slug), path, event) for event in events]
    for path in sorted(before.deployments.keys() | after.deployments.keys()):
        slug = path.split("/")[1]
        if path in read.unread:
            continue
        events = deployment_events(before.deployments.get(path), after.deployments.get(path))
        made += [_change(names.get(slug, slug), path, event) for event in events]
    return [*made, *card_changes(read, names)]


def _change(model: str, path: str, event: dict[str, object]) -> RegistryChange:
    version = event.get("version")
    return RegistryChange(
        str(event["kind"]), model, path, str(event["text"]), version if isinstance(version, int) else None,
        str(event.get("stage_from", "")), str(event.get("stage_to", "")),
    )  # fmt: skip


def alias_alarms(place: Place, read: Read) -> Iterator[Finding]:
    """Tell of aliases that mean another version now: whoever loads by them gets other bytes."""
    for slug, after in sorted(read.after.models.items()):
        before = read.before.models.get(slug)
        for alias, number in sorted(before.aliases.items()) if before else ():
            now = after.aliases.get(alias)
            if now != number:
                message = f"alias {alias} moves from version {number} to {now or 'none'}: models:/{after.name}@{alias} loads other bytes"
                yield Finding(
                    "review.alias",
                    Severity.WARNING,
                    place.full(paths.model_path(slug)),
                    f"aliases.{alias}",
                    message,
                    "See that it is meant",
                )


def promotions(folio: Folio, read: Read, span: Span, judging: Judging | None) -> tuple[list[Promotion], list[Finding]]:
    """Tell which versions the change puts into a stage, and what the policy of the base says of each.

    Parameters
    ----------
    folio : Folio
    read : Read
    span : Span
    judging : Judging or None
        None leaves the gates out.

    Returns
    -------
    list of Promotion
    list of Finding
        What could not be judged.
    """
    made: list[Promotion] = []
    alarms: list[Finding] = []
    policy = _policy(folio, judging, span, alarms) if judging else None
    for slug, model in sorted(read.after.models.items()):
        moves = [event for event in model_events(read.before.models.get(slug), model) if event["kind"] == "stage"]
        entering = [event for event in moves if event["stage_to"] not in (NO_STAGE, ARCHIVED)]
        made += [_promotion(folio, model, event, span, judging, policy) for event in entering]
    return made, alarms


def _policy(folio: Folio, judging: Judging, span: Span, alarms: list[Finding]) -> Policy | str:
    """Return the policy, or why it cannot be read."""
    if judging.rules is None:
        return rules_unknown(folio, span.tip, None) or Policy()
    try:
        return load_policy(folio, judging.rules)
    except DamagedError as error:
        path = folio.place.full(paths.POLICY)
        reason = "; ".join(error.message.splitlines()[:3])
        remedy = "Mend it on the base branch: until then no promotion passes"
        alarms.append(
            Finding("review.policy-damaged", Severity.ERROR, path, "", f"the policy of the base cannot be read: {reason}", remedy)
        )
        return reason


def _promotion(
    folio: Folio,
    model: RegisteredModel,
    event: dict[str, object],
    span: Span,
    judging: Judging | None,
    policy: Policy | str | None,
) -> Promotion:
    number, stage = int(str(event["version"])), str(event["stage_to"])
    path = paths.model_path(model.slug)
    version, live, why = _versions(folio, model, number, stage, span)
    verdict: GateVerdict | None = None
    if judging is not None:
        verdict = _judged(folio, model, version, live, stage, span, judging, policy, why)
    return Promotion(
        model=model.name,
        version=number,
        stage=stage,
        stage_from=str(event["stage_from"]),
        replaces=live.version if live and live.version != number else None,
        verdict=verdict,
        path=folio.place.full(path),
        line=_line(folio.place.read(span.head, path) or b"", stage),
        digest=str(version.digest or "") if version else "",
        live_digest=str(live.digest or "") if live else "",
        signature_changed=dict(version.signature) != dict(live.signature) if version and live else None,
        metrics=_metrics(version, live),
    )


def _metrics(version: ModelVersion | None, live: ModelVersion | None) -> tuple[tuple[str, float | None, float | None], ...]:
    """Return the metrics of both, those that differ first: that the accuracy is the same says as much as that it is not."""
    if version is None or live is None or live.version == version.version:
        return ()
    pairs = [(key, live.metrics.get(key), version.metrics.get(key)) for key in sorted({*version.metrics, *live.metrics})]
    return tuple(sorted(pairs, key=lambda pair: pair[1] == pair[2]))


def _versions(
    folio: Folio, model: RegisteredModel, number: int, stage: str, span: Span
) -> tuple[ModelVersion | None, ModelVersion | None, str]:
    """Return the version, the live one, and why one of them could not be read."""
    version: ModelVersion | None = None
    try:
        version = folio.models.version(model, number, span.head)
        return version, live_version(folio, model, stage, span.tip), ""
    except RunfolioError as error:
        return version, None, error.message.splitlines()[0]


def _judged(
    folio: Folio, model: RegisteredModel, version: ModelVersion | None, live: ModelVersion | None, stage: str, span: Span,
    judging: Judging, policy: Policy | str | None, why: str,
) -> GateVerdict:  # fmt: skip
    number = version.version if version else 0
    if isinstance(policy, str):
        return _unjudged(model, number, stage, f"The policy of the base cannot be read: {policy}")
    if version is None or why:
        return _unjudged(model, number, stage, why)
    assert policy is not None
    try:
        return judge_promotion(
            folio, policy, model, version, stage, now=judging.now, live=live, tip=span.head, approvals=judging.approvals
        )
    except RunfolioError as error:
        return _unjudged(model, number, stage, error.message.splitlines()[0])


def _unjudged(model: RegisteredModel, number: int, stage: str, why: str) -> GateVerdict:
    """Return a refusal: a gate that cannot be evaluated fails, and so does a policy."""
    return GateVerdict(model.name, number, stage, (GateResult("policy", "policy", FAILED, why, evaluated=False),))


def _line(data: bytes, stage: str) -> int:
    """Return the line of ``model.yaml`` that says what is in a stage; 0 where it is not found."""
    inside = False
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        if line.startswith("stages:"):
            inside = True
        elif inside and line[:1] not in (" ", "#", ""):
            return 0
        elif inside and line.strip().strip("'\"").startswith((f"{stage}:", f"{stage}':", f'{stage}":')):
            return number
    return 0
