"""A run that cannot be made again: the reason is in the verdict, the log is kept, nothing else is touched."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runfolio.folio import open_folio
from tests.reproduction.labs import TRAIN, WINE, Lab, variables

EARLY = 'import os\nif os.environ.get("TROUBLE"):\n    exec(os.environ["TROUBLE"])\n' + TRAIN


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab(tmp_path / "lab", {"train.py": EARLY, "wine.csv": WINE})
    made.python("train.py", "4")
    return made


def log_of(lab: Lab, made: dict[str, Any]) -> str:
    folio = open_folio(lab.root)
    try:
        return folio.store.read(made["log"]["digest"]).decode()
    finally:
        folio.close()


def test_a_command_that_fails_says_why_and_its_log_is_kept(lab: Lab) -> None:
    before = lab.state()
    made = lab.reproduce("d4-s0", expect=22, env={"TROUBLE": "print('about to'); raise SystemExit('no GPU here')"})
    assert (made["verdict"], made["reason"], made["exit_code"]) == (
        "could_not_run",
        "it ended with exit status 1: no GPU here",
        1,
    )
    assert log_of(lab, made) == "about to\nno GPU here\n"
    assert lab.state() == before
    said = lab.cli("reproduce", "d4-s0", "--env-manager", "local", expect=22, env={"TROUBLE": "1/0"})
    assert said.stdout.startswith("could not be run: it ended with exit status 1: ZeroDivisionError")
    assert "Traceback" in said.stderr
    assert lab.cli("check").returncode == 0


def test_a_command_that_hangs_is_stopped_with_all_that_it_started(lab: Lab, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    child = (
        f"import subprocess as s, time; p = s.Popen(['sleep', '600']); open({str(pid)!r}, 'w').write(str(p.pid)); time.sleep(600)"
    )
    made = lab.reproduce("d4-s0", "--timeout", "3", expect=22, env={"TROUBLE": child})
    assert made["reason"] == "it was stopped after 3 s (--timeout)"
    made = lab.reproduce("d4-s0", "--timeout", "2s", expect=22, env={"TROUBLE": child})
    assert made["reason"] == "it was stopped after 2 s (--timeout)"
    for wrong in ("soon", "0", "nan"):
        lab.cli("reproduce", "d4-s0", "--timeout", wrong, expect=2)
    assert "exit_code" not in made
    # Ended, whether or not somebody has asked for its status yet.
    state = Path(f"/proc/{pid.read_text()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_command_that_is_killed_is_named_by_its_signal(lab: Lab) -> None:
    made = lab.reproduce("d4-s0", expect=22, env={"TROUBLE": "os.kill(os.getpid(), 9)"})
    assert made["reason"] == "it was ended by SIGKILL"


def test_a_gigabyte_of_output_leaves_a_log_of_a_megabyte(lab: Lab) -> None:
    trouble = "import sys\nfor _ in range(1024): sys.stdout.write('x' * 1048575 + '\\n')\nraise SystemExit('the end')"
    made = lab.reproduce("d4-s0", expect=22, env={"TROUBLE": trouble})
    assert made["reason"].endswith("the end")
    assert made["log"]["size"] < 1.1 * (1 << 20)
    assert "bytes of output left out here" in log_of(lab, made)


def test_a_full_disk_in_the_scratch_folio_is_told(lab: Lab) -> None:
    trouble = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); open('big', 'wb').write(b'x' * 9999999)"
    made = lab.reproduce("d4-s0", expect=22, env={"TROUBLE": trouble})
    assert "File too large" in made["reason"]


def test_a_scratch_that_cannot_be_written_is_told_and_recorded(lab: Lab, tmp_path: Path) -> None:
    lab.write("large.bin", "x" * 900_000)
    lab.commit("a file that does not fit")
    lab.python("train.py", "6")
    # A limit on the size of files stands for a disk that is full: writing fails with the same call.
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000));"
        "from runfolio.cli.main import main; sys.exit(main(['reproduce', 'd6-s0', '--env-manager', 'local', '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=lab.root, env=variables(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 22, done.stderr
    made = json.loads(done.stdout)
    assert "restore the code" in made["reason"]
    assert made["verdict"] == "could_not_run"


def test_code_that_is_kept_nowhere_and_code_that_was_never_named(lab: Lab) -> None:
    run_id = json.loads(lab.cli("runs", "list", "--json").stdout)[0]["run_id"]
    lab.write("train.py", EARLY + "# changed\n")
    lab.python("train.py", "8")
    lab.git("update-ref", "-d", "refs/runfolio/code")
    lab.git("reflog", "expire", "--expire=now", "--all")
    lab.git("gc", "-q", "--prune=now")
    made = lab.reproduce("d8-s0", expect=22)
    assert "the code is not kept" in made["reason"]
    assert "runfolio sync" in made["reason"]
    facts = {fact["what"]: fact for fact in lab.verify("d8-s0", expect=1)["facts"]}
    assert facts["code"]["state"] == "fault"
    assert lab.reproduce(run_id)["verdict"] == "exact"  # its tree is a commit's


def test_data_that_is_ignored_by_git_is_named_and_taken_on_demand(tmp_path: Path) -> None:
    text = TRAIN.replace(
        'with runfolio.start_run(run_name=f"d{depth}-s{seed}"):\n',
        'with runfolio.start_run(run_name=f"d{depth}-s{seed}"):\n    runfolio.log_input(runfolio.data.from_numpy(__import__("numpy").array(rows), source="wine.csv", name="wine"))\n',
    )
    lab = Lab(tmp_path / "lab", {"train.py": text, ".gitignore": "wine.csv\n"})
    lab.write("wine.csv", WINE)
    lab.python("train.py", "4")
    made = lab.reproduce("d4-s0", expect=22)
    assert "It ran without wine.csv" in made["reason"]
    assert "--data here" in made["reason"]
    facts = [fact for fact in lab.verify("d4-s0")["facts"] if fact["what"] == "data"]
    assert facts[0]["state"] == "unknown"
    assert "wine.csv" in facts[0]["text"]
    made = lab.reproduce("d4-s0", "--data", "here")
    assert made["verdict"] == "exact"
    assert any("wine.csv is as it lies" in note for note in made["notes"])
    lab.write("wine.csv", WINE.replace("2.5", "2.6"))
    made = lab.reproduce("d4-s0", "--data", "here", expect=1)
    assert set(made["inputs"]) == {"wine"}


def test_a_package_list_that_is_gone_is_named(lab: Lab) -> None:
    lab.git("rm", "-qr", "environments")
    lab.commit("lost")
    shutil.rmtree(lab.root / ".git/runfolio/environments", ignore_errors=True)
    made = lab.reproduce("d4-s0", "--env-manager", "virtualenv", expect=22)
    assert "environments/" in made["reason"]
    assert "is not there" in made["reason"]
    assert lab.verify("d4-s0", expect=1)["whole"] is False


def test_a_reproduction_that_is_killed_leaves_nothing_but_a_folder_that_the_next_one_removes(lab: Lab, tmp_path: Path) -> None:
    before, temporary = lab.state(), tmp_path / "tmp"
    temporary.mkdir()
    mark = tmp_path / "started"
    env = variables({"TROUBLE": f"open({str(mark)!r}, 'w'); import time; time.sleep(60)", "TMPDIR": str(temporary)})
    command = [sys.executable, "-m", "runfolio", "reproduce", "d4-s0", "--env-manager", "local"]
    for number, left in ((signal.SIGTERM, 0), (signal.SIGKILL, 1)):
        mark.unlink(missing_ok=True)
        process = subprocess.Popen(command, cwd=lab.root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        due = time.monotonic() + 60
        while not mark.exists() and process.poll() is None and time.monotonic() < due:
            time.sleep(0.05)
        assert mark.exists()
        process.send_signal(number)
        process.communicate(timeout=60)
        assert len(list(temporary.glob("runfolio-reproduce-*"))) == left
    assert lab.state() == before
    assert lab.reproduce("d4-s0", env={"TMPDIR": str(temporary)})["verdict"] == "exact"
    assert list(temporary.glob("runfolio-reproduce-*")) == []


def test_nothing_is_run_where_the_verdict_could_not_be_committed(lab: Lab) -> None:
    lab.git("checkout", "-q", "--detach")
    said = lab.cli("reproduce", "d4-s0", "--env-manager", "local", expect=13).stderr
    assert "HEAD is detached" in said
    assert lab.reproduce("d4-s0", "--no-record")["verdict"] == "exact"


def test_the_folder_that_is_kept_holds_code_and_log(lab: Lab, tmp_path: Path) -> None:
    lab.write("train.py", (lab.root / "train.py").read_text("utf-8") + "print('trained')\n")
    lab.reproduce("d4-s0", "--code", "here", "--keep", str(tmp_path / "kept"))
    assert (tmp_path / "kept/reproduce.log").read_text("utf-8") == "trained\n"
    assert {item.name for item in (tmp_path / "kept").iterdir()} >= {"train.py", "wine.csv", "reproduce.log"}
    assert "not empty" in lab.cli("reproduce", "d4-s0", "--keep", str(tmp_path / "kept"), expect=2).stderr


def test_artifacts_that_are_gone_or_damaged_are_faults(lab: Lab) -> None:
    found = lab.verify("d4-s0", "--read-data")
    assert found["whole"]
    [item] = [
        path
        for path in (lab.root / ".git/runfolio/objects/sha256").rglob("*")
        if path.is_file() and path.read_bytes() == b"7.5 4 0"
    ]
    item.chmod(0o644)
    item.write_bytes(b"7.5 4 9")
    assert lab.verify("d4-s0")["whole"]
    facts = [fact for fact in lab.verify("d4-s0", "--read-data", expect=1)["facts"] if fact["state"] == "fault"]
    assert [fact["what"] for fact in facts] == ["artifacts"]
    assert "model/weights.txt" in facts[0]["text"]
    item.unlink()
    said = lab.cli("verify", "d4-s0", expect=1).stdout
    assert "✗ artifacts: 1 of 1 files are not in the object store: model/weights.txt" in said
    assert "runfolio artifacts pull" in said


SKEWED = """\
import os, time
ahead = int(float(os.environ.get("CLOCK_AHEAD_S", "0")) * 1e9)
real = time.time_ns
back = [int(float(os.environ.get("CLOCK_BACK_S", "0")) * 1e9)]
began = time.monotonic()
def skewed():
    later = time.monotonic() - began > 1.0
    return real() + ahead - (back[0] if later else 0)
time.time_ns = skewed
time.time = lambda: skewed() / 1e9
"""


@pytest.mark.parametrize(
    "clock",
    [
        {"CLOCK_AHEAD_S": "31536000"},
        {"CLOCK_AHEAD_S": "-31536000"},
        {"CLOCK_BACK_S": "86400", "TROUBLE": "import time; time.sleep(1.2)"},
    ],
    ids=["a year ahead", "a year behind", "put back while it runs"],
)
def test_a_run_whose_machine_had_another_clock_is_made_again(tmp_path: Path, clock: dict[str, str]) -> None:
    late = TRAIN.replace(
        '    runfolio.log_metric("accuracy"', '    import time; time.sleep(0.01)\n    runfolio.log_metric("accuracy"'
    )
    lab = Lab(
        tmp_path / "lab",
        {
            "train.py": late.replace("for step", "exec(__import__('os').environ.get('TROUBLE', ''))\n    for step"),
            "wine.csv": WINE,
        },
    )
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(SKEWED)
    lab.python("train.py", "4", env={**clock, "PYTHONPATH": f"{tmp_path / 'clock'}:{variables()['PYTHONPATH']}"})
    (record,) = json.loads(lab.cli("runs", "list", "--json").stdout)
    off_ms = record["start_time"] - time.time() * 1000
    # The clock really was another one.
    assert record["end_time"] < record["start_time"] if "CLOCK_BACK_S" in clock else abs(off_ms) > 30_000_000_000
    made = lab.reproduce("d4-s0")
    assert (made["verdict"], made.get("reason")) == ("exact", None), made
    again = lab.reproduce("d4-s0")  # the newest attempt is the newest by this machine's clock
    assert again["verdict"] == "exact"
    assert lab.cli("check").returncode == 0
