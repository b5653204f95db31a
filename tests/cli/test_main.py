"""The frame: lazy loading, exit codes, errors in words, orphans, completion, textconv."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from runfolio import errors
from runfolio.cli.ending import Ending
from runfolio.cli.main import COMMANDS, SECTIONS, cli
from tests.cli.conftest import Command, in_process
from tests.conftest import git

HEAVY = ("pandas", "altair", "git", "rich", "jinja2", "fsspec", "psutil", "numpy")


def loaded(folder: Path, *args: str) -> set[str]:
    """Return the packages that a command loads, asked of a real process."""
    program = (
        "import sys; from runfolio.cli.main import main; code = main(sys.argv[1:]); "
        "print('LOADED', *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program, *args], cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stderr.partition("LOADED")[2].split())


def test_help_names_every_command_by_section_and_loads_none(tmp_path: Path) -> None:
    done = in_process(tmp_path, "--help")
    assert done.code == 0
    for name, entry in COMMANDS.items():
        assert (f"  {name} " in done.out) == bool(entry.section)
    assert [done.out.index(f"{section}:") for section in SECTIONS] == sorted(
        done.out.index(f"{section}:") for section in SECTIONS
    )
    assert not loaded(tmp_path, "--help") & {*HEAVY, "yaml", "sqlite3"}


def test_reading_commands_load_no_heavy_package(folio_dir: Path, sweep: dict[str, str]) -> None:
    for args in (("runs", "list"), ("runs", "show", "try-1"), ("runs", "compare", "try-1", "try-2"), ("experiments", "list")):
        assert not loaded(folio_dir, *args) & set(HEAVY), args


@pytest.mark.parametrize("name", ["runs", "experiments", "init", "status", "commit", "completion", "help", "textconv"])
def test_a_command_begins_with_the_words_of_the_table(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert (command.help or "").splitlines()[0] == COMMANDS[name].help


def test_version(tmp_path: Path) -> None:
    done = in_process(tmp_path, "--version")
    assert done.out.startswith("runfolio ")
    assert done.code == 0


def test_outside_a_folio_exit_10_says_how_to_make_one(tmp_path: Path, pinned_git: Path) -> None:
    done = in_process(tmp_path, "runs", "list")
    assert done.code == 10
    assert done.out == ""
    assert done.err.startswith("runfolio: ")
    assert "runfolio init" in done.err


def test_no_name_in_an_error_is_a_command_to_the_runner_of_a_job(folio_dir: Path, sweep: dict[str, str]) -> None:
    done = in_process(folio_dir, "runs", "show", "##[add-mask]x")
    assert done.code == 11 and "## [add-mask]x" in done.err and "##[" not in done.err


def test_a_misspelt_command_is_a_usage_error_with_a_hint(tmp_path: Path) -> None:
    done = in_process(tmp_path, "runss")
    assert done.code == 2
    assert "'runs'" in done.err


def test_dash_c_chooses_the_folio(folio_dir: Path, tmp_path: Path, sweep: dict[str, str]) -> None:
    done = in_process(tmp_path, "-C", str(folio_dir), "runs", "list", "--json")
    assert {row["name"] for row in json.loads(done.out)} == set(sweep)


def test_a_fault_of_ours_exits_3_with_a_report_that_shows_no_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RUNFOLIO_DEBUG", raising=False)
    ending = Ending(["runs", "list", "--filter", "secret"])
    with ending:
        raise ZeroDivisionError("division by zero")
    assert ending.code == 3
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in shown
    assert "runs list" in shown
    assert "secret" not in shown
    assert "Traceback" not in shown


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("RUNFOLIO_DEBUG", "1")
    with Ending([]):
        raise ZeroDivisionError("division by zero")
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NotFoundError("x"), 11),
        (errors.DamagedError("x"), 14),
        (errors.StorageError("x"), 16),
        (click.UsageError("x"), 2),
        (click.FileError("x"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (SystemExit(7), 7),
        (SystemExit(None), 0),
        (SystemExit("words"), 1),
    ],
)
def test_every_error_has_its_exit_code(error: BaseException, code: int) -> None:
    ending = Ending([])
    with ending:
        raise error
    assert ending.code == code


def test_an_interrupt_in_text_that_is_run_ends_with_its_exit_code_too(tmp_path: Path) -> None:
    # CPython holds such an interrupt for uncaught, and `python -m` would kill itself with SIGINT after the exit code was chosen.
    (tmp_path / "interrupted.py").write_text(
        "from runfolio.cli.ending import Ending\n"
        "ending = Ending([])\n"
        "with ending:\n"
        "    exec('import signal; signal.raise_signal(signal.SIGINT)\\nfor _ in range(100): pass')\n"
        "raise SystemExit(ending.code)\n"
    )
    done = subprocess.run([sys.executable, "-m", "interrupted"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "runfolio: interrupted\n")


def test_an_interrupt_while_the_command_line_is_loaded_is_no_traceback(tmp_path: Path) -> None:
    program = (
        "import signal, sys\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'runfolio.cli.main':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "from runfolio.cli.entry import main\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "runfolio: interrupted\n")


def test_a_verb_of_runs_is_no_project(folio_dir: Path) -> None:
    done = in_process(folio_dir, "run", "list")
    assert done.code == 2 and "Of recorded runs: runfolio runs list" in done.err


def test_a_misspelt_command_is_answered_with_what_is_near(folio_dir: Path) -> None:
    assert "Did you mean 'run' or 'runs'?" in in_process(folio_dir, "rusn", "list").err


def test_exit_codes_of_interrupts_and_pipes_are_told(folio_dir: Path) -> None:
    said = in_process(folio_dir, "help", "exit-codes").out
    assert "\n130   interrupted (Ctrl-C)\n" in said and "\n141   " in said


def test_a_reader_that_leaves_early_is_no_error(folio_dir: Path, sweep: dict[str, str]) -> None:
    program = "import sys; from runfolio.cli.main import main; sys.exit(main(['runs', 'show', 'try-1']))"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-c", program], cwd=folio_dir, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 141


def test_a_command_says_what_killed_processes_left(folio_dir: Path) -> None:
    program = (
        "import os, signal, runfolio; runfolio.start_run(); runfolio.log_metric('a', 1); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folio_dir, check=False)
    assert done.returncode == -signal.SIGKILL
    shown = in_process(folio_dir, "runs", "list", "--json")
    assert [row["status"] for row in json.loads(shown.out)] == ["RUNNING"]
    assert shown.err == "runfolio: 1 run was left by a process that died. Bring back all that was logged: runfolio recover\n"


def test_plain_text_where_the_output_is_no_terminal(folio_dir: Path, sweep: dict[str, str]) -> None:
    assert "\x1b" not in in_process(folio_dir, "runs", "list").out


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_on_a_terminal_unless_no_color(folio_dir: Path, sweep: dict[str, str], no_color: str, coloured: bool) -> None:
    import pty

    program = "import sys; from runfolio.cli.main import main; sys.exit(main(['runs', 'list']))"
    leader, follower = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "NO_COLOR": no_color, "COLUMNS": "60"}
    subprocess.run([sys.executable, "-c", program], cwd=folio_dir, stdout=follower, stderr=subprocess.PIPE, env=env, check=True)
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert ("\x1b[" in shown) == coloured
    assert all(len(click.unstyle(line)) <= 60 for line in shown.splitlines())


def test_a_terminal_that_lacks_letters_gets_them_spelled_out(folio_dir: Path, sweep: dict[str, str]) -> None:
    done = in_process(folio_dir, "runs", "show", "try-1", PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert done.code == 0
    assert "\\u2581" in done.out


def completions(folder: Path, words: str, count: int) -> list[str]:
    env = {"_RUNFOLIO_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    return [line.partition(",")[2] for line in in_process(folder, **env).out.splitlines()]


def test_completion_offers_commands_runs_experiments_and_metrics(folio_dir: Path, sweep: dict[str, str]) -> None:
    assert completions(folio_dir, "runfolio exp", 1) == ["experiments", "export"]
    assert completions(folio_dir, f"runfolio runs show {sweep['try-2'][:20]}", 3) == [sweep["try-2"]]
    assert completions(folio_dir, "runfolio runs show try-1", 3) == ["try-1"]
    assert completions(folio_dir, "runfolio experiments show wine", 3) == ["wine-classification"]
    assert completions(folio_dir, "runfolio runs history try-1 l", 4) == ["loss"]


def test_completion_outside_a_folio_is_silent(tmp_path: Path, pinned_git: Path) -> None:
    done = in_process(tmp_path, _RUNFOLIO_COMPLETE="bash_complete", COMP_WORDS="runfolio runs show ", COMP_CWORD="3")
    assert (done.out.strip(), done.err) == ("", "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_prints_the_shells_script(tmp_path: Path, shell: str) -> None:
    done = in_process(tmp_path, "completion", shell)
    assert done.code == 0
    assert "_RUNFOLIO_COMPLETE" in done.out


def test_help_topics(run_cli: Command) -> None:
    assert "busy: a lock was not freed in time" in run_cli("help", "exit-codes").out
    assert "ILIKE" in run_cli("help", "filters").out
    assert run_cli("help", "runs", "list").out.startswith("Usage: runfolio runs list")
    assert run_cli("help", "nonsense").code == 2


def test_textconv_shows_a_record_in_words_and_everything_else_as_it_is(
    folio_dir: Path, sweep: dict[str, str], tmp_path: Path
) -> None:
    [record] = folio_dir.glob(f"runs/*/*/*/{sweep['try-1']}.json")
    done = in_process(folio_dir, "textconv", str(record))
    assert "param depth: 1\n" in done.out
    for at, data in enumerate(
        (b"", b"{", b"\xff\xfe\x00", b"[]", b'{"schema": 99}\n', b'{"schema": 1, "start": 1e999}', record.read_bytes()[:-40])
    ):
        other = tmp_path / f"{at}.json"
        other.write_bytes(data)
        program = "import sys; from runfolio.cli.main import main; sys.exit(main())"
        shown = subprocess.run([sys.executable, "-c", program, "textconv", str(other)], capture_output=True, check=True)
        assert shown.stdout == data


def test_git_diff_reads_like_a_sentence(
    folio_dir: Path, sweep: dict[str, str], run_cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "runfolio"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport sys\nfrom runfolio.cli.main import main\nsys.exit(main())\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    assert run_cli("runs", "tag", "try-1", "team=red").code == 0
    assert "+tag team: red\n" in git(folio_dir, "diff", "HEAD~1", "HEAD")


FULL_DISK = Path("/dev/full")


@pytest.mark.skipif(not FULL_DISK.exists(), reason="/dev/full is missing: writes to a full disk are not tried")
@pytest.mark.parametrize("args", [("--help",), ("runs", "list", "--json"), ("check",), ("experiments", "csv", "-x", "0")])
def test_output_on_a_full_disk_is_a_failure_of_storage(folio_dir: Path, args: tuple[str, ...]) -> None:
    program = (sys.executable, "-m", "runfolio", *args)
    with FULL_DISK.open("w") as full:
        done = subprocess.run(program, cwd=folio_dir, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 16
        assert done.stderr.startswith("runfolio: Could not write the output: No space left on device.")
        assert subprocess.run(program, cwd=folio_dir, stdout=full, stderr=full, check=False).returncode == 16


@pytest.mark.skipif(not FULL_DISK.exists(), reason="/dev/full is missing: writes to a full disk are not tried")
def test_an_error_that_cannot_be_written_still_has_its_exit_code(folio_dir: Path) -> None:
    with FULL_DISK.open("w") as full:
        for args, code in ((("runs", "show", "nothing"), 11), (("nonsense",), 2)):
            done = subprocess.run((sys.executable, "-m", "runfolio", *args), cwd=folio_dir, stderr=full, check=False)
            assert done.returncode == code


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_fault(folio_dir: Path, sweep: dict[str, str], closed: str) -> None:
    program = "from runfolio.cli.entry import main; raise SystemExit(main())"
    shell = f'"$0" -c "$1" runs list {closed}; echo "ended with $?"'
    done = subprocess.run(["sh", "-c", shell, sys.executable, program], cwd=folio_dir, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("ended with 0\n"), done.stderr
    assert ("FINISHED" in done.stdout) == (">&-" not in closed.split()), done.stdout


def test_init_makes_a_folio_of_the_folder_that_is_named(tmp_path: Path, pinned_git: Path) -> None:
    for number, (args, made) in enumerate({("init", "a"): "a", ("-C", "b", "init"): "b", ("init",): "."}.items()):
        place = tmp_path / str(number)
        place.mkdir()
        done = in_process(place, *args)
        assert done.code == 0, done.err
        assert (place / made / "runfolio.yaml").is_file() and len(list(place.rglob("runfolio.yaml"))) == 1
    twice = in_process(tmp_path, "-C", "c", "init", "d")
    assert twice.code == 2 and "Two folders are named: c by -C, and d" in twice.err
    spool = in_process(tmp_path, "-C", "spool:e", "init")
    assert spool.code == 2 and "needs no init" in spool.err


@pytest.mark.parametrize(("typed", "meant"), [("policy owner", "owners"), ("site publishh", "publish"), ("runs serch", "search")])
def test_a_misspelt_command_of_a_group_is_answered_with_the_nearest(run_cli: Command, typed: str, meant: str) -> None:
    done = run_cli(*typed.split())
    assert done.code == 2 and done.err.rstrip().endswith(f"Did you mean {meant!r}?")
