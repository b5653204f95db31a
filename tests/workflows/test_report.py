"""Pull requests through the generated workflows: the comment, the check, and what a fork cannot do."""

from __future__ import annotations

import hmac
import json
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import git
from tests.workflows.conftest import Team
from tests.workflows.runner import Run

HOSTILE = "import pathlib, sys\npathlib.Path(sys.argv[0]).with_name('hacked').touch()\npathlib.Path('hacked').touch()\n"


@pytest.fixture
def based(team: Team) -> Team:
    """Main has two runs."""
    team.log(0.5, 0.75)
    team.push()
    return team


def proposed(team: Team, branch: str, *accuracies: float, repository: str = "team/wine") -> dict[str, Any]:
    team.git("checkout", "-q", "-B", "work", "main")
    team.log(*accuracies)
    payload = team.host.propose(team.ada, branch, repository)
    team.git("checkout", "-q", "main")
    return payload


def changed_metric(team: Team) -> None:
    """Rewrite the metric of a committed run, as somebody who wants a better past would."""
    (file, *_) = sorted(path for path in (team.ada / "runs").rglob("*.json") if not path.name.endswith(".series.json"))
    text = file.read_text()
    assert "0.5" in text
    file.write_text(text.replace("0.5", "0.9"))
    team.commit("tidy up")


def test_a_pull_request_gets_one_comment_a_summary_and_a_page_of_its_own(based: Team) -> None:
    payload = proposed(based, "better", 0.875)
    run = based.on_pull(payload)
    job = run.jobs["report"]
    assert run.outcome == "success", job.text()
    (remark,) = based.host.api.remarks
    assert (
        remark.author == "github-actions[bot]" and "0.875" in remark.body and "0.6250" in remark.body
    )  # beside the mean of the two before
    assert "0.875" in job.summary and "of pull request 7" in job.text()
    kept = run.artifacts / "runfolio-report"
    assert json.loads((kept / "runfolio-report.json").read_text()) and "0.875" in (kept / "runfolio-report.html").read_text()
    second = based.on_pull(proposed(based, "better", 0.9375))
    assert second.outcome == "success", second.jobs["report"].text()
    (again,) = based.host.api.remarks
    assert again.id == remark.id and "0.9375" in again.body


def test_a_changed_record_fails_the_check_and_is_told_first(based: Team) -> None:
    based.git("checkout", "-q", "-B", "work", "main")
    changed_metric(based)
    run = based.on_pull(based.host.propose(based.ada, "tidy"))
    assert run.outcome == "failure"
    (remark,) = based.host.api.remarks
    assert "0.5" in remark.body and "0.9" in remark.body
    assert (run.artifacts / "runfolio-report" / "runfolio-report.html").is_file()


def test_files_that_lie_in_the_clone_that_logged_them_do_not_make_the_check_red(based: Team) -> None:
    based.git("checkout", "-q", "-B", "work", "main")
    program = "import runfolio\nrunfolio.set_experiment('Wine')\nwith runfolio.start_run():\n    runfolio.log_text('w', 'weights.txt')\n"
    subprocess.run([sys.executable, "-c", program], cwd=based.ada, env=based.env, check=True)
    run = based.on_pull(based.host.propose(based.ada, "files"))
    assert run.outcome == "success" and "git does not carry them" in run.jobs["report"].text(), run.jobs["report"].text()


def test_committed_code_is_compared_though_nobody_pushed_what_is_kept_of_it(based: Team) -> None:
    based.git("checkout", "-q", "-B", "work", "main")
    (based.ada / "train.py").write_text("print('training')\nprint('for longer')\n")
    based.commit("longer")
    based.log(0.875)
    run = based.on_pull(based.host.propose(based.ada, "longer"))
    assert run.outcome == "success" and "code     none kept" in run.jobs["report"].text()  # git push, and no runfolio sync
    (remark,) = based.host.api.remarks
    assert "train.py" in remark.body and "not in this clone" not in remark.body
    assert "code.missing" not in run.jobs["report"].text()


def test_the_pull_request_that_brings_the_folio_is_not_red(team: Team) -> None:
    team.git("checkout", "-q", "--orphan", "before")
    team.git("rm", "-rqf", ".")
    (team.ada / "train.py").write_text("print('training')\n")
    team.commit("code")
    team.git("push", "-qf", "origin", "before:main")
    team.git("checkout", "-q", "-B", "work", "before")
    team.git("checkout", "main", "--", ".")
    team.commit("folio")
    run = team.on_pull(team.host.propose(team.ada, "folio"))
    assert run.outcome == "success" and "is no folio yet" in run.jobs["report"].text() and not team.host.api.remarks


def test_a_fork_gets_its_comment_from_the_second_job_alone(based: Team) -> None:
    payload = proposed(based, "better", 0.875, repository="mallory/wine")
    first = based.on_pull(payload)
    assert first.outcome == "success", first.jobs["report"].text()
    assert not based.host.api.remarks and first.jobs["report"].rights["pull-requests"] == "read"
    second = based.after(first, "report-forks")
    assert second.outcome == "success", second.jobs["report"].text()
    (remark,) = based.host.api.remarks
    assert "0.875" in remark.body and remark.author == "github-actions[bot]"


def test_the_second_job_is_for_forks_only(based: Team) -> None:
    first = based.on_pull(proposed(based, "better", 0.875))
    assert based.after(first, "report-forks").jobs["report"].outcome == "skipped"


@pytest.mark.parametrize("repository", ["team/wine", "mallory/wine"])
def test_nothing_of_a_pull_request_is_run(based: Team, repository: str) -> None:
    """Packages that would be imported from the current folder, hooks, drivers, a settings file of their own: all stay data."""
    based.git("checkout", "-q", "-B", "work", "main")
    for name in ("runfolio.py", "sitecustomize.py", "click.py", "json.py", "conftest.py", "runfolio/__init__.py", "setup.py"):
        place = based.ada / name
        place.parent.mkdir(exist_ok=True) if "/" in name else None
        place.write_text(HOSTILE)
    (based.ada / ".gitattributes").write_text("* filter=evil diff=evil\n")
    (based.ada / ".gitmodules").write_text('[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch hacked"\n')
    (based.ada / "runfolio.yaml").write_text("schema: 1\nsync:\n  remote: nowhere\n")
    (based.ada / "pip.conf").write_text("[global]\nindex-url = http://127.0.0.1:9/\n")
    based.commit("harmless")
    payload = based.host.propose(based.ada, "harmless", repository)
    first = based.on_pull(payload)
    runs = [first, based.after(first, "report-forks")] if repository != "team/wine" else [first]
    assert not [path for run in runs for path in run.folder.rglob("hacked")]
    (remark,) = based.host.api.remarks
    assert "runfolio.yaml" in remark.body  # a change of the settings is told


@pytest.mark.parametrize("branch", ["x;touch${IFS}hacked`touch${IFS}hacked`$(touch${IFS}hacked)'\"\u202ey", "--help"])
def test_names_of_branches_are_never_shell(based: Team, branch: str) -> None:
    payload = proposed(based, "plain", 0.875, repository="mallory/wine")
    payload["pull_request"]["head"]["ref"] = branch
    payload["pull_request"]["title"] = f"{branch} \n::error::x"
    (pull,) = based.host.api.pulls
    pull.branch = branch
    first = based.on_pull(payload)
    second = based.after(first, "report-forks")
    assert first.outcome == second.outcome == "success", second.jobs["report"].text()
    assert not list(based.host.folder.rglob("hacked")) and len(based.host.api.remarks) == 1


def test_a_fork_that_changes_the_workflow_gains_no_right_and_is_told_of(based: Team) -> None:
    based.git("checkout", "-q", "-B", "work", "main")
    file = based.ada / ".github" / "workflows" / "runfolio-report.yml"
    text = file.read_text()
    text = text.replace("contents: read", "contents: write").replace('if [ "$OWN" = true ]; then', "if true; then")
    text = text.replace("persist-credentials: false", "persist-credentials: true")
    file.write_text(text + "      - run: git push -q origin HEAD:refs/heads/mine\n")
    based.commit("harmless")
    first = based.on_pull(based.host.propose(based.ada, "harmless", "mallory/wine"))
    assert first.outcome == "failure" and not based.host.api.remarks
    assert "mine" not in git(based.host.bare, "for-each-ref")
    assert "403" in first.jobs["report"].text() or "not accessible" in first.jobs["report"].text()
    based.after(first, "report-forks")
    (remark,) = based.host.api.remarks
    assert ".github/workflows/runfolio-report.yml" in remark.body


def test_the_second_job_reports_the_commit_that_it_is_about(based: Team) -> None:
    first = based.on_pull(proposed(based, "better", 0.875, repository="mallory/wine"))
    pull = based.host.api.pulls[0]
    pull.state = "closed"
    assert based.after(first, "report-forks").outcome == "failure" and not based.host.api.remarks
    pull.state = "open"
    pull.sha = "d" * 40  # pushed on meanwhile: that push has its own job
    assert based.after(first, "report-forks").outcome == "failure" and not based.host.api.remarks


@pytest.mark.browser
def test_from_the_pull_request_over_the_merge_to_the_published_page(
    based: Team, open_page: Any, serve: Any, tmp_path: Path
) -> None:
    assert based.on_push("publish").outcome == "success"
    payload = proposed(based, "better", 0.875)
    report = based.on_pull(payload)
    assert report.outcome == "success" and len(based.host.api.remarks) == 1
    page = open_page(report.artifacts / "runfolio-report" / "runfolio-report.html")
    assert "0.875" in page.inner_text("body")
    based.git("merge", "-q", "--no-ff", "-m", "Merge pull request #7", payload["pull_request"]["head"]["sha"])
    run = based.on_push("publish")
    assert run.outcome == "success" and "restored an earlier one" in run.jobs["build"].text()
    shutil.copytree(based.host.pages, tmp_path / "www")
    page = open_page(serve(tmp_path / "www") + "e/wine/index.html")
    assert "0.875" in page.inner_text("main")


PROMOTE = """
import runfolio
with runfolio.start_run() as run:
    runfolio.log_metric("accuracy", 0.9375)
    runfolio.log_text("weights", "model/weights.txt")
client = runfolio.MlflowClient()
client.create_registered_model("wine")
client.create_model_version("wine", f"runs:/{run.info.run_id}/model", run.info.run_id)
client.transition_model_version_stage("wine", "1", "Production")
"""


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is sent to it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.kept.append((dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_a_promotion_is_told_of_after_the_merge_where_that_is_turned_on(based: Team) -> None:
    before = based.git("rev-parse", "HEAD")
    subprocess.run([sys.executable, "-c", PROMOTE], cwd=based.ada, env=based.env, check=True)
    github = based.push()
    text = based.workflow("publish")
    run = Run(based.host, "push", {"before": before}, github).start(text)
    assert run.jobs["deploy"].outcome == "success" and run.jobs["notify"].outcome == "skipped"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.kept = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    based.host.variables["RUNFOLIO_NOTIFY"] = "true"
    based.host.secrets.update(RUNFOLIO_WEBHOOK=f"http://127.0.0.1:{server.server_port}/hook", RUNFOLIO_WEBHOOK_SECRET="s3cret")
    run = Run(based.host, "push", {"before": before}, github).start(text)
    server.shutdown()
    server.server_close()
    thread.join()
    assert run.jobs["notify"].outcome == "success", run.jobs["notify"].text()
    ((headers, body),) = [item for item in server.kept if item[0]["X-Runfolio-Event"] == "promotion"]  # type: ignore[attr-defined]
    signed = hmac.new(b"s3cret", headers["X-Runfolio-Timestamp"].encode() + b"." + body, "sha256").hexdigest()
    assert headers["X-Runfolio-Signature-256"] == f"sha256={signed}" and "Production" in json.loads(body)["text"]
    assert "s3cret" not in run.jobs["notify"].text() and "/hook" not in run.jobs["notify"].text()
