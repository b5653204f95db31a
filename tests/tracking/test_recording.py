"""Any program as a run: its status, its output, its lines, and what is left of it when something is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from runfolio.folio.recovery import recover
from runfolio.records import RunStatus
from runfolio.tracking.console import Console, join
from runfolio.tracking.recording import take_left
from tests.recorded import EXAMPLES, artifact, call, only_run, runs_of, shell_env, start


@pytest.fixture
def env(tmp_path: Path, folio_dir: Path) -> dict[str, str]:
    return shell_env(tmp_path)


def script(folder: Path, text: str, name: str = "job.sh") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(("code", "status"), [(0, RunStatus.FINISHED), (1, RunStatus.FAILED), (77, RunStatus.FAILED)])
def test_exit_status_of_the_program_is_ours_and_the_runs(
    folio_dir: Path, env: dict[str, str], code: int, status: RunStatus
) -> None:
    done = call(folio_dir, env, "record", "--", "sh", "-c", f"exit {code}")
    assert done.returncode == code
    run = only_run(folio_dir)
    assert run.status is status
    assert run.tags["runfolio.exit_code"] == str(code)
    assert run.entry == {"script": "sh", "type": "PROGRAM", "args": ["-c", f"exit {code}"]}


def test_program_killed_with_9_is_a_killed_run(folio_dir: Path, env: dict[str, str]) -> None:
    done = call(folio_dir, env, "record", "--", "sh", "-c", 'echo "metric loss 0.5" >> "$RUNFOLIO_LINES"; kill -9 $$')
    assert done.returncode == 128 + 9
    run = only_run(folio_dir)
    assert (run.status, run.tags["runfolio.signal"]) == (RunStatus.KILLED, "SIGKILL")
    assert run.metrics["loss"].last == 0.5


def test_line_that_a_kill_cut_off_is_not_a_value(folio_dir: Path, env: dict[str, str]) -> None:
    call(folio_dir, env, "record", "--", "sh", "-c", 'printf "metric a 1\\nmetric loss 0.12" >> "$RUNFOLIO_LINES"; kill -9 $$')
    run = only_run(folio_dir)
    assert set(run.metrics) == {"a"}
    assert any("line 2" in notice and "cut off" in notice for notice in run.notices)


def test_last_line_without_an_end_counts_where_the_program_came_to_its_own(folio_dir: Path, env: dict[str, str]) -> None:
    call(folio_dir, env, "record", "--", "sh", "-c", 'printf "metric loss 0.125" >> "$RUNFOLIO_LINES"')
    assert only_run(folio_dir).metrics["loss"].last == 0.125


def test_output_passes_through_apart_and_is_kept_together(folio_dir: Path, env: dict[str, str]) -> None:
    done = call(folio_dir, env, "record", "--", "sh", "-c", "echo out; echo err >&2")
    assert done.stdout == "out\n"
    assert done.stderr.startswith("err\n")
    kept = artifact(folio_dir, only_run(folio_dir), "console.log")
    assert sorted(kept.decode().splitlines()) == ["err", "out"]


def test_no_log_keeps_no_output(folio_dir: Path, env: dict[str, str]) -> None:
    done = call(folio_dir, env, "record", "--no-log", "--", "echo", "hello")
    assert done.stdout == "hello\n"
    assert not only_run(folio_dir).artifacts


def test_thirty_megabytes_of_output_are_bounded_and_the_gap_is_told(folio_dir: Path, env: dict[str, str], tmp_path: Path) -> None:
    program = f"import sys\nfor n in range(300_000): sys.stdout.write(f'{{n:0{99}d}}\\n')\n"
    out = tmp_path / "out"
    with open(out, "wb") as target:
        subprocess.run(
            [str(tmp_path / "bin" / "runfolio"), "record", "--log-limit", "1MB", "--", sys.executable, "-c", program],
            cwd=folio_dir, env=env, stdout=target, check=True,
        )  # fmt: skip
    assert out.stat().st_size == 30_000_000
    run = only_run(folio_dir)
    kept = artifact(folio_dir, run, "console.log")
    assert len(kept) <= (1 << 20) + 100
    lines = kept.decode().splitlines()
    assert int(lines[0]) == 0
    assert int(lines[-1]) == 299_999
    left_out = 30_000_000 - len(kept) + kept.count(b"\n[runfolio: ") * len(next(x for x in lines if "left out" in x)) + 2
    assert f"[runfolio: {left_out:,} bytes of output left out here]" in lines
    assert any(f"{left_out:,} bytes" in notice for notice in run.notices)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 19, 20, 21, 39, 40, 41, 1000])
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_console_keeps_beginning_and_end_whatever_the_pieces(tmp_path: Path, size: int, piece: int) -> None:
    data = bytes(ord("a") + n % 26 for n in range(size))
    console = Console(tmp_path, 20)
    for at in range(0, size, piece):
        console.take(data[at : at + piece])
    console.close()
    joined = join(tmp_path, 20)
    if not size:
        assert joined is None
        return
    assert joined is not None
    made = joined[0].read_bytes()
    if size <= 20:
        assert (made, joined[1]) == (data, 0)
    else:
        assert joined[1] == size - 20
        assert made == data[:10] + f"\n[runfolio: {size - 20:,} bytes of output left out here]\n".encode() + data[-10:]


def test_bash_script_logs_by_commands_and_by_lines(folio_dir: Path, env: dict[str, str]) -> None:
    job = script(
        folio_dir,
        """set -e
runfolio log param depth 5
runfolio log param depth 5
runfolio log param "learning rate" 0.1
runfolio log metric loss -0.5 --step 3
runfolio log metric peak Inf
runfolio log tag who me
mkdir plots; echo picture > plots/roc.txt; echo model > model.bin
runfolio log artifact model.bin; rm model.bin
runfolio log artifact plots sub
{
  echo 'metric loss NaN 4 1795428000000'
  echo '# nothing'
  echo
  echo 'metric "validation loss" 0.25'
  echo 'param note to self = x'
  echo 'param "with space" "quoted \\"text\\""'
  echo '{"params": {"deep": true, "list": [1, 2]}, "metrics": {"a": 1, "b": "-Inf"}, "step": 2}'
  echo '{"metric": "c", "value": 3}'
  echo 'artifact plots/roc.txt lines'
  echo 'note first'
  echo 'note second'
} >> "$RUNFOLIO_LINES"
""",
    )
    done = call(
        folio_dir, env, "record", "--experiment", "Shell", "--name", "one", "--tag", "a=b", "--param", "p=q=r", "--", "bash", job
    )
    assert done.returncode == 0, done.stderr
    run = only_run(folio_dir)
    assert (run.name, run.experiment) == ("one", "shell")
    assert run.params == {
        "p": "q=r", "depth": "5", "learning rate": "0.1", "note": "to self = x", "with space": 'quoted "text"', "deep": "true", "list": "[1,2]",
    }  # fmt: skip
    assert {key: (item.last, item.step) for key, item in run.metrics.items() if key != "loss"} == {
        "peak": (float("inf"), 0), "validation loss": (0.25, 0), "a": (1.0, 2), "b": (float("-inf"), 2), "c": (3.0, 0),
    }  # fmt: skip
    loss = run.metrics["loss"]
    assert (loss.count, loss.step, loss.timestamp, loss.min) == (2, 4, 1_795_428_000_000, -0.5)
    assert run.tags == {"a": "b", "who": "me", "runfolio.exit_code": "0", "mlflow.note.content": "first\nsecond"}
    assert set(run.artifacts) == {"model.bin", "sub/plots/roc.txt", "lines/roc.txt"}
    assert artifact(folio_dir, run, "model.bin") == b"model\n"
    assert not run.notices


BAD_LINES = {
    "metrc loss 1": "'metrc' is none of",
    "metric": "the name is missing",
    "metric loss": "the value is missing",
    "metric loss abc": "a number is expected",
    "metric loss NA": "no number",
    "metric loss 1 2 3 4": "too much",
    "metric loss 1 0.5": "a whole number",
    "metric loss 1 1 1795428000": "seconds",
    'metric "loss 1': "closing double quote",
    "metric loss;drop 1": "Invalid metric name",
    "param a": "the value is missing",
    "artifact nowhere.txt": "There is no file",
    "artifact job.sh ../up": "Invalid artifact path",
    "note": "the text is missing",
    '{"metric": "loss"}': "'value' is missing",
    '{"metrik": "loss", "value": 1}': "did you mean 'metric'",
    '{"metric": "loss", "value": 1': "not JSON",
    '{"value": 1}': "records nothing",
    '{"params": {"a": 1}, "params": {"a": 2}}': "stands twice",
    "[1]": "is none of",
}


def test_bad_lines_are_named_by_number_and_the_others_stand(folio_dir: Path, env: dict[str, str]) -> None:
    bad = dict(list(BAD_LINES.items()))
    (folio_dir / "lines.txt").write_text("metric first 1\n" + "".join(f"{line}\n" for line in bad) + "metric last 2\n")
    (folio_dir / "job.sh").write_text("")
    done = call(folio_dir, env, "record", "--", "sh", "-c", 'cat lines.txt >> "$RUNFOLIO_LINES"')
    run = only_run(folio_dir)
    assert {key: item.last for key, item in run.metrics.items()} == {"first": 1.0, "last": 2.0}
    assert done.returncode == 0
    for number, reason in enumerate(bad.values(), 2):
        (notice,) = [item for item in run.notices if f"line {number} was" in item]
        assert reason in notice
        assert f"line {number} was" in done.stderr


def test_many_bad_lines_are_counted_not_listed(folio_dir: Path, env: dict[str, str]) -> None:
    call(folio_dir, env, "record", "--", "sh", "-c", 'seq 100 >> "$RUNFOLIO_LINES"; echo "metric m 1" >> "$RUNFOLIO_LINES"')
    run = only_run(folio_dir)
    assert len(run.notices) == 21
    assert any("80 more lines" in item for item in run.notices)
    assert run.metrics["m"].last == 1.0


def test_a_line_of_three_megabytes_hides_no_other(folio_dir: Path, env: dict[str, str]) -> None:
    write = "import os; open(os.environ['RUNFOLIO_LINES'], 'ab').write(b'metric a 1\\nparam x ' + b'y' * 3_000_000 + b'\\nmetric b 2\\n')"
    call(folio_dir, env, "record", "--", sys.executable, "-c", write)
    run = only_run(folio_dir)
    assert set(run.metrics) == {"a", "b"}
    assert not run.params
    (notice,) = run.notices
    assert "line 2" in notice
    assert "1048576 bytes" in notice


def test_bytes_that_are_no_text_hide_no_other_line(folio_dir: Path, env: dict[str, str]) -> None:
    write = "import os; open(os.environ['RUNFOLIO_LINES'], 'ab').write(b'param a \\xff\\r\\nmetric b 2\\r\\n')"
    call(folio_dir, env, "record", "--", sys.executable, "-c", write)
    run = only_run(folio_dir)
    assert run.metrics["b"].last == 2.0
    assert any("line 1" in item and "UTF-8" in item for item in run.notices)


def test_file_of_lines_written_over_is_told(folio_dir: Path, env: dict[str, str]) -> None:
    # The recorder is asked to read between the two writes by the time that `log` and a round of its clock take.
    program = (
        "import os, select\nlines = os.environ['RUNFOLIO_LINES']\nopen(lines, 'w').write('metric a 1\\n')\n"
        "select.select([], [], [], 2.5)\nopen(lines, 'w').write('metric b 2\\nmetric c 3\\n')\n"
    )
    call(folio_dir, env, "record", "--", sys.executable, "-c", program)
    run = only_run(folio_dir)
    assert set(run.metrics) == {"a", "b", "c"}
    assert any("written over" in item for item in run.notices)


def test_secrets_in_lines_and_arguments_are_redacted(folio_dir: Path, env: dict[str, str]) -> None:
    job = script(
        folio_dir, 'echo "param api_token s3cr3tvalue99" >> "$RUNFOLIO_LINES"\nrunfolio log tag db_password hunter2hunter2\n'
    )
    done = call(folio_dir, env, "record", "--", "bash", job, "--password=topsecret123")
    assert "param api_token: a secret or home path was redacted" in done.stderr
    run = only_run(folio_dir)
    assert run.params["api_token"] == "***"
    assert run.tags["db_password"] == "***"
    assert "topsecret123" not in json.dumps(run.entry)
    assert run.notices


def test_log_refuses_what_the_api_refuses(folio_dir: Path, env: dict[str, str]) -> None:
    job = script(
        folio_dir,
        "runfolio log param a 1; runfolio log param a 2; echo $?\nrunfolio log metric loss abc; echo $?\n"
        "runfolio log metric 'a//b' 1; echo $?\nrunfolio log artifact nowhere; echo $?\n",
    )
    done = call(folio_dir, env, "record", "--", "bash", job)
    assert done.stdout.split() == ["2", "2", "2", "11"]
    assert "already logged with value='1'" in done.stderr


def test_log_without_a_run_says_what_to_do(folio_dir: Path, env: dict[str, str]) -> None:
    done = call(folio_dir, env, "log", "param", "a", "1")
    assert done.returncode == 2
    assert "--run ID" in done.stderr


def test_log_to_an_ended_run_changes_its_record(folio_dir: Path, env: dict[str, str]) -> None:
    call(folio_dir, env, "record", "--", "true")
    run_id = only_run(folio_dir).run_id
    for words in (("tag", "later", "yes"), ("metric", "score", "0.5"), ("param", "p", "1")):
        done = call(folio_dir, env, "log", *words, "--run", run_id)
        assert done.returncode == 0, done.stderr
    run = only_run(folio_dir)
    assert (run.tags["later"], run.metrics["score"].last, run.params["p"], run.status) == ("yes", 0.5, "1", RunStatus.FINISHED)


def test_python_child_goes_on_with_the_run_and_does_not_end_it(folio_dir: Path, env: dict[str, str]) -> None:
    child = (
        "import runfolio\n"
        "with runfolio.start_run() as run:\n"
        "    runfolio.log_metric('inside', 1)\n"
        "    with runfolio.start_run(nested=True): runfolio.log_metric('nested', 2)\n"
    )
    script(folio_dir, child, "child.py")
    job = script(folio_dir, f'"{sys.executable}" child.py\nrunfolio log metric between 3\n"{sys.executable}" child.py\nexit 5\n')
    done = call(folio_dir, env, "record", "--experiment", "Mixed", "--", "bash", job)
    assert done.returncode == 5, done.stderr
    outer, *nested = runs_of(folio_dir)
    assert outer.status is RunStatus.FAILED
    assert {key: item.count for key, item in outer.metrics.items()} == {"inside": 2, "between": 1}
    assert [(run.parent, run.experiment, run.status) for run in nested] == [(outer.run_id, "mixed", RunStatus.FINISHED)] * 2


def test_record_inside_record_is_a_child(folio_dir: Path, env: dict[str, str]) -> None:
    done = call(folio_dir, env, "record", "--", "runfolio", "record", "--", "sh", "-c", "exit 4")
    assert done.returncode == 4, done.stderr
    outer, inner = runs_of(folio_dir)
    assert inner.parent == outer.run_id
    assert {outer.status, inner.status} == {RunStatus.FAILED}


def test_what_the_program_leaves_behind_does_not_keep_us(folio_dir: Path, env: dict[str, str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "end")
    job = script(folio_dir, f'(cat "{tmp_path}/end") & echo started\n')
    done = call(folio_dir, env, "record", "--", "bash", job)
    assert done.returncode == 0
    assert only_run(folio_dir).status is RunStatus.FINISHED
    with open(tmp_path / "end", "w"):
        pass


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_signals_are_handed_on(folio_dir: Path, env: dict[str, str], name: str) -> None:
    process = start(
        folio_dir,
        env,
        "record",
        "--",
        sys.executable,
        "-c",
        "import signal; print('ready', flush=True); signal.pause()",
        own_group=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=60)
    assert process.returncode == 128 + getattr(signal, name)
    run = only_run(folio_dir)
    assert (run.status, run.tags["runfolio.signal"]) == (RunStatus.KILLED, name)


def test_program_may_tidy_up_after_a_signal(folio_dir: Path, env: dict[str, str]) -> None:
    job = script(folio_dir, "trap 'runfolio log tag tidy yes; exit 0' TERM\necho ready\nread line < wait & wait $!\n")
    os.mkfifo(folio_dir / "wait")
    process = start(folio_dir, env, "record", "--", "bash", job, own_group=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0
    run = only_run(folio_dir)
    assert (run.status, run.tags["tidy"]) == (RunStatus.FINISHED, "yes")
    fd = os.open(folio_dir / "wait", os.O_RDWR)
    os.write(fd, b"\n")
    os.close(fd)


def test_killed_recorder_loses_no_line_that_was_written(folio_dir: Path, env: dict[str, str]) -> None:
    job = script(
        folio_dir,
        'runfolio log metric acknowledged 1\nfor i in 1 2 3 4 5 6 7 8 9; do echo "metric line $i $i" >> "$RUNFOLIO_LINES"; done\n'
        "echo some output\necho ready\nread word\necho 'metric after 1' >> \"$RUNFOLIO_LINES\"\n",
    )
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from runfolio.cli.main import main; sys.exit(main())", "record", "--", "bash", job],
        cwd=folio_dir, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "some output\n"
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.wait()

    held = open_folio(folio_dir)
    said: list[str] = []
    assert take_left(held, said.append) == []  # the program still runs: nothing is taken from under it
    assert not recover(held).recovered
    held.close()

    process.stdin.write("go on\n")
    process.stdin.close()
    assert process.stdout.read() == ""  # the pipe closes with the program
    process.stdout.close()
    done = call(folio_dir, env, "recover")
    assert done.returncode == 0, done.stderr
    run = only_run(folio_dir)
    assert run.status is RunStatus.KILLED
    assert {key: item.count for key, item in run.metrics.items()} == {"acknowledged": 1, "line": 9, "after": 1}
    assert artifact(folio_dir, run, "console.log").startswith(b"some output\nready\n")
    folio = open_folio(folio_dir)
    assert not any((folio.spool.folder / "recordings").iterdir()) or take_left(folio, said.append) == []
    assert not any((folio.spool.folder / "recordings").iterdir())
    folio.close()
    assert not said


@pytest.mark.parametrize("round_", range(8))
def test_recorder_killed_at_any_moment_loses_and_doubles_nothing(folio_dir: Path, env: dict[str, str], round_: int) -> None:
    program = (
        "import os, sys\nlines = open(os.environ['RUNFOLIO_LINES'], 'a', buffering=1)\n"
        "for n in range(4000):\n    lines.write(f'metric m {n} {n}\\n')\n"
        f"    if n == {round_ * 450 + 300}: print('now', flush=True)\n"
        "    if n % 1000 == 0: __import__('select').select([], [], [], 0.3)\n"
    )
    process = start(folio_dir, env, "record", "--no-log", "--", sys.executable, "-c", program)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    assert process.stdout.read() == ""
    process.communicate()
    done = call(folio_dir, env, "recover")
    assert done.returncode == 0, done.stderr
    metric = only_run(folio_dir).metrics["m"]
    assert (metric.count, metric.last, metric.min, metric.max) == (4000, 3999.0, 0.0, 3999.0)


def test_program_that_does_not_exist_makes_no_run(folio_dir: Path, env: dict[str, str]) -> None:
    done = call(folio_dir, env, "record", "--", "no-such-program-anywhere")
    assert done.returncode == 2
    assert "There is no program 'no-such-program-anywhere'" in done.stderr
    assert runs_of(folio_dir) == []


def test_program_that_cannot_be_started_is_a_failed_run_and_says_why(folio_dir: Path, env: dict[str, str]) -> None:
    broken = folio_dir / "broken"
    broken.write_bytes(b"\x7fELF\x00\x00")
    broken.chmod(0o755)
    done = call(folio_dir, env, "record", "--", "./broken")
    assert done.returncode == 2
    assert "could not be started" in done.stderr
    assert only_run(folio_dir).status is RunStatus.FAILED


def test_a_script_without_a_first_line_is_run_as_a_shell_runs_it(folio_dir: Path, env: dict[str, str]) -> None:
    plain = folio_dir / "plain.sh"
    plain.write_text('echo "got $1"\nexit 3\n')
    plain.chmod(0o755)
    done = call(folio_dir, env, "record", "--", "./plain.sh", "a b")
    assert (done.returncode, done.stdout) == (3, "got a b\n")
    assert only_run(folio_dir).status is RunStatus.FAILED


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("#!/no/such/interpreter -x\n", "names the interpreter '/no/such/interpreter', which is not here. Correct that line"),
        ("#!/bin/sh\r\n", r"names the interpreter '/bin/sh\r', which is not here. Its lines end in CR LF"),
    ],
)
def test_a_script_whose_interpreter_is_not_there_makes_no_run(
    folio_dir: Path, env: dict[str, str], first: str, said: str
) -> None:
    broken = folio_dir / "broken.sh"
    broken.write_bytes(f"{first}echo trained\n".encode())
    broken.chmod(0o755)
    done = call(folio_dir, env, "record", "--", "./broken.sh")
    assert done.returncode == 2
    assert said in done.stderr
    assert runs_of(folio_dir) == []


@pytest.mark.parametrize("option", ["--param", "--tag"])
def test_a_param_that_is_given_twice_is_refused(folio_dir: Path, env: dict[str, str], option: str) -> None:
    done = call(folio_dir, env, "record", option, "a=1", option, "b=1", option, "a=2", "--", "true")
    assert done.returncode == 2 and f"{option} names 'a' twice" in done.stderr
    assert runs_of(folio_dir) == []


def test_recording_into_a_spool_folder(folio_dir: Path, env: dict[str, str], tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    job = script(
        folio_dir,
        'runfolio log param a 1\necho data > x.txt; runfolio log artifact x.txt\necho "metric m 2" >> "$RUNFOLIO_LINES"\n',
    )
    done = call(folio_dir, env, "-C", f"spool:{spool}", "record", "--experiment", "Far away", "--", "bash", job)
    assert done.returncode == 0, done.stderr
    assert runs_of(folio_dir) == []
    taken = json.loads(call(folio_dir, env, "collect", "--json", str(spool)).stdout)["taken"]
    assert [item["experiment"] for item in taken] == ["Far away"]
    run = only_run(folio_dir)
    assert (run.experiment, run.params["a"], run.metrics["m"].last) == ("far-away", "1", 2.0)
    assert artifact(folio_dir, run, "x.txt") == b"data\n"


def test_a_field_that_is_nearly_right_is_asked_about(folio_dir: Path, env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "spool" / "one").mkdir(parents=True)
    (tmp_path / "spool" / "one" / "run.json").write_text('{"schema": 1, "start": 1, "end": 2, "status": "FINISHED", "parms": {}}')
    done = call(folio_dir, env, "collect", str(tmp_path / "spool"))
    assert done.returncode == 1 and "did you mean 'params'?\n" in done.stderr, done.stderr


def test_shell_example_runs(folio_dir: Path, env: dict[str, str]) -> None:
    done = call(folio_dir, env, "record", "--experiment", "square root", "--", str(EXAMPLES / "train.sh"), "2")
    assert done.returncode == 0, done.stderr
    run = only_run(folio_dir)
    assert run.params["number"] == "2"
    assert abs(run.metrics["root"].last - 2**0.5) < 1e-12
    assert run.metrics["error"].count == 8
    assert set(run.artifacts) == {"console.log", "results/root.txt"}
    assert run.tags["language"] == "shell"


@pytest.mark.r
def test_r_example_records_lines_and_writes_folders(folio_dir: Path, env: dict[str, str], tmp_path: Path) -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed, so the R example was NOT run: apt-get install r-base-core")
    done = call(folio_dir, env, "record", "--experiment", "cars", "--", "Rscript", str(EXAMPLES / "train.R"))
    assert done.returncode == 0, done.stderr
    for _ in range(2):
        subprocess.run(["Rscript", str(EXAMPLES / "train.R"), str(tmp_path / "spool")], env=env, check=True, capture_output=True)
    collected = call(folio_dir, env, "collect", str(tmp_path / "spool"))
    assert collected.returncode == 0, collected.stderr
    first, *others = runs_of(folio_dir)
    assert len(others) == 2
    assert not first.notices
    for run in others:
        assert run.experiment == first.experiment == "cars"
        assert run.metrics["rmse"].last == first.metrics["rmse"].last
        assert run.metrics["r2"].last == first.metrics["r2"].last
        assert run.metrics["loss"].count == first.metrics["loss"].count == 50
        assert run.metrics["sigma0"].last != run.metrics["sigma0"].last
        assert run.params == {"formula": "dist ~ speed", "n": "50"}
        assert b"Multiple R-squared" in artifact(folio_dir, run, "summary.txt")


def test_program_that_cannot_be_started_says_what_to_do(folio_dir: Path, env: dict[str, str]) -> None:
    script = folio_dir / "my train.sh"
    script.write_text("#!/bin/sh\necho trained\n")
    said = {name: call(folio_dir, env, "record", "--", name) for name in ("./my train.sh", "my train.sh", "./not-there.sh", ".")}
    assert {done.returncode for done in said.values()} == {2}
    for name in ("./my train.sh", "my train.sh"):
        assert "chmod +x './my train.sh'" in said[name].stderr
    assert (
        f"There is no program './not-there.sh' to record. Check its path; it is relative to {folio_dir}"
        in said["./not-there.sh"].stderr
    )
    assert "is a folder" in said["."].stderr
