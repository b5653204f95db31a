"""The site through the command line."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from tests.cli.conftest import Command
from tests.conftest import git


def test_build_says_what_it_made_and_check_whether_it_is_current(run_cli: Command, sweep: dict[str, str], tmp_path: Path) -> None:
    out = str(tmp_path / "site")
    assert run_cli("site", "build", "-o", out, "--check").code == 1
    done = run_cli("site", "build", "-o", out)
    assert done.code == 0, done.err
    assert "5 runs" in done.out and "files written" in done.out
    assert run_cli("site", "build", "-o", out, "--check").code == 0
    again = json.loads(run_cli("site", "build", "-o", out, "--json").out)
    assert (again["rendered"], again["runs"]) == (0, 5)


def test_a_site_that_is_not_public_says_so_and_a_public_one_need_not(
    run_cli: Command, sweep: dict[str, str], tmp_path: Path
) -> None:
    assert "NOT FOR THE PUBLIC" in run_cli("site", "build", "-o", str(tmp_path / "a")).err
    public = run_cli("site", "build", "-o", str(tmp_path / "b"), "--public")
    assert public.code == 0 and "NOT FOR THE PUBLIC" not in public.err


def test_a_site_inside_the_repository_is_named_with_the_line_that_ignores_it(
    run_cli: Command, sweep: dict[str, str], folio_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")  # where the clone is thrown away, and the folder is the workflow's own
    assert "does not belong" not in run_cli("site", "build", "-o", str(folio_dir / "site")).err
    monkeypatch.delenv("CI")
    done = run_cli("site", "build", "-o", str(folio_dir / "site"), "--force")
    assert "echo '/site/' >>" in done.err
    with runfolio.start_run() as run:  # and is no part of the code that a run was made by
        pass
    code = json.loads(run_cli("runs", "show", run.info.run_id, "--json").out)["code"]
    assert not code["dirty"]
    assert git(folio_dir, "ls-tree", "--name-only", code["tree"]).split() == [".gitattributes", "runfolio.yaml", "train.py"]
    (folio_dir / ".gitignore").write_text("/site/\n")
    assert "does not belong" not in run_cli("site", "build", "-o", str(folio_dir / "site"), "--force").err


def test_a_build_says_how_many_records_it_could_not_read(
    run_cli: Command, sweep: dict[str, str], folio_dir: Path, tmp_path: Path
) -> None:
    out = str(tmp_path / "site")
    assert "could not be read" not in run_cli("site", "build", "-o", out).err
    (file, *_) = sorted(path for path in (folio_dir / "runs").rglob("*.json") if not path.name.endswith(".series.json"))
    file.write_text("{")
    git(folio_dir, "commit", "-qam", "torn")
    done = run_cli("site", "build", "-o", out)
    assert done.code == 0 and "1 record could not be read, and is not on the site: runfolio check" in done.err


def test_wrong_options_are_errors_in_words(run_cli: Command, sweep: dict[str, str], tmp_path: Path) -> None:
    out = str(tmp_path / "site")
    assert run_cli("site", "build", "-o", out, "--diff", "main").code == 2
    assert run_cli("site", "build", "-o", out, "--diff", "a...b").code == 2
    assert run_cli("site", "build", "-o", out, "--diff", "nowhere..HEAD").code == 11
    assert run_cli("site", "build", "-o", out, "--at", "nowhere").code == 11
    done = run_cli("site", "build", "-o", out, "--templates", str(tmp_path / "none"))
    assert done.code == 2 and "no such folder with templates" in done.err


def test_a_template_that_fails_is_named_with_its_line(run_cli: Command, sweep: dict[str, str], tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "home.html").write_text('{% extends "base.html" %}\n{% block main %}\n{{ nothing_like_this.x }}\n{% endblock %}\n')
    done = run_cli("site", "build", "-o", str(tmp_path / "site"), "--templates", str(own))
    assert done.code == 2 and "home.html" in done.err and "Traceback" not in done.err


def test_a_template_of_the_teams_cannot_reach_the_machine(run_cli: Command, sweep: dict[str, str], tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "home.html").write_text('{{ "".__class__.__mro__[1].__subclasses__() }}')
    done = run_cli("site", "build", "-o", str(tmp_path / "site"), "--templates", str(own))
    assert done.code == 2 and "unsafe" in done.err


def test_the_collector_is_back_when_the_command_has_ended(run_cli: Command, sweep: dict[str, str], tmp_path: Path) -> None:
    assert gc.isenabled()
    assert run_cli("site", "build", "-o", str(tmp_path / "site")).code == 0 and gc.isenabled()
    assert run_cli("site", "publish", str(tmp_path / "www")).code == 0 and gc.isenabled()


def test_the_site_is_published_to_a_folder_and_a_branch_and_then_there_is_nothing_to_send(
    run_cli: Command, sweep: dict[str, str], folio_dir: Path, tmp_path: Path
) -> None:
    www = str(tmp_path / "www")
    first = run_cli("site", "publish", www, "--public")
    assert first.code == 0 and "0 as they were" in first.out and (tmp_path / "www" / "index.html").is_file(), first.err
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(folio_dir, "remote", "add", "origin", str(tmp_path / "remote.git"))
    assert run_cli("site", "publish", "--branch", "gh-pages", "--public").code == 0
    assert run_cli("site", "publish", "--branch", "gh-pages", "--folder", "preview/7", "--site", "none").code == 11
    for destination in ([www], ["--branch", "gh-pages"]):
        again = json.loads(run_cli("site", "publish", *destination, "--public", "--json").out)
        assert (again["sent"], again["bytes"], again["removed"]) == (0, 0, 0)


def test_one_destination_is_wanted_and_a_wrong_one_told_in_words(run_cli: Command, sweep: dict[str, str]) -> None:
    assert run_cli("site", "publish").code == 2
    assert run_cli("site", "publish", "folder", "--branch", "gh-pages").code == 2
    done = run_cli("site", "publish", "s3://me:secret@bucket/folio", "--public")
    assert done.code == 2 and done.err.startswith("runfolio: a place holds no credentials") and "secret" not in done.err
    assert run_cli("site", "publish", "--site", "site", "--public", "www").code == 2


def test_templates_in_a_folder_below_are_not_passed_over(run_cli: Command, sweep: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "own" / "templates").mkdir(parents=True)
    (tmp_path / "own" / "templates" / "home.html").write_text("mine")
    done = run_cli("site", "build", "-o", str(tmp_path / "site"), "--templates", str(tmp_path / "own"))
    assert (done.code, f"--templates {tmp_path / 'own' / 'templates'}" in done.err) == (2, True)


def test_a_site_is_not_taken_away_where_nobody_answers(run_cli: Command, sweep: dict[str, str], tmp_path: Path) -> None:
    assert run_cli("site", "publish", str(tmp_path / "www")).code == 0
    command = [sys.executable, "-m", "runfolio", "site", "unpublish", str(tmp_path / "www")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (done.returncode, "say --yes" in done.stderr, (tmp_path / "www" / "index.html").is_file()) == (2, True, True)
    assert run_cli("site", "unpublish", str(tmp_path / "www"), "--yes").code == 0
