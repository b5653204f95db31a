"""A public site shows nobody's name, machine or secret; what slips through is found in what was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import runfolio
from runfolio.errors import StateError
from runfolio.formats.canonical import dump
from runfolio.formats.runs import run_fields
from runfolio.records import Run
from runfolio.site import BuildOptions
from runfolio.site.canary import Leak, check_public, private_names, scan
from runfolio.site.data.runs import private_warning
from runfolio.site.public import HOME, Redaction, count_private
from tests.site.folios import close_all, committed, data_of, hostile_folio, log_files, with_site
from tests.strategies import runs

PUBLIC = BuildOptions(public=True)
RECORD: dict[str, Any] = {
    "run_id": "01a20af6586b7000ad3376d9e9ffcfe6",
    "experiment": "wine",
    "name": "Grace Hopper's try",
    "status": "FINISHED",
    "start": 1,
    "user": "Grace Hopper",
    "notices": ["the value of --api-key was replaced by ***"],
    "params": {"lr": "0.1", "data": "/home/grace/wine.csv", "secret_sauce": "42"},
    "tags": {"mlflow.note.content": "ask Grace", "mlflow.user": "grace", "team": "red", "internal.ticket": "X-1"},
    "entry": {"script": "/Users/grace/train.py", "type": "LOCAL", "args": ["--password", "***"]},
    "code": {"commit": "a" * 40, "remote": "https://git.corp.example/secret.git", "left_out": [{"path": "clients.xlsx"}]},
    "environment": {"python": "3.11", "host": "gpu-box-7"},
    "inputs": [{"name": "wine", "digest": "d", "source": '{"uri": "s3://corp/wine"}', "source_type": "s3"}],
    "artifacts": {
        "roc.png": {"digest": "sha256:" + "a" * 64, "size": 1},
        "clients.csv": {"digest": "sha256:" + "b" * 64, "size": 2},
    },
}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_all()


def copy(record: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(record))
    return made


def test_private_fields_are_gone() -> None:
    shown = Redaction(True, ("internal.*", "secret_*"), ("*.png",)).record(copy(RECORD))
    assert shown == {
        "run_id": RECORD["run_id"],
        "experiment": "wine",
        "name": "***'s try",
        "status": "FINISHED",
        "start": 1,
        "params": {"lr": "0.1", "data": "~/wine.csv"},
        "tags": {"team": "red"},
        "entry": {"script": "~/train.py", "type": "LOCAL"},
        "code": {"commit": "a" * 40},
        "environment": {"python": "3.11"},
        "inputs": [{"name": "wine", "digest": "d", "source_type": "s3"}],
        "artifacts": {"roc.png": RECORD["artifacts"]["roc.png"]},
        "artifact_count": 2,
    }


def test_site_that_is_not_public_shows_the_record_as_it_is() -> None:
    assert Redaction(False, ("*",), ()).record(copy(RECORD)) == RECORD


@given(runs())
def test_any_record_stays_a_record(run: Run) -> None:
    fields = json.loads(json.dumps(run_fields(run)))
    shown = Redaction(True).record(copy(fields))
    assert "user" not in shown
    assert shown["run_id"] == fields["run_id"] or HOME.search(fields["run_id"])
    dump(shown)


@pytest.mark.parametrize(
    "path",
    [
        "/home/ada/x",
        "/Users/ada",
        "C:\\Users\\ada\\x",
        "C:\\\\Users\\\\ada",
        "x=/home/ada",
        "'/home/ada'",
        "file:///home/ada",
        "/root/x",
        "-I /home/ada",
    ],
)
def test_home_folders_are_seen(path: str) -> None:
    assert HOME.search(path)


@pytest.mark.parametrize(
    "path",
    ["home/x", "https://example.org/home/index", "a/home/b", "/homes/x", "see /home", "root/x", "/rooted", "s3://b/home/x"],
)
def test_other_paths_are_not(path: str) -> None:
    assert not HOME.search(path)


def test_warning_counts_what_would_be_shown() -> None:
    bodies = [dump(copy(RECORD)), dump({"run_id": "x", "params": {"user": "u", "remote": "r"}})]
    assert count_private(bodies) == {
        "user names": 1,
        "arguments of scripts": 1,
        "addresses of git remotes": 1,
        "host names": 1,
        "notes": 1,
        "paths of home folders": 1,
    }


def test_site_that_is_not_public_says_so(folio_dir: Path, tmp_path: Path) -> None:
    site = data_of(hostile_folio(folio_dir, tmp_path / "files"), tmp_path / "site")
    (warning,) = private_warning(site)
    assert "NOT FOR THE PUBLIC" in warning
    assert "notes (in 3 runs)" in warning
    assert "--public" in warning


def files_of(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def test_public_site_of_hostile_runs_passes_and_holds_no_private_word(folio_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    check_public(data_of(hostile_folio(folio_dir, tmp_path / "files"), out, PUBLIC))
    for word in (b"Lovelace", b"/home/grace", b"ghp_a1B2"):
        assert [file for file in files_of(out) if word in (out / file).read_bytes()] == []


def test_secret_in_a_description_fails_the_build_with_file_and_field(folio_dir: Path, tmp_path: Path) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    runfolio.set_experiment("wine")
    folio = committed(folio_dir)
    path = folio_dir / "experiments" / "wine.yaml"
    path.parent.mkdir(exist_ok=True)
    text = "schema: 1\nname: wine\ndescription: data in /home/grace/wine.csv\n"
    path.write_text(text)
    from tests.conftest import git

    git(folio_dir, "add", "-A")
    git(folio_dir, "commit", "-qm", "describe")
    out = tmp_path / "site"
    site = data_of(folio, out, PUBLIC)
    with pytest.raises(StateError) as caught:
        check_public(site)
    assert "api/v1/experiments/wine.json: description: the path of a home folder" in str(caught.value)
    assert "/home/grace" not in str(caught.value)
    assert "api/v1/experiments/wine.json" not in files_of(out)


def test_private_text_in_an_artifact_fails_the_build(folio_dir: Path, tmp_path: Path) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    with runfolio.start_run():
        log_files({"log.txt": b"reading /home/grace/wine.csv\n", "list.csv": b"a\n1\n"}, tmp_path / "files")
    folio = committed(folio_dir)
    with pytest.raises(StateError, match=r"artifacts/\w\w/\w{12}\.txt: line 1: the path of a home folder"):
        check_public(data_of(folio, tmp_path / "site", PUBLIC))
    check_public(data_of(with_site(folio, 'site: {artifacts: {publish: ["*.csv"]}}\n'), tmp_path / "other", PUBLIC))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('rfData("data/r/0",{"r1":{"params":{"url":"https://ada:hunter2@example.org/x"}}});\n', "r1.params.url"),
        ('rfData("data/r/0",{"r1":{"tags":["a\\nghp_' + "a1B2" * 8 + '"]}});\n', "r1.tags[0]"),
        ('rfData("data/r/0",{"/home/grace/x":1});\n', ": a key"),
        ('rfData("data/r/0",["by \\u00e9Grace Hopper"]);\n', ""),
        ('rfData("data/r/0",["by\\tGrace Hopper"]);\n', "[0]"),
        ("<p>from gpu-box-7</p>", "line 1"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "line 1"),
    ],
)
def test_leak_is_named_by_its_place(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "x.js").write_text(text)
    leaks = list(scan(tmp_path, ["x.js"], frozenset({"Grace Hopper", "gpu-box-7"})))
    assert [leak.field for leak in leaks] == ([field] if field else [])
    assert all(isinstance(leak, Leak) and "Grace" not in leak.what for leak in leaks)


@pytest.mark.parametrize(
    "text", ["ssh://git@example.org/x", "graceful", "tokens: max_tokens=5", "https://example.org/@ada", "gpu-box-71"]
)
def test_harmless_text_is_no_leak(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.html").write_text(text)
    assert list(scan(tmp_path, ["x.html"], frozenset({"grace", "gpu-box-7"}))) == []


def test_user_who_is_called_like_a_word_of_our_pages_is_not_looked_for(folio_dir: Path, tmp_path: Path) -> None:
    import subprocess

    subprocess.run(["git", "config", "user.name", "main"], cwd=folio_dir, check=True)
    runfolio.set_tracking_uri(str(folio_dir))
    with runfolio.start_run():
        runfolio.log_metric("a", 1)
    site = data_of(committed(folio_dir), tmp_path / "site", PUBLIC)
    assert "main" not in private_names(site)
    check_public(site)
