"""Forty pull requests that tamper: each is flagged at the top, and none hides what else the change says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runfolio.folio.opening import open_trusted
from runfolio.formats.canonical import dump
from runfolio.records.findings import Severity
from runfolio.review import marks
from runfolio.review.change import Change
from runfolio.review.fitting import render_bodies
from runfolio.review.gathering import gather
from runfolio.review.options import ReportOptions
from runfolio.review.releases import Judging
from runfolio.review.span import proposed_span
from tests.conftest import GIT_CONFIG, git
from tests.review.folios import LARGE, SMALL, commit_all, log_runs, runfolio_command, with_objective

NOW = 1_800_000_000_000
POLICY = """\
schema: 1
promotions:
  - to: Production
    require:
      - where: metrics.accuracy >= 0.93
"""


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folio with runs, a model in Production, a policy and a workflow; and a branch with three honest new runs."""
    top = tmp_path_factory.mktemp("tampering")
    with pytest.MonkeyPatch.context() as patch:
        (top / "gitconfig").write_text(GIT_CONFIG)
        for name in [key for key in os.environ if key.startswith(("GIT_", "RUNFOLIO_"))]:
            patch.delenv(name)
        patch.setenv("GIT_CONFIG_GLOBAL", str(top / "gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        folder = top / "repo"
        folder.mkdir()
        git(folder, "init", "-q")
        from runfolio.folio import initialise

        initialise(folder, commit=True).folio.close()
        (folder / "policy.yaml").write_text(POLICY)
        (folder / ".github/workflows").mkdir(parents=True)
        (folder / ".github/workflows/ci.yml").write_text("on: push\n")
        (folder / "CODEOWNERS").write_text("models/ @ada\n")
        commit_all(folder, "policy")
        with_objective(folder, "wine")
        ids = log_runs(folder, "wine", {"depth": 2}, SMALL)
        _register(folder, ids[:2])
        git(folder, "switch", "-q", "-c", "change")
        log_runs(folder, "wine", {"depth": 5}, LARGE)
        yield folder


def _register(folder: Path, ids: list[str]) -> None:
    import runfolio

    runfolio.set_tracking_uri(str(folder))
    for run_id in ids:
        with runfolio.start_run(run_id=run_id):
            runfolio.log_text(run_id, "model/weights.txt")
        runfolio.register_model(f"runs:/{run_id}/model", "wine")
    client = runfolio.MlflowClient()
    client.transition_model_version_stage("wine", "1", "Production")
    client.set_registered_model_alias("wine", "champion", "1")
    from tests.review.folios import commit

    commit(folder)


@pytest.fixture
def change_dir(made_once: Path, tmp_path: Path, pinned_git: Path) -> Path:
    return Path(shutil.copytree(made_once, tmp_path / "repo", symlinks=True))


def reviewed(folder: Path) -> Change:
    folio, rules = open_trusted(folder, "main")
    try:
        return gather(folio, proposed_span(folio.repo, "main..change"), judging=Judging(rules, NOW))
    finally:
        folio.close()


def base_record(folder: Path) -> Path:
    listed = git(folder, "ls-tree", "-r", "--name-only", "main", "runs").splitlines()
    return folder / min(name for name in listed if not name.endswith(".series.json"))


def new_record(folder: Path) -> Path:
    listed = git(folder, "diff", "--name-only", "--diff-filter=A", "main..change", "--", "runs").splitlines()
    return folder / min(name for name in listed if not name.endswith(".series.json"))


def rewrite(path: Path, edit: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    fields = json.loads(path.read_text())
    edit(fields)
    path.write_bytes(dump(fields))


def _old_metric(folder: Path) -> None:
    rewrite(base_record(folder), lambda fields: fields["metrics"]["accuracy"].update(last=0.5))


def _old_param(folder: Path) -> None:
    rewrite(base_record(folder), lambda fields: fields["params"].update(depth="7"))


def _old_code(folder: Path) -> None:
    rewrite(base_record(folder), lambda fields: fields["code"].update(commit="0" * 40))


def _old_data(folder: Path) -> None:
    rewrite(base_record(folder), lambda fields: fields.update(inputs=[{"name": "x", "digest": "d"}]))


def _old_artifact(folder: Path) -> None:
    def edit(fields: dict) -> None:  # type: ignore[type-arg]
        fields["artifacts"]["model/weights.txt"]["digest"] = f"sha256:{'0' * 64}"

    rewrite(base_record(folder), edit)


def _run_deleted(folder: Path) -> None:
    base_record(folder).unlink()


def _history_added(folder: Path) -> None:
    path = base_record(folder)
    git(folder, "switch", "-q", "main")
    path.with_suffix(".series.json").write_text('{"schema": 1}\n')
    commit_all(folder, "a history")
    git(folder, "switch", "-q", "change")
    git(folder, "merge", "-q", "-m", "merge", "main")
    path.with_suffix(".series.json").write_text('{"schema": 2}\n')


def _history_gone(folder: Path) -> None:
    path = base_record(folder)
    git(folder, "switch", "-q", "main")
    path.with_suffix(".series.json").write_text('{"schema": 1}\n')
    commit_all(folder, "a history")
    git(folder, "switch", "-q", "change")
    git(folder, "merge", "-q", "-m", "merge", "main")
    path.with_suffix(".series.json").unlink()


def _moved(folder: Path) -> None:
    path = base_record(folder)
    other = Path(str(path).replace("/runs/wine/", "/runs/bread/"))
    other.parent.mkdir(parents=True)
    path.rename(other)


def _package_list(folder: Path) -> Path:
    return next((folder / "environments").glob("*.txt"))


def _packages_edited(folder: Path) -> None:
    path = _package_list(folder)
    path.write_text(path.read_text() + "evil==1.0\n")


def _packages_gone(folder: Path) -> None:
    _package_list(folder).unlink()


def _facts_edited(folder: Path) -> None:
    (folder / "grapes.csv").write_text("colour\nred\n")
    git(folder, "switch", "-q", "main")
    done = runfolio_command(folder, "data", "add", "grapes.csv")
    assert done.returncode == 0, done.stderr
    commit_all(folder, "data")
    git(folder, "switch", "-q", "change")
    git(folder, "merge", "-q", "-m", "merge", "main")
    (facts,) = (folder / "datasets").glob("*/*.json")
    rewrite(facts, lambda fields: fields.update(rows=1_000))


def _card_that_deceives(folder: Path) -> None:
    path = folder / "models/wine/cards/1.md"
    path.parent.mkdir()
    path.write_text("# wine\n\nIt is right in \u202e01 of 100 cases.\n")


def _doubled_key(folder: Path) -> None:
    path = new_record(folder)
    path.write_text(path.read_text().replace('  "schema": 1', '  "schema": 1,\n  "schema": 1'))


def _not_canonical(folder: Path) -> None:
    path = new_record(folder)
    path.write_text(json.dumps(json.loads(path.read_text())))


def _torn(folder: Path) -> None:
    path = new_record(folder)
    path.write_bytes(path.read_bytes()[:200])


def _binary(folder: Path) -> None:
    new_record(folder).write_bytes(bytes(range(256)) * 64)


def _newer_schema(folder: Path) -> None:
    rewrite(new_record(folder), lambda fields: fields.update(schema=99))


def _link(folder: Path) -> None:
    path = new_record(folder)
    path.unlink()
    path.symlink_to("/etc/passwd")


def _submodule(folder: Path) -> None:
    head = git(folder, "rev-parse", "HEAD").strip()
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{head},runs/wine/sub")


def _misplaced(folder: Path) -> None:
    path = new_record(folder)
    other = folder / "runs/wine/2001-01/01" / path.name
    other.parent.mkdir(parents=True)
    path.rename(other)


def _bidi_name(folder: Path) -> None:
    rewrite(new_record(folder), lambda fields: fields.update(name="best\u202e59.0"))


def _mixed_letters(folder: Path) -> None:
    rewrite(new_record(folder), lambda fields: fields["params"].update({"dерth": "5"}))


def _zero_width(folder: Path) -> None:
    rewrite(new_record(folder), lambda fields: fields.update(tags={"re\u200bviewed": "yes"}))


def _case_pair(folder: Path) -> None:
    blob = git(folder, "rev-parse", "HEAD:policy.yaml").strip()
    git(folder, "update-index", "--add", "--cacheinfo", f"100644,{blob},Policy.yaml")


def _composed_pair(folder: Path) -> None:
    blob = git(folder, "rev-parse", "HEAD:policy.yaml").strip()
    git(folder, "update-index", "--add", "--cacheinfo", f"100644,{blob},mоdels/wine/model.yaml")


def _stranger(folder: Path) -> None:
    (folder / "runs/wine/notes.sh").write_text("#!/bin/sh\n")


def _alias(folder: Path) -> None:
    path = folder / "models/wine/model.yaml"
    path.write_text(path.read_text().replace("champion: 1", "champion: 2"))


def _stage(folder: Path) -> None:
    path = folder / "models/wine/model.yaml"
    path.write_text(path.read_text().replace("Production: 1", "Production: 2"))


def _swapped_digest(folder: Path) -> None:
    path = folder / "models/wine/versions/1.yaml"
    lines = [f"digest: sha256:{'1' * 64}" if line.startswith("digest:") else line for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")


def _version_gone(folder: Path) -> None:
    (folder / "models/wine/versions/2.yaml").unlink()


def _model_bomb(folder: Path) -> None:
    bomb = "schema: 1\nname: wine\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    (folder / "models/wine/model.yaml").write_text(bomb)


def _policy(folder: Path) -> None:
    path = folder / "policy.yaml"
    path.write_text(path.read_text().replace("0.93", "0.1"))


def _policy_gone(folder: Path) -> None:
    (folder / "policy.yaml").unlink()


def _settings(folder: Path) -> None:
    path = folder / "runfolio.yaml"
    path.write_text(path.read_text() + "artifacts: s3://elsewhere/objects\n")


def _settings_gone(folder: Path) -> None:
    (folder / "runfolio.yaml").unlink()


def _workflow(folder: Path) -> None:
    (folder / ".github/workflows/ci.yml").write_text("on: pull_request_target\n")


def _owners(folder: Path) -> None:
    (folder / "CODEOWNERS").write_text("* @mallory\n")


def _attributes(folder: Path) -> None:
    path = folder / ".gitattributes"
    path.write_text(path.read_text() + "runs/** merge=union\n")


def _experiment_gone(folder: Path) -> None:
    (folder / "experiments/wine.yaml").unlink()


def _objective_flipped(folder: Path) -> None:
    path = folder / "experiments/wine.yaml"
    path.write_text(path.read_text().replace("direction: max", "direction: min"))


def _baseline_moved(folder: Path) -> None:
    path = folder / "experiments/wine.yaml"
    path.write_text(path.read_text() + f"baseline: {base_record(folder).stem}\n")


def _experiment_hidden(folder: Path) -> None:
    path = folder / "experiments/wine.yaml"
    path.write_text(path.read_text() + "lifecycle: deleted\n")


def _model_gone(folder: Path) -> None:
    (folder / "models/wine/model.yaml").unlink()


def _model_deleted_whole(folder: Path) -> None:
    shutil.rmtree(folder / "models/wine")


def _stage_emptied(folder: Path) -> None:
    path = folder / "models/wine/model.yaml"
    path.write_text(path.read_text().replace("stages:\n  Production: 1\n", ""))


def _new_result_rewritten(folder: Path) -> None:
    rewrite(new_record(folder), lambda fields: fields["metrics"]["accuracy"].update(last=0.999))


def _new_run_taken_away(folder: Path) -> None:
    new_record(folder).unlink()


ERROR, WARNING = Severity.ERROR, Severity.WARNING
CASES: dict[str, tuple[Callable[[Path], None], str, Severity]] = {
    "an old metric edited": (_old_metric, "review.result-edited", ERROR),
    "an old param edited": (_old_param, "review.result-edited", ERROR),
    "the code of an old run edited": (_old_code, "review.result-edited", ERROR),
    "the data of an old run edited": (_old_data, "review.result-edited", ERROR),
    "the artifact of an old run swapped": (_old_artifact, "review.result-edited", ERROR),
    "a run removed": (_run_deleted, "review.run-deleted", ERROR),
    "a history edited": (_history_added, "review.history-edited", ERROR),
    "a history removed": (_history_gone, "review.history-edited", ERROR),
    "an old record moved to another experiment": (_moved, "review.misplaced", ERROR),
    "a list of packages edited": (_packages_edited, "review.environment", ERROR),
    "a list of packages removed": (_packages_gone, "review.environment", ERROR),
    "the facts of data edited": (_facts_edited, "review.facts-edited", WARNING),
    "a card with letters that turn the order": (_card_that_deceives, "review.disguise", WARNING),
    "a key doubled": (_doubled_key, "review.damaged", ERROR),
    "another spelling": (_not_canonical, "review.damaged", ERROR),
    "a record cut short": (_torn, "review.damaged", ERROR),
    "a binary in place of a record": (_binary, "review.damaged", ERROR),
    "a record of a newer schema": (_newer_schema, "review.damaged", ERROR),
    "a symbolic link": (_link, "review.mode", ERROR),
    "a submodule among the runs": (_submodule, "review.mode", ERROR),
    "a record in another's place": (_misplaced, "review.misplaced", ERROR),
    "a bidi override in a name": (_bidi_name, "review.disguise", WARNING),
    "letters of two alphabets in a key": (_mixed_letters, "review.disguise", WARNING),
    "a zero-width space in a tag": (_zero_width, "review.disguise", WARNING),
    "a policy that differs in case": (_case_pair, "review.twin", ERROR),
    "a folder that looks like models": (_composed_pair, "review.disguise", ERROR),
    "a file that no record has": (_stranger, "review.stranger", WARNING),
    "an alias moved": (_alias, "review.alias", WARNING),
    "a version's digest swapped": (_swapped_digest, "review.version-edited", ERROR),
    "a version's file removed": (_version_gone, "review.version-deleted", ERROR),
    "a bomb in place of a model": (_model_bomb, "review.damaged", ERROR),
    "an experiment's file removed": (_experiment_gone, "review.experiment-deleted", ERROR),
    "the direction of an objective turned": (_objective_flipped, "review.objective", WARNING),
    "another baseline": (_baseline_moved, "review.objective", WARNING),
    "an experiment hidden": (_experiment_hidden, "review.experiment-hidden", WARNING),
    "a model's file removed": (_model_gone, "review.model-deleted", ERROR),
    "a model deleted whole": (_model_deleted_whole, "review.model-deleted", WARNING),
    "nothing in Production": (_stage_emptied, "review.stage", WARNING),
    "a result of the change's own rewritten later": (_new_result_rewritten, "review.result-edited", ERROR),
    "a run of the change's own removed later": (_new_run_taken_away, "review.run-deleted", WARNING),
    "the policy loosened": (_policy, "review.policy", WARNING),
    "the policy removed": (_policy_gone, "review.policy", ERROR),
    "the store moved": (_settings, "review.settings", WARNING),
    "the settings removed": (_settings_gone, "review.settings", ERROR),
    "a workflow changed": (_workflow, "review.workflow", WARNING),
    "the owners changed": (_owners, "review.owners", WARNING),
    "the merge of records changed": (_attributes, "review.git", WARNING),
}


@pytest.mark.parametrize("name", CASES)
def test_tampering_is_flagged_and_the_rest_is_still_told(change_dir: Path, name: str) -> None:
    tamper, rule, severity = CASES[name]
    tamper(change_dir)
    if git(change_dir, "diff", "--cached", "--name-only").strip() == "":  # some put into the index what a work tree cannot hold
        git(change_dir, "add", "-A")
    git(change_dir, "commit", "-qm", "tidy up")
    found = reviewed(change_dir)
    flagged = [alarm for alarm in found.alarms if alarm.rule == rule]
    assert flagged and flagged[0].severity is severity, [alarm.line() for alarm in found.alarms]
    assert found.added >= 2, "the honest runs are still told"
    assert all(alarm.file and alarm.message for alarm in found.alarms)
    (body, *_) = render_bodies(found, ReportOptions())
    told = body.index(marks.plain(flagged[0].message)[:40])
    assert told < body.index("### Results"), "the alarm comes before all that the change wants to say"
    assert body.startswith(("## ⛔", "## ❌", "## ⚠️", "## 🚨")), body[:200]


def test_a_model_that_is_deleted_whole_is_one_alarm_and_no_tampering(change_dir: Path) -> None:
    _model_deleted_whole(change_dir)
    commit_all(change_dir, "delete the model")
    (alarm,) = reviewed(change_dir).alarms
    assert alarm.severity is WARNING
    assert alarm.message == "the model wine is deleted, with 2 versions; Production was version 1"


def test_of_very_many_commits_the_newest_are_looked_at_and_that_is_said(
    change_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runfolio.review import within

    victim = new_record(change_dir)
    _new_result_rewritten(change_dir)
    commit_all(change_dir, "rewrite")
    for number in range(3):
        git(change_dir, "commit", "-q", "--allow-empty", "-m", f"later {number}")
    monkeypatch.setattr(within, "MOST_COMMITS", 3)
    assert reviewed(change_dir).notes[0].startswith("Only the newest 3 commits of the change were looked at for records")
    monkeypatch.setattr(within, "MOST_COMMITS", 4)
    assert [alarm.file for alarm in reviewed(change_dir).alarms] == [victim.relative_to(change_dir).as_posix()]
    monkeypatch.undo()
    assert reviewed(change_dir).notes == ()


def test_a_stage_on_the_way_to_production_may_be_emptied(change_dir: Path) -> None:
    git(change_dir, "switch", "-q", "main")
    assert runfolio_command(change_dir, "models", "promote", "wine", "2", "Staging", "--direct").returncode == 0
    git(change_dir, "switch", "-q", "change")
    git(change_dir, "merge", "-q", "-m", "merge", "main")
    assert runfolio_command(change_dir, "models", "demote", "wine", "2", "--direct").returncode == 0
    assert reviewed(change_dir).alarms == ()


def test_what_a_branch_did_to_old_records_and_took_back_is_no_alarm(change_dir: Path) -> None:
    before = base_record(change_dir).read_bytes()
    _old_metric(change_dir)
    commit_all(change_dir, "try something")
    base_record(change_dir).write_bytes(before)
    commit_all(change_dir, "take it back")
    assert reviewed(change_dir).alarms == ()


def test_new_runs_that_are_tagged_and_hidden_as_runfolio_does_are_no_alarm(change_dir: Path) -> None:
    done = runfolio_command(change_dir, "runs", "tag", new_record(change_dir).stem, "note=x")
    assert done.returncode == 0, done.stderr
    done = runfolio_command(change_dir, "runs", "delete", new_record(change_dir).stem)
    assert done.returncode == 0, done.stderr
    found = reviewed(change_dir)
    assert found.alarms == () and found.added == 2


def test_a_card_that_changes_is_told_and_is_no_alarm(change_dir: Path) -> None:
    path = change_dir / "models/wine/cards/1.md"
    path.parent.mkdir()
    path.write_text("# wine\n\n## Limits\n\nRed wine only.\n")
    commit_all(change_dir, "a card")
    found = reviewed(change_dir)
    assert found.alarms == () and [item.text for item in found.registry] == ["card of version 1 written"]
    (body, *_) = render_bodies(found, ReportOptions())
    assert "card of version 1 written" in body


def test_an_honest_change_raises_no_alarm(change_dir: Path) -> None:
    found = reviewed(change_dir)
    assert found.alarms == () and found.added == 3


def test_a_promotion_is_judged_by_the_policy_of_the_base_whatever_the_head_says(change_dir: Path) -> None:
    _stage(change_dir)
    _policy(change_dir)
    commit_all(change_dir, "promote, and loosen what judges it")
    found = reviewed(change_dir)
    (promotion,) = found.promotions
    assert (promotion.model, promotion.version, promotion.stage, promotion.replaces) == ("wine", 2, "Production", 1)
    assert promotion.verdict is not None and not promotion.verdict.accepted, "0.91 is not 0.93"
    assert promotion.line and "Production" in (change_dir / promotion.path).read_text().splitlines()[promotion.line - 1]
    assert found.refused == (promotion,)


def test_a_policy_of_the_base_that_cannot_be_read_lets_nothing_pass(change_dir: Path) -> None:
    git(change_dir, "switch", "-q", "main")
    (change_dir / "policy.yaml").write_text("schema: 1\npromotionz: []\n")
    commit_all(change_dir, "a typo")
    git(change_dir, "switch", "-q", "change")
    _stage(change_dir)
    commit_all(change_dir, "promote")
    found = reviewed(change_dir)
    assert [alarm.rule for alarm in found.errors] == ["review.policy-damaged"]
    assert len(found.refused) == 1


def test_a_promotion_of_a_version_that_is_not_there_is_refused(change_dir: Path) -> None:
    path = change_dir / "models/wine/model.yaml"
    path.write_text(path.read_text().replace("Production: 1", "Production: 9"))
    commit_all(change_dir, "promote nothing")
    (refused,) = reviewed(change_dir).refused
    assert refused.verdict is not None and "version=9" in refused.verdict.gates[0].text


def test_a_bare_clone_is_reviewed_too(change_dir: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(change_dir), "bare.git")
    folio, rules = open_trusted(tmp_path / "bare.git", "main")
    try:
        found = gather(folio, proposed_span(folio.repo, "main..change"), judging=Judging(rules, NOW))
    finally:
        folio.close()
    assert found.added == 3 and found.experiments[0].baseline is not None


def test_the_ledger_shows_the_runs_of_the_commits_that_a_change_brings(repo_dir: Path) -> None:
    from runfolio.folio import initialise

    initialise(repo_dir, branch="ledger", commit=True).folio.close()
    with_objective(repo_dir, "wine")
    (repo_dir / "train.py").write_text(TRAIN)
    commit_all(repo_dir, "a script")
    _trained(repo_dir, "2", SMALL)
    git(repo_dir, "switch", "-q", "-c", "change")
    git(repo_dir, "commit", "-q", "--allow-empty", "-m", "deeper")
    _trained(repo_dir, "5", LARGE)
    found = reviewed(repo_dir)
    assert found.by_source and found.added == 3 and not found.alarms
    (wine,) = found.experiments
    assert wine.verdict is not None and wine.verdict.word == "improved"


TRAIN = """\
import sys
import runfolio
runfolio.set_experiment("wine")
for seed, value in enumerate(sys.argv[2:]):
    with runfolio.start_run():
        runfolio.log_params({"depth": sys.argv[1], "seed": seed})
        runfolio.log_metric("accuracy", float(value))
"""


def _trained(folder: Path, depth: str, values: tuple[float, ...]) -> None:
    subprocess.run([sys.executable, "train.py", depth, *map(str, values)], cwd=folder, check=True)
