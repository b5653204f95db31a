"""One build after another, on real folios."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.errors import NotFoundError, StateError, StorageError
from runfolio.folio import initialise, open_folio
from runfolio.gitstore import FileChange, Ident, commit_files
from runfolio.site import BuildOptions, build_site, is_current

LOG = """
import sys, runfolio
runfolio.set_experiment(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    with runfolio.start_run(run_name=f"run-{number}"):
        runfolio.log_params({"lr": number / 10, "seed": number % 3})
        for step in range(5):
            runfolio.log_metric("accuracy", number / 100 + step / 1000, step=step)
        runfolio.log_text("hello", "notes.txt")
"""


def log(folder: Path, experiment: str, start: int, end: int) -> None:
    subprocess.run([sys.executable, "-c", LOG, experiment, str(start), str(end)], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folio")
    initialise(folder, own=True).folio.close()
    log(folder, "wine", 0, 12)
    log(folder, "digits", 0, 3)
    return folder


def digest(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file()
    }


def build(folder: Path, out: Path, **options: object) -> object:
    folio = open_folio(folder)
    try:
        return build_site(folio, out, BuildOptions(**options))
    finally:
        folio.close()


def test_two_builds_of_one_commit_are_the_same_bytes_wherever_they_are_made(made: Path, tmp_path: Path) -> None:
    def elsewhere(clone: Path, out: Path, **env: str) -> dict[str, str]:
        subprocess.run(["git", "clone", "-q", str(made), str(clone)], check=True)
        # The object store lies inside the git folder of the first clone; the second one shares it.
        objects = str(made / ".git" / "runfolio" / "objects")
        command = [sys.executable, "-m", "runfolio", "site", "build", "-o", str(out)]
        kept = {key: value for key, value in os.environ.items() if key not in ("TZ", "LC_ALL", "LANG", "PYTHONHASHSEED")}
        subprocess.run(command, cwd=clone, env={**kept, "RUNFOLIO_ARTIFACTS": objects, **env}, check=True, capture_output=True)
        return digest(out)

    one = elsewhere(tmp_path / "x" / "folio", tmp_path / "site-one", TZ="Asia/Kathmandu", PYTHONHASHSEED="1", LC_ALL="C")
    two = elsewhere(
        tmp_path / "y y" / "folio", tmp_path / "deep" / "site", TZ="America/Lima", PYTHONHASHSEED="2", LC_ALL="C.UTF-8"
    )
    assert one == two


def test_bringing_a_site_up_to_date_gives_what_a_new_build_gives(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folio"
    subprocess.run(["git", "clone", "-q", str(made), str(folder)], check=True)
    subprocess.run(["git", "config", "user.name", "a"], cwd=folder, check=True)
    subprocess.run(["git", "config", "user.email", "a@example.org"], cwd=folder, check=True)
    build(folder, tmp_path / "kept")
    log(folder, "wine", 12, 14)
    second = build(folder, tmp_path / "kept")
    assert second.rendered > 0 and second.kept > 0
    build(folder, tmp_path / "new")
    assert digest(tmp_path / "kept") == digest(tmp_path / "new")


def test_with_nothing_new_nothing_is_written(made: Path, tmp_path: Path) -> None:
    first = build(made, tmp_path / "site")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*")}
    second = build(made, tmp_path / "site")
    assert (second.rendered, second.removed, second.kept, second.bytes) == (0, 0, first.rendered, first.bytes)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "site").rglob("*")} == before


def test_many_processes_build_what_one_builds(made: Path, tmp_path: Path) -> None:
    build(made, tmp_path / "one")
    build(made, tmp_path / "three", jobs=3)
    assert digest(tmp_path / "one") == digest(tmp_path / "three")


def test_the_past_is_built_as_it_was(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folio"
    subprocess.run(["git", "clone", "-q", str(made), str(folder)], check=True)
    first = subprocess.run(
        ["git", "log", "--format=%H", "--diff-filter=A", "--", "runs/wine"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()[-1]
    report = build(folder, tmp_path / "site", at=first)
    assert report.commit == first and report.experiments == 1
    assert not (tmp_path / "site" / "e" / "digits").exists()
    with pytest.raises(NotFoundError, match="'nowhere' is no revision"):
        build(folder, tmp_path / "site", at="nowhere")


def test_a_folio_without_a_commit_says_so(tmp_path: Path) -> None:
    initialise(tmp_path / "f", own=True, commit=False).folio.close()
    with pytest.raises(StateError, match="no commit yet"):
        build(tmp_path / "f", tmp_path / "site")


def test_a_folio_without_runs_has_a_site(tmp_path: Path) -> None:
    initialise(tmp_path / "f", own=True).folio.close()
    build(tmp_path / "f", tmp_path / "site")
    assert "No run is committed yet" in (tmp_path / "site" / "index.html").read_text()


def test_a_folder_that_cannot_be_written_is_an_error_in_words(made: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="could not be written"):
        build(made, tmp_path / "file" / "site")


def test_check_says_whether_a_build_would_change_something(made: Path, tmp_path: Path) -> None:
    folio = open_folio(made)
    assert not is_current(folio, tmp_path / "site")
    build_site(folio, tmp_path / "site")
    assert is_current(folio, tmp_path / "site")
    assert not is_current(folio, tmp_path / "site", BuildOptions(public=True))
    (tmp_path / "site" / "index.html").unlink()
    assert not is_current(folio, tmp_path / "site")
    folio.close()


def test_a_damaged_record_is_said_and_hides_no_other(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folio"
    subprocess.run(["git", "clone", "-q", str(made), str(folder)], check=True)
    folio = open_folio(folder)
    path = next(entry.path for entry in folio.repo.tree_entries("HEAD", "runs/wine") if not entry.path.endswith(".series.json"))
    branch, head = folio.repo.head_branch(), folio.repo.resolve("HEAD")
    commit_files(folio.repo, branch, head, [FileChange(path, b"{nonsense")], "damage\n", Ident("a", "a@example.org"))
    folio.close()
    report = build(folder, tmp_path / "site")
    assert report.runs == 14
    assert "1 record could not be read" in (tmp_path / "site" / "index.html").read_text()
