"""Ten thousand runs in one pull request: the report is still whole, useful, and as long as a host takes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.places import AUTHOR, FIRST, make_runs
from runfolio.folio.opening import open_trusted
from runfolio.formats import paths
from runfolio.formats.experiments import encode_experiment
from runfolio.formats.runs import encode_run
from runfolio.gitstore import FileChange, Repo, commit_files
from runfolio.records import Experiment, Objective
from runfolio.review.fitting import characters, render_bodies
from runfolio.review.gathering import gather
from runfolio.review.options import ReportOptions
from runfolio.review.span import proposed_span
from tests.conftest import git

MANY = 10_000


def test_ten_thousand_runs_are_judged_counted_and_fit(folio_dir: Path) -> None:
    repo = Repo.discover(folio_dir)
    judged = Experiment("bench", "bench", "bench", FIRST, FIRST, objective=Objective("m0", "max", "p4"))
    runs = list(make_runs(MANY + 30))
    files = [FileChange(paths.run_path("bench", run.run_id, run.start), encode_run(run)) for run in runs]
    start = repo.resolve("refs/heads/main")
    base = commit_files(
        repo,
        "refs/heads/main",
        start,
        [FileChange(paths.experiment_path("bench"), encode_experiment(judged)), *files[:30]],
        "base\n",
        AUTHOR,
    )
    assert base
    git(folio_dir, "branch", "many", "main")
    assert commit_files(repo, "refs/heads/many", repo.resolve("refs/heads/many"), files[30:], "many\n", AUTHOR)
    repo.close()
    folio, _ = open_trusted(folio_dir, "main")
    try:
        change = gather(folio, proposed_span(folio.repo, "main..many"))
    finally:
        folio.close()
    assert change.added == MANY and not change.alarms
    verdict = change.experiments[0].verdict
    assert verdict is not None and verdict.tried > 5000, "how many were tried is told, and widens the interval"
    assert verdict.word != "improved", "random numbers: the best of thousands is luck"
    bodies = render_bodies(change, ReportOptions())
    assert characters(bodies[0]) <= 60_000 and "10,000" in bodies[0] and "more" in bodies[0]
    assert bodies[0].count("\n") > 20, "the best of them are shown"
