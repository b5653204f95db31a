"""``runfolio models``, as a user types it."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import runfolio
from runfolio.folio import initialise
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import Command, in_process
from tests.conftest import git
from tests.hosts.gitea import GiteaStandIn


@pytest.fixture
def wine(folio_dir: Path, run_cli: Command) -> dict[str, str]:
    """The registered model ``Wine`` with two versions, made by the runs ``first`` and ``second``; run ids by name."""
    runfolio.set_tracking_uri(folio_dir)
    ids = {}
    for name, accuracy in (("first", 0.9), ("second", 0.95)):
        with runfolio.start_run(run_name=name) as run:
            ids[name] = run.info.run_id
            runfolio.log_metric("accuracy", accuracy)
            runfolio.log_text("flavors: {sklearn: {}}\n", "model/MLmodel")
            runfolio.log_text(f"weights {name}", "model/model.pkl")
    forget_sessions()
    assert run_cli("models", "register", "runs:/first/model", "Wine").out == "1\n"
    assert run_cli("models", "register", "runs:/second/model", "Wine", "--description", "more trees").out == "2\n"
    return ids


def test_versions_are_listed_as_mlflows_command_lists_them(wine: dict[str, str], run_cli: Command) -> None:
    run_cli("models", "promote", "Wine", "1", "production", "--direct")
    done = run_cli("models", "versions", "-m", "Wine")
    lines = done.out.splitlines()
    assert lines[0].split()[:2] == ["version", "stage"]
    assert lines[1].split()[:2] == ["2", "None"]
    assert "more trees" in lines[1]
    assert lines[2].split()[:2] == ["1", "Production"]
    shapes = json.loads(run_cli("models", "versions", "Wine", "--json").out)
    assert [(shape["version"], shape["stage"], shape["metrics"]) for shape in shapes] == [
        (2, "None", {"accuracy": 0.95}),
        (1, "Production", {"accuracy": 0.9}),
    ]


def test_the_list_says_what_is_live(wine: dict[str, str], run_cli: Command) -> None:
    run_cli("models", "promote", "Wine", "2", "Production", "--direct")
    run_cli("models", "alias", "Wine", "1", "champion")
    line = run_cli("models", "list").out.splitlines()[1]
    assert line.split() == ["Wine", "2", "Production", "2", "@champion", "1"]
    shape = json.loads(run_cli("models", "list", "--json").out)[0]
    assert (shape["stages"], shape["aliases"], shape["versions"]) == ({"Production": [2]}, {"champion": 1}, [1, 2])


def test_a_direct_promotion_is_one_changed_line(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    run_cli("models", "promote", "Wine", "1", "Production", "--direct")
    done = run_cli("models", "promote", "Wine", "latest", "Production", "--direct", "-m", "better on the hold-out")
    assert (done.code, done.err) == (0, "Wine 2 is in Production. Version 1 left Production.\n")
    changed = [
        line
        for line in git(folio_dir, "show", "--format=", "HEAD").splitlines()
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert changed == ["-  Production: 1", "+  Production: 2"]
    assert git(folio_dir, "log", "-1", "--format=%B").strip() == "models: promote Wine 2 to Production\n\nbetter on the hold-out"
    assert git(folio_dir, "status", "--short") == ""


def test_what_was_live_is_retired_archived_or_kept(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    run_cli("models", "promote", "Wine", "1", "Staging", "--direct")
    run_cli("models", "promote", "Wine", "2", "Staging", "--direct", "--archive")
    assert "Archived: 1" in (folio_dir / "models/wine/model.yaml").read_text()
    run_cli("models", "promote", "Wine", "1", "Staging", "--direct", "--keep")
    assert json.loads(run_cli("models", "show", "Wine", "--json").out)["stages"] == {"Staging": [1, 2]}
    run_cli("models", "demote", "Wine", "1", "--direct")
    assert json.loads(run_cli("models", "show", "Wine", "--json").out)["stages"] == {"Staging": [2]}


def test_a_proposal_is_a_branch_and_the_text_of_a_pull_request(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    run_cli("models", "promote", "Wine", "1", "Production", "--direct")
    tip = git(folio_dir, "rev-parse", "HEAD")
    done = run_cli("models", "promote", "Wine", "2", "Production", "--pull-request", "-m", "better <b>by far</b>")
    assert done.code == 0
    assert git(folio_dir, "rev-parse", "HEAD") == tip
    assert git(folio_dir, "rev-parse", "promote/wine-2-production~1") == tip
    assert git(folio_dir, "diff", "--stat", "HEAD", "promote/wine-2-production").startswith(" models/wine/model.yaml")
    assert "Promote Wine 2 to Production" in done.out
    assert "| accuracy | 0.95 | 0.9 | +0.05 |" in done.out
    assert "git push origin promote/wine-2-production" in done.err
    again = run_cli("models", "promote", "Wine", "2", "Production", "--pull-request")
    assert again.code == 12
    assert "git branch -D promote/wine-2-production" in again.err
    git(folio_dir, "merge", "-q", "promote/wine-2-production")
    assert json.loads(run_cli("models", "show", "Wine", "--json").out)["stages"] == {"Production": [2]}


def test_a_proposal_is_opened_where_gh_is_there(
    wine: dict[str, str], run_cli: Command, folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(folio_dir, "remote", "add", "origin", str(tmp_path / "remote.git"))
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/said; cat > {tmp_path}/body; echo https://git.example.org/pull/7\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    done = run_cli("models", "promote", "Wine", "2", "Staging", "--pull-request")
    assert (done.code, done.out) == (0, "https://git.example.org/pull/7\n")
    assert "--head=promote/wine-2-staging --base=main --title=Promote Wine 2 to Staging" in (tmp_path / "said").read_text()
    assert "One line changes in `models/wine/model.yaml`" in (tmp_path / "body").read_text()
    assert "promote/wine-2-staging" in git(tmp_path / "remote.git", "branch", "--list")


@pytest.fixture
def gitea(folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GiteaStandIn]:
    """A self-hosted git host on loopback with a real bare repository to push to, named by RUNFOLIO_HOST."""
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    with GiteaStandIn() as server:
        assert isinstance(server, GiteaStandIn)
        git(folio_dir, "remote", "add", "origin", f"{server.origin}/team/wine.git")
        git(folio_dir, "config", f"url.{tmp_path / 'remote.git'}.pushInsteadOf", f"{server.origin}/team/wine.git")
        monkeypatch.setenv("RUNFOLIO_HOST", f"gitea={server.origin}")
        monkeypatch.setenv("GITEA_TOKEN", "secret")
        yield server


def test_a_proposal_is_opened_by_the_host_s_api_where_there_is_a_token(
    wine: dict[str, str], run_cli: Command, gitea: GiteaStandIn, tmp_path: Path
) -> None:
    done = run_cli("models", "promote", "Wine", "2", "Staging", "--pull-request")
    assert (done.code, done.out) == (0, "https://git.example.org/team/wine/pulls/8\n")
    assert "One line changes in `models/wine/model.yaml`" in gitea.pulls[-1]["body"]
    assert "promote/wine-2-staging" in git(tmp_path / "remote.git", "branch", "--list")


def test_a_proposal_that_the_host_refuses_is_told_and_the_branch_stays(
    wine: dict[str, str], run_cli: Command, gitea: GiteaStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITEA_TOKEN", "read-only")
    done = run_cli("models", "promote", "Wine", "2", "Staging", "--pull-request")
    assert done.code == 19 and "read-only" not in done.err.replace("is read-only", "")
    assert "The branch promote/wine-2-staging is on origin. Gitea" in done.err and "the scope write:repository" in done.err
    assert "promote/wine-2-staging" in git(tmp_path / "remote.git", "branch", "--list")


def test_a_proposal_whose_branch_the_remote_has_with_other_commits_is_not_opened(
    wine: dict[str, str], run_cli: Command, folio_dir: Path, gitea: GiteaStandIn, tmp_path: Path
) -> None:
    """The pull request would have proposed whatever an earlier try pushed there."""
    remote, name = str(tmp_path / "remote.git"), "promote/wine-2-staging"
    other = git(folio_dir, "commit-tree", "HEAD^{tree}", "-m", "an earlier try").strip()
    git(folio_dir, "push", "-q", remote, f"{other}:refs/heads/{name}")
    pulls = len(gitea.pulls)
    done = run_cli("models", "promote", "Wine", "2", "Staging", "--pull-request")
    assert done.code == 19 and f"origin has a branch {name} already, with other commits" in done.err
    assert len(gitea.pulls) == pulls and git(tmp_path / "remote.git", "rev-parse", name).strip() == other
    assert done.out.startswith("Promote Wine 2 to Staging\n")


def test_the_text_of_a_proposal_that_cannot_be_pushed_is_not_lost(
    wine: dict[str, str], run_cli: Command, folio_dir: Path, gitea: GiteaStandIn, tmp_path: Path
) -> None:
    (tmp_path / "remote.git").rename(tmp_path / "moved.git")
    done = run_cli("models", "promote", "Wine", "2", "Staging", "--pull-request")
    assert done.code == 19 and done.out.startswith("Promote Wine 2 to Staging\n\n**Promote Wine 2 to Staging.**")
    assert "The branch promote/wine-2-staging is here, and no pull request was opened" in done.err and "Your runs" not in done.err
    assert git(folio_dir, "branch", "--list", "promote/wine-2-staging")


def test_a_proposal_that_gh_refuses_is_told(
    wine: dict[str, str], run_cli: Command, folio_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(folio_dir, "remote", "add", "origin", str(tmp_path / "remote.git"))
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'not logged in' >&2\nexit 4\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    done = run_cli("models", "promote", "Wine", "2", "Staging", "--pull-request")
    assert done.code == 19
    assert "The branch promote/wine-2-staging is on origin. gh did not open the pull request: not logged in." in done.err


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("promote", "Wine", "7", "Staging", "--direct"), 11, "version=7"),
        (("promote", "Nope", "1", "Staging", "--direct"), 11, "There are: 'Wine'"),
        (("promote", "Wine", "1", "Live", "--direct"), 2, "The stages here are"),
        (("promote", "Wine", "1", "None", "--direct"), 2, "models demote Wine 1"),
        (("promote", "Wine", "1", "Staging"), 2, "--pull-request"),
        (("promote", "Wine", "1", "Staging", "--direct", "--pull-request"), 2, "one of the two"),
        (("promote", "Wine", "1", "Staging", "--direct", "--no-open"), 2, "--no-open goes with --pull-request"),
        (("demote", "Wine", "1", "--direct", "--pull-request"), 2, "one of the two"),
        (
            ("promote", "Wine", "x", "Staging", "--direct"),
            2,
            "'x' names no version of 'Wine': give a number, @ALIAS, latest, or the stage",
        ),
        (("show", "Wine", "²"), 2, "'²' names no version"),
        (("register", ".", "Other"), 2, "is a git work tree"),
        (("register", "runfolio.yaml", "Other"), 2, "is a file, and a version is a folder"),
        (("demote", "Wine", "1", "--direct"), 13, "in no stage already"),
        (("alias", "Wine", "1", "latest"), 2, "reserved"),
        (("alias", "Wine", "1", "v3"), 2, "reads as a version's number"),
        (("alias", "Wine", "--remove", "nope"), 11, "has no alias"),
        (("alias", "Wine", "1"), 2, "Give VERSION and ALIAS"),
        (("register", "runs:/first/nothing", "Wine"), 11, "Its models: model"),
        (("register", "runs:/first/model", "a/b"), 2, "Invalid model name"),
        (("register", "runs:/first/model", ".."), 2, "Invalid model name"),
        (("tag", "Wine"), 2, "Give KEY=VALUE"),
        (("tag", "Wine", "1", "owner=ada"), 2, "--version 1 for a tag of that version"),
        (("tag", "Wine", "--remove", "nope"), 11, "There is no tag"),
        (("versions",), 2, "Name one model"),
        (("show", "Wine", "@nope"), 11, "alias nope not found"),
        (("where", "sha256:ab"), 2, "8 digits"),
        (("where", "Wine"), 2, "runfolio models versions Wine"),
        (("where", "runs:/second/other"), 1, "No version holds that"),
        (("where", "sha256:abcdef0123"), 1, "No version holds that"),
    ],
)
def test_a_mistake_is_told_with_its_exit_code(
    wine: dict[str, str], run_cli: Command, folio_dir: Path, args: tuple[str, ...], code: int, said: str
) -> None:
    tip = git(folio_dir, "rev-parse", "HEAD")
    done = run_cli("models", *args)
    assert (done.code, said in done.err) == (code, True), done.err
    assert git(folio_dir, "rev-parse", "HEAD") == tip


def test_tags_descriptions_and_names_change(wine: dict[str, str], run_cli: Command) -> None:
    assert run_cli("models", "tag", "Wine", "team=core", "tier=1").code == 0
    assert run_cli("models", "tag", "Wine", "--remove", "tier").code == 0
    assert run_cli("models", "tag", "Wine", "reviewed=yes", "-v", "latest").code == 0
    assert run_cli("models", "describe", "Wine", "Which cultivar?").code == 0
    assert run_cli("models", "describe", "Wine", "fewer trees", "-v", "2").code == 0
    assert run_cli("models", "rename", "Wine", "Cultivars").code == 0
    model = json.loads(run_cli("models", "show", "Cultivars", "--json").out)
    assert (model["tags"], model["description"], model["folder"]) == ({"team": "core"}, "Which cultivar?", "models/wine")
    version = json.loads(run_cli("models", "show", "Cultivars", "2", "--json").out)
    assert (version["tags"], version["description"]) == ({"reviewed": "yes"}, "fewer trees")
    assert sorted(version["files"]) == ["MLmodel", "model.pkl"]


def test_show_says_how_to_load_what_is_live(wine: dict[str, str], run_cli: Command) -> None:
    run_cli("models", "promote", "Wine", "2", "Production", "--direct")
    assert "load_model('models:/Wine/Production')" in run_cli("models", "show", "Wine").out
    shown = run_cli("models", "show", "Wine", "production").out
    assert "runs code:     model.pkl" in shown
    assert "load_model('models:/Wine/2')" in shown


def test_a_copy_and_a_deletion(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    assert run_cli("models", "copy", "Wine", "2", "Wine-live").out == "1\n"
    assert "would be deleted" in run_cli("models", "delete", "Wine", "2").out
    gone = run_cli("models", "delete", "Wine", "2", "--yes")
    assert gone.err == f"Wine 2 is deleted. Bring it back: git revert {git(folio_dir, 'rev-parse', 'HEAD')[:10]}\n"
    assert "was deleted. List those" in run_cli("models", "show", "Wine", "2").err
    assert run_cli("models", "show", "Wine", "2").code == 11
    assert "deleted" in run_cli("models", "versions", "Wine", "--all").out
    run_cli("models", "promote", "Wine", "1", "Production", "--direct")
    refused = run_cli("models", "delete", "Wine", "--yes")
    assert (refused.code, "version 1 is in Production" in refused.err) == (13, True)
    run_cli("models", "demote", "Wine", "1", "--direct")
    assert run_cli("models", "delete", "Wine", "--yes").code == 0
    assert [model["name"] for model in json.loads(run_cli("models", "list", "--json").out)] == ["Wine-live"]


def test_a_deleted_version_is_not_the_latest_of_the_list(wine: dict[str, str], run_cli: Command) -> None:
    assert run_cli("models", "delete", "Wine", "2", "--yes").code == 0
    assert run_cli("models", "list").out.splitlines()[1].split() == ["Wine", "1"]
    assert [model["versions"] for model in json.loads(run_cli("models", "list", "--json").out)] == [[1]]
    assert json.loads(run_cli("models", "show", "Wine", "--json").out)["versions"] == [1]
    assert "versions:      1\n" in run_cli("models", "show", "Wine").out
    assert "Wine with 1 version would be deleted" in run_cli("models", "delete", "Wine").out
    assert run_cli("models", "register", "runs:/second/model", "Wine").out == "3\n"


def test_the_latest_of_the_list_is_found_below_many_deleted_ones(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    runfolio.MlflowClient().create_registered_model("Empty")
    versions = folio_dir / "models" / "wine" / "versions"
    gone = (versions / "1.yaml").read_text() + "lifecycle: deleted\n"
    for number in range(3, 13):
        (versions / f"{number}.yaml").write_text(gone)
    git(folio_dir, "add", "models")
    git(folio_dir, "commit", "-qm", "ten versions, deleted")
    assert [line.split() for line in run_cli("models", "list").out.splitlines()[1:]] == [["Empty"], ["Wine", "2"]]
    for number in (1, 2):
        (versions / f"{number}.yaml").write_text(gone)
    git(folio_dir, "commit", "-qam", "all deleted")
    assert [line.split() for line in run_cli("models", "list").out.splitlines()[1:]] == [["Empty"], ["Wine"]]


def test_a_damaged_version_hides_no_model_from_the_list(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    (folio_dir / "models" / "wine" / "versions" / "2.yaml").write_text("schema: [\n")
    git(folio_dir, "commit", "-qam", "damaged")
    assert run_cli("models", "list").out.splitlines()[1].split() == ["Wine", "2"]


def test_the_same_bytes_are_found(wine: dict[str, str], run_cli: Command, tmp_path: Path) -> None:
    digest = json.loads(run_cli("models", "show", "Wine", "1", "--json").out)["digest"]
    assert run_cli("models", "where", digest[:20]).out.splitlines()[1].split() == ["Wine", "1", "None", "the", "whole", "version"]
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "MLmodel").write_text("flavors: {sklearn: {}}\n")
    (tmp_path / "copy" / "model.pkl").write_text("weights first")
    assert "the whole version" in run_cli("models", "where", str(tmp_path / "copy")).out
    assert "its file model.pkl" in run_cli("models", "where", str(tmp_path / "copy" / "model.pkl")).out
    for asked in ("second", "runs:/second", "runs:/second/model", f"runs:/{wine['second']}/model"):
        by_run = json.loads(run_cli("models", "where", asked, "--json").out)
        assert [(item["version"], item["by"]) for item in by_run] == [(2, f"run {wine['second']}")]


def test_versions_are_found_by_the_data_that_their_run_read(wine: dict[str, str], run_cli: Command, tmp_path: Path) -> None:
    (tmp_path / "wine.csv").write_text("a,b\n1,2\n")
    dataset = runfolio.data.from_file(tmp_path / "wine.csv", name="cultivars")
    with runfolio.start_run() as run:
        runfolio.log_input(dataset, "training")
        runfolio.log_text("weights", "model/weights")
    run_cli("models", "register", f"runs:/{run.info.run_id}/model", "Wine")
    for asked in ("cultivars", dataset.digest, dataset.digest[:8], str(tmp_path / "wine.csv")):
        done = json.loads(run_cli("models", "where", asked, "--json").out)
        assert [(item["version"], item["by"]) for item in done] == [(3, f"run {run.info.run_id}, which read cultivars")], asked
    runfolio.MlflowClient().delete_run(run.info.run_id)  # the version is there all the same
    assert "which read cultivars" in run_cli("models", "where", "cultivars").out
    assert run_cli("models", "where", "cultivar").code == 11


def test_a_promotion_says_what_left_and_what_is_empty(wine: dict[str, str], run_cli: Command) -> None:
    run_cli("models", "promote", "Wine", "1", "Production", "--direct")
    moved = run_cli("models", "promote", "Wine", "1", "Staging", "--direct").err
    assert moved == "Wine 1 is in Staging. Production is empty now.\n"
    assert run_cli("models", "demote", "Wine", "1", "--direct").err == "Wine 1 is in no stage any more. Staging is empty now.\n"


def test_what_the_store_does_not_hold_is_not_registered(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    [url] = [item["url"] for item in json.loads(run_cli("artifacts", "where", "first", "model/model.pkl", "--json").out)]
    Path(url.removeprefix("file://")).unlink()
    refused = run_cli("models", "register", "runs:/first/model", "Wine")
    assert (refused.code, "1 of its 2 files is not in the object store here, or not whole, such as model.pkl" in refused.err) == (
        11,
        True,
    )


def test_a_difference_names_metrics_facts_and_files(wine: dict[str, str], run_cli: Command) -> None:
    found = json.loads(run_cli("models", "diff", "Wine", "1", "2", "--json").out)
    assert found["metrics"] == [{"name": "accuracy", "old": 0.9, "new": 0.95}]
    assert [row["name"] for row in found["files"]] == ["model.pkl"]
    assert found["same_bytes"] is False
    assert "accuracy  0.9  0.95" in run_cli("models", "diff", "Wine", "1", "2").out


def test_a_difference_names_a_waiver_in_few_words(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    (folio_dir / "policy.yaml").write_text("schema: 1\npromotions:\n  - {to: Staging, require: [no_code]}\n")
    git(folio_dir, "add", "policy.yaml")
    git(folio_dir, "commit", "-qm", "policy")
    why = ("--waive", "no-code", "--reason", "a long story", "--until", "2999-12-30")
    assert run_cli("models", "promote", "Wine", "2", "Staging", "--direct", *why).code == 0
    assert "no-code for Staging, until 2999-12-31" in run_cli("models", "diff", "Wine", "1", "2").out


def test_a_card_that_somebody_writes_is_not_committed_over(
    wine: dict[str, str], run_cli: Command, folio_dir: Path, tmp_path: Path
) -> None:
    """The card was committed beside the file, and the next ``git commit -a`` removed it."""
    file = folio_dir / "models" / "wine" / "cards" / "1.md"
    file.parent.mkdir()
    file.write_text("# of mine\n")
    done = run_cli("models", "card", "Wine", "1", "--write")
    assert (
        done.code == 13 and "models/wine/cards/1.md was changed here and is not committed. Commit it, or move it away" in done.err
    )
    assert file.read_text() == "# of mine\n"
    assert run_cli("models", "card", "Wine", "1", "--from", str(file)).code == 0
    assert git(folio_dir, "status", "--short") == ""
    file.write_text("# of mine, changed\n")
    (tmp_path / "other.md").write_text("# other\n")
    done = run_cli("models", "card", "Wine", "1", "--from", str(tmp_path / "other.md"))
    assert done.code == 13 and "git checkout HEAD -- models/wine/cards/1.md" in done.err


def test_a_card_that_the_hub_could_not_read_is_named(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    file = folio_dir / "models" / "wine" / "cards" / "1.md"
    file.parent.mkdir()
    file.write_text("---\nlicense: [\n---\n## Limits\n\nmany\n")
    assert run_cli("models", "card", "Wine", "1", "--from", str(file)).code == 0
    done = run_cli("models", "card", "Wine", "1", "--check")
    assert done.code == 1 and "models/wine/cards/1.md: line 3: the front matter is no YAML" in done.out
    done = run_cli("check")
    assert done.code == 1 and "the front matter is no YAML" in done.out and "[card.format]" in done.out


def test_a_card_is_checked_as_it_is_committed(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    run_cli("models", "card", "Wine", "1", "--write")
    assert run_cli("models", "card", "Wine", "1", "--check").err == ""
    file = folio_dir / "models" / "wine" / "cards" / "1.md"
    file.write_text(file.read_text().replace("## Limits\n", "## Limits\n\nNot for cellars.\n"))
    done = run_cli("models", "card", "Wine", "1", "--check")
    assert ("not written: Limits" in done.out, "changes that are not committed" in done.err) == (True, True)
    git(folio_dir, "commit", "-qam", "card")
    done = run_cli("models", "card", "Wine", "1", "--check")
    assert ("not written: Limits" in done.out, done.err) == (False, "")


def test_the_audit_trail_is_git(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    run_cli("models", "promote", "Wine", "1", "Production", "--direct")
    run_cli("models", "promote", "Wine", "2", "Production", "--pull-request")
    git(folio_dir, "merge", "-q", "--no-ff", "-m", "Merge pull request #12 from ada/promote", "promote/wine-2-production")
    file = folio_dir / "models" / "wine" / "model.yaml"
    file.write_text(file.read_text() + "aliases: {champion: 1}\n")
    git(folio_dir, "commit", "-qam", "by hand")
    events = json.loads(run_cli("models", "history", "Wine", "--json").out)
    assert [event["text"] for event in events][:3] == [
        "alias champion: none → 1",
        "version 2: None → Production",
        "version 1: Production → None",
    ]
    assert [event["text"] for event in events][-2:] == [f"version 1 registered from runs:/{wine['first']}/model", "Wine created"]
    assert (events[1]["pull_request"], events[1]["merged_by"], events[1]["stage_to"]) == ("12", "Ada", "Production")
    assert events[0]["subject"] == "by hand"
    assert "pull_request" not in events[0]
    only = json.loads(run_cli("models", "history", "Wine", "-v", "2", "--json").out)
    assert [event["kind"] for event in only] == ["stage", "registered"]
    newest = run_cli("models", "history", "Wine", "-n", "2")
    assert "champion" in newest.out and "Wine created" not in newest.out and f"the newest 2 of {len(events)}" in newest.err
    assert json.loads(run_cli("models", "history", "Wine", "-n", "3", "--json").out) == events[:3]


def test_edited_facts_are_told_loudly(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    file = folio_dir / "models" / "wine" / "versions" / "1.yaml"
    file.write_text(file.read_text().replace("accuracy: 0.9", "accuracy: 0.99"))
    git(folio_dir, "commit", "-qam", "nothing to see")
    assert "FACTS EDITED: metrics" in run_cli("models", "history", "Wine").out


def test_signatures_are_checked_offline(wine: dict[str, str], run_cli: Command, folio_dir: Path, tmp_path: Path) -> None:
    import subprocess

    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (tmp_path / "allowed").write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    file = folio_dir / "models" / "wine" / "model.yaml"
    file.write_text(file.read_text() + "aliases: {champion: 1}\n")
    git(folio_dir, "-c", "gpg.format=ssh", "-c", f"user.signingKey={key}", "commit", "-q", "-S", "-a", "-m", "signed")
    events = json.loads(run_cli("models", "history", "Wine", "--allowed-signers", str(tmp_path / "allowed"), "--json").out)
    assert (events[0]["signature"]["state"], events[0]["signature"]["signer"]) == ("good", "ada@example.org")
    assert events[1]["signature"]["state"] == "none"
    unknown = run_cli("models", "history", "Wine", "--signatures")
    assert ("cannot be checked" in unknown.out, "--allowed-signers FILE" in unknown.err) == (True, True)
    (tmp_path / "allowed").write_text("")
    events = json.loads(run_cli("models", "history", "Wine", "--allowed-signers", str(tmp_path / "allowed"), "--json").out)
    assert events[0]["signature"]["state"] != "good"


def test_files_of_a_version_are_named_as_models_are(wine: dict[str, str], run_cli: Command, tmp_path: Path) -> None:
    run_cli("models", "alias", "Wine", "1", "champion")
    listed = json.loads(run_cli("artifacts", "list", "models:/Wine/latest", "--json").out)
    assert [item["path"] for item in listed] == ["MLmodel", "model.pkl"]
    assert run_cli("artifacts", "cat", "models:/Wine@champion/model.pkl").out == "weights first"
    assert run_cli("artifacts", "get", "models:/Wine/2", "-o", str(tmp_path / "out")).code == 0
    assert (tmp_path / "out" / "model.pkl").read_text() == "weights second"
    assert "2 files read, 0 missing" in run_cli("artifacts", "verify", "models:/Wine/2").out
    assert "sha256:" in run_cli("artifacts", "where", "models:/Wine/2", "MLmodel").out
    refused = run_cli("artifacts", "get", "models:/Wine/2/nothing", "-o", str(tmp_path))
    assert (refused.code, "Version 2 of Wine has no artifact 'nothing'" in refused.err) == (11, True)
    refused = run_cli("artifacts", "put", "models:/Wine/2", str(tmp_path / "out" / "model.pkl"))
    assert (refused.code, "never change" in refused.err) == (2, True)
    run_cli("models", "alias", "Wine", "2", "champion")
    assert run_cli("artifacts", "cat", "models:/Wine@champion/model.pkl").out == "weights second"
    before = json.loads(run_cli("runs", "artifacts", "models:/Wine@champion/model.pkl", "--at", "HEAD~1", "--json").out)
    assert [item["size"] for item in before] == [len("weights first")]


@pytest.fixture
def gnupg(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of gpg with a key of Ada's; its agent's socket wants a short path."""
    if not shutil.which("gpg"):
        pytest.skip("gpg is missing: apt-get install gnupg")
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("GNUPGHOME", folder)
        gpg = ("gpg", "--batch", "--quiet")
        user = "Ada <ada@example.org>"
        subprocess.run(
            [*gpg, "--passphrase", "", "--quick-gen-key", user, "ed25519", "sign", "never"], check=True, capture_output=True
        )
        yield Path(folder)
        subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)


def test_gpg_signatures_are_checked_offline(
    wine: dict[str, str], run_cli: Command, folio_dir: Path, gnupg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def state() -> dict[str, str]:
        newest: dict[str, str] = json.loads(run_cli("models", "history", "Wine", "--signatures", "--json").out)[0]["signature"]
        return newest

    file = folio_dir / "models" / "wine" / "model.yaml"
    file.write_text(file.read_text() + "description: signed\n")
    git(folio_dir, "-c", "user.signingKey=ada@example.org", "commit", "-q", "-S", "-a", "-m", "signed")
    assert (state()["state"], "Ada <ada@example.org>" in state()["signer"]) == ("good", True)
    public = subprocess.run(["gpg", "--batch", "--armor", "--export", "ada@example.org"], check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as stranger:
        monkeypatch.setenv("GNUPGHOME", stranger)
        assert state()["state"] == "cannot be checked"  # nobody here knows the key
        subprocess.run(["gpg", "--batch", "--quiet", "--import"], input=public, check=True, capture_output=True)
        assert state()["state"] == "good, of a key that nobody vouches for"
        subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)
    monkeypatch.setenv("GNUPGHOME", str(gnupg))
    # The same signature over other content.
    raw = git(folio_dir, "cat-file", "commit", "HEAD").replace("\n\nsigned", "\n\nforged")
    forged = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=folio_dir,
        input=raw,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    git(folio_dir, "reset", "-q", "--hard", forged)
    assert state()["state"] == "BAD"


def test_lineage_goes_from_dataset_to_stage(folio_dir: Path, run_cli: Command) -> None:
    import numpy

    runfolio.set_tracking_uri(folio_dir)
    with runfolio.start_run(run_name="trained") as run:
        runfolio.log_input(runfolio.data.from_numpy(numpy.arange(6.0), name="cellar"), context="training")
        runfolio.log_text("weights", "model/model.pkl")
    forget_sessions()
    run_cli("models", "register", "runs:/trained/model", "Wine")
    run_cli("models", "copy", "Wine", "1", "Live")
    run_cli("models", "promote", "Wine", "1", "Production", "--direct")
    found = json.loads(run_cli("models", "lineage", "Wine", "1", "--json").out)
    assert (found["datasets"][0]["name"], found["datasets"][0]["context"]) == ("cellar", "training")
    assert (found["run"]["run_id"], found["live"], found["copies"]) == (run.info.run_id, ["Production"], ["Live 1"])
    assert [event["text"] for event in found["events"]][-1] == "version 1: None → Production"
    assert "same bytes: Live 1" in run_cli("models", "lineage", "Wine", "1").out


def test_the_list_loads_neither_pandas_nor_a_framework(wine: dict[str, str], folio_dir: Path) -> None:
    from tests.cli.conftest import in_process

    program = "import sys; from runfolio.cli.main import main; main(['models', 'list']); print(sorted({'pandas', 'altair', 'git', 'sklearn', 'numpy'} & set(sys.modules)))"
    import subprocess

    done = subprocess.run([sys.executable, "-c", program], cwd=folio_dir, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert in_process(folio_dir, "models", "list").code == 0


def test_what_happened_to_a_deleted_model_can_be_read(wine: dict[str, str], run_cli: Command) -> None:
    run_cli("models", "alias", "Wine", "2", "champion")
    assert run_cli("models", "rename", "Wine", "Red wine").code == 0
    assert run_cli("models", "delete", "Red wine", "--yes").code == 0
    done = run_cli("models", "history", "Red wine")
    assert (done.code, "Red wine was deleted" in done.err) == (0, True), done.err
    assert "Red wine deleted" in done.out
    assert "alias champion: none → 2" in done.out
    only = json.loads(run_cli("models", "history", "Red wine", "-v", "2", "--json").out)
    assert {event["version"] for event in only} == {2}
    assert run_cli("models", "history", "Rose").code == 11


def test_the_list_says_which_model_cannot_be_read(wine: dict[str, str], run_cli: Command, folio_dir: Path) -> None:
    (folio_dir / "models" / "wine" / "model.yaml").write_text("schema: 1\nstages:\n  Production: 1\n  Production: 2\n")
    git(folio_dir, "commit", "-qam", "twice")
    done = run_cli("models", "list")
    assert (done.code, "wine" in done.out) == (0, True)
    assert "models/wine/model.yaml: line 4, column 3: the key 'Production' stands twice" in done.err
    assert "What is live there is not known" in run_cli("models", "list", "--json").err


def test_a_demotion_is_proposed_in_its_own_words(wine: dict[str, str], run_cli: Command) -> None:
    run_cli("models", "promote", "Wine", "2", "Production", "--direct")
    done = run_cli("models", "demote", "Wine", "2", "--pull-request", "--no-open")
    assert done.code == 0
    assert "merging it takes it out." in done.out
    assert "promotion" not in done.out + done.err


def test_the_lineage_of_a_version_without_a_run_begins_with_it(wine: dict[str, str], run_cli: Command, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.json").write_text("{}")
    assert run_cli("models", "register", str(tmp_path / "model"), "From a folder").code == 0
    assert run_cli("models", "lineage", "From a folder", "1").out.startswith("version  From a folder 1  sha256:")
    of_run = run_cli("models", "lineage", "Wine", "1").out.splitlines()
    assert of_run[0].startswith("run  ")
    assert of_run[1].startswith("  └ version  Wine 1")


def test_what_was_live_is_kept_or_archived_not_both(wine: dict[str, str], run_cli: Command) -> None:
    refused = run_cli("models", "promote", "Wine", "1", "Production", "--direct", "--keep", "--archive")
    assert (refused.code, "one of the two" in refused.err) == (2, True), refused.err


def test_what_is_live_is_named_to_load(wine: dict[str, str], run_cli: Command) -> None:
    run_cli("models", "promote", "Wine", "1", "Production", "--direct")
    run_cli("models", "promote", "Wine", "2", "Production", "--direct", "--archive")
    assert "Load it: runfolio.pyfunc.load_model('models:/Wine/Production')" in run_cli("models", "show", "Wine").out
    run_cli("models", "demote", "Wine", "2", "--direct")
    run_cli("models", "alias", "Wine", "2", "champion")
    assert "Load it: runfolio.pyfunc.load_model('models:/Wine@champion')" in run_cli("models", "show", "Wine").out


def test_how_a_card_is_completed_is_told_where_it_lies_in_no_work_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a ledger branch it said to commit a file that is not there."""
    folder = tmp_path / "ledger"
    initialise(folder, branch="ledger", commit=True).folio.close()
    monkeypatch.chdir(folder)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_text("w")
    assert in_process(folder, "models", "register", str(tmp_path / "model"), "the wine").code == 0
    told = in_process(folder, "models", "card", "the wine", "1", "--write").err
    assert "To complete it: runfolio models card 'the wine' 1 > card.md" in told and "--from card.md" in told


def test_how_a_card_is_completed_is_told(wine: dict[str, str], run_cli: Command) -> None:
    assert "Complete it in models/wine/cards/1.md, and commit that" in run_cli("models", "card", "Wine", "1", "--write").err
    again = run_cli("models", "card", "Wine", "1", "--write")
    assert again.code == 12 and "Complete it in models/wine/cards/1.md" in again.err
