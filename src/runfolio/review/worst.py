"""What makes a review fail, in words."""

from __future__ import annotations

from collections.abc import Collection

from runfolio.diff.verdict import REGRESSED
from runfolio.review.change import Change

DAMAGE = frozenset(("review.damaged", "review.mode", "review.unread", "review.policy-damaged"))
"""Rules of alarms that are about what cannot be read; the other errors are about what was changed and may not."""


def failures(change: Change, fail_on: Collection[str]) -> list[str]:
    """Return why a review fails; empty where it does not.

    Parameters
    ----------
    change : Change
    fail_on : collection of str
        Of ``gates`` (a promotion is refused), ``alarms`` (an error among them), ``damage`` (something cannot be read) and
        ``regression`` (an experiment got worse beyond noise).

    Examples
    --------
    >>> from runfolio.review.change import Change, Span
    >>> failures(Change(Span("a", "b", "a", "main", "HEAD")), ("gates", "alarms", "damage"))
    []
    """
    made = []
    refused = [f"{item.model} {item.version} → {item.stage}" for item in change.refused]
    if "gates" in fail_on and refused:
        made.append(
            f"{len(refused)} promotion{'s' * (len(refused) != 1)} refused ({', '.join(refused[:3])}{', …' * (len(refused) > 3)})"
        )
    damaged = [alarm for alarm in change.errors if alarm.rule in DAMAGE]
    if "damage" in fail_on and damaged:
        made.append(f"{len(damaged)} file{'s' * (len(damaged) != 1)} cannot be read")
    others = len(change.errors) - len(damaged)
    if "alarms" in fail_on and others:
        made.append(f"{others} thing{'s' * (others != 1)} changed that may not change")
    worse = [item.slug for item in change.experiments if item.verdict is not None and item.verdict.word == REGRESSED]
    if "regression" in fail_on and worse:
        made.append(f"worse beyond noise: {', '.join(worse)}")
    return made
