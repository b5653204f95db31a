"""The gate ``reproduced``: the run behind a version was made again, by its own code, near enough and not too long ago.

What stands in the verdict is judged, not what it calls itself: a verdict inside a wide tolerance passes a gate with a narrow one only
if every metric in fact is that near.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from runfolio.diff.describe import number_text
from runfolio.policy.clauses import Answer
from runfolio.policy.rules import EXACT, SPREAD, Reproduced
from runfolio.policy.verdict import Facts
from runfolio.records.reproductions import Outcome, Reproduction
from runfolio.records.times import utc_text

_SYSTEM = "system/*"
_DAY_MS = 86_400_000


def is_reproduced(wanted: Reproduced, facts: Facts) -> Answer:
    """Judge the newest verdict of reproduction; where there is none, what the tag ``reproduced_by`` led to."""
    found = facts.reproduction
    if found is None:
        return _by_tag(facts)
    when = f"on {utc_text(found.at)[:10]}"
    if found.verdict is Outcome.COULD_NOT_RUN:
        return None, f"The run could not be made again {when}: {_first(found.reason)}."
    if wanted.not_older_than_ms and facts.now - found.at > wanted.not_older_than_ms:
        return False, f"It was made again {when}, more than {wanted.not_older_than_ms // _DAY_MS} days ago. Make it again."
    lacking = [key for key in facts.version.metrics if _left_out(key, found)]
    if lacking:
        return None, f"It was made again {when}, and {', '.join(lacking[:3])} was not compared (--ignore)."
    return _near_enough(wanted, found, when)


def _near_enough(wanted: Reproduced, found: Reproduction, when: str) -> Answer:
    others = f"{found.exact} of {found.compared} metrics are the same bit for bit"
    if found.verdict is Outcome.EXACT:
        return True, f"The run was reproduced {when}, bit for bit ({found.compared} metrics, {found.manager or 'local'})."
    if found.verdict is Outcome.DIFFERS:
        return False, f"Made again {when}, the run {found.words}."
    if wanted.within == EXACT:
        return False, f"Made again {when}, {others}, and bit for bit is asked for."
    apart = max((item.relative for item in found.metrics.values()), default=0.0)
    if apart <= wanted.tolerance and len(found.metrics) == found.compared - found.exact:
        return True, f"The run was reproduced {when}: no metric is off by more than {number_text(apart)} (rel)."
    if wanted.within == SPREAD:
        return True, f"Made again {when}, the run lies within the spread of {found.replicates} replicates."
    return False, f"Made again {when}, a metric is off by {number_text(apart)} (rel), more than {number_text(wanted.tolerance)}."


def _left_out(key: str, found: Reproduction) -> bool:
    """Tell whether a metric of the version was left out of the comparison; the machine's own never count."""
    return not fnmatchcase(key, _SYSTEM) and any(fnmatchcase(key, pattern) for pattern in found.ignored)


def _by_tag(facts: Facts) -> Answer:
    if facts.reproduced is None:
        uri = f"models:/{facts.model}/{facts.version.version}"
        return None, f"Nobody has made the run again. Do: runfolio reproduce {uri}."
    return facts.reproduced, "The run was reproduced." if facts.reproduced else "Another run of the same gave another result."


def _first(reason: str) -> str:
    return (reason.strip().splitlines() or ["nobody wrote why"])[0].rstrip(".")
