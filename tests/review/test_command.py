"""``runfolio diff``, ``review`` and ``notify`` as a user and as CI run them."""

from __future__ import annotations

import json
import math
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import git
from tests.review.folios import LARGE, SMALL, branch, commit_all, log_runs, record_of, runfolio_command


@pytest.fixture
def better_dir(base_dir: Path) -> Path:
    """The folio with a branch ``deeper`` on which depth 5 is clearly better; the branch is checked out."""
    branch(base_dir, "deeper")
    log_runs(base_dir, "wine", {"depth": 5}, LARGE)
    return base_dir


def run(folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return runfolio_command(folder, *args, **env)


def test_review_prints_markdown_and_ends_with_0_where_nothing_is_wrong(better_dir: Path) -> None:
    done = run(better_dir, "review", "main..HEAD")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("## ") and "**improved by 0.047" in done.stdout and "3 and 3 seeds" in done.stdout


def test_review_writes_every_form_at_once(better_dir: Path, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("of another step\n")
    names = {name: tmp_path / "out" / f"report.{name}" for name in ("md", "json", "html", "txt", "quality")}
    done = run(
        better_dir, "review", "main..HEAD", "--markdown", str(names["md"]), "--json", str(names["json"]), "--html", str(names["html"]),
        "--openmetrics", str(names["txt"]), "--code-quality", str(names["quality"]), "--summary", str(summary),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(names["json"].read_text())["experiments"][0]["verdict"]["word"] == "improved"
    assert names["html"].read_text().startswith("<!doctype html>") and names["txt"].read_text().endswith("# EOF\n")
    assert json.loads(names["quality"].read_text()) == []
    assert summary.read_text().startswith("of another step\n") and "improved" in summary.read_text()
    assert "improved" in names["md"].read_text()


def test_tampering_ends_with_1_and_annotates_the_line(better_dir: Path) -> None:
    listed = git(better_dir, "ls-tree", "-r", "--name-only", "main", "runs").split()
    victim = better_dir / min(name for name in listed if not name.endswith(".series.json"))
    text = victim.read_text()
    victim.write_text(text.replace('"depth": "2"', '"depth": "9"'))
    commit_all(better_dir, "tidy")
    done = run(better_dir, "review", "main..HEAD", "--annotate")
    assert done.returncode == 1 and "changed that may not change" in done.stderr
    line = next(number for number, found in enumerate(victim.read_text().splitlines(), 1) if '"depth"' in found)
    assert f"::error file={victim.relative_to(better_dir)},line={line},title=review.result-edited::" in done.stdout


def test_an_alarm_in_a_folder_of_the_repository_names_the_file_from_its_root(repo_dir: Path) -> None:
    from runfolio.folio import initialise

    folder = repo_dir / "ml"
    folder.mkdir()
    initialise(folder, commit=True).folio.close()
    log_runs(folder, "wine", {"depth": 2}, SMALL)
    branch(repo_dir, "disguised")
    assert run(folder, "experiments", "rename", "wine", "w\u0456ne").returncode == 0
    done = run(folder, "review", "main..HEAD", "--annotate")
    assert "::warning file=ml/experiments/wine.yaml,line=" in done.stdout


def test_the_bases_settings_say_what_fails_not_the_heads(base_dir: Path) -> None:
    settings = base_dir / "runfolio.yaml"
    settings.write_text(settings.read_text() + "review:\n  fail_on: [regression]\n")
    commit_all(base_dir, "regressions fail")
    branch(base_dir, "worse")
    log_runs(base_dir, "wine", {"depth": 1}, (0.70, 0.705, 0.702))
    settings.write_text(settings.read_text().replace("[regression]", "[]"))
    commit_all(base_dir, "nothing fails")
    done = run(base_dir, "review", "main..HEAD")
    assert done.returncode == 1 and "worse beyond noise: wine" in done.stderr


def test_a_run_that_was_made_twice_is_not_taken_for_two_seeds(base_dir: Path) -> None:
    import runfolio
    from tests.review.folios import commit

    branch(base_dir, "again")
    runfolio.set_tracking_uri(str(base_dir))
    runfolio.set_experiment("wine")
    for _ in range(3):
        with runfolio.start_run():
            runfolio.log_params({"depth": 5, "seed": 0})
            runfolio.log_metric("accuracy", 0.95)
    commit(base_dir)
    told = run(base_dir, "review", "main..HEAD").stdout
    assert told.startswith("## New results, too few runs to claim a difference\n") and "improved" not in told
    assert "3 and 1 seeds; runs of one seed count as one)" in told
    assert "| 0.9060 ± 0.0149 (95 %, mean of 3 seeds) | 0.9500 (runs of one seed count as one) |" in told


def test_seeds_that_failed_or_ended_in_nan_are_counted_beside_the_verdict(base_dir: Path) -> None:
    branch(base_dir, "fragile")
    log_runs(base_dir, "wine", {"depth": 5}, (*LARGE, math.nan, math.inf))
    log_runs(base_dir, "wine", {"depth": 9}, (math.nan,))
    told = run(base_dir, "review", "main..HEAD").stdout
    assert "3 and 3 seeds; without 2 more runs of it that failed or ended without a finite value)" in told


def test_seeds_without_a_spread_are_not_called_single_runs(folio_dir: Path) -> None:
    from tests.review.folios import with_objective

    with_objective(folio_dir, "flat")
    log_runs(folio_dir, "flat", {"depth": 1}, (0.94, 0.94, 0.94))
    branch(folio_dir, "deeper")
    log_runs(folio_dir, "flat", {"depth": 2}, (0.95, 0.95))
    told = run(folio_dir, "review", "main..HEAD").stdout
    said = "**no spread: nothing is claimed**; on either side all seeds came to one number, and they differ by +0.0100"
    assert said in told and "improved" not in told and "single run" not in told.split("### Results")[0]


def test_an_objective_of_the_change_judges_it_only_where_the_base_has_none(folio_dir: Path) -> None:
    log_runs(folio_dir, "plain", {"depth": 1}, SMALL)
    branch(folio_dir, "judged")
    done = run(folio_dir, "experiments", "set-objective", "plain", "accuracy", "--max")
    assert done.returncode == 0, done.stderr
    log_runs(folio_dir, "plain", {"depth": 2}, LARGE)
    told = run(folio_dir, "review", "main..HEAD").stdout
    assert "`plain`: `accuracy` **improved by 0.047" in told and "has no objective" not in told
    git(folio_dir, "switch", "-q", "main")
    git(folio_dir, "merge", "-q", "judged")
    branch(folio_dir, "turned")
    assert run(folio_dir, "experiments", "set-objective", "plain", "accuracy", "--min").returncode == 0
    log_runs(folio_dir, "plain", {"depth": 3}, (0.5, 0.51, 0.52))
    told = run(folio_dir, "review", "main..HEAD").stdout
    assert told.startswith("## ⚠️\N{NO-BREAK SPACE}Look first: 1 warning. Worse than the best so far")
    assert "accuracy (max, replicates by seed) became accuracy (min, replicates by seed)" in told


def test_a_title_speaks_of_the_best_result_only_where_it_was_held_against_the_best(better_dir: Path) -> None:
    git(better_dir, "checkout", "-q", "main")
    weak = log_runs(better_dir, "wine", {"depth": 1}, (0.80, 0.81, 0.82))
    done = run(better_dir, "experiments", "baseline", "wine", weak[0])
    assert done.returncode == 0, done.stderr
    assert run(better_dir, "review", "main..deeper").stdout.startswith("## ✅\N{NO-BREAK SPACE}Better than the baseline\n")
    branch(better_dir, "weaker")
    log_runs(better_dir, "wine", {"depth": 0}, (0.60, 0.61, 0.62))
    assert run(better_dir, "review", "main..weaker").stdout.startswith("## ❌\N{NO-BREAK SPACE}Worse than the baseline\n")


def test_seeds_that_split_the_data_each_in_its_way_are_compared_where_both_sides_have_them(folio_dir: Path) -> None:
    import numpy as np

    import runfolio
    from tests.review.folios import commit, with_objective

    def train(depth: int, values: tuple[float, ...]) -> None:
        runfolio.set_tracking_uri(str(folio_dir))
        runfolio.set_experiment("split")
        for seed, value in enumerate(values):
            with runfolio.start_run():
                runfolio.log_params({"depth": depth, "seed": seed})
                runfolio.log_input(runfolio.data.from_numpy(np.arange(4.0) + seed), "training")
                runfolio.log_metric("accuracy", value)
        commit(folio_dir)

    with_objective(folio_dir, "split")
    train(2, (0.900, 0.912, 0.906, 0.910))
    branch(folio_dir, "deeper")
    train(5, LARGE)
    told = run(folio_dir, "review", "main..HEAD").stdout
    assert (
        "**improved by 0.047" in told and "3 and 3 seeds; without 1 run of seeds, and so of data, that only one side has)" in told
    )


def test_what_cannot_be_read_is_not_said_to_be_removed_or_new(better_dir: Path) -> None:
    (file,) = (better_dir / "experiments").glob("wine*.yaml")
    whole = file.read_text()
    file.write_text(whole + "objective: [\n")
    commit_all(better_dir, "torn")
    told = run(better_dir, "review", "main..HEAD").stdout
    assert "it cannot be read" in told and "removed" not in told and "written anew" not in told
    git(better_dir, "checkout", "-q", "-b", "torn")
    file.write_text(whole)
    commit_all(better_dir, "mended")
    told = run(better_dir, "diff", "HEAD~1..HEAD").stdout
    assert "created" not in told


def test_a_report_in_a_jobs_log_is_no_command_and_elsewhere_the_comment_itself(better_dir: Path) -> None:
    log_runs(better_dir, "wine", {"depth": "##[add-mask]x"}, (0.99,))
    told = run(better_dir, "review", "main..HEAD").stdout
    assert "##[add-mask]x" in told
    assert run(better_dir, "review", "main..HEAD", GITHUB_ACTIONS="true").stdout == told.replace("##[", "## [")


def test_a_run_that_the_base_cannot_read_is_neither_new_nor_mended_in_silence(better_dir: Path) -> None:
    git(better_dir, "checkout", "-q", "main")
    (file, *_) = sorted(path for path in (better_dir / "runs").rglob("*.json") if not path.name.endswith(".series.json"))
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    commit_all(better_dir, "torn")
    git(better_dir, "checkout", "-q", "-b", "mended")
    assert "it cannot be read any more" in run(better_dir, "review", "main~1..main").stdout
    file.write_text(whole)
    commit_all(better_dir, "mended")
    done = run(better_dir, "review", "main..HEAD")
    assert done.returncode == 0 and "new training run" not in done.stdout and "the base's version cannot be read" in done.stdout


def test_when_a_run_was_deleted_is_told_as_a_time(base_dir: Path) -> None:
    branch(base_dir, "less")
    assert run(base_dir, "runs", "delete", "2-seed0").returncode == 0
    (row,) = (line for line in run(base_dir, "review", "main..HEAD").stdout.splitlines() if "deleted_at" in line)
    assert re.search(r"nothing \| `20\d\d-\d\d-\d\dT[\d:.]+Z` \|", row), row


def test_settings_were_changed(better_dir: Path) -> None:
    (better_dir / "runfolio.yaml").write_text((better_dir / "runfolio.yaml").read_text() + "# more\n")
    commit_all(better_dir, "settings")
    assert "the folio's settings were changed" in run(better_dir, "review", "main..HEAD").stdout


def test_a_diff_of_states_that_parted_says_that_what_one_lacks_counts_as_gone(better_dir: Path) -> None:
    git(better_dir, "checkout", "-q", "main")
    log_runs(better_dir, "wine", {"depth": 3}, (0.91,))
    done = run(better_dir, "diff", "main..deeper")
    assert "1 existing run deleted" in done.stdout and "runfolio diff main...deeper" in done.stderr
    joined = run(better_dir, "diff", "main...deeper")
    assert joined.stderr == "" and "deleted" not in joined.stdout
    assert run(better_dir, "diff", "main~1..main").stderr == ""


def test_names_of_branches_and_of_a_single_run_are_answered_with_what_to_type(better_dir: Path, tmp_path: Path) -> None:
    assert "two states are compared by A..B" in run(better_dir, "diff", "main", "deeper").stderr
    assert "naming two or more" in run(better_dir, "diff", "2-seed0").stderr
    summary = tmp_path / "fresh" / "summary.md"
    assert run(better_dir, "review", "main..deeper", "--summary", str(summary)).returncode == 0 and summary.exists()
    out = tmp_path / "new" / "diff.md"
    assert run(better_dir, "diff", "main..deeper", "-o", str(out)).returncode == 0 and out.exists()


def test_a_day_before_the_first_commit_is_answered_with_when_history_begins(base_dir: Path, tmp_path: Path) -> None:
    first = git(base_dir, "rev-list", "--max-parents=0", "HEAD").strip()
    done = run(base_dir, "diff", "2001-01-01..HEAD")
    assert done.returncode == 11 and f"The first, {first[:12]}, is of 2" in done.stderr
    assert f"give a later date, or that commit; what came after it is {first[:12]}..HEAD" in done.stderr
    assert run(base_dir, "diff", f"{first[:12]}..HEAD").returncode == 0
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{base_dir}", "cut")
    done = run(tmp_path / "cut", "diff", "2001-01-01..HEAD")
    assert done.returncode == 11 and "This clone is shallow" in done.stderr and "git fetch --unshallow" in done.stderr


def test_a_clone_of_one_branch_is_told_how_to_fetch_the_other(better_dir: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", "--branch=deeper", f"file://{better_dir}", "cut")
    done = run(tmp_path / "cut", "review", "origin/main..HEAD")
    fetch = "git fetch origin +refs/heads/main:refs/remotes/origin/main"
    assert done.returncode == 11 and done.stderr.rstrip().endswith(f"or fetch it: {fetch}")
    plain = run(tmp_path / "cut", "review", "main..HEAD")
    assert plain.returncode == 11 and plain.stderr.rstrip().endswith(f"or fetch it: {fetch}, which is then called origin/main")
    assert run(tmp_path / "cut", "review", "0123abc..HEAD").stderr.rstrip().endswith("or fetch it: git fetch --unshallow")
    git(tmp_path / "cut", *fetch.split()[1:])
    done = run(tmp_path / "cut", "review", "origin/main..HEAD")
    assert done.returncode == 13 and "git fetch --unshallow" in done.stderr


@pytest.mark.parametrize("command", [("review", "main..HEAD"), ("diff", "main...HEAD")], ids=lambda item: item[0])
def test_a_branch_that_was_never_checked_out_is_named_as_the_remote_has_it(
    base_dir: Path, tmp_path: Path, command: tuple[str, str]
) -> None:
    branch(base_dir, "deeper")
    git(tmp_path, "clone", "-q", "--branch", "deeper", str(base_dir), "clone")
    done = runfolio_command(tmp_path / "clone", *command)
    assert done.returncode == 11 and "it is origin/main" in done.stderr, done.stderr
    assert runfolio_command(tmp_path / "clone", command[0], f"origin/{command[1]}").returncode == 0


def test_a_push_that_makes_a_branch_tells_nothing(better_dir: Path) -> None:
    done = run(better_dir, "notify", f"{'0' * 40}..HEAD")
    assert done.returncode == 0 and "Nothing was there before" in done.stderr


def test_nothing_changed_is_said_in_a_line(base_dir: Path) -> None:
    done = run(base_dir, "review", "main..HEAD")
    assert (done.returncode, done.stdout) == (0, "") and "Nothing that runfolio looks at differs" in done.stderr


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("review", "main"), 2, "two or three dots"),
        (("review", "main..nowhere"), 11, "no revision 'nowhere'"),
        (("review", "main..HEAD", "--post"), 19, "no git host"),
        (("diff", "main..nowhere"), 11, "no revision"),
        (("diff", "aaaa", "bbbb"), 11, "BRANCH:aaaa"),
        (("diff", "main..HEAD", "--baseline", "worst"), 2, "worst"),
        (("notify", "main..HEAD"), 2, "RUNFOLIO_WEBHOOK"),
    ],
)
def test_mistakes_are_told_with_their_exit_code(base_dir: Path, args: tuple[str, ...], code: int, words: str) -> None:
    done = run(base_dir, *args)
    assert done.returncode == code and words in done.stderr and "Traceback" not in done.stderr


def test_a_head_without_settings_is_reviewed_from_its_own_checkout(better_dir: Path) -> None:
    git(better_dir, "rm", "-q", "runfolio.yaml")
    commit_all(better_dir, "no settings")
    done = run(better_dir, "review", "main..HEAD")
    assert done.returncode == 1 and "improved" in done.stdout and "runfolio.yaml" in done.stdout


def test_names_of_branches_that_are_commands_are_only_names(better_dir: Path, tmp_path: Path) -> None:
    name = "x;touch${IFS}pwned;$(touch${IFS}pwned)`touch${IFS}pwned`--output=pwned"
    git(better_dir, "branch", name)
    done = run(better_dir, "review", f"main..{name}")
    assert done.returncode == 0 and "improved" in done.stdout
    assert not list(better_dir.rglob("pwned")) and not list(tmp_path.rglob("pwned"))
    assert run(better_dir, "review", "main..--output=pwned").returncode == 11


@pytest.mark.parametrize("form", ["text", "markdown", "json", "html"])
def test_diff_of_two_states_in_every_form(better_dir: Path, form: str) -> None:
    done = run(better_dir, "diff", "main..HEAD", "--format", form, "--exit-code")
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)["title"] if form == "json" else done.stdout
    assert "improved" in found


def test_diff_of_runs_of_two_branches_shows_only_what_differs(better_dir: Path) -> None:
    git(better_dir, "switch", "-q", "main")
    done = run(better_dir, "diff", "2-seed0", "deeper:5-seed0")
    assert done.returncode == 0 and "depth" in done.stdout and "seed " not in done.stdout
    html = run(better_dir, "diff", "2-seed0", "2-seed1", "--format", "html", "-o", "two.html")
    assert html.returncode == 0 and (better_dir / "two.html").read_text().startswith("<!doctype html>")


def test_git_diff_reads_records_in_words(better_dir: Path) -> None:
    done = run(better_dir, "init")
    assert done.returncode == 0
    run_id = git(better_dir, "diff", "--name-only", "main..HEAD", "--", "runs").split()[0].rsplit("/", 1)[1].split(".")[0]
    import sys

    from tests.recorded import SOURCE

    program = better_dir / "bin" / "runfolio"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{SOURCE}' \"$@\"\n")
    program.chmod(0o755)
    import os

    env = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    path = str(record_of(better_dir, run_id).relative_to(better_dir))
    said = subprocess.run(
        ["git", "diff", "main..HEAD", "--", path], cwd=better_dir, env=env, capture_output=True, text=True, check=True
    )
    assert "+param depth: 5" in said.stdout


def test_a_metric_that_a_promotion_leaves_as_it_is_is_shown_after_those_that_it_changes(base_dir: Path) -> None:
    import runfolio

    runfolio.set_tracking_uri(base_dir)
    for version, loss in ((1, 0.5), (2, 0.4)):
        if version == 2:
            branch(base_dir, "next")
        with runfolio.start_run() as made:
            runfolio.log_metrics({"accuracy": 0.984, "loss": loss})
            runfolio.log_text(str(loss), "model/weights.txt")
        assert run(base_dir, "models", "register", f"runs:/{made.info.run_id}/model", "wine").returncode == 0
        assert run(base_dir, "models", "promote", "wine", str(version), "Production", "--direct").returncode == 0
    told = run(base_dir, "review", "main..HEAD").stdout
    rows = [line for line in told.splitlines() if line.startswith("| `wine` 2 | ")]
    assert [row.split(" | ")[1:3] for row in rows] == [["`loss`", "0.5000"], ["`accuracy`", "0.9840"]]
    assert rows[1].endswith("| the same |")


def test_promotions_and_regressions_reach_a_webhook_signed(base_dir: Path) -> None:
    from runfolio.hosts.webhook import is_genuine

    branch(base_dir, "worse")
    log_runs(base_dir, "wine", {"depth": 1}, (0.70, 0.705, 0.702))
    got: list[tuple[dict[str, str], bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/hook"
        done = run(base_dir, "notify", "main..HEAD", RUNFOLIO_WEBHOOK=url, RUNFOLIO_WEBHOOK_SECRET="s3cret")
        open_to_all = run(base_dir, "notify", "main..HEAD", RUNFOLIO_WEBHOOK=url)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert done.returncode == 0, done.stderr
    (headers, body), (unsigned, _) = got
    told = json.loads(body)
    assert done.stderr == "1 event sent.\n" and "X-Runfolio-Signature-256" not in unsigned
    assert "1 event sent, unsigned: RUNFOLIO_WEBHOOK_SECRET is not set" in open_to_all.stderr
    assert told["event"] == "regression" and "got worse beyond noise" in told["text"]
    assert is_genuine(headers, body, "s3cret") and not is_genuine(headers, body, "other")
