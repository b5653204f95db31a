"""A project run is a run: its source, parameters, environment and log, whatever becomes of its command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import runfolio
import runfolio.projects
from runfolio.errors import NotFoundError, UsageError
from runfolio.projects import ExecutionException
from tests.conftest import git
from tests.projects.conftest import Done, RunProject, log_of, runs_of


def test_the_script_logs_to_the_run_that_knows_its_source(run_project: RunProject, in_folio: Path, project_repo: Path) -> None:
    done = run_project(
        project_repo, "-v", "side", "-P", "name=a b $(id)", "-P", "more=x y", "--run-name", "first", "--experiment-name", "wine"
    )
    assert done.code == 0, done.err
    assert done.out == "arguments ['0.5', 'a b $(id)', '--more', 'x y']\nside\n"
    [run] = runs_of(in_folio)
    assert (run.name, run.experiment, run.status.name) == ("first", "wine", "FINISHED")
    assert run.params == {"alpha": "0.5", "name": "a b $(id)", "more": "x y"}
    assert run.metrics["count"].last == 4
    assert run.all_tags["mlflow.source.type"] == "PROJECT"
    assert run.all_tags["mlflow.project.entryPoint"] == "main"
    assert run.all_tags["mlflow.source.name"].endswith("/project")
    assert run.all_tags["mlflow.source.git.commit"] == git(project_repo, "rev-parse", "side").strip()
    assert run.all_tags["mlflow.source.git.branch"] == "side"
    assert run.code["dirty"] is False
    assert run.code["tree"] == git(project_repo, "rev-parse", "side^{tree}").strip()
    assert git(in_folio, "cat-file", "-t", run.code["tree"]) == "tree\n"
    assert log_of(in_folio, run) == done.out


def test_the_files_of_a_project_that_is_in_no_repository_are_kept(run_project: RunProject, in_folio: Path, project: Path) -> None:
    (project / "lib" / "deep").mkdir(parents=True)
    (project / "lib" / "deep" / "a b.py").write_text("x = 1\n")
    (project / "run.sh").write_text("#!/bin/sh\n")
    (project / "run.sh").chmod(0o755)
    (project / "large.bin").write_bytes(b"x" * 2_000_000)
    assert run_project(project, "-P", "name=x").code == 0
    [run] = runs_of(in_folio)
    lines = git(in_folio, "ls-tree", "-r", run.code["tree"]).splitlines()
    listed = [f"{line.split()[0]} {line.partition(chr(9))[2]}" for line in lines]
    assert listed == ["100644 MLproject", "100644 lib/deep/a b.py", "100755 run.sh", "100644 train.py"]
    assert any("not in the kept code: large.bin" in notice for notice in run.notices)
    assert git(in_folio, "show", f"{run.code['tree']}:train.py") == (project / "train.py").read_text()


def test_a_command_that_fails_is_a_failed_run_and_its_exit_code_is_ours(
    run_project: RunProject, in_folio: Path, project: Path
) -> None:
    done = run_project(project, "-e", "fail")
    assert done.code == 7
    assert "failed: the command ended with 7" in done.err
    [run] = runs_of(in_folio)
    assert (run.status.name, run.tags["runfolio.exit_code"], log_of(in_folio, run)) == ("FAILED", "7", "before\n")


WRONG = {
    "a missing parameter": (["-P", "alpha=1"], 2, "No value given for missing parameters: 'name'"),
    "a number that is none": (["-P", "alpha=x", "-P", "name=y"], 2, "'alpha': 'x' is no number"),
    "an unknown entry point": (["-e", "gone"], 11, "Entry points: fail, main"),
    "a parameter without =": (["-P", "alpha"], 2, "Use -P name=value"),
    "a parameter twice": (["-P", "name=1", "-P", "name=2"], 2, "Repeated parameter: 'name'"),
    "two experiments": (["--experiment-id", "0", "--experiment-name", "x"], 2, "Specify only one of"),
    "an unknown experiment": (["--experiment-id", "77"], 11, "No Experiment with id=77"),
    "an unknown backend": (["-b", "moon"], 11, "Backends: local"),
    "databricks": (["-b", "databricks"], 2, "run the project there with mlflow"),
    "kubernetes": (["-b", "kubernetes"], 2, "docker push"),
    "a configuration that is no JSON": (["-c", "{"], 2, "not JSON"),
    "a configuration that is not there": (["-c", "gone.json"], 11, "no file 'gone.json'"),
    "a revision that is an option": (["-v", "--upload-pack=x"], 2, "is no revision"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_request_that_cannot_be_run_makes_no_run(
    in_folio: Path, project: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from runfolio.cli.main import main

    args, code, said = WRONG[name]
    assert main(["run", str(project), *args]) == code
    assert said in capsys.readouterr().err
    assert runs_of(in_folio) == []


def command(project: Path, text: str) -> Path:
    """Give the project another command."""
    (project / "MLproject").write_text(f"entry_points:\n  main:\n    command: |\n      {text}\n")
    return project


def test_a_gigabyte_of_output_keeps_its_beginning_and_end(run_project: RunProject, in_folio: Path, project: Path) -> None:
    # 20 MB against a limit of 100 kB: what is kept does not grow with what is printed.
    done = run_project(command(project, "echo first; head -c 20000000 /dev/zero; echo last"), "--log-limit", "100KB")
    assert done.code == 0
    [run] = runs_of(in_folio)
    log = log_of(in_folio, run)
    assert log.startswith("first\n")
    assert log.endswith("last\n")
    assert len(log) < 120_000
    assert any("bytes in the middle of the output were left out" in notice for notice in run.notices)


def test_a_command_that_is_killed_is_a_killed_run(run_project: RunProject, in_folio: Path, project: Path) -> None:
    assert run_project(command(project, "echo before; kill -9 $$")).code == 137
    [run] = runs_of(in_folio)
    assert (run.status.name, run.tags["runfolio.signal"], log_of(in_folio, run)) == ("KILLED", "SIGKILL", "before\n")


def test_a_command_whose_time_is_up_is_stopped_with_all_that_it_started(
    run_project: RunProject, in_folio: Path, project: Path
) -> None:
    done = run_project(command(project, "echo begun; sleep 300 & sleep 300; true"), "--timeout", "1s")
    assert done.code == 124
    assert "its time was up" in done.err
    [run] = runs_of(in_folio)
    assert (run.status.name, log_of(in_folio, run)) == ("KILLED", "begun\n")


def started(in_folio: Path, project: Path, text: str, *args: str) -> subprocess.Popen[str]:
    """Start a project whose command says when it runs, and wait until it does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "runfolio", "run", str(command(project, text)), *args], cwd=in_folio, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_reaches_the_command_and_the_run_is_killed_with_its_log(
    in_folio: Path, project: Path, number: signal.Signals
) -> None:
    with started(in_folio, project, "trap 'echo ended; exit 130' INT TERM; echo begun; sleep 300 & wait") as process:
        process.send_signal(number)
        assert process.wait(60) in (130, 143)
    [run] = runs_of(in_folio)
    assert run.status.name in ("KILLED", "FAILED")
    assert log_of(in_folio, run) == "begun\nended\n"


def test_after_kill_9_recover_brings_the_run_back_with_its_log(in_folio: Path, project: Path) -> None:
    with started(in_folio, project, "echo begun; echo $$ > pid; exec sleep 300") as process:
        process.kill()
        process.wait()
    os.kill(int((project / "pid").read_text()), signal.SIGKILL)
    limit = time.monotonic() + 30
    while (run := runs_of(in_folio)[0]).status.name == "RUNNING":
        assert time.monotonic() < limit
        subprocess.run([sys.executable, "-m", "runfolio", "recover"], cwd=in_folio, capture_output=True, check=False)
    assert run.status.name in ("FAILED", "KILLED")
    assert log_of(in_folio, run) == "begun\n"
    assert run.all_tags["mlflow.source.type"] == "PROJECT"


def test_a_path_is_made_absolute_or_fetched_and_recorded_as_it_was_given(
    run_project: RunProject, in_folio: Path, project: Path
) -> None:
    with runfolio.start_run() as made:
        runfolio.log_text("1\n2\n", "data/numbers.txt")
    runfolio.flush()
    (project / "MLproject").write_text(
        "entry_points:\n  main:\n    parameters: {data: path, place: uri}\n    command: 'cat {data}; echo {data} {place}'\n"
    )
    uri = f"runs:/{made.info.run_id}/data/numbers.txt"
    done = run_project(project, "-P", f"data={uri}", "-P", "place=s3://bucket/key", "--storage-dir", in_folio.parent / "storage")
    assert done.code == 0, done.err
    assert done.out.startswith("1\n2\n")
    assert str(in_folio.parent / "storage") in done.out
    assert done.out.endswith("s3://bucket/key\n")
    assert runs_of(in_folio)[0].params == {"data": uri, "place": "s3://bucket/key"}
    done = run_project(project, "-P", "data=train.py", "-P", "place=s3://bucket/key")
    assert done.out.endswith(f"{in_folio}/train.py s3://bucket/key\n")
    assert run_project(project, "-P", "data=http://example.org/x", "-P", "place=s3://b/k").code == 2


def test_a_secret_among_the_parameters_is_kept_nowhere(run_project: RunProject, in_folio: Path, project: Path) -> None:
    secret = "hunter2hunter2"
    done = run_project(project, "-P", "name=x", "-P", f"api_key={secret}", "--experiment-name", "quiet")
    assert done.code == 0
    assert secret not in done.err  # the command's own output is the command's
    [run] = runs_of(in_folio)
    assert run.params["api_key"] == "***"
    assert secret not in git(in_folio, "log", "-p", "--all", "--", "runs")


def test_projects_that_start_projects_are_children(in_folio: Path, project: Path) -> None:
    with runfolio.start_run() as parent:
        child = runfolio.projects.run(str(project), parameters={"name": "x"})
    runfolio.flush()
    found = {run.run_id: run for run in runs_of(in_folio)}
    assert found[child.run_id].parent == parent.info.run_id
    assert (child.get_status(), child.wait()) == ("FINISHED", True)


def test_a_run_that_is_named_is_gone_on_with(in_folio: Path, project: Path) -> None:
    with runfolio.start_run() as made:
        runfolio.log_param("earlier", 1)
    submitted = runfolio.projects.run(str(project), parameters={"name": "x"}, run_id=made.info.run_id)
    assert submitted.run_id == made.info.run_id
    runfolio.flush()
    [run] = runs_of(in_folio)
    assert run.params == {"earlier": "1", "alpha": "0.5", "name": "x"}
    assert run.metrics["count"].last == 2


def test_a_failure_is_an_exception_that_knows_the_run(in_folio: Path, project: Path) -> None:
    with pytest.raises(ExecutionException) as caught:
        runfolio.projects.run(str(project), "fail")
    assert caught.value.exit_code == 7
    assert runfolio.get_run(caught.value.run_id).info.status == "FAILED"
    with pytest.raises(NotFoundError):
        runfolio.projects.run(str(project), "gone")
    with pytest.raises(UsageError, match="docker login"):
        runfolio.projects.run(str(project), docker_auth={"password": "x"})


def test_an_asynchronous_run_is_waited_for(in_folio: Path, project: Path) -> None:
    gate = project / "gate"
    os.mkfifo(gate)
    submitted = runfolio.projects.run(str(command(project, "read line < gate; echo got $line")), synchronous=False)
    assert submitted.get_status() == "RUNNING"
    assert runfolio.get_run(submitted.run_id).info.status == "RUNNING"
    gate.write_text("it\n")
    assert submitted.wait()
    assert submitted.get_status() == "FINISHED"
    [run] = runs_of(in_folio)
    assert (run.run_id, log_of(in_folio, run)) == (submitted.run_id, "got it\n")


def test_an_asynchronous_run_is_cancelled_with_its_command(in_folio: Path, project: Path) -> None:
    text = "echo $$ > pid; echo ready > gate; trap '' TERM; sleep 300; sleep 300"
    os.mkfifo(project / "gate")
    submitted = runfolio.projects.run(str(command(project, text)), synchronous=False)
    (project / "gate").read_text()
    submitted.cancel()
    assert submitted.get_status() == "KILLED"
    with pytest.raises(ProcessLookupError):
        os.kill(int((project / "pid").read_text()), 0)
    [run] = runs_of(in_folio)
    assert run.status.name == "KILLED"


def test_an_asynchronous_run_outlives_its_starter(in_folio: Path, project: Path) -> None:
    os.mkfifo(project / "gate")
    os.mkfifo(project / "end")
    command(project, "read line < gate; echo $line; runfolio log metric late 1; echo > end")
    code = f"import runfolio.projects as p; print(p.run({str(project)!r}, synchronous=False).run_id)"
    with open(project / "out", "w+") as out:  # the command goes on with its starter's output
        subprocess.run([sys.executable, "-c", code], cwd=in_folio, stdout=out, check=True, timeout=60)
        run_id = (project / "out").read_text().strip()
        (project / "gate").write_text("still here\n")
        (project / "end").read_text()
    limit = time.monotonic() + 60
    while (run := runs_of(in_folio)[0]).status.name == "RUNNING":
        assert time.monotonic() < limit
    assert (run.run_id, run.status.name, log_of(in_folio, run)) == (run_id, "FINISHED", "still here\n")
    assert run.metrics["late"].last == 1


def test_what_keeps_an_asynchronous_run_from_starting_is_raised(in_folio: Path, project: Path) -> None:
    with pytest.raises(UsageError, match="No value given for missing parameters: 'name'"):
        runfolio.projects.run(str(project), synchronous=False)


def test_an_environment_of_the_projects_own_is_recorded(
    run_project: RunProject, in_folio: Path, project: Path, offline: Path
) -> None:
    (project / "requirements.txt").write_text("tiny==1.0  # pinned\n")
    (project / "python_env.yaml").write_text("dependencies:\n  - -r requirements.txt\n  - runfolio\n")
    (project / "train.py").write_text(
        "import sys, tiny, runfolio\nrunfolio.start_run()\nrunfolio.log_param('where', sys.prefix)\nprint(tiny.version)\n"
    )
    done = run_project(project, "-P", "name=x", "--env-manager", "uv" if has_uv() else "virtualenv", PYTHONPATH="/nowhere")
    assert (done.code, done.out) == (0, "1.0\n"), done.err
    [run] = runs_of(in_folio)
    lock = (in_folio / "environments" / f"{run.environment['lock']}.txt").read_text()
    assert {"tiny==1.0", f"runfolio=={runfolio.__version__}"} <= set(lock.splitlines())
    assert not any(line.startswith("pandas") for line in lock.splitlines())
    assert Path(run.params["where"]).parent == offline
    assert run.tags["runfolio.project.environment"].startswith(Path(run.params["where"]).name)


def has_uv() -> bool:
    import shutil

    return shutil.which("uv") is not None


def test_an_environment_that_cannot_be_made_is_a_failed_run_that_says_why(
    run_project: RunProject, in_folio: Path, project: Path, offline: Path
) -> None:
    (project / "python_env.yaml").write_text("dependencies: [tiny==9, gone==1]\n")
    done = run_project(project, "-P", "name=x", "--env-manager", "uv" if has_uv() else "virtualenv")
    assert done.code == 21
    assert "2 requirements cannot be had" in done.err
    [run] = runs_of(in_folio)
    assert run.status.name == "FAILED"
    assert run.params["name"] == "x"
    assert "tiny==9: " in log_of(in_folio, run)


@pytest.fixture
def backend_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of somebody's that adds a backend."""
    folder = tmp_path / "site"
    info = folder / "moonbase-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: moonbase\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[runfolio.project_backends]\nmoon = moonbase:Moon\n")
    (folder / "moonbase.py").write_text(
        "import runfolio\nfrom runfolio.projects import SubmittedRun\n\n\n"
        "class Landed(SubmittedRun):\n    def __init__(self, run_id): self.run = run_id\n    run_id = property(lambda self: self.run)\n"
        "    def wait(self): return True\n    def get_status(self): return 'FINISHED'\n    def cancel(self): pass\n\n\n"
        "class Moon:\n    def run(self, project_uri, entry_point, params, version, backend_config, tracking_uri, experiment_id):\n"
        "        with runfolio.start_run(experiment_id=experiment_id) as run:\n"
        "            runfolio.log_params({**params, 'where': backend_config['crater']})\n        return Landed(run.info.run_id)\n"
    )
    monkeypatch.syspath_prepend(str(folder))


def test_a_backend_of_another_package_runs_the_project(backend_package: None, in_folio: Path, project: Path) -> None:
    (project / "moon.json").write_text('{"crater": "Tycho"}')
    for config in ({"crater": "Tycho"}, str(project / "moon.json"), '{"crater": "Tycho"}'):
        submitted = runfolio.projects.run(
            str(project), parameters={"name": "x"}, backend="moon", backend_config=config, run_name="far"
        )
        runfolio.flush()
        run = next(run for run in runs_of(in_folio) if run.run_id == submitted.run_id)
        assert (run.params, run.name) == ({"name": "x", "where": "Tycho"}, "far")
        assert run.tags["mlflow.project.backend"] == "moon"


def test_the_projects_of_runfolio_are_there_without_being_imported(in_folio: Path) -> None:
    code = "import sys, runfolio; assert 'runfolio.projects' not in sys.modules; print(runfolio.projects.run.__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "runfolio.projects.running\n"


__all__ = ["Done"]
