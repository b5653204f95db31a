"""The report as the summary of a CI job: the same Markdown as the comment, with more room.

GitHub takes 1 MiB a step and drops what is longer as a whole; just below that it drops it without a word (actions/runner#4337), so
that a summary has a million bytes at most.
"""

from __future__ import annotations

from dataclasses import replace

from runfolio.review.change import Change
from runfolio.review.fitting import fit
from runfolio.review.options import ReportOptions
from runfolio.review.report import report_sections

LIMIT = 1_000_000
"""Bytes in UTF-8."""
_MORE = 10


def job_summary(change: Change, options: ReportOptions, limit: int = LIMIT) -> str:
    """Write the summary of a job: never empty, so that a quiet job says that nothing changed.

    Parameters
    ----------
    change : Change
    options : ReportOptions
        Of its rows and runs there are ten times as many.
    limit : int, optional
        Bytes, at most.

    Returns
    -------
    str
    """
    wider = replace(options, rows=options.rows * _MORE, runs=options.runs * _MORE)
    return fit(report_sections(change, wider), limit, measure=_bytes)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
