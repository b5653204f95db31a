"""``runfolio data``, as a user types it."""

from __future__ import annotations

import json
import os
import random
import stat
from pathlib import Path

import pandas
import pytest

import runfolio
from runfolio.folio import open_folio
from runfolio.tracking.session import forget_sessions
from tests.cli.conftest import Command, in_process
from tests.conftest import git


def write_wine(folder: Path, rows: int = 178, mean: float = 13.0, seed: int = 1) -> Path:
    """Write a table of wines."""
    source = random.Random(seed)
    place = folder / "data" / "wine.csv"
    place.parent.mkdir(exist_ok=True)
    lines = [f"{source.gauss(mean, 0.8):.3f},{source.choice(['red', 'white'])}" for _ in range(rows)]
    place.write_text("alcohol,colour\n" + "\n".join(lines) + "\n")
    return place


@pytest.fixture
def wine(folio_dir: Path, run_cli: Command) -> Path:
    place = write_wine(folio_dir)
    assert run_cli("data", "add", "data/wine.csv", "--description", "Which cultivar").code == 0
    return place


def test_a_file_is_recorded_by_one_commit_and_told(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    assert git(folio_dir, "log", "-1", "--format=%s").strip() == "datasets: add wine"
    (shape,) = json.loads(run_cli("data", "list", "--json").out)
    assert (shape["name"], shape["path"], shape["rows"], shape["columns"]) == (
        "wine",
        "data/wine.csv",
        178,
        ["alcohol", "colour"],
    )
    assert run_cli("data", "list").out.splitlines()[1].split()[:2] == ["wine", "data/wine.csv"]
    shown = run_cli("data", "show", "wine").out
    assert "178" in shown and "alcohol" in shown and "Which cultivar" in shown
    assert git(folio_dir, "ls-files", "datasets").split() == ["datasets/wine.yaml", f"datasets/wine/{shape['digest'][7:23]}.json"]
    assert "red" not in git(folio_dir, "show", "HEAD"), "no value of the user's goes to git unasked"
    assert run_cli("check").code == 0
    again = run_cli("data", "add", "data/wine.csv")
    assert "as it was recorded" in again.out
    assert git(folio_dir, "rev-list", "--count", "HEAD").strip() == "3"


def test_values_go_to_git_on_request_only(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    run_cli("data", "add", "data/wine.csv", "--top-values", "3", "--sample", "2")
    facts = json.loads(run_cli("data", "show", "wine", "--json").out)["facts"]
    assert facts["columns"][1]["values"].keys() == {"red", "white"}
    assert len(facts["sample"]) == 2


def test_status_names_what_changed_and_ends_with_1(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    assert run_cli("data", "status").code == 0
    lines = wine.read_text().splitlines()
    lines[5] = "99,red"
    wine.write_text("\n".join([*lines, "13.9,red"]) + "\n")
    done = run_cli("data", "status", "--json")
    (shape,) = json.loads(done.out)
    assert done.code == 1
    assert (shape["state"], shape["added"], shape["removed"], shape["first_row"]) == ("changed", 2, 1, 5)
    wine.unlink()
    done = run_cli("data", "status")
    assert done.code == 1 and "missing" in done.out and "runfolio data get wine" in done.out


def test_get_brings_back_any_content_and_loses_nothing(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    first = wine.read_bytes()
    write_wine(folio_dir, 179)
    run_cli("data", "add", "data/wine.csv")
    assert run_cli("data", "get", "wine@HEAD~1").code == 0
    assert wine.read_bytes() == first
    wine.write_text("mine\n")
    done = run_cli("data", "get", "wine")
    assert done.code == 13 and "would be lost" in done.err
    assert wine.read_text() == "mine\n"
    assert run_cli("data", "get", "wine", "--force").code == 0
    assert run_cli("data", "status").code == 0
    assert run_cli("data", "get", "wine", "-o", "elsewhere", "--link").code == 0
    linked = folio_dir / "elsewhere" / "wine.csv"
    assert linked.read_bytes() == wine.read_bytes()
    assert not stat.S_IMODE(linked.stat().st_mode) & 0o222


def test_a_damaged_object_is_not_handed_out(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    folio = open_folio(str(folio_dir))
    digest = folio.datasets.find("wine").object
    assert digest is not None
    place = folio.store.path(digest)  # type: ignore[attr-defined]
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[:-2] + b"9\n")
    wine.unlink()
    assert run_cli("data", "get", "wine").code == 14
    assert not wine.exists()
    folio.close()


def test_drift_is_told_with_its_methods(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    write_wine(folio_dir, 400, mean=14.0, seed=2)
    run_cli("data", "add", "data/wine.csv")
    done = run_cli("data", "diff", "wine@HEAD~1")
    assert done.code == 1
    assert "178 → 400 rows" in done.out
    assert "alcohol: mean" in done.out and "PSI" in done.out and ": large" in done.out
    shape = json.loads(run_cli("data", "diff", "wine@HEAD~1", "wine", "--json").out)
    assert shape["level"] == "large" and shape["columns"][0]["name"] == "alcohol"
    assert run_cli("data", "diff", "wine", "wine").out.strip() == "the same content"


def test_a_folder_is_a_manifest(folio_dir: Path, run_cli: Command) -> None:
    folder = folio_dir / "data" / "img"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.png", "b.png", "deep/c.txt"):
        (folder / name).write_text(name)
    (folder / "link.png").symlink_to("a.png")
    assert run_cli("data", "add", "data/img").code == 0
    facts = json.loads(run_cli("data", "show", "img", "--json").out)["facts"]
    assert facts["types"] == {"image/png": {"files": 3, "size": 15}, "text/plain": {"files": 1, "size": 10}}
    (folder / "a.png").write_text("changed")
    (folder / "b.png").unlink()
    (folder / "new.png").write_text("new")
    done = run_cli("data", "status", "--json")
    (shape,) = json.loads(done.out)
    assert (shape["added"], shape["removed"], shape["changed"]) == (1, 1, 2), "the link shows what it points to"
    assert run_cli("data", "get", "img").code == 13
    assert run_cli("data", "get", "img", "--force").code == 0
    assert run_cli("data", "status").code == 0
    assert not (folder / "new.png").exists()
    assert run_cli("check").code == 0


def test_ten_thousand_files_are_one_digest(folio_dir: Path, run_cli: Command) -> None:
    folder = folio_dir / "many"
    folder.mkdir()
    for number in range(10_000):
        (folder / f"{number}.txt").write_text(str(number))
    assert run_cli("data", "add", "many").code == 0
    assert len(git(folio_dir, "show", "--format=", "--name-only", "HEAD").split()) == 2
    assert run_cli("data", "status").code == 0
    (folder / "77.txt").write_text("other")
    assert "1 changed (77.txt)" in run_cli("data", "status").out


@pytest.mark.parametrize(
    ("make", "code", "said"),
    [
        (lambda folder: None, 11, "no file or folder"),
        (lambda folder: (folder / "thing").mkdir(), 2, "holds no file"),
        (lambda folder: ((folder / "thing").mkdir(), (folder / "thing" / "a\nb").write_text("x")), 2, "Rename or move it"),
        (lambda folder: ((folder / "thing").mkdir(), (folder / "thing" / "gone").symlink_to("nothing")), 2, "link to nothing"),
        (lambda folder: os.mkfifo(folder / "thing"), 2, "not a file"),
    ],
)
def test_what_cannot_be_recorded_is_named(folio_dir: Path, run_cli: Command, make: object, code: int, said: str) -> None:
    make(folio_dir)  # type: ignore[operator]
    before = git(folio_dir, "rev-parse", "HEAD")
    done = run_cli("data", "add", "thing")
    assert done.code == code, done.err
    assert said in done.err
    assert git(folio_dir, "rev-parse", "HEAD") == before


def test_names_that_are_not_utf8_are_refused_by_name(folio_dir: Path, run_cli: Command) -> None:
    folder = folio_dir / "odd"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.txt")).write_text("x")
    done = run_cli("data", "add", "odd")
    assert done.code == 2 and "UTF-8" in done.err


def test_an_empty_file_is_a_content(folio_dir: Path, run_cli: Command) -> None:
    (folio_dir / "none.csv").write_text("")
    done = run_cli("data", "add", "none.csv")
    assert done.code == 0 and "the file is empty" in done.err
    assert run_cli("data", "status").code == 0
    assert run_cli("check").code == 0


def test_an_unreadable_file_is_named(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every file")
    wine.chmod(0)
    assert run_cli("data", "add", "data/wine.csv").code == 16
    assert "unreadable" in run_cli("data", "status").out


def test_ignore_writes_one_line_and_git_passes_the_file_over(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    assert run_cli("data", "add", "data/wine.csv", "--ignore").code == 0
    assert (folio_dir / "data" / ".gitignore").read_text() == "/wine.csv\n"
    run_cli("data", "add", "data/wine.csv", "--ignore")
    assert (folio_dir / "data" / ".gitignore").read_text() == "/wine.csv\n"
    tracked = write_wine(folio_dir).rename(folio_dir / "tracked.csv")
    git(folio_dir, "add", str(tracked))
    git(folio_dir, "commit", "-qm", "data in git")
    assert "git tracks tracked.csv" in run_cli("data", "add", "tracked.csv").err


def test_data_that_others_keep_is_never_fetched(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    write_wine(folio_dir, 10).rename(folio_dir / "far.csv")
    refused = run_cli("data", "add", "far.csv", "--no-store")
    assert refused.code == 2 and "--source" in refused.err
    done = run_cli("data", "add", "far.csv", "--no-store", "--source", "s3://key:secret@bucket/far.csv")
    assert done.code == 0 and "secret" not in git(folio_dir, "show", "HEAD")
    (folio_dir / "far.csv").unlink()
    status = run_cli("data", "status", "far")
    assert status.code == 1 and "not fetched" in status.out
    got = run_cli("data", "get", "far")
    assert got.code == 11 and "aws s3 cp s3://bucket/far.csv far.csv" in got.err
    hub = ("--name", "imdb", "--source", "hf://datasets/stanfordnlp/imdb@abc123", "--digest", "sha256:" + "1" * 64)
    assert run_cli("data", "add", *hub).code == 0
    assert "hf download --repo-type dataset stanfordnlp/imdb --revision abc123" in run_cli("data", "get", "imdb").err
    lake = ("--name", "lake", "--source", "lakefs://repo/main/x", "--digest", "sha256:" + "2" * 64)
    run_cli("data", "add", *lake)
    assert "lakectl fs download lakefs://repo/main/x" in run_cli("data", "get", "lake").err
    assert run_cli("check").out == "Everything is in order.\n"
    assert run_cli("gc").code == 0


def test_what_dvc_tracks_is_read_and_verified(folio_dir: Path, run_cli: Command) -> None:
    golden = Path(__file__).parents[1] / "formats" / "dvc"
    data = folio_dir / "data"
    (data / "img" / "deep").mkdir(parents=True)
    (data / "wine.csv").write_bytes(b"a,b\n1,2\n")
    for name, text in (("x.png", "x"), ("deep/y.png", "y"), ("é b.txt", "é")):
        (data / "img" / name).write_text(text, "utf-8")
    for name in ("wine.csv.dvc", "img.dvc"):
        (data / name).write_bytes((golden / name).read_bytes())
    (folio_dir / "dvc.lock").write_bytes((golden / "dvc.lock").read_bytes())
    assert run_cli("data", "add", "data/wine.csv.dvc", "data/img.dvc").code == 0
    done = run_cli("data", "add", "dvc.lock")
    assert done.code == 0 and "clean.csv is not at hand" in done.err
    states = {item["name"]: item["state"] for item in json.loads(run_cli("data", "status", "--json").out)}
    assert states == {"wine": "in sync", "img": "in sync", "clean": "not fetched"}
    assert "dvc pull out/clean.csv" in run_cli("data", "get", "clean").err
    shape = json.loads(run_cli("data", "show", "wine", "--json").out)
    assert shape["dataset"]["digest"] == "md5:e5ebd4c02cefbe7955977c67ada242b7"
    assert [column["mean"] for column in shape["facts"]["columns"]] == [1.0, 2.0]
    (data / "img" / "x.png").write_text("other")
    assert run_cli("data", "status", "img").code == 1
    assert run_cli("check").code == 0


def test_a_dataset_is_removed_and_its_contents_stay(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    assert run_cli("data", "rm", "wine").code == 0
    assert run_cli("data", "list", "--json").out.strip() != "[]"
    assert run_cli("data", "rm", "wine", "--yes").code == 0
    assert json.loads(run_cli("data", "list", "--json").out) == []
    assert wine.exists()
    wine.unlink()
    assert run_cli("data", "get", "wine@HEAD~1").code == 0
    assert wine.exists()


def test_a_run_names_the_content_that_it_read(folio_dir: Path, wine: Path, run_cli: Command) -> None:
    runfolio.set_tracking_uri(folio_dir)
    frame = runfolio.data.load("wine")
    assert len(frame) == 178
    with runfolio.start_run(run_name="first") as run:
        runfolio.log_input(runfolio.data.from_folio("wine"), context="training")
        runfolio.log_input(runfolio.data.from_pandas(frame, source="data/wine.csv"), context="testing")
    wine.write_text("alcohol,colour\n1,red\n")
    with runfolio.start_run(run_name="second") as other:
        runfolio.log_input(runfolio.data.from_pandas(pandas.read_csv(wine), source=str(wine)))
    assert runfolio.data.path("wine") != wine
    assert runfolio.data.path("wine").read_text().count("\n") == 179
    source = runfolio.data.get_source(runfolio.get_run(run.info.run_id).inputs.dataset_inputs[0])
    assert Path(source.load()).read_text().count("\n") == 179
    forget_sessions()
    shown = run_cli("runs", "show", run.info.run_id).out
    digest = json.loads(run_cli("data", "show", "wine", "--json").out)["dataset"]["digest"]
    assert shown.count(f"wine@{digest[7:19]}") == 2
    said = json.loads(run_cli("runs", "show", other.info.run_id, "--json").out)
    assert said["inputs"][0]["source_type"] == "local"
    assert any("is not the recorded content of wine" in notice for notice in said["notices"])
    runs = json.loads(run_cli("data", "show", "wine", "--json").out)["runs"]
    assert [item["name"] for item in runs] == ["first"]


def test_a_process_killed_while_it_adds_leaves_a_clean_folio(folio_dir: Path, run_cli: Command) -> None:
    write_wine(folio_dir, 20_000)
    code = (
        "import os, sys\n"
        "from runfolio.objects.local import LocalStore\n"
        "take = LocalStore.take\n"
        "def killed(self, path, digest):\n"
        "    take(self, path, digest)\n"
        "    os.kill(os.getpid(), 9)\n"
        "LocalStore.take = killed\n"
        "from runfolio.cli.main import main\n"
        "main(['data', 'add', 'data/wine.csv'])\n"
    )
    import subprocess
    import sys

    assert subprocess.run([sys.executable, "-c", code], cwd=folio_dir, check=False).returncode == -9
    assert json.loads(run_cli("data", "list", "--json").out) == []
    assert run_cli("check").code == 0
    assert run_cli("data", "add", "data/wine.csv").code == 0
    assert run_cli("data", "status").code == 0


def test_a_full_disk_is_said_and_nothing_is_recorded(folio_dir: Path) -> None:
    write_wine(folio_dir, 200_000)
    before = git(folio_dir, "rev-parse", "HEAD")
    import subprocess
    import sys

    program = f"ulimit -f 64; exec {sys.executable} -m runfolio data add data/wine.csv"
    done = subprocess.run(["bash", "-c", program], cwd=folio_dir, capture_output=True, text=True, check=False)
    assert done.returncode == 16, done.stderr
    assert git(folio_dir, "rev-parse", "HEAD") == before
    assert in_process(folio_dir, "check").code == 0


def test_push_mirror_and_pull_take_contents_along(folio_dir: Path, tmp_path: Path, run_cli: Command) -> None:
    folder = folio_dir / "img"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text(str(number))
    run_cli("data", "add", "img")
    assert run_cli("artifacts", "mirror", str(tmp_path / "other")).code == 0
    found = json.loads(run_cli("artifacts", "pull", "--json").out)
    assert found == {"objects": 4, "bytes": found["bytes"]}, "the list, and three files"
    for place in folder.iterdir():
        place.unlink()
    folder.rmdir()
    objects = folio_dir / ".git" / "runfolio" / "objects"
    objects.rename(tmp_path / "lost")
    assert run_cli("data", "get", "img").code == 11
    assert run_cli("artifacts", "mirror", "--from", str(tmp_path / "other")).code == 0
    assert run_cli("data", "get", "img").code == 0
    assert run_cli("data", "status").code == 0


@pytest.mark.parametrize("name", ["nothing@bc874855", "nothing@HEAD", "nothing"])
def test_a_dataset_that_there_is_not_is_told(folio_dir: Path, run_cli: Command, name: str) -> None:
    """With a digest it was "a bug in runfolio"."""
    done = run_cli("data", "show", name)
    assert done.code == 11 and "nothing" in done.err
