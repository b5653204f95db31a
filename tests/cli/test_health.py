"""``check`` and ``doctor`` say what they found where it belongs, and leave with the code that says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click
import pytest

from runfolio.cli.health import counted, grouped, size_text
from runfolio.folio.health import NEAR
from runfolio.records.findings import Finding, Severity, count_by_severity
from tests.cli.conftest import Command, in_process
from tests.conftest import git


def record_of(folder: Path, run_id: str) -> Path:
    return next(folder.glob(f"runs/*/*/*/{run_id}.json"))


def test_folio_in_order_says_so_and_leaves_with_0(run_cli: Command, sweep: dict[str, str]) -> None:
    for options in ((), ("--read-data",), ("--read-data=10%",), ("--at", "HEAD"), ("--strict",)):
        done = run_cli("check", *options)
        assert (done.code, done.out, done.err) == (0, "Everything is in order.\n", ""), options
    assert json.loads(run_cli("check", "--json").out) == []


def test_fault_is_shown_below_its_file_with_the_count_at_the_end(
    run_cli: Command, sweep: dict[str, str], folio_dir: Path
) -> None:
    file = record_of(folio_dir, sweep["try-1"])
    file.write_text(file.read_text().replace('"depth": "1"', '"depth": "7"'))
    git(folio_dir, "commit", "-qam", "by hand")
    done = run_cli("check")
    assert done.code == 1
    name, fault = done.out.splitlines()
    assert name == file.relative_to(folio_dir).as_posix()
    assert fault.startswith("  error: params.depth: ") and "'1' became '7'" in fault and "[run.edited]" in fault
    assert done.err == "1 error, 0 warnings, 0 notes.\n"
    (shown,) = json.loads(run_cli("check", "--json").out)
    assert shown.keys() == {"rule", "severity", "file", "field", "message", "remedy"}
    assert (shown["file"], shown["field"], shown["severity"]) == (name, "params.depth", "error")
    assert run_cli("check", "--at", "HEAD~1").code == 0


def test_flipped_byte_of_an_artifact_is_found_by_reading_the_data(
    run_cli: Command, sweep: dict[str, str], folio_dir: Path
) -> None:
    record = json.loads(record_of(folio_dir, sweep["try-2"]).read_text())
    digest = record["artifacts"]["notes/depth.txt"]["digest"][7:]
    file = folio_dir / ".git" / "runfolio" / "objects" / "sha256" / digest[:2] / digest[2:]
    data = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    assert run_cli("check").code == 0
    done = run_cli("check", "--read-data=all")
    assert done.code == 1
    assert sweep["try-2"] in done.out and "artifacts.notes/depth.txt" in done.out and "[object.damaged]" in done.out


@pytest.mark.parametrize(("share", "read"), [("0%", 0), ("1%", 1), ("30%", 2), ("100%", 4)])
def test_of_few_objects_a_share_is_rounded_up(run_cli: Command, sweep: dict[str, str], share: str, read: int) -> None:
    for _ in range(5):  # which objects are read is left to chance, how many is not
        assert f"the bytes of {read} read" in run_cli("artifacts", "verify", f"--read-data={share}").out


def test_warning_leaves_with_0_unless_strict(run_cli: Command, sweep: dict[str, str], folio_dir: Path) -> None:
    (folio_dir / "runs" / "notes.txt").write_text("hello")
    assert run_cli("check").code == 0
    assert run_cli("check", "--strict").code == 1


@pytest.mark.parametrize("share", ["half", "5", "101%", "nan%"])
def test_share_that_is_none_is_refused(run_cli: Command, share: str) -> None:
    done = run_cli("check", f"--read-data={share}")
    assert done.code == 2
    assert "write all, or a part such as 5%" in done.err


def test_unknown_revision_is_told(run_cli: Command, sweep: dict[str, str]) -> None:
    done = run_cli("check", "--at", "nowhere")
    assert done.code == 11
    assert "nowhere" in done.err


def test_settings_that_cannot_be_read_end_with_the_code_of_damage(run_cli: Command, folio_dir: Path) -> None:
    (folio_dir / "runfolio.yaml").write_text("schema: 1\ndurability: strong\n")
    done = run_cli("check")
    assert done.code == 14
    assert "line 2: durability" in done.err


def test_lines_fit_the_terminal_and_paths_stay_whole() -> None:
    path = "runs/wine/2026-11/24/" + "a" * 32 + ".json"
    finding = Finding(
        "run.format", Severity.ERROR, path, "start", "a whole number is expected, found 'x'", f"git checkout HEAD -- :/{path}"
    )
    lines = click.unstyle("\n".join(grouped([finding, finding], 80))).splitlines()
    assert lines[0].count(path) == 1 and sum(path in line for line in lines) == 3
    assert max(map(len, lines)) <= 80


def test_control_characters_of_a_file_name_are_spelled_out() -> None:
    finding = Finding("file.unknown", Severity.WARNING, "runs/\x1b[2Jx", "", "what \u202e is", "")
    text = "\n".join(grouped([finding], None))
    assert "\\u001b[2Jx" in text and "\u202e" not in text


def test_no_name_in_a_finding_is_a_command_to_the_runner_of_a_job() -> None:
    finding = Finding("file.unknown", Severity.WARNING, "runs/##[error]x", "", "see ##[add-mask]a", "git rm :/runs/##[error]x")
    rooted = Finding("file.unknown", Severity.WARNING, "::error::x", "", "y", "")
    text = "\n".join(grouped([finding, rooted], None))
    assert "##[" not in text and "## [error]x" in text
    assert not [line for line in click.unstyle(text).splitlines() if line.lstrip().startswith("::")]


def test_counts_say_how_many_of_each() -> None:
    errors = [Finding("a", Severity.ERROR, "", "", "m")] * 2
    assert counted(count_by_severity([])) == "Everything is in order."
    assert counted(count_by_severity([*errors, Finding("b", Severity.NOTE, "", "", "m")])) == "2 errors, 0 warnings, 1 note."


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 KB"), (123_456, "123 KB"), (5e9, "5.0 GB"), (3e12, "3.0 TB"), (3e15, "3000.0 TB")],
)
def test_size_is_written_for_people(size: float, text: str) -> None:
    assert size_text(size) == text


def nearly_full(folder: Path) -> int:
    """Return what doctor leaves with where nothing but this machine's own disk is to be told of."""
    disk = shutil.disk_usage(folder)
    return int(disk.total - disk.free > NEAR * disk.total)


def test_doctor_shows_costs_limits_and_advice(run_cli: Command, sweep: dict[str, str], folio_dir: Path) -> None:
    done = run_cli("doctor")
    assert done.code == nearly_full(folio_dir), done.out
    titles = [line.split()[0] for line in done.out.split("\n\n")[0].splitlines()]
    assert titles == ["Folio", "Runs", "In", "Repository", "Index", "Durability", "Objects", "Journals", "Clone"]
    assert "repository on GitHub" in done.out and "disk of the object store" in done.out
    assert "[doctor.remote]" in done.out


def test_doctor_as_json_has_numbers(run_cli: Command, sweep: dict[str, str]) -> None:
    shown = json.loads(run_cli("doctor", "--json").out)
    assert shown["records"]["runs"] == 5
    assert shown["records"]["growth_per_1000"] == round(shown["records"]["stored"] / 5 * 1000)
    assert shown["index"]["record_bytes"] > 0 and shown["repository"]["bytes"] > 0 and shown["sync_ms"] > 0
    assert [limit["limit"] for limit in shown["limits"]][:2] == [5 << 30, 100 << 20]
    assert shown["advice"][0]["rule"] == "doctor.remote"


def test_doctor_leaves_with_1_where_something_is_to_be_done(run_cli: Command, sweep: dict[str, str], folio_dir: Path) -> None:
    (folio_dir / ".gitattributes").write_text("* text=auto\n")
    done = run_cli("doctor")
    assert done.code == 1
    assert "[doctor.attributes]" in done.out


def test_both_run_in_a_process_of_their_own(sweep: dict[str, str], folio_dir: Path) -> None:
    assert in_process(folio_dir, "check").code == 0
    done = in_process(folio_dir, "-C", str(folio_dir), "doctor", NO_COLOR="1")
    assert (done.code, done.err) == (nearly_full(folio_dir), "")
    assert "\x1b" not in done.out
