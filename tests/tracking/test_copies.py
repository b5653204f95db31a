"""Artifacts that are hashed after their call returned: there for whoever asks, told where they fail, and the same as if hashed at once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from runfolio.folio.recovery import recover
from runfolio.journal import RunState
from runfolio.objects.copies import COPY_NAME, LEAST_BYTES
from runfolio.tracking.copies import MOST_WAITING
from tests.faults.repositories import environment, make_folio, runfolio

HEAD = f"""
import hashlib, os, signal, subprocess, sys
from pathlib import Path
import runfolio

def file(name, size={LEAST_BYTES}):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(os.urandom(size))
    return name

def digest(path):
    return 'sha256:' + hashlib.sha256(Path(path).read_bytes()).hexdigest()

client = runfolio.MlflowClient()
"""


def script(folder: Path, code: str, **env: str) -> str:
    """Run a user's script, which says what it found by its exit code."""
    done = subprocess.run((sys.executable, "-c", HEAD + code), cwd=folder, env=environment(**env), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(params=["process", "power"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return folio_of(tmp_path, request.param)


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    return folio_of(tmp_path, "process")


def folio_of(tmp_path: Path, durability: str) -> Path:
    made = make_folio(tmp_path / "folio", settings="")
    settings = made / "runfolio.yaml"
    settings.write_text(settings.read_text().replace("durability: power", f"durability: {durability}"))
    return made


def copies(folder: Path) -> list[str]:
    place = folder / ".git/runfolio/objects/incoming"
    return [name for name in os.listdir(place) if COPY_NAME.match(name)] if place.is_dir() else []


def digests(folder: Path, run_id: str) -> dict[str, str]:
    """Return the digests of a committed run's artifacts, each of which is in the store."""
    folio = open_folio(folder)
    try:
        run = folio.runs.committed(run_id)
        assert run is not None
        found = folio.runs.artifacts(run)
        for entry in found.values():
            folio.store.verify(entry.digest)
        return {path: str(entry.digest) for path, entry in found.items()}
    finally:
        folio.close()


def test_the_record_names_what_was_logged(folder: Path) -> None:
    said = script(
        folder,
        "with runfolio.start_run() as run:\n"
        "    for n in range(5): runfolio.log_artifact(file(f'../out/{n}.bin'), 'one')\n"
        "    runfolio.log_artifacts('../out', 'all')\n"
        "print(run.info.run_id, *(digest(f'../out/{n}.bin') for n in range(5)))",
    )
    run_id, *wanted = said.split()
    found = digests(folder, run_id)
    assert found == {f"{top}/{n}.bin": wanted[n] for n in range(5) for top in ("one", "all")}
    assert copies(folder) == []


def test_bytes_are_those_at_the_call(quick: Path) -> None:
    said = script(
        quick,
        "with runfolio.start_run() as run:\n"
        "    was = digest(file('a.bin')); runfolio.log_artifact('a.bin'); file('a.bin')\n"
        "print(run.info.run_id, was)",
    )
    run_id, was = said.split()
    assert digests(quick, run_id) == {"a.bin": was}


def test_a_file_may_be_named_in_any_way_and_must_be_there(quick: Path) -> None:
    code = """
from pathlib import PurePath
os.environ["HOME"] = os.getcwd()
with runfolio.start_run() as run:
    for number, path in enumerate((PurePath(file("a.bin")), "./a.bin", "~/a.bin", os.path.abspath("a.bin"), os.path.basename(os.getcwd()))):
        place = path if number < 4 else "../" + path + "/sub"
        if number == 4:
            file("sub/b.bin")
        runfolio.log_artifact(place, f"at{number}")
    for missing in ("", "no.bin", "a.bin/", "a.bin/c"):
        try:
            runfolio.log_artifact(missing)
        except runfolio.RunfolioError as error:
            assert "No such artifact" in str(error), error
        else:
            raise AssertionError(missing)
    client.delete_run(run.info.run_id)
    try:
        runfolio.log_artifact("a.bin")
    except runfolio.RunfolioError as error:
        assert "Current state is deleted" in str(error), error
    else:
        raise AssertionError("deleted")
    client.restore_run(run.info.run_id)
print([item.path for number in range(5) for item in client.list_artifacts(run.info.run_id, f"at{number}")])
"""
    assert script(quick, code) == str(["at0/a.bin", "at1/a.bin", "at2/a.bin", "at3/a.bin", "at4/sub"])


def test_the_last_of_a_path_counts(quick: Path) -> None:
    said = script(
        quick,
        "with runfolio.start_run() as run:\n"
        "    for n in range(6): runfolio.log_artifact(file('a.bin'))\n"
        "    runfolio.log_artifact(file('b.bin')); runfolio.log_artifact(file('b.bin', 10))\n"
        "print(run.info.run_id, digest('a.bin'), digest('b.bin'))",
    )
    run_id, first, second = said.split()
    assert digests(quick, run_id) == {"a.bin": first, "b.bin": second}


def test_it_is_there_for_this_process_and_for_others_at_once(quick: Path) -> None:
    script(
        quick,
        "run = runfolio.start_run()\n"
        "runfolio.log_artifact(file('a.bin'))\n"
        "code = 'import runfolio, sys; print(runfolio.MlflowClient().download_artifacts(sys.argv[1], \"a.bin\"))'\n"
        "path = subprocess.run([sys.executable, '-c', code, run.info.run_id], check=True, capture_output=True, text=True).stdout.strip()\n"
        "assert digest(path) == digest('a.bin')\n"
        "runfolio.log_artifact(file('b.bin'))\n"
        "assert [item.path for item in client.list_artifacts(run.info.run_id)] == ['a.bin', 'b.bin']\n"
        "runfolio.log_artifact(file('c.bin'))\n"
        "assert digest(client.download_artifacts(run.info.run_id, 'c.bin')) == digest('c.bin')",
    )


def test_a_row_of_more_than_may_wait_is_all_there(folder: Path) -> None:
    count = 2 * MOST_WAITING + 3
    said = script(
        folder,
        f"with runfolio.start_run() as run:\n"
        f"    for n in range({count}): runfolio.log_artifact(file(f'../out/{{n}}.bin'))\n"
        "print(run.info.run_id)",
    )
    assert len(digests(folder, said)) == count
    assert copies(folder) == []


def test_a_forked_child_leaves_the_parents_files_to_it_and_logs_its_own(quick: Path) -> None:
    said = script(
        quick,
        "with runfolio.start_run() as run:\n"
        "    runfolio.log_artifact(file('parent.bin'))\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        assert [item.path for item in client.list_artifacts(run.info.run_id)] == ['parent.bin']\n"
        "        runfolio.log_artifact(file('child.bin'))\n"
        "        os._exit(0)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "print(run.info.run_id, digest('parent.bin'), digest('child.bin'))",
    )
    run_id, parent, child = said.split()
    assert digests(quick, run_id) == {"parent.bin": parent, "child.bin": child}
    assert copies(quick) == []


def test_a_worker_of_multiprocessing_settles_what_it_logged(quick: Path) -> None:
    for way in ("fork", "spawn"):
        (quick / "work.py").write_text(
            HEAD + "import multiprocessing\n"
            "def log(run_id):\n    client.log_artifact(run_id, file('w.bin'))\n"
            "if __name__ == '__main__':\n"
            "    with runfolio.start_run() as run:\n"
            f"        worker = multiprocessing.get_context('{way}').Process(target=log, args=(run.info.run_id,))\n"
            "        worker.start(); worker.join(); assert worker.exitcode == 0\n"
            "    print(run.info.run_id, digest('w.bin'))\n"
        )
        done = subprocess.run((sys.executable, "work.py"), cwd=quick, env=environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        run_id, wanted = done.stdout.split()
        assert digests(quick, run_id) == {"w.bin": wanted}


def test_what_is_left_open_at_the_end_of_the_process_is_settled(quick: Path) -> None:
    run_id = script(quick, "print(runfolio.start_run().info.run_id); runfolio.log_artifact(file('a.bin'))")
    assert list(digests(quick, run_id)) == ["a.bin"]
    assert copies(quick) == []


def test_each_item_is_hashed_at_once_where_each_must_outlive_a_power_cut(tmp_path: Path) -> None:
    folder = folio_of(tmp_path, "power-each")
    script(
        folder,
        "run = runfolio.start_run(); runfolio.log_artifact(file('a.bin'))\n"
        "text = next(Path('.git/runfolio/journal').iterdir()).read_text()\n"
        "assert digest('a.bin') in text and '[\"copy\"' not in text",
    )


def test_a_store_that_cannot_take_it_is_told_at_the_next_call_and_nothing_is_lost(quick: Path) -> None:
    """Where a folder of the objects should be lies a file: as unwritable as a full disk, and mended by hand."""
    said = script(
        quick,
        "run = runfolio.start_run()\n"
        "store = Path('.git/runfolio/objects'); store.mkdir(parents=True); (store / 'sha256').touch()\n"
        "runfolio.log_artifact(file('a.bin'))\n"
        "def fails(action, *args):\n"
        "    try: action(*args)\n"
        "    except runfolio.exceptions.RunfolioError as error: assert 'store an object' in str(error), error; return True\n"
        "assert fails(client.list_artifacts, run.info.run_id)\n"
        "assert fails(runfolio.log_artifact, file('b.bin'))\n"
        "assert fails(runfolio.end_run)\n"
        "(store / 'sha256').unlink()\n"
        "client.set_terminated(run.info.run_id)\n"
        "print(run.info.run_id, digest('a.bin'))",
    )
    run_id, wanted = said.split()
    assert digests(quick, run_id) == {"a.bin": wanted}


def test_a_copy_that_somebody_removed_is_told_and_the_run_ends_without_it(quick: Path) -> None:
    said = script(
        quick,
        "run = runfolio.start_run()\n"
        "incoming = Path('.git/runfolio/objects/incoming')\n"
        "from runfolio.tracking import copies\n"
        "copies.PAUSE_S = 60\n"
        "runfolio.log_artifact(file('a.bin'))\n"
        "for copy in incoming.glob('.*.copy'): copy.unlink()\n"
        "try: runfolio.end_run()\n"
        "except runfolio.exceptions.RunfolioError as error: print(error.message)\n"
        "client.set_terminated(run.info.run_id)\n"
        "print(run.info.run_id)",
    )
    told, run_id = said.splitlines()
    assert "'a.bin' is lost" in told
    assert "Log it again" in told
    assert digests(quick, run_id) == {}
    folio = open_folio(quick)
    run = folio.runs.committed(run_id)
    assert run is not None
    assert "a.bin: its copy was removed before it was hashed; the artifact is lost" in run.notices
    assert run.status.value == "FINISHED"
    folio.close()


KILLED = (
    "from runfolio.tracking import copies\n"
    "copies.PAUSE_S = 60\n"
    "run = runfolio.start_run()\n"
    "runfolio.log_artifact(file('a.bin')); runfolio.log_artifact(file('a.bin')); runfolio.log_artifact(file('b.bin'))\n"
    "print(run.info.run_id, digest('a.bin'), digest('b.bin'), flush=True)\n"
)


def killed(folder: Path, **env: str) -> tuple[str, dict[str, str]]:
    """Log artifacts and be killed before one of them was hashed."""
    done = subprocess.run(
        (sys.executable, "-c", HEAD + KILLED + "os.kill(os.getpid(), signal.SIGKILL)"),
        cwd=folder, env=environment(**env), capture_output=True, text=True, check=False,
    )  # fmt: skip
    run_id, first, second = done.stdout.split()
    return run_id, {"a.bin": first, "b.bin": second}


def test_recovery_hashes_what_a_killed_process_had_copied(quick: Path) -> None:
    run_id, wanted = killed(quick)
    assert len(copies(quick)) == 3
    assert runfolio(quick, "check").returncode in (0, 1)
    listed = runfolio(quick, "runs", "artifacts", run_id)
    assert "a.bin" in listed.stdout
    done = runfolio(quick, "recover")
    assert done.returncode == 0, done.stderr
    assert digests(quick, run_id) == wanted
    assert copies(quick) == []
    folio = open_folio(quick)
    run = folio.runs.committed(run_id)
    assert run is not None
    assert "b.bin: hashed after the process that logged it had gone" in run.notices
    folio.close()


def test_a_clean_up_keeps_the_copies_of_runs_that_are_not_recovered_yet(quick: Path) -> None:
    run_id, wanted = killed(quick)
    for name in copies(quick):
        os.utime(quick / ".git/runfolio/objects/incoming" / name, (1, 1))
    stray = quick / f".git/runfolio/objects/incoming/.{'0' * 32}.copy"
    stray.touch()
    os.utime(stray, (1, 1))
    done = runfolio(quick, "gc", "--delete", "--grace", "0s")
    assert done.returncode == 0, done.stderr
    assert not stray.exists()
    assert runfolio(quick, "recover").returncode == 0
    assert digests(quick, run_id) == wanted


def test_a_copy_that_is_missing_makes_its_run_wait_and_say_what_to_do(quick: Path) -> None:
    run_id, wanted = killed(quick)
    incoming = quick / ".git/runfolio/objects/incoming"
    for name in copies(quick):
        if hashlib.sha256((incoming / name).read_bytes()).hexdigest() == wanted["b.bin"][7:]:
            os.rename(incoming / name, quick / name)
            gone = name
    folio = open_folio(quick)
    (waiting,) = recover(folio).fold.waiting
    assert waiting.run_id == run_id
    for said in ("'b.bin'", gone, "Bring it back", "RUNFOLIO_ARTIFACTS", "remove the line"):
        assert said in waiting.reason
    os.rename(quick / gone, incoming / gone)
    assert folio.commit().folded == 1
    folio.close()
    assert digests(quick, run_id) == wanted


def test_a_copy_that_a_power_cut_shortened_is_not_taken_for_the_artifact(quick: Path) -> None:
    run_id, _ = killed(quick)
    for name in copies(quick):
        os.chmod(quick / ".git/runfolio/objects/incoming" / name, 0o644)
        os.truncate(quick / ".git/runfolio/objects/incoming" / name, 100)
    folio = open_folio(quick)
    (waiting,) = recover(folio).fold.waiting
    assert waiting.run_id == run_id
    assert "has 100 bytes, and had 262,144" in waiting.reason
    folio.close()


def test_a_spool_folder_is_collected_with_what_nobody_had_hashed(quick: Path, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    run_id, wanted = killed(tmp_path, RUNFOLIO_TRACKING_URI=f"spool:{spool}")
    journal = spool / "journal" / f"{run_id}.jsonl"
    assert set(RunState(journal).refresh().copies.values()) == {("a.bin", LEAST_BYTES), ("b.bin", LEAST_BYTES)}
    with open(journal, "ab") as file:
        file.write(b'["end","FINISHED",1795480246496]\n')
    os.rename(journal, journal.with_suffix(".sealed.jsonl"))
    done = runfolio(quick, "collect", str(spool))
    assert done.returncode == 0, done.stderr
    assert digests(quick, run_id) == wanted
    assert [name for name in os.listdir(spool / "objects/incoming") if COPY_NAME.match(name)] == []
