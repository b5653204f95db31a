"""What is gathered of a change: new runs, the baseline they are held against, and the words for it."""

from __future__ import annotations

from pathlib import Path

import pytest

import runfolio
from runfolio.diff.verdict import IMPROVED, NOISE, OTHER_DATA, SINGLE
from runfolio.errors import NotFoundError, StateError, UsageError
from runfolio.folio.opening import open_trusted
from runfolio.query import parse_filter
from runfolio.records import new_run_id
from runfolio.records.findings import Severity
from runfolio.records.reproductions import Outcome, Reproduction
from runfolio.review.change import Change
from runfolio.review.gathering import gather
from runfolio.review.span import proposed_span, split_span, state_span
from tests.conftest import git
from tests.review.folios import LARGE, branch, commit, commit_all, folio_of, log_runs, record_of


def review(folder: Path, span: str = "main..HEAD") -> Change:
    base = span.partition("..")[0]
    folio, _ = open_trusted(folder, base)
    try:
        return gather(folio, proposed_span(folio.repo, span))
    finally:
        folio.close()


def test_a_clear_gain_over_seeds_is_told_against_the_best_of_the_base(base_dir: Path) -> None:
    branch(base_dir, "deeper")
    log_runs(base_dir, "wine", {"depth": 5}, LARGE)
    found = review(base_dir)
    (wine,) = found.experiments
    assert (found.added, wine.baseline_is, wine.failed) == (3, "best", 0)
    assert wine.verdict is not None and wine.verdict.word == IMPROVED and wine.verdict.low is not None and wine.verdict.low > 0
    assert wine.baseline is not None and wine.baseline.params["depth"] == "2"
    assert wine.best is not None and wine.best.params["depth"] == "5"
    assert not found.alarms and not found.edited and not found.by_source


def test_runs_that_do_not_differ_beyond_their_spread_are_noise(base_dir: Path) -> None:
    branch(base_dir, "other")
    log_runs(base_dir, "wine", {"depth": 3}, (0.903, 0.913, 0.905))
    (wine,) = review(base_dir).experiments
    assert wine.verdict is not None and wine.verdict.word == NOISE


def test_a_single_run_claims_nothing(base_dir: Path) -> None:
    branch(base_dir, "once")
    log_runs(base_dir, "wine", {"depth": 9}, (0.99,))
    (wine,) = review(base_dir).experiments
    assert wine.verdict is not None and wine.verdict.word == SINGLE


def test_a_pinned_baseline_comes_before_the_best(base_dir: Path) -> None:
    weak = log_runs(base_dir, "wine", {"depth": 1}, (0.80, 0.81, 0.82))
    with folio_of(base_dir) as folio:
        experiment = folio.experiments.by_name("wine")
        assert experiment
        folio.experiments.edit(experiment.experiment_id, "set the baseline of", baseline=weak[0])
    branch(base_dir, "deeper")
    log_runs(base_dir, "wine", {"depth": 5}, LARGE)
    (wine,) = review(base_dir).experiments
    assert wine.baseline_is == "pinned" and wine.baseline is not None and wine.baseline.run_id == weak[0]
    assert wine.verdict is not None and wine.verdict.before is not None and len(wine.verdict.before.trials) == 3


def _damage(folder: Path, path: Path, message: str) -> bytes:
    """Spoil a file on the branch at hand, and return what it held."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\n[")
    commit_all(folder, message)
    return whole


def _registered(folder: Path, run_id: str) -> None:
    """Put a model of the run into Production."""
    client = runfolio.MlflowClient(str(folder))
    client.create_registered_model("wine-model")
    source = folder.parent / "model"
    source.mkdir()
    (source / "weights").write_bytes(b"weights")
    client.create_model_version("wine-model", str(source), run_id)
    client.transition_model_version_stage("wine-model", "1", "Production")


@pytest.mark.parametrize("mended", [False, True])
def test_a_damaged_record_of_the_live_run_is_told_where_another_baseline_is_taken(base_dir: Path, mended: bool) -> None:
    strong = log_runs(base_dir, "wine", {"depth": 9}, (0.99,))
    _registered(base_dir, strong[0])
    whole = _damage(base_dir, record_of(base_dir, strong[0]), "Break the record of the live run")
    branch(base_dir, "deeper")
    if mended:  # what the change itself says of the old run is not what it is held against
        record_of(base_dir, strong[0]).write_bytes(whole.replace(b"0.99", b"0.10"))
        commit_all(base_dir, "Mend it")
    log_runs(base_dir, "wine", {"depth": 5}, LARGE)
    change = review(base_dir)
    (wine,) = change.experiments
    assert wine.baseline_is == "best" and wine.baseline is not None and wine.baseline.run_id != strong[0]
    (note,) = change.notes
    assert note.startswith(
        f"wine: the run {strong[0]} of wine-model 1 in Production is no baseline, and it is held against the best"
    )
    assert record_of(base_dir, strong[0]).name in note


def test_a_damaged_record_of_the_live_version_is_told(base_dir: Path) -> None:
    strong = log_runs(base_dir, "wine", {"depth": 9}, (0.99,))
    _registered(base_dir, strong[0])
    _damage(base_dir, base_dir / "models/wine-model/versions/1.yaml", "Break the record of the live version")
    branch(base_dir, "words")
    (base_dir / "README").write_text("no run")
    commit_all(base_dir, "Write a README")
    assert review(base_dir).notes == ()  # without new runs nothing is held against anything
    log_runs(base_dir, "wine", {"depth": 5}, LARGE)
    (note,) = review(base_dir).notes
    assert note.startswith("wine-model 1 in Production is no baseline. ") and "versions/1.yaml" in note


@pytest.mark.parametrize("how", ["damaged", "deleted", "without a number"])
def test_a_pinned_baseline_that_cannot_be_taken_is_told(base_dir: Path, how: str) -> None:
    (pinned,) = log_runs(base_dir, "wine", {"depth": 1}, (float("nan") if how == "without a number" else 0.99,))
    with folio_of(base_dir) as folio:
        experiment = folio.experiments.by_name("wine")
        assert experiment
        folio.experiments.edit(experiment.experiment_id, "set the baseline of", baseline=pinned)
    if how == "damaged":
        _damage(base_dir, record_of(base_dir, pinned), "Break the record of the baseline")
    elif how == "deleted":
        runfolio.MlflowClient(str(base_dir)).delete_run(pinned)
        commit(base_dir)
    branch(base_dir, "deeper")
    log_runs(base_dir, "wine", {"depth": 5}, LARGE)
    (note,) = review(base_dir).notes
    assert note.startswith(f"wine: its baseline is the run {pinned}, but it is held against the best of the base. ")
    ending = {
        "damaged": f"{pinned}.json",
        "deleted": "The run is deleted.",
        "without a number": "The run has no finite accuracy.",
    }
    assert ending[how] in note


def test_an_old_result_that_was_lowered_does_not_lower_the_baseline_and_is_an_error(base_dir: Path) -> None:
    branch(base_dir, "cheat")
    log_runs(base_dir, "wine", {"depth": 3}, (0.903, 0.913, 0.905))
    with folio_of(base_dir) as folio:
        victim = next(run.run_id for run in folio.runs.search(_all()) if run.metrics["accuracy"].last == 0.912)
    path = record_of(base_dir, victim)
    path.write_text(path.read_text().replace("0.912", "0.812"))
    commit_all(base_dir, "tidy")
    found = review(base_dir)
    (wine,) = found.experiments
    assert wine.verdict is not None and wine.verdict.before is not None
    assert round(wine.verdict.before.mean, 4) == 0.906
    assert [alarm.rule for alarm in found.errors] == ["review.result-edited"]
    assert found.errors[0].field == "metrics.accuracy.last" and found.edited[0].run.run_id == victim


def test_a_run_that_its_author_deletes_or_tags_is_an_edit_and_no_alarm(base_dir: Path) -> None:
    branch(base_dir, "tags")
    import runfolio

    runfolio.set_tracking_uri(str(base_dir))
    client = runfolio.MlflowClient()
    ids = [run.info.run_id for run in client.search_runs([client.get_experiment_by_name("wine").experiment_id])]
    client.set_tag(ids[0], "seen", "yes")
    client.delete_run(ids[1])
    from tests.review.folios import commit

    commit(base_dir)
    found = review(base_dir)
    assert not found.alarms
    assert sorted((edit.lifecycle, edit.results) for edit in found.edited) == [("", ()), ("deleted", ())]


def test_other_data_is_not_compared(base_dir: Path) -> None:
    import numpy as np

    import runfolio

    runfolio.set_tracking_uri(str(base_dir))
    branch(base_dir, "data")
    runfolio.set_experiment("wine")
    for seed in range(2):
        with runfolio.start_run():
            runfolio.log_params({"depth": 5, "seed": seed})
            runfolio.log_input(runfolio.data.from_numpy(np.arange(4.0)), "training")
            runfolio.log_metric("accuracy", 0.99)
    from tests.review.folios import commit

    commit(base_dir)
    found = review(base_dir)
    assert found.experiments[0].verdict is not None and found.experiments[0].verdict.word == OTHER_DATA
    assert found.data and found.data[0].old is None


def test_settings_are_those_of_the_base_even_where_the_head_deletes_them(base_dir: Path) -> None:
    branch(base_dir, "gone")
    git(base_dir, "rm", "-q", "runfolio.yaml")
    commit_all(base_dir, "no settings")
    found = review(base_dir)
    assert [(alarm.rule, alarm.severity) for alarm in found.alarms] == [("review.settings", Severity.ERROR)]


def test_spans_that_cannot_be_told_say_what_to_do(base_dir: Path, tmp_path: Path) -> None:
    with folio_of(base_dir) as folio:
        with pytest.raises(NotFoundError, match="no revision 'nowhere'"):
            proposed_span(folio.repo, "nowhere..HEAD")
        git(base_dir, "switch", "-q", "--orphan", "island")
        commit_all(base_dir, "an island") if any(base_dir.iterdir()) and git(base_dir, "status", "--short") else git(
            base_dir, "commit", "-q", "--allow-empty", "-m", "an island"
        )
        with pytest.raises(StateError, match="unrelated histories"):
            proposed_span(folio.repo, "main..island")
    git(base_dir, "switch", "-q", "main")
    branch(base_dir, "more")
    for number in range(4):
        git(base_dir, "commit", "-q", "--allow-empty", "-m", str(number))
    git(tmp_path, "clone", "-q", "--depth", "2", "--no-single-branch", f"file://{base_dir}", "shallow")
    with folio_of(tmp_path / "shallow") as folio, pytest.raises(StateError, match="--deepen"):
        proposed_span(folio.repo, "origin/main..origin/more")
    for text in ("main", "..", "a....b"):
        if text == "..":
            assert split_span(text) == ("HEAD", "HEAD", False)
            continue
        with pytest.raises(UsageError):
            split_span(text)


def test_dates_and_three_dots_name_states(base_dir: Path) -> None:
    with folio_of(base_dir) as folio:
        tip = git(base_dir, "rev-parse", "HEAD").strip()
        assert state_span(folio.place, "2100-01-01..HEAD").base == tip
        branch(base_dir, "one")
        git(base_dir, "commit", "-q", "--allow-empty", "-m", "one")
        git(base_dir, "switch", "-q", "main")
        git(base_dir, "commit", "-q", "--allow-empty", "-m", "two")
        assert state_span(folio.place, "main...one").base == tip
        assert state_span(folio.place, "main..one").base != tip


def _all():  # type: ignore[no-untyped-def]
    from runfolio.query import parse_filter

    return parse_filter("")


def test_a_verdict_of_reproduction_is_told_and_one_that_was_rewritten_is_an_alarm(base_dir: Path) -> None:
    branch(base_dir, "proof")
    with folio_of(base_dir) as folio:
        run_id = folio.runs.search(parse_filter(""), limit=1)[0].run_id
        made = Reproduction(run_id, new_run_id(), Outcome.EXACT, manager="uv", compared=1, exact=1)
        path = folio.reproductions.record(made)
    found = review(base_dir)
    (item,) = found.registry
    assert (item.kind, item.text) == ("reproduced", "made again (uv): reproduced, bit for bit")
    assert not found.alarms
    git(base_dir, "checkout", "-q", "main")
    git(base_dir, "merge", "-q", "proof")
    branch(base_dir, "forged")
    (base_dir / path).write_bytes((base_dir / path).read_bytes().replace(b'"verdict": "exact"', b'"verdict": "differs"'))
    commit_all(base_dir, "rewritten")
    alarms = [alarm for alarm in review(base_dir).alarms if alarm.rule == "review.verdict"]
    assert [alarm.severity for alarm in alarms] == [Severity.ERROR]
    assert "said 'reproduced, bit for bit' and now says" in alarms[0].message
