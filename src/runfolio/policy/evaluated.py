"""The gate ``evaluated``: a version was evaluated, on the dataset that the team agreed on, and well enough.

An evaluation counts if it is of the very bytes of the version: a run that names their digest, or the run that made the version. Of several
on one dataset the newest counts: a better one from before is no excuse.
"""

from __future__ import annotations

from runfolio.policy.clauses import Answer, clauses_hold
from runfolio.policy.rules import Evaluated
from runfolio.policy.verdict import Facts
from runfolio.records.evaluations import CONTEXT, evaluated_on
from runfolio.records.runs import Run


def is_evaluated(wanted: Evaluated, facts: Facts) -> Answer:
    """Tell whether the newest evaluation on the dataset is as asked.

    Parameters
    ----------
    wanted : Evaluated
    facts : Facts
    """
    if facts.evaluations is None:
        return None, "Whether the version was evaluated was not looked at."
    found = [run for run in facts.evaluations if evaluated_on(run, wanted.dataset)]
    if not found:
        return None, _none(wanted, facts)
    newest = max(found, key=lambda run: (run.start, run.run_id))
    which = next(item for item in newest.inputs if item.context == CONTEXT and wanted.dataset in ("", item.name, item.digest))
    where = f"Evaluated on {which.name} ({which.digest[:12]}) by run {newest.name or newest.run_id[:12]}"
    if not wanted.where:
        return True, f"{where}."
    passed, text = clauses_hold(wanted.where, newest)
    return passed, f"{where}: {text}"


def _none(wanted: Evaluated, facts: Facts) -> str:
    others = sorted({_told(run) for run in facts.evaluations or ()})
    said = f" It was evaluated on {', '.join(others[:5])}." if others else ""
    what = f" on {wanted.dataset}" if wanted.dataset else ""
    uri = f"models:/{facts.model}/{facts.version.version}"
    return f"No run evaluated the version{what}.{said} Evaluate it: runfolio.evaluate({uri!r}, …)."


def _told(run: Run) -> str:
    return ", ".join(f"{item.name} ({item.digest[:12]})" for item in run.inputs if item.context == CONTEXT)
