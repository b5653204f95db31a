"""The committed record of what was done at a target: which version, by whom, when; never a secret."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runfolio.deployments.plan import Step, as_target
from runfolio.errors import NotFoundError, RunfolioError
from runfolio.formats.paths import deployment_path
from runfolio.records.deployments import Deployment, DeploymentState
from runfolio.records.redaction import Redactor

if TYPE_CHECKING:
    from runfolio.deployments.client import Outcome
    from runfolio.deployments.plan import Plan
    from runfolio.folio.folio import Folio


def record(plan: Plan, outcome: Outcome, *, only_known: bool = False) -> Deployment | None:
    """Write what was done into the folio in force, one small commit; return the record.

    What cannot be recorded is said on standard error: what was done at the target is done.

    Parameters
    ----------
    plan : Plan
    outcome : Outcome
    only_known : bool, optional
        Write only what has a record already.

    Returns
    -------
    Deployment or None
        None where there is nothing to record: no folio, or no registered version.
    """
    from runfolio.tracking.client import RunfolioClient

    try:
        folio = RunfolioClient()._registry()
        return _recorded(folio, plan, outcome, only_known)
    except RunfolioError as error:
        _say(f"{plan.verb} {plan.name} was done at {plan.target}, and is not recorded: {error.message}")
        return None


def tell_interrupted(plan: Plan, *, ends_with_us: bool) -> None:
    """Say on standard error that an order was not seen through, and how to go on."""
    if ends_with_us:
        return
    at = f"-t {as_target(plan)} --name {plan.name}"
    _say(
        f"{plan.verb} {plan.name} was not seen through, and is not recorded: {plan.target} may go on with it. "
        f"See: runfolio deployments get {at}; take it down: runfolio deployments delete {at}"
    )


def planned_record(plan: Plan, *, only_known: bool = False) -> Step | None:
    """Return what :func:`record` would do after a plan, for people to read; parameters are its own.

    Returns
    -------
    Step or None
        None where nothing would be recorded.
    """
    from runfolio.tracking.client import RunfolioClient

    wanted = Deployment(plan.target, plan.name, 1, plan.place)
    try:
        folio = RunfolioClient()._registry()
        slug, before = folio.deployments.find(plan.target, plan.name, plan.place)
    except NotFoundError:
        slug, before = "", None
    except RunfolioError:
        return None
    source = plan.source
    if before is None and (only_known or source is None or source.version is None):
        return None
    if source is not None and source.version is not None:
        slug = source.slug
    return Step(f"git commit: deployments: {plan.verb} {plan.name}", {"file": deployment_path(slug, wanted.slug)})


def _recorded(folio: Folio, plan: Plan, outcome: Outcome, only_known: bool) -> Deployment | None:
    source = plan.source
    try:
        slug, before = folio.deployments.find(plan.target, plan.name, plan.place)
    except NotFoundError:
        slug, before = "", None
    if before is None and only_known:
        return None
    if plan.verb == "delete":
        return folio.deployments.record(slug, replace(before, state=DeploymentState.DELETED), "delete") if before else None
    if source is not None and source.version is None:
        _say(
            f"{source.uri} is no registered version, so the folio has no record of the deployment. Register it: runfolio models register"
        )
        return None
    if source is None and before is None:
        return None
    redactor = Redactor(folio.settings.redact.patterns, folio.settings.redact.keys, home=str(Path.home()))
    base = before if source is None and before is not None else Deployment(plan.target, plan.name, 1, plan.place)
    if source is not None:
        assert source.version is not None
        base = replace(base, version=source.version, uri=source.uri, digest=source.digest)
    made = replace(
        base,
        state=outcome.state,
        endpoint=redactor.text(outcome.endpoint) or base.endpoint,
        image=redactor.text(outcome.image) or base.image,
        facts={key: redactor.text(value) for key, value in sorted(outcome.facts.items()) if value} or base.facts,
    )
    return folio.deployments.record(source.slug if source is not None else slug, made, plan.verb)


def _say(text: str) -> None:
    sys.stderr.write(f"runfolio: {text}\n")
