"""The proposal of the demonstration: a branch with a better model that is promoted, and a change that is within noise."""

from __future__ import annotations

import time
from pathlib import Path

from runfolio.demo.making import Progress, Script, commit_code, run_script, source_of
from runfolio.demo.releasing import registered_and_promoted
from runfolio.errors import RunfolioError
from runfolio.folio import Folio, open_folio
from runfolio.folio.opening import open_trusted
from runfolio.gitstore.process import run_git
from runfolio.review.change import Change
from runfolio.review.gathering import gather
from runfolio.review.releases import Judging
from runfolio.review.span import proposed_span

BASE, BRANCH = "main", "linear-model"
SCRIPTS = (
    Script("train_linear.py", 3, "on a branch: wine, a linear model × 3 seeds"),
    Script("train_digits.py", 3, "on a branch: digits, a slower network × 3 seeds"),
)
_RUNS = b"RUNS = [(16, 0.001, 0), (16, 0.001, 1), (16, 0.001, 2), (64, 0.001, 0), (64, 0.03, 0)]"
_SLOWER = b"RUNS = [(16, 0.00095, 0), (16, 0.00095, 1), (16, 0.00095, 2)]"
_WORDS = "Linear discriminants on scaled features: smaller and better than any forest here."


def propose(folder: Path, progress: Progress) -> Change:
    """Make a branch with new runs and a promotion, go back to the first branch, and tell what a pull request of it would say.

    Parameters
    ----------
    folder : Path
        Of the demonstration.
    progress : callable
        Called with a script and how many of its steps are done.
    """
    folio = open_folio(folder)
    try:
        _switch(folio, "-c", BRANCH)
        slower = source_of("train_digits.py").replace(_RUNS, _SLOWER)
        assert _SLOWER in slower
        contents = {"train_linear.py": source_of("train_linear.py"), "train_digits.py": slower}
        commit_code(folio, contents, "train: is a linear model enough? Do the digits learn as well more slowly?")
        for script in SCRIPTS:
            run_script(folder, script, progress)
        folio.commit()
        registered_and_promoted(folio, "lda-seed3", _WORDS)
        _switch(folio, BASE)
    finally:
        folio.close()
    return proposed_change(folder)


def proposed_change(folder: Path) -> Change:
    """Gather what the proposal says, as CI would on its pull request."""
    folio, rules = open_trusted(folder, BASE)
    try:
        return gather(folio, proposed_span(folio.repo, f"{BASE}..{BRANCH}"), judging=Judging(rules, time.time_ns() // 1_000_000))
    finally:
        folio.close()


def write_report(folder: Path, change: Change) -> Path:
    """Write the page of the proposal beside the site, and return its path."""
    from runfolio.review.options import ReportOptions
    from runfolio.review.page import change_page

    page = folder / "proposal.html"
    page.write_text(change_page(change, ReportOptions(), "Runfolio demo"), "utf-8")
    return page


def _switch(folio: Folio, *args: str) -> None:
    done = run_git(("switch", "-q", *args), folio.repo.work_tree)
    if done.returncode:
        raise RunfolioError(f"git switch {' '.join(args)} failed: {done.stderr.decode('utf-8', 'replace').strip()}")
