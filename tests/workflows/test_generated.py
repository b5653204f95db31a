"""What is generated: clean to the linters, granting little, written without harm to what people wrote."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from runfolio.errors import UsageError
from runfolio.records.settings import TrainingSettings
from runfolio.workflows import HOSTS, Facts, plan, render, write
from runfolio.workflows.pins import PINS
from runfolio.workflows.writing import is_as_generated, sealed

ROOT = Path(__file__).parents[2]
TRAINING = TrainingSettings("python train.py", model="wine", schedule="0 3 * * 1")
FOLIOS = {
    "plain": Facts(),
    "training": Facts(training=TRAINING),
    "training-all": Facts(branch="trunk", folder="ml/folio", ledger="runfolio/ledger", cloud="s3", training=TRAINING),
    "training-by-hand": Facts(training=TrainingSettings("x", requirements="", on_push=False)),
    "all": Facts(branch="trunk", folder="ml/folio", ledger="runfolio/ledger", cloud="s3"),
    "releases": Facts(branch="release/1.x"),  # where zizmor takes what is published for a release
    "gcs": Facts(cloud="gcs"),
    "azure": Facts(cloud="azure", folder="ml"),
    "fsspec": Facts(cloud="fsspec", ledger="ledger"),
}
CASES = [(host, name) for host in HOSTS for name in FOLIOS]


def tool(name: str) -> str:
    found = shutil.which(name, path=Path(sys.executable).parent)
    if found is None:
        pytest.skip(f"{name} is not installed: pip install 'runfolio[lint]'")
    return found


def written(folder: Path) -> list[Path]:
    """Write the workflows of all hosts for all folios where the linters look for them."""
    made = []
    for host, name in CASES:
        if host != "gitlab":
            for path, text in render(host, FOLIOS[name]).items():
                made.append(folder / ".github" / "workflows" / f"{host}-{name}-{Path(path).name}")
                made[-1].parent.mkdir(parents=True, exist_ok=True)
                made[-1].write_text(sealed(text))
    return made


@pytest.mark.slow
def test_the_linters_find_nothing(tmp_path: Path) -> None:
    files = written(tmp_path)
    config = tmp_path / "actionlint.yml"
    config.write_text("self-hosted-runner:\n  labels: [docker]\n")  # Forgejo's own label
    for command in (
        ["actionlint", "-config-file", str(config), *map(str, files)],
        ["zizmor", "--offline", "--no-progress", str(files[0].parent)],
    ):
        done = subprocess.run([tool(command[0]), *command[1:]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_linters_would_find_something(tmp_path: Path) -> None:
    file = tmp_path / "report.yml"
    text = render("github", Facts())[".github/workflows/runfolio-report.yml"]
    file.write_text(text.replace("runfolio ci fetch --pull-request", "echo ${{ github.event.pull_request.title }}"))
    for command in (["actionlint", str(file)], ["zizmor", "--offline", "--no-progress", str(file)]):
        assert subprocess.run([tool(command[0]), *command[1:]], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(("host", "name"), CASES)
def test_no_mark_of_a_template_is_left_and_the_credentials_are_the_clouds_own(host: str, name: str) -> None:
    for path, text in render(host, FOLIOS[name]).items():
        assert not re.search(r"#\?|PIN\(|@[A-Z]+@|@include", text), path
        assert yaml.safe_load(text), path
    text = "".join(render("github", FOLIOS[name]).values())
    for cloud, action in {"s3": "aws-actions/", "gcs": "google-github-actions/", "azure": "azure/login"}.items():
        lines = [line for line in text.splitlines() if action in line]
        assert bool(lines) == (FOLIOS[name].cloud == cloud)
        assert all(line.lstrip().startswith("#") for line in lines)  # off until a person turns it on


@pytest.mark.parametrize("name", FOLIOS)
def test_nothing_of_a_pull_request_is_checked_out_or_put_into_a_script(name: str) -> None:
    for path, text in render("github", FOLIOS[name]).items():
        flow = yaml.safe_load(text)
        assert flow["permissions"] == {} and "pull_request_target" not in str(flow[True]), path
        for job in flow["jobs"].values():
            writes = [scope for scope, right in job["permissions"].items() if right == "write"]
            for step in job["steps"]:
                assert "${{" not in step.get("run", ""), path
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["ref"] in ("${{ github.base_ref }}", FOLIOS[name].branch)
                    assert step["with"]["persist-credentials"] is False
                assert not step.get("uses", "").startswith("actions/download-artifact")
            # Training alone pushes a branch and opens its pull request; a pull request never starts it.
            both = [["contents", "pull-requests"]] if path.endswith("-train.yml") and "pull_request" not in flow[True] else []
            assert writes in ([], ["pull-requests"], ["contents"], ["pages", "id-token"], *both), (path, writes)
            assert "write" not in writes or "cache" not in str(job["steps"])


def test_every_action_is_pinned_by_commit_and_ours_are_the_same() -> None:
    used = {}
    for file in [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob(".github/actions/*/action.yml")]:
        for action, commit, version in re.findall(
            r"^ *(?:- )?uses: ([\w./-]+)@(\S+)(?: # (\S+))?", file.read_text(), re.MULTILINE
        ):
            assert re.fullmatch(r"[0-9a-f]{40}", commit) and version.startswith("v"), (file, action)
            used.setdefault(action, set()).add((commit, version))
    assert all(len(pins) == 1 for pins in used.values()), used
    assert all(used[action] == {PINS[action]} for action in used.keys() & PINS.keys())
    assert all(re.fullmatch(r"[0-9a-f]{40}", commit) for commit, _ in PINS.values())


def test_files_are_written_once_brought_up_to_date_and_left_alone_when_edited(tmp_path: Path) -> None:
    old, new = render("github", Facts(version="0.1.0")), render("github", Facts(version="0.2.0"))
    assert [item.state for item in plan(tmp_path, old)] == ["new"] * 4
    write(tmp_path, plan(tmp_path, old))
    assert [item.state for item in plan(tmp_path, old)] == ["same"] * 4 and not write(tmp_path, plan(tmp_path, old))
    edited = tmp_path / ".github" / "workflows" / "runfolio-publish.yml"
    edited.write_text(edited.read_text().replace("timeout-minutes: 60", "timeout-minutes: 90"))
    states = {item.path.rpartition("-")[2]: item.state for item in plan(tmp_path, new)}
    assert states == {"report.yml": "old", "forks.yml": "old", "publish.yml": "edited", "collect.yml": "old"}
    assert len(write(tmp_path, plan(tmp_path, new))) == 3
    assert "timeout-minutes: 90" in edited.read_text()
    (left,) = [item for item in plan(tmp_path, new) if item.state == "edited"]
    assert "-    timeout-minutes: 90\n" in left.diff() and "+    timeout-minutes: 60\n" in left.diff()
    write(tmp_path, [left], force=True)
    assert [item.state for item in plan(tmp_path, new)] == ["same"] * 4


def test_a_file_that_a_person_wrote_is_not_taken_for_generated(tmp_path: Path) -> None:
    assert is_as_generated(sealed("# a\nname: x\n"))
    for text in ("", "name: x\n", "# a\n# as generated: 0000000000000000\nname: x\n", sealed("# a\nname: x\n") + " "):
        assert not is_as_generated(text)


@pytest.mark.parametrize("branch", ["a b", "main\n  x: y", '"', "$(id)", "-x", "a'b"])
def test_a_branch_that_could_break_out_of_a_workflow_is_refused(branch: str, folio_dir: Path) -> None:
    from runfolio.folio.opening import open_folio
    from runfolio.workflows import facts_of

    folio = open_folio(folio_dir)
    try:
        with pytest.raises(UsageError, match="cannot stand in a workflow"):
            facts_of(folio, branch)
    finally:
        folio.close()


def test_an_unknown_host_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="github, gitlab, forgejo, gitea"):
        render("sourcehut", Facts())
