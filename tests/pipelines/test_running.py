"""What runs, what is skipped, and why; what steps make, where it is put; what happens when a step fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import runfolio
from runfolio import pipelines
from runfolio.errors import StateError
from runfolio.folio import open_folio
from runfolio.folio.folio import Folio
from runfolio.formats.pipelines import decode_pipeline_document
from runfolio.records.pipelines import KEY_TAG, PIPELINE_TAG, STEP_TAG
from runfolio.tracking.session import forget_sessions
from tests.conftest import git
from tests.pipelines.conftest import PIPELINE, SCRIPTS, Command, write

Ran = Callable[[], list[str]]


def runs_of(folder: Path) -> dict[str, list[object]]:
    """Return the committed runs by their step; those of pipelines under ``""``."""
    folio = open_folio(folder)
    try:
        from runfolio.query import parse_filter

        made: dict[str, list[object]] = {}
        for run in folio.runs.search(parse_filter("")):
            made.setdefault(run.tags.get(STEP_TAG, ""), []).append(run)
        return made
    finally:
        folio.close()


def whys(done: object) -> dict[str, str]:
    return {one["name"]: "; ".join(one["why"]) for one in json.loads(done.out)["steps"]}  # type: ignore[attr-defined]


def test_steps_run_in_the_order_of_what_they_read(words: Path, run_cli: Command, ran: Ran) -> None:
    done = run_cli("pipeline", "run")
    assert (done.code, ran()) == (0, ["words", "count", "report"])
    assert (words / "report/all.txt").read_text() == "a\nb\n4\n"
    assert done.out.startswith("words: 3 made (run ")


def test_with_nothing_to_do_no_run_is_made(words: Path, run_cli: Command, ran: Ran) -> None:
    run_cli("pipeline", "run")
    forget_sessions()
    before, commit = ran(), git(words, "rev-parse", "HEAD")
    done = run_cli("pipeline", "run")
    forget_sessions()
    assert before
    assert (done.code, ran(), git(words, "rev-parse", "HEAD")) == (0, [], commit)
    assert done.out == "words: nothing to do, 3 steps are up to date\n"
    assert len(runs_of(words)[""]) == 1


def test_each_step_is_a_run_below_that_of_the_pipeline(words: Path, run_cli: Command) -> None:
    run_cli("pipeline", "run", "--run-name", "first")
    forget_sessions()
    found = runs_of(words)
    assert sorted(found) == ["", "count", "report", "words"]
    parent, count = found[""][0], found["count"][0]
    assert (parent.name, parent.tags[PIPELINE_TAG], count.parent) == ("first", "words", parent.run_id)  # type: ignore[attr-defined]
    assert count.params == {"times": "2"}  # type: ignore[attr-defined]
    assert len(count.tags[KEY_TAG]) == 64  # type: ignore[attr-defined]
    assert sorted(count.artifacts) == ["outputs/count.txt", "step.json"]  # type: ignore[attr-defined]
    (read,) = count.inputs  # type: ignore[attr-defined]
    source = json.loads(read.source)
    made = found["words"][0].artifacts["outputs/made/sorted.txt"].digest  # type: ignore[attr-defined]
    assert (read.name, source["digest"]) == ("made/sorted.txt", made)
    assert source["uri"] == f"runs:/{found['words'][0].run_id}/outputs/made/sorted.txt"  # type: ignore[attr-defined]


def test_the_pipelines_run_has_its_graph(words: Path) -> None:
    done = pipelines.run(words)
    forget_sessions()
    folio = open_folio(words)
    entry = folio.runs.artifacts(folio.runs.get(done.run_id))["pipeline.json"]
    said = decode_pipeline_document(folio.store.read(entry.digest))
    assert said is not None
    assert [(step["name"], step["state"], step["needs"]) for step in said["steps"]] == [
        ("words", "made", []), ("count", "made", ["words"]), ("report", "made", ["words", "count"]),
    ]  # fmt: skip
    assert said["steps"][1]["outputs"][0]["path"] == "count.txt"
    folio.close()


def test_a_param_makes_stale_only_what_uses_it_and_what_follows(words: Path, run_cli: Command, ran: Ran) -> None:
    run_cli("pipeline", "run")
    ran()
    said = run_cli("pipeline", "status", "-P", "times=5", "--json")
    assert said.code == 1
    assert whys(said) == {"words": "", "count": "param times 2 → 5", "report": "count is made again before it"}
    assert run_cli("pipeline", "run", "-P", "times=5").code == 0
    assert ran() == ["count", "report"]
    assert run_cli("pipeline", "run").code == 0
    assert ran() == []
    assert (words / "report/all.txt").read_text() == "a\nb\n4\n"


CHANGES = {
    "a line of code": ({"count.sh": SCRIPTS["count.sh"] + "# more\n"}, "count", "code count.sh changed", ["count"]),
    "a row of the data": ({"raw.txt": "c\n" + SCRIPTS["raw.txt"]}, "words", "input raw.txt changed", ["words", "count", "report"]),
    "a command": ({"pipeline.yaml": PIPELINE.replace("sh report.sh", "sh ./report.sh")}, "report", "command changed", ["report"]),
    "an output": (
        {"pipeline.yaml": PIPELINE.replace("outputs: [report]", "outputs: [report/all.txt]")},
        "report", "output report is gone; output report/all.txt is new", ["report"],
    ),
    "a variable": (
        {"pipeline.yaml": PIPELINE.replace("    command: sh report.sh\n", "    command: sh report.sh\n    env: {LC_ALL: C}\n")},
        "report", "variable LC_ALL is new", ["report"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_detected_and_named(words: Path, run_cli: Command, ran: Ran, name: str) -> None:
    files, step, why, again = CHANGES[name]
    run_cli("pipeline", "run")
    ran()
    for path, text in files.items():
        (words / path).write_text(text)
    assert whys(run_cli("pipeline", "status", "--json"))[step] == why
    assert run_cli("pipeline", "run").code == 0
    assert ran() == again


def test_a_step_that_makes_the_same_bytes_again_leaves_what_follows_up_to_date(words: Path, run_cli: Command, ran: Ran) -> None:
    run_cli("pipeline", "run")
    ran()
    (words / "raw.txt").write_text("a\nb\n")
    assert run_cli("pipeline", "run").code == 0
    assert ran() == ["words"]


def test_renaming_a_step_runs_nothing(words: Path, run_cli: Command, ran: Ran) -> None:
    run_cli("pipeline", "run")
    ran()
    (words / "pipeline.yaml").write_text(PIPELINE.replace("name: count", "name: number"))
    assert run_cli("pipeline", "run").code == 0
    assert ran() == []


def test_without_code_named_any_code_file_counts_but_no_data_and_no_text_for_people(
    words: Path, run_cli: Command, ran: Ran
) -> None:
    write(words, PIPELINE.replace("    code: [count.sh]\n", ""))
    run_cli("pipeline", "run")
    ran()
    (words / "README.md").write_text("words\n")
    (words / "notes.txt").write_text("not tracked, and no program\n")
    assert run_cli("pipeline", "status").code == 0
    (words / "helper.py").write_text("new\n")
    assert whys(run_cli("pipeline", "status", "--json"))["count"] == "code helper.py is new"


def test_outputs_are_brought_back_from_the_store(words: Path, run_cli: Command, ran: Ran) -> None:
    run_cli("pipeline", "run")
    ran()
    shutil.rmtree(words / "report")
    (words / "count.txt").unlink()
    assert run_cli("pipeline", "run").code == 0
    assert ran() == []
    assert (words / "report/all.txt").read_text() == "a\nb\n4\n"
    assert (words / "count.txt").read_text() == "4\n"


def test_a_file_that_a_person_changed_is_refused_before_anything_starts(words: Path, run_cli: Command, ran: Ran) -> None:
    run_cli("pipeline", "run")
    ran()
    (words / "count.txt").write_text("mine\n")
    (words / "words.sh").write_text(SCRIPTS["words.sh"] + "#\n")
    done = run_cli("pipeline", "run")
    assert (done.code, ran(), (words / "count.txt").read_text()) == (13, [], "mine\n")
    assert "count.txt (made by count)" in done.err
    assert "--overwrite" in done.err
    assert run_cli("pipeline", "run", "--overwrite").code == 0
    assert (words / "count.txt").read_text() == "4\n"


def test_outputs_that_are_gone_from_the_store_are_made_again(words: Path, run_cli: Command, ran: Ran) -> None:
    run_cli("pipeline", "run")
    forget_sessions()
    ran()
    folio = open_folio(words)
    run = runs_of(words)["count"][0]
    folio.store.delete(run.artifacts["outputs/count.txt"].digest)  # type: ignore[attr-defined]
    folio.close()
    said = whys(run_cli("pipeline", "status", "--json"))["count"]
    assert "is gone from the object store: count.txt" in said
    assert run_cli("pipeline", "run", "--overwrite").code == 0
    assert ran() == ["count"]


def test_another_clone_takes_what_was_made_elsewhere(
    words: Path, tmp_path: Path, run_cli: Command, ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNFOLIO_ARTIFACTS", str(tmp_path / "store"))
    run_cli("pipeline", "run")
    forget_sessions()
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(words), str(other))
    monkeypatch.chdir(other)
    assert run_other(other).steps[0].state == "up to date"
    assert (other / "report/all.txt").read_text() == "a\nb\n4\n"
    assert not (other / "ran.log").exists()


def run_other(folder: Path) -> pipelines.running.PipelineRun:  # type: ignore[name-defined]
    return pipelines.run(folder, tracking_uri=str(folder))


def test_what_another_branch_made_is_up_to_date_here(words: Path, run_cli: Command, ran: Ran) -> None:
    git(words, "checkout", "-qb", "try")
    run_cli("pipeline", "run")
    forget_sessions()
    ran()
    git(words, "checkout", "-q", "main")
    assert "" not in runs_of(words)
    done = run_cli("pipeline", "run")
    assert (done.code, ran()) == (0, [])


def test_selected_steps_and_what_they_need(words: Path, run_cli: Command, ran: Ran) -> None:
    assert run_cli("pipeline", "run", "--step", "count").code == 0
    assert ran() == ["words", "count"]
    assert run_cli("pipeline", "run", "--step", "count", "--force").code == 0
    assert ran() == ["count"]
    assert run_cli("pipeline", "run", "--from", "count", "--force").code == 0
    assert ran() == ["count", "report"]
    done = run_cli("pipeline", "run", "--step", "cont")
    assert done.code == 2
    assert "has no step 'cont'; did you mean 'count'?" in done.err


def test_a_dry_run_changes_nothing(words: Path, run_cli: Command, ran: Ran) -> None:
    done = run_cli("pipeline", "run", "--dry-run")
    assert done.code == 0
    assert "words   would run   it has not run yet" in done.out
    assert ran() == []
    assert git(words, "status", "--porcelain") == ""


def test_a_failing_step_is_sealed_with_its_log_and_what_needs_it_is_not_run(words: Path, run_cli: Command, ran: Ran) -> None:
    (words / "count.sh").write_text("echo count >> ran.log\necho the reason >&2\nexit 3\n")
    done = run_cli("pipeline", "run")
    forget_sessions()
    assert (done.code, ran()) == (1, ["words", "count"])
    assert "report: not run: it needs count, which failed" in done.err
    failed = runs_of(words)["count"][0]
    assert failed.status.value == "FAILED"  # type: ignore[attr-defined]
    folio = open_folio(words)
    assert b"the reason" in folio.store.read(failed.artifacts["console.log"].digest)  # type: ignore[attr-defined]
    folio.close()
    assert runs_of(words)[""][0].status.value == "FAILED"  # type: ignore[attr-defined]
    (words / "count.sh").write_text(SCRIPTS["count.sh"])
    assert run_cli("pipeline", "run").code == 0
    assert ran() == ["count", "report"]


def test_a_step_that_makes_not_what_it_says_fails(words: Path, run_cli: Command) -> None:
    (words / "count.sh").write_text("true\n")
    done = run_cli("pipeline", "run")
    assert done.code == 1
    assert "its program ended well, but did not make count.txt" in done.err


def test_a_program_that_is_not_there_fails_its_step(words: Path, run_cli: Command) -> None:
    (words / "pipeline.yaml").write_text(PIPELINE.replace("sh count.sh", "nosuchprogram count.sh"))
    done = run_cli("pipeline", "run")
    assert done.code == 1
    assert "nosuchprogram could not be started" in done.err


def test_a_step_that_hangs_is_ended_at_its_timeout(words: Path, run_cli: Command) -> None:
    (words / "pipeline.yaml").write_text(
        PIPELINE.replace("    command: sh count.sh {times}\n", "    command: sleep 1000\n    timeout: 1s\n")
    )
    done = run_cli("pipeline", "run")
    forget_sessions()
    assert done.code == 1
    assert "it took longer than 1 s and was ended" in done.err
    assert runs_of(words)["count"][0].status.value == "FAILED"  # type: ignore[attr-defined]


def test_a_step_that_is_killed_is_told_as_killed(words: Path, run_cli: Command) -> None:
    (words / "count.sh").write_text("kill -9 $$\n")
    done = run_cli("pipeline", "run")
    forget_sessions()
    assert done.code == 1
    assert "it was ended by SIGKILL" in done.err
    assert runs_of(words)["count"][0].status.value == "KILLED"  # type: ignore[attr-defined]


def test_a_step_that_prints_without_end_keeps_the_beginning_and_the_end(words: Path, run_cli: Command) -> None:
    (words / "count.sh").write_text("echo first\nhead -c 40000000 /dev/zero\necho\necho last\nexit 1\n")
    assert run_cli("pipeline", "run").code == 1
    forget_sessions()
    run = runs_of(words)["count"][0]
    folio = open_folio(words)
    kept = folio.store.read(run.artifacts["console.log"].digest)  # type: ignore[attr-defined]
    folio.close()
    assert len(kept) < 11_000_000
    assert kept.startswith(b"first\n")
    assert kept.endswith(b"last\n")


def test_an_input_that_is_missing_is_said_before_anything_starts(words: Path, run_cli: Command, ran: Ran) -> None:
    (words / "raw.txt").unlink()
    (words / "pipeline.yaml").write_text(PIPELINE.replace("code: [count.sh]", "code: [cuont.sh]"))
    done = run_cli("pipeline", "run")
    assert (done.code, ran()) == (13, [])
    assert "words: the input raw.txt is not there" in done.err
    assert "count: code: no file is, or fits, 'cuont.sh'" in done.err


def test_steps_that_do_not_need_each_other_run_at_once(folio_dir: Path, run_cli: Command) -> None:
    """Each of the two waits for a file that the other makes: one after the other they would wait for ever."""
    wait = "import pathlib, sys, time\nme, other = sys.argv[1:]\npathlib.Path(me).write_text('x')\nwhile not pathlib.Path(other).exists(): time.sleep(0.01)\n"
    steps = "".join(
        f"  - {{name: {a}, command: python meet.py {a}.txt {b}.txt, timeout: 60s, outputs: [{a}.txt]}}\n" for a, b in ("xy", "yx")
    )
    write(folio_dir, f"environment: none\nsteps:\n{steps}", **{"meet.py": wait})
    done = run_cli("pipeline", "run", "--jobs", "2")
    assert done.code == 0, done.err


def test_what_a_script_logs_goes_to_the_run_of_its_step(words: Path, run_cli: Command) -> None:
    (words / "count.sh").write_text(SCRIPTS["count.sh"] + "echo 'metric lines 2' >> $RUNFOLIO_LINES\n")
    (words / "count.py").write_text(
        "import runfolio\nwith runfolio.start_run():\n    runfolio.log_metric('lines', 2)\nopen('count.txt', 'w').write('4')\n"
    )
    (words / "pipeline.yaml").write_text(PIPELINE.replace("sh count.sh {times}", "python count.py"))
    assert run_cli("pipeline", "run").code == 0
    forget_sessions()
    run = runs_of(words)["count"][0]
    assert (run.metrics["lines"].last, run.status.value) == (2, "FINISHED")  # type: ignore[attr-defined]


def test_an_artifact_of_another_run_is_placed_where_the_step_reads_it(words: Path, run_cli: Command, ran: Ran) -> None:
    runfolio.set_tracking_uri(words)
    with runfolio.start_run() as run:
        runfolio.log_text("z\n", "data/more.txt")
    pipeline = PIPELINE.replace("inputs: [raw.txt]", f"inputs: [{{from: 'runs:/{run.info.run_id}/data/more.txt', to: raw.txt}}]")
    (words / "pipeline.yaml").write_text(pipeline)
    done = run_cli("pipeline", "run")
    assert done.code == 13
    assert "raw.txt (fetched from runs:/" in done.err
    (words / "raw.txt").unlink()
    assert run_cli("pipeline", "run").code == 0
    assert (words / "made/sorted.txt").read_text() == "z\n"


def test_a_model_of_the_registry_is_an_input_and_another_version_makes_the_step_stale(
    words: Path, run_cli: Command, ran: Ran
) -> None:
    runfolio.set_tracking_uri(words)

    def register(text: str) -> None:
        with runfolio.start_run() as run:
            runfolio.log_text(text, "model/weights.txt")
        runfolio.register_model(f"runs:/{run.info.run_id}/model", "net")

    register("1\n")
    pipeline = PIPELINE.replace("inputs: [raw.txt]", "inputs: [{from: 'models:/net/latest/weights.txt', to: got.txt}]")
    (words / "words.sh").write_text("cp got.txt made/sorted.txt\n")
    (words / "pipeline.yaml").write_text(pipeline)
    assert run_cli("pipeline", "run").code == 0
    assert (words / "made/sorted.txt").read_text() == "1\n"
    register("2\n")
    assert whys(run_cli("pipeline", "status", "--json"))["words"] == "input got.txt changed"
    assert run_cli("pipeline", "run").code == 0
    assert (words / "made/sorted.txt").read_text() == "2\n"


def test_json_is_all_that_standard_output_has(words: Path, run_cli: Command) -> None:
    (words / "count.sh").write_text("echo loud\n" + SCRIPTS["count.sh"])
    done = run_cli("pipeline", "run", "--json")
    said = json.loads(done.out)
    assert said["succeeded"] is True
    assert [step["state"] for step in said["steps"]] == ["made"] * 3
    assert "loud" not in done.out


def test_a_secret_param_is_not_written_down_but_counts(words: Path, run_cli: Command) -> None:
    pipeline = PIPELINE.replace("{times: 2}", "{times: 2, api_token: abc}").replace("sh report.sh", "sh report.sh {api_token}")
    (words / "pipeline.yaml").write_text(pipeline)
    run_cli("pipeline", "run")
    said = run_cli("pipeline", "status", "-P", "api_token=hunter2secret", "--json")
    assert whys(said)["report"] == "a value that is kept secret changed"
    run_cli("pipeline", "run", "-P", "api_token=hunter2secret")
    forget_sessions()
    git(words, "gc", "-q")
    folio = open_folio(words)
    assert isinstance(folio, Folio)
    stored = b"".join(folio.store.read(digest) for digest in folio.store.digests())
    folio.close()
    assert b"hunter2secret" not in stored
    assert "hunter2secret" not in git(words, "log", "-p")


def test_python_raises_for_what_is_wrong_and_tells_what_failed(words: Path) -> None:
    (words / "count.sh").write_text("exit 1\n")
    done = pipelines.run(words, params={"times": 3})
    assert not done.succeeded
    assert [(step.name, step.state) for step in done.steps] == [("words", "made"), ("count", "failed"), ("report", "not run")]
    (words / "made/sorted.txt").write_text("mine")
    with pytest.raises(StateError, match="would be overwritten"):
        pipelines.run(words)


def test_a_dataset_by_its_name_is_brought_and_a_change_of_it_makes_the_step_stale(
    words: Path, run_cli: Command, ran: Ran
) -> None:
    assert run_cli("data", "add", "raw.txt", "--name", "lines").code == 0
    (words / "pipeline.yaml").write_text(PIPELINE.replace("inputs: [raw.txt]", "inputs: ['data:lines']"))
    (words / "raw.txt").unlink()
    done = run_cli("pipeline", "run")
    assert done.code == 0, done.err
    assert (words / "raw.txt").read_text() == SCRIPTS["raw.txt"]
    ran()
    assert run_cli("pipeline", "run").code == 0
    assert ran() == []
    (words / "raw.txt").write_text("c\n")
    assert run_cli("data", "add", "raw.txt", "--name", "lines").code == 0
    assert whys(run_cli("pipeline", "status", "--json"))["words"] == "input raw.txt changed"
    assert run_cli("pipeline", "run").code == 0
    assert (words / "made/sorted.txt").read_text() == "c\n"


def test_a_dataset_that_is_not_there_is_named(words: Path, run_cli: Command) -> None:
    (words / "pipeline.yaml").write_text(PIPELINE.replace("inputs: [raw.txt]", "inputs: ['data:lnes']"))
    done = run_cli("pipeline", "run")
    assert done.code == 11
    assert "There is no dataset 'lnes'" in done.err


PROJECT = """\
name: words
entry_points:
  count:
    parameters:
      times: {type: float, default: 2}
      more: {type: string, default: "a b; touch hacked"}
    command: "sh count.sh {times} {more}"
"""


def test_an_entry_point_of_the_project_is_a_step(words: Path, run_cli: Command, ran: Ran) -> None:
    (words / "MLproject").write_text(PROJECT)
    (words / "pipeline.yaml").write_text(PIPELINE.replace("command: sh count.sh {times}", "entry: count"))
    done = run_cli("pipeline", "run")
    assert done.code == 0, done.err
    assert (words / "count.txt").read_text() == "4\n"
    assert not (words / "hacked").exists()
    ran()
    assert whys(run_cli("pipeline", "status", "-P", "times=5", "--json"))["count"] == "param times 2 → 5"
    (words / "MLproject").write_text(PROJECT.replace("a b", "b"))
    assert whys(run_cli("pipeline", "status", "--json"))["count"] == "param more a b; touch hacked → b; touch hacked"


def test_an_entry_point_that_is_not_there_or_gets_a_wrong_value_is_said(words: Path, run_cli: Command) -> None:
    (words / "MLproject").write_text(PROJECT)
    (words / "pipeline.yaml").write_text(PIPELINE.replace("command: sh count.sh {times}", "entry: cuont"))
    done = run_cli("pipeline", "run")
    assert done.code == 14
    assert "step count: entry: " in done.err
    (words / "pipeline.yaml").write_text(PIPELINE.replace("command: sh count.sh {times}", "entry: count"))
    done = run_cli("pipeline", "run", "-P", "times=many")
    assert done.code == 1
    assert "The parameter 'times'" in done.err
