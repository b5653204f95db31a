"""What of a merged change is worth telling other programs: promotions, and experiments that got worse beyond noise."""

from __future__ import annotations

from collections.abc import Iterator

from runfolio.diff.describe import number_text
from runfolio.diff.verdict import REGRESSED
from runfolio.hosts.webhook import Event
from runfolio.records.models import ARCHIVED, NO_STAGE
from runfolio.records.visible import visible
from runfolio.review.change import Change


def events_of(change: Change) -> list[Event]:
    """Return the events of a change: ``promotion``, ``retirement`` and ``regression``, in this order.

    Parameters
    ----------
    change : Change
    """
    return [*_promotions(change), *_retirements(change), *_regressions(change)]


def _where(change: Change) -> dict[str, str]:
    return {"base": change.span.base, "head": change.span.head}


def _promotions(change: Change) -> Iterator[Event]:
    for item in change.promotions:
        replaced = f", in place of version {item.replaces}" if item.replaces else ""
        text = f"{visible(item.model)} {item.version} is in {visible(item.stage)}{replaced}."
        data = {
            "model": item.model,
            "version": item.version,
            "stage": item.stage,
            "replaces": item.replaces,
            "digest": item.digest,
        }
        yield Event("promotion", text, {**data, **_where(change)})


def _retirements(change: Change) -> Iterator[Event]:
    """Yield stages that a version left and no other entered: nothing is live there any more."""
    entered = {(item.model, item.stage) for item in change.promotions}
    for item in change.registry:
        left = item.stage_from not in ("", NO_STAGE, ARCHIVED) and item.kind == "stage"
        if left and (item.model, item.stage_from) not in entered and item.stage_to in (NO_STAGE, ARCHIVED):
            text = f"{visible(item.model)} {item.version} left {visible(item.stage_from)}; no version took its place."
            data = {"model": item.model, "version": item.version, "stage": item.stage_from}
            yield Event("retirement", text, {**data, **_where(change)})


def _regressions(change: Change) -> Iterator[Event]:
    for item in change.experiments:
        found = item.verdict
        if found is None or found.word != REGRESSED or found.before is None or found.after is None or item.objective is None:
            continue
        pair = f"{number_text(found.before.mean)} to {number_text(found.after.mean)}"
        text = f"{visible(item.name)}: {visible(item.objective.metric)} got worse beyond noise, {pair}."
        data = {
            "experiment": item.slug,
            "metric": item.objective.metric,
            "before": found.before.mean,
            "after": found.after.mean,
            "low": found.low,
            "high": found.high,
        }
        yield Event("regression", text, {**data, **_where(change)})
