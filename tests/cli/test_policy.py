"""``runfolio policy``, and promotions past gates, as a team uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.cli.policy import print_verdict
from runfolio.folio import initialise, open_folio
from runfolio.policy.verdict import GateResult, Verdict
from runfolio.registry.approvals import approvals_by_host
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import Command, in_process
from tests.conftest import git
from tests.hosts.conftest import actions, pull_event
from tests.hosts.github import GitHubStandIn, Review
from tests.hosts.standin import Reply

POLICY = """\
schema: 1
promotions:
  - to: Production
    require:
      - where: metrics.accuracy >= 0.9
      - not_worse: {metric: accuracy, by: 0.01, direction: max}
      - verified_artifacts
      - no_code
      - clean_source
      - recoverable_code
examples:
  - name: a weak one is refused
    to: Production
    version: {metrics: {accuracy: 0.5}}
    expect: refused
"""


@pytest.fixture
def wine(folio_dir: Path, run_cli: Command) -> Path:
    """The model ``wine``: version 1 (0.95) a text file, 2 (0.93) worse, 3 (0.97) a pickle; and a policy."""
    (folio_dir / "policy.yaml").write_text(POLICY)
    git(folio_dir, "add", "policy.yaml")
    git(folio_dir, "commit", "-qm", "policy")
    runfolio.set_tracking_uri(folio_dir)
    for name, accuracy, file in (("one", 0.95, "model.json"), ("two", 0.93, "model.json"), ("three", 0.97, "model.pkl")):
        with runfolio.start_run(run_name=name) as run:
            runfolio.log_metric("accuracy", accuracy)
            runfolio.log_text(name, f"model/{file}")
        runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
    forget_sessions()
    return folio_dir


def test_no_name_in_a_verdict_is_a_command_to_the_runner_of_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    print_verdict(Verdict("::error::x", 1, "Production", (GateResult("where", "where", "failed", "##[add-mask]y"),)))
    shown = capsys.readouterr().out
    assert ": :error::x 1" in shown and "## [add-mask]y" in shown


def states(done: Any) -> dict[str, str]:
    return {gate["id"]: gate["state"] for verdict in json.loads(done.out) for gate in verdict["gates"]}


def test_a_promotion_past_all_gates_says_which(wine: Path, run_cli: Command) -> None:
    done = run_cli("models", "promote", "wine", "1", "Production", "--direct")
    assert done.code == 0, done.out
    assert "wine 1 → Production: 6 passed" in done.out
    assert "nothing is in Production to compare with" in done.out
    events = json.loads(run_cli("models", "history", "wine", "--json").out)
    assert events[0]["gates"] == "6 passed"


def test_a_promotion_that_fails_a_gate_is_refused_and_explained(wine: Path, run_cli: Command) -> None:
    run_cli("models", "promote", "wine", "1", "Production", "--direct")
    tip = git(wine, "rev-parse", "HEAD")
    for way in ("--direct", "--pull-request"):
        done = run_cli("models", "promote", "wine", "2", "Production", way)
        assert done.code == 1
        assert "accuracy 0.93 against 0.95 of version 1: worse by 0.02, more than 0.01" in done.out
        assert "--waive not-worse-accuracy --reason" in done.err
    assert git(wine, "rev-parse", "HEAD") == tip
    assert git(wine, "branch", "--list", "promote/*") == ""
    explained = run_cli("policy", "explain", "wine", "2", "production", "--json")
    assert (explained.code, states(explained)["not-worse-accuracy"]) == (1, "failed")


def test_a_waiver_is_recorded_with_reason_and_expiry_in_the_same_commit(wine: Path, run_cli: Command) -> None:
    assert run_cli("models", "promote", "wine", "3", "Production", "--direct").code == 1
    done = run_cli(
        "models",
        "promote",
        "wine",
        "3",
        "Production",
        "--direct",
        "--waive",
        "no-code",
        "--reason",
        "our own pickle",
        "--until",
        "2999-12-31",
    )
    assert done.code == 0, done.out
    text = git(wine, "show", "HEAD")
    assert "gate: no-code" in text
    assert "reason: our own pickle" in text
    assert "expires: 3000-01-01T00:00:00.000Z" in text
    assert "Runfolio-Gates: 5 passed, 1 waived (no-code)" in text
    assert "    Runfolio-Gate: waived no-code: Loading it runs code: model.pkl.\n" in text
    [event] = [
        item for item in json.loads(run_cli("models", "history", "wine", "--json").out) if item.get("stage_to") == "Production"
    ]
    assert ["waived", "no-code", "Loading it runs code: model.pkl."] in event["gate_results"]
    assert len(event["gate_results"]) == 6
    assert (
        "Waived by Ada <ada@example.org> until 2999-12-31: our own pickle"
        in run_cli("policy", "explain", "wine", "3", "Production").out
    )


def test_the_history_tells_of_waivers_also_of_those_that_were_changed_by_hand(wine: Path, run_cli: Command) -> None:
    waived = ("--waive", "no-code", "--reason", "our own pickle", "--until", "2998-12-31")
    assert run_cli("models", "promote", "wine", "3", "Production", "--direct", *waived).code == 0
    file = wine / "models" / "wine" / "versions" / "3.yaml"
    file.write_text(file.read_text().replace("expires: 2999-01-01", "expires: 3000-01-01"))
    git(wine, "commit", "-qam", "longer")
    file.write_text(file.read_text().partition("waivers:")[0])
    git(wine, "commit", "-qam", "no longer")
    events = json.loads(run_cli("models", "history", "wine", "-v", "3", "--json").out)
    assert [(item["kind"], item["text"]) for item in events][:4] == [
        ("waived", "version 3: waiver of no-code for Production removed"),
        ("waived", "version 3: no-code waiver changed for Production until 2999-12-31: our own pickle"),
        ("stage", "version 3: None → Production"),
        ("waived", "version 3: no-code waived for Production until 2998-12-31: our own pickle"),
    ]


def test_no_waiver_is_offered_that_the_policy_would_not_take(wine: Path, run_cli: Command) -> None:
    (wine / "policy.yaml").write_text(
        "schema: 1\npromotions:\n  - to: Production\n    require:\n      - no_code: true\n        waivable: false\n"
    )
    git(wine, "commit", "-qam", "never")
    done = run_cli("models", "promote", "wine", "3", "Production", "--direct")
    assert (done.code, "the policy lets nobody waive no-code" in done.err, "--waive" in done.err) == (1, True, False)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--waive", "no-code"), "A waiver needs its reason"),
        (("--waive", "nope", "--reason", "x"), "policy.yaml has no gate 'nope'"),
        (("--reason", "x"), "go with --waive"),
        (("--waive", "no-code", "--reason", "x", "--until", "2001-01-01"), "is over"),
        (("--waive", "no-code", "--reason", "x", "--until", "soon"), "a date such as"),
    ],
)
def test_a_wrong_waiver_is_refused(wine: Path, run_cli: Command, args: tuple[str, ...], said: str) -> None:
    done = run_cli("models", "promote", "wine", "3", "Production", "--direct", *args)
    assert (done.code, said in done.err) == (2, True)


def test_ci_judges_by_the_policy_of_the_base(wine: Path, run_cli: Command) -> None:
    """A proposal that loosens the policy for itself is judged by the old one."""
    base = git(wine, "rev-parse", "HEAD").strip()
    git(wine, "switch", "-qc", "sly")
    (wine / "policy.yaml").write_text("schema: 1\n")
    git(wine, "commit", "-qam", "small clean-up")
    assert run_cli("models", "promote", "wine", "3", "Production", "--direct").code == 0
    done = run_cli("policy", "check", f"{base}..sly", "--json")
    assert (done.code, states(done)["no-code"]) == (1, "failed")
    assert run_cli("policy", "check", f"{base}..{base}").code == 0
    assert "Nothing is promoted" in run_cli("policy", "check", f"{base}..{base}").err


def test_a_promotion_by_hand_is_judged_all_the_same(wine: Path, run_cli: Command) -> None:
    git(wine, "switch", "-qc", "by-hand")
    file = wine / "models" / "wine" / "model.yaml"
    file.write_text(file.read_text() + "stages:\n  Production: 2\n  Staging: 3\n")
    git(wine, "commit", "-qam", "ship it")
    done = run_cli("policy", "check", "main..HEAD")
    assert (done.code, "wine 2 → Production: 6 passed" in done.out, "wine 3 → Staging: no gate" in done.out) == (0, True, True)


def test_the_base_is_where_the_branch_left(wine: Path, run_cli: Command) -> None:
    """What was promoted on the main line meanwhile is no promotion of the branch."""
    git(wine, "switch", "-qc", "branch")
    run_cli("models", "describe", "wine", "cultivars")
    git(wine, "switch", "-q", "main")
    run_cli("models", "promote", "wine", "1", "Production", "--direct")
    assert json.loads(run_cli("policy", "check", "main..branch", "--json").out) == []


def test_a_damaged_object_and_a_lost_one_fail_their_gate(wine: Path, run_cli: Command) -> None:
    folio = open_folio(wine)
    digest = folio.runs.artifacts(folio.runs.get(folio.runs.resolve("one")))["model/model.json"].digest
    place = Path(folio.store.url(digest).removeprefix("file://"))
    folio.close()
    place.chmod(0o644)
    place.write_text("other")
    done = run_cli("policy", "explain", "wine", "1", "Production")
    assert (done.code, "model.json" in done.out and "damaged" in done.out) == (1, True)
    place.unlink()
    assert run_cli("policy", "explain", "wine", "1", "Production").code == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("no_code", "no_cod"), "line 8: promotions[0].require[3]: no such gate: 'no_cod'; did you mean 'no_code'?"),
        (
            ("to: Production\n    require", "to: Prodction\n    require"),
            "line 3: there is no stage 'Prodction', so this never applies",
        ),
        (("promotions:", "\tpromotions:"), "policy.yaml: line 2"),
    ],
)
def test_a_policy_with_a_mistake_lets_nothing_through(wine: Path, run_cli: Command, change: tuple[str, str], said: str) -> None:
    (wine / "policy.yaml").write_text(POLICY.replace(*change))
    git(wine, "commit", "-qam", "policy")
    done = run_cli("models", "promote", "wine", "1", "Production", "--direct")
    assert (done.code, said in done.err) == (14, True), done.err


def test_a_misspelt_metric_is_refused_with_the_one_that_was_meant(wine: Path, run_cli: Command) -> None:
    (wine / "policy.yaml").write_text(POLICY.replace("metrics.accuracy", "metrics.acuracy"))
    git(wine, "commit", "-qam", "policy")
    done = run_cli("models", "promote", "wine", "1", "Production", "--direct")
    assert (done.code, "did you mean 'accuracy'? A gate that cannot be evaluated fails." in done.out) == (1, True)


def test_a_team_tests_its_policy(wine: Path, run_cli: Command) -> None:
    assert run_cli("policy", "test").code == 0
    (wine / "policy.yaml").write_text(POLICY.replace("expect: refused", "expect: passed"))
    done = run_cli("policy", "test")
    assert (done.code, "✗ a weak one is refused" in done.out, "1 failed" in done.err) == (1, True, True)
    (wine / "policy.yaml").unlink()
    git(wine, "rm", "-q", "policy.yaml")
    git(wine, "commit", "-qm", "no policy")
    assert run_cli("policy", "test").code == 11


def test_a_card_is_made_completed_and_asked_for(wine: Path, run_cli: Command) -> None:
    (wine / "policy.yaml").write_text("schema: 1\npromotions:\n  - {to: Production, require: [{card: [intended_use, limits]}]}\n")
    git(wine, "commit", "-qam", "policy")
    assert "There is no model card" in run_cli("policy", "explain", "wine", "1", "Production").out
    assert run_cli("models", "card", "wine", "1").code == 11
    assert run_cli("models", "card", "wine", "1", "--write").code == 0
    text = run_cli("models", "card", "wine", "1").out
    assert text.startswith("---\nlibrary_name: ")
    assert "model-index:" in text
    assert "| accuracy | 0.95 |" in text
    checked = run_cli("models", "card", "wine", "1", "--check")
    assert (checked.code, "not written: Intended use" in checked.out, "Evaluation" in checked.out) == (1, True, False)
    assert "The card lacks: intended_use, limits" in run_cli("policy", "explain", "wine", "1", "Production").out
    file = wine / "models" / "wine" / "cards" / "1.md"
    whole = (
        file.read_text()
        .replace("## Intended use\n", "## Intended use\n\nSorting bottles.\n")
        .replace("## Limits\n", "## Limits\n\nNo rosé.\n")
    )
    file.write_text(whole)
    git(wine, "commit", "-qam", "card")
    assert run_cli("policy", "explain", "wine", "1", "Production").code == 0
    assert run_cli("models", "card", "wine", "1", "--write").code == 12
    assert run_cli("check").code == 0


def test_the_front_matter_is_read_by_the_hub_s_rules(wine: Path, run_cli: Command) -> None:
    import yaml

    run_cli("models", "card", "wine", "1", "--write")
    front = yaml.safe_load(run_cli("models", "card", "wine", "1").out.split("---\n")[1])
    (entry,) = front["model-index"]
    (result,) = entry["results"]
    assert entry["name"] == "wine"
    assert result["metrics"] == [{"type": "accuracy", "name": "accuracy", "value": 0.95, "verified": False}]
    assert {"type", "name"} <= result["dataset"].keys()
    assert "type" in result["task"]


APPROVED = "schema: 1\npromotions:\n  - {to: Production, require: [{approvals: {minimum: 1, from: [bob@example.org, bob]}}]}\n"


@pytest.fixture
def signed(wine: Path, tmp_path: Path, run_cli: Command) -> Path:
    """A proposal under a policy that asks for Bob's approval; keys of Bob and Ada, both allowed."""
    (wine / "policy.yaml").write_text(APPROVED)
    git(wine, "commit", "-qam", "policy")
    git(wine, "switch", "-qc", "proposal")
    lines = []
    for name in ("bob", "ada"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
        lines.append(f"{name}@example.org {(tmp_path / f'{name}.pub').read_text()}")
    (tmp_path / "allowed").write_text("".join(lines))
    return wine


def approve(folder: Path, tmp_path: Path, who: str) -> None:
    options = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={tmp_path / who}")
    message = "Looks right\n\nApproved-by: Bob <bob@example.org>"
    git(folder, *options, "commit", "-q", "-S", "--allow-empty", "-m", message)


def test_a_signed_approval_counts_and_the_author_s_own_does_not(signed: Path, tmp_path: Path, run_cli: Command) -> None:
    pending = run_cli("models", "promote", "wine", "1", "Production", "--pull-request", "--branch", "proposal-2")
    assert (pending.code, "… pending" in pending.out) == (0, True)
    refused = run_cli("models", "promote", "wine", "1", "Production", "--direct")
    assert refused.code == 1
    git(signed, "switch", "-q", "proposal-2")
    check = ("policy", "check", "main..HEAD", "--allowed-signers", str(tmp_path / "allowed"))
    assert run_cli(*check).code == 1
    git(signed, "commit", "-q", "--allow-empty", "-m", "Fine\n\nApproved-by: Bob <bob@example.org>")
    assert run_cli(*check).code == 1  # unsigned: anybody may write Bob's name
    approve(signed, tmp_path, "ada")
    assert run_cli(*check).code == 1  # the author's own key
    approve(signed, tmp_path, "bob")
    done = run_cli(*check)
    assert (done.code, "1 of 1 approvals of bob@example.org, bob by bob@example.org" in done.out) == (0, True), done.out


@pytest.mark.parametrize(
    ("changed", "counts"), [("README.md", True), ("models/wine/model.yaml", False), ("models/wine/cards/1.md", False)]
)
def test_an_approval_ends_where_what_was_approved_is_changed(
    signed: Path, tmp_path: Path, run_cli: Command, changed: str, counts: bool
) -> None:
    """It counted whatever was pushed after it: another version, other facts."""
    run_cli("models", "promote", "wine", "1", "Production", "--pull-request", "--branch", "proposal-2")
    git(signed, "switch", "-q", "proposal-2")
    approve(signed, tmp_path, "bob")
    file = signed / changed
    file.parent.mkdir(exist_ok=True)
    file.write_text((file.read_text() if file.exists() else "") + "# more\n")
    git(signed, "add", "-A")
    git(signed, "commit", "-q", "-m", "After the approval")
    check = ("policy", "check", "main..HEAD", "--allowed-signers", str(tmp_path / "allowed"))
    assert run_cli(*check).code == (0 if counts else 1)
    approve(signed, tmp_path, "bob")
    assert run_cli(*check).code == 0


def test_the_file_of_signers_is_found_from_where_one_stands(signed: Path, tmp_path: Path) -> None:
    in_process(signed, "models", "promote", "wine", "1", "Production", "--pull-request", "--branch", "proposal-2")
    git(signed, "switch", "-q", "proposal-2")
    approve(signed, tmp_path, "bob")
    named = os.path.relpath(tmp_path / "allowed", signed)
    done = in_process(signed, "policy", "check", "main..HEAD", "--allowed-signers", named)
    assert (done.code, "✓ passed" in done.out) == (0, True), done.out
    told = json.loads(in_process(signed, "models", "history", "--allowed-signers", named, "--json").out)
    assert told
    for command in (("policy", "check", "main..HEAD"), ("models", "history")):
        missing = in_process(signed, *command, "--allowed-signers", "nowhere")
        assert (missing.code, "'nowhere' does not exist" in missing.err) == (2, True), missing.err


def test_approvals_come_from_a_file(signed: Path, tmp_path: Path, run_cli: Command) -> None:
    run_cli("models", "promote", "wine", "1", "Production", "--pull-request", "--branch", "proposal-2")
    (tmp_path / "names").write_text("bob\n")
    assert run_cli("policy", "check", "main..proposal-2", "--approvals", str(tmp_path / "names")).code == 0


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[GitHubStandIn, dict[str, str]]]:
    """A git host on loopback that answers as GitHub's REST API does, and a CI job's environment."""
    with GitHubStandIn() as server:
        assert isinstance(server, GitHubStandIn)
        yield server, actions(server.url, tmp_path, pull_event())


def test_approvals_come_from_the_git_host(host: tuple[GitHubStandIn, dict[str, str]]) -> None:
    server, environ = host
    server.reviews = [Review("bob", "APPROVED").said(), Review("ada", "APPROVED").said(), Review("stranger", "APPROVED").said()]
    assert approvals_by_host(environ) == ("bob",)
    assert approvals_by_host({}) is None
    assert approvals_by_host({**environ, "GITHUB_TOKEN": ""}) is None


def test_a_host_that_refuses_is_an_error_not_an_approval(host: tuple[GitHubStandIn, dict[str, str]]) -> None:
    from runfolio.errors import RemoteError

    with pytest.raises(RemoteError, match="could not say who approves"):
        approvals_by_host({**host[1], "GITHUB_REPOSITORY": "team/other"})


def test_a_job_of_a_branch_needs_no_right_to_see_pull_requests(
    host: tuple[GitHubStandIn, dict[str, str]], tmp_path: Path
) -> None:
    server = host[0]
    push = {"ref": "refs/heads/main", "after": "f" * 40, "repository": {"full_name": "team/wine"}}
    pushed = actions(server.url, tmp_path, push)
    assert approvals_by_host(pushed) is None
    server.fault("GET", "/pulls$", Reply(403, {"message": "Resource not accessible by integration"}))
    assert approvals_by_host(pushed) is None


def test_the_command_counts_the_approvals_of_the_host(
    signed: Path, host: tuple[GitHubStandIn, dict[str, str]], run_cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, environ = host
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    run_cli("models", "promote", "wine", "1", "Production", "--pull-request", "--branch", "proposal-3")
    assert run_cli("policy", "check", "main..proposal-3").code == 1
    server.reviews = [Review("bob", "APPROVED").said()]
    done = run_cli("policy", "check", "main..proposal-3")
    assert (done.code, "1 of 1 approvals of bob@example.org, bob by bob" in done.out) == (0, True), done.out


def test_a_run_that_was_made_twice_is_no_second_replicate_for_a_gate(folio_dir: Path, run_cli: Command) -> None:
    gate = "schema: 1\npromotions:\n- to: Production\n  require:\n  - not_worse: {metric: accuracy, by: noise, direction: max}\n"
    (folio_dir / "policy.yaml").write_text(gate)
    git(folio_dir, "add", "policy.yaml")
    git(folio_dir, "commit", "-qm", "policy")
    runfolio.set_tracking_uri(folio_dir)
    for accuracy in (0.95, 0.94):
        for _ in range(2):
            with runfolio.start_run() as run:
                runfolio.log_params({"rate": accuracy, "seed": 1})
                runfolio.log_metric("accuracy", accuracy)
                runfolio.log_text("x", "model/model.json")
        runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
    forget_sessions()
    assert run_cli("models", "promote", "wine", "1", "Production", "--direct").code == 0
    told = run_cli("policy", "explain", "wine", "2", "Production")
    assert told.code == 1 and "two replicates of each at least, and there are 1 and 1" in " ".join(told.out.split())


def test_a_policy_that_is_not_committed_lets_nothing_pass_in_silence(wine: Path, run_cli: Command) -> None:
    (wine / "policy.yaml").write_text(POLICY.replace(">= 0.9\n", ">= 0.99\n"))
    for command in (
        ("policy", "explain", "wine", "1", "Production"),
        ("models", "promote", "wine", "1", "Production", "--direct"),
    ):
        done = run_cli(*command)
        assert (done.code, "the committed one judges" in done.err) == (0, True), done.err
    git(wine, "rm", "-q", "--cached", "policy.yaml")
    git(wine, "commit", "-qm", "no policy")
    for command in (
        ("policy", "explain", "wine", "2", "Production"),
        ("models", "promote", "wine", "2", "Production", "--direct"),
    ):
        done = run_cli(*command)
        assert (done.code, "policy.yaml is not committed" in done.err) == (13, True), done.err
    assert json.loads(run_cli("models", "show", "wine", "2", "--json").out)["stage"] == "None"


def test_a_stage_that_is_not_there_fails_before_the_commit_too(wine: Path, run_cli: Command) -> None:
    (wine / "policy.yaml").write_text(POLICY.replace("- to: Production", "- to: Prodction"))
    for committed in (False, True):
        if committed:
            git(wine, "commit", "-qam", "typo")
        tested = run_cli("policy", "test")
        assert (tested.code, "line 3: there is no stage 'Prodction'" in tested.err) == (14, True), tested.err
        checked = run_cli("check", "--json")
        assert checked.code == 1
        assert [(item["rule"], item["file"]) for item in json.loads(checked.out)] == [("policy.format", "policy.yaml")]


def test_a_waiver_is_shown_with_the_version_and_until_the_day_that_was_said(wine: Path, run_cli: Command) -> None:
    promote = ("models", "promote", "wine", "3", "Production", "--direct", "--waive", "no-code", "--reason", "our own pickle")
    done = run_cli(*promote, "--until", "2999-12-30")
    assert (done.code, "until 2999-12-30: our own pickle" in done.out) == (0, True), done.out + done.err
    shown = run_cli("models", "show", "wine", "3").out
    assert "waived no-code: for Production, until 2999-12-30, by " in shown
    assert "our own pickle" in shown


def test_a_proposal_on_a_ledger_branch_is_judged_by_the_policy_of_the_code_s_branch_or_not_at_all(
    repo_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the branch of the code is not known it was "no gate", and passed."""
    initialise(repo_dir, branch="ledger", commit=True).folio.close()
    monkeypatch.chdir(repo_dir)
    runfolio.set_tracking_uri(repo_dir)
    with runfolio.start_run() as run:
        runfolio.log_text("weights", "model/weights")
    forget_sessions()
    (repo_dir / "policy.yaml").write_text("schema: 1\npromotions:\n  - {to: Production, require: [signature]}\n")
    git(repo_dir, "add", "policy.yaml")
    git(repo_dir, "commit", "-qm", "policy")
    assert in_process(repo_dir, "models", "register", f"runs:/{run.info.run_id}/model", "wine").code == 0
    edit = (
        "import pathlib; p = pathlib.Path('models/wine/model.yaml'); p.write_text(p.read_text() + 'stages:\\n  Production: 1\\n')"
    )
    git(repo_dir, "worktree", "add", "-q", "-b", "proposal", str(tmp_path / "at"), "ledger")
    subprocess.run([sys.executable, "-c", edit], cwd=tmp_path / "at", check=True)
    git(tmp_path / "at", "commit", "-qam", "by hand")
    done = in_process(repo_dir, "policy", "check", "ledger..proposal")
    assert done.code == 13 and "nobody knows the policy" in done.err and "git remote set-head origin --auto" in done.err
    told = in_process(repo_dir, "review", "ledger..proposal")
    assert told.code == 1 and "nobody knows the policy" in told.out
    git(repo_dir, "update-ref", "refs/remotes/origin/main", "main")
    git(repo_dir, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    done = in_process(repo_dir, "policy", "check", "ledger..proposal")
    assert done.code == 1 and "It has no signature" in done.out


def test_a_policy_without_examples_is_not_just_passed(wine: Path, run_cli: Command) -> None:
    (wine / "policy.yaml").write_text("schema: 1\n")
    done = run_cli("policy", "test")
    assert done.code == 0 and "0 examples, 0 failed" in done.err and "docs/how-to/policy.md" in done.err
