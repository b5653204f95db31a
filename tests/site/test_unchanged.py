"""A build with nothing to do is answered before the folio is opened, and only where the whole way would say the same."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runfolio.errors import StateError
from runfolio.folio import initialise, open_folio
from runfolio.formats import paths
from runfolio.site import BuildOptions, build_site, unchanged
from runfolio.site.assets import templates_digest
from runfolio.site.memory import MEMORY
from runfolio.site.unchanged import asked_of, report_if_unchanged, templates_then
from tests.site.test_build import log

LEAVE_ONE = """
import os, signal, runfolio
runfolio.set_experiment("wine")
runfolio.start_run()
runfolio.log_metric("accuracy", 0.5)
os.kill(os.getpid(), signal.SIGKILL)
"""


class Place:
    """A folio in a folder ``ml`` of a repository, its site, and a folder of templates."""

    def __init__(self, folder: Path) -> None:
        self.repository, self.folder, self.out, self.templates = folder / "r", folder / "r" / "ml", folder / "s", folder / "t"
        subprocess.run(["git", "init", "-q", "-b", "main", str(self.repository)], check=True)
        for key, value in (("user.name", "a"), ("user.email", "a@example.org")):
            subprocess.run(["git", "config", key, value], cwd=self.repository, check=True)
        initialise(self.folder, commit=True).folio.close()
        self.templates.mkdir()
        self.page = self.templates / "brand.html"
        self.page.write_text("one")
        self.age()
        log(self.folder, "wine", 0, 3)

    def age(self) -> None:
        """Look at templates as if they had not been written just now."""
        self.now = os.stat(self.page).st_ctime_ns + 10**10

    def build(self, **options: Any) -> Any:
        folio = open_folio(self.folder)
        try:
            return build_site(folio, self.out, BuildOptions(**options))
        finally:
            folio.close()

    def asked(self, **options: Any) -> Any:
        return report_if_unchanged(str(self.folder), self.out, BuildOptions(**options))

    def git(self, *args: str) -> None:
        subprocess.run(["git", *args], cwd=self.repository, check=True, capture_output=True)

    def command(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "runfolio", "site", *args], cwd=self.folder, capture_output=True, text=True, check=False
        )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.setattr(unchanged, "time", type("Clock", (), {"time_ns": staticmethod(lambda: made.now)}))
    return made


def test_the_answer_is_what_the_whole_way_reports(place: Place) -> None:
    assert place.asked() is None
    first = place.build()
    found = place.asked()
    assert found == place.build()
    assert (found.rendered, found.kept, found.runs) == (0, first.rendered, 3)
    assert found.warnings == first.warnings and any("NOT FOR THE PUBLIC" in text for text in found.warnings)


def edit_settings(place: Place) -> None:
    file = place.folder / "runfolio.yaml"
    file.write_text(file.read_text() + "site: {title: Another}\n")


def edit_a_template(place: Place) -> None:
    look = os.stat(place.page)
    place.page.write_text("two")
    os.utime(place.page, ns=(look.st_atime_ns, look.st_mtime_ns))  # of one size, and dated back


def damage_the_memory(place: Place) -> None:
    (place.out / MEMORY).write_text('{"version": 1, "files": ')


def leave_it_unfinished(place: Place) -> None:
    held = json.loads((place.out / MEMORY).read_text())
    (place.out / MEMORY).write_text(json.dumps({**held, "unfinished": True, "state": ""}))


def damage_the_stamp(place: Place) -> None:
    (place.repository / ".git" / "runfolio" / "at-ml" / unchanged.FILE).write_text('{"version": "0.1.0", "sites": 5}')


def stamp_of_another_version(place: Place) -> None:
    file = place.repository / ".git" / "runfolio" / "at-ml" / unchanged.FILE
    file.write_text(json.dumps({**json.loads(file.read_text()), "version": "0.0.1"}))


def leave_a_journal(place: Place) -> None:
    done = subprocess.run([sys.executable, "-c", LEAVE_ONE], cwd=place.folder, check=False)
    assert done.returncode == -signal.SIGKILL


def use_a_bare_clone(place: Place) -> None:
    shutil.rmtree(place.folder)
    place.git("config", "core.bare", "true")


BREAKS: list[Callable[[Place], object]] = [
    lambda place: log(place.folder, "wine", 3, 4),
    lambda place: place.git("commit", "-q", "--allow-empty", "-m", "elsewhere"),
    lambda place: place.git("checkout", "-q", "-b", "other", "HEAD~1"),
    edit_settings,
    edit_a_template,
    lambda place: (place.templates / "more.css").write_text("a {}"),
    lambda place: place.page.rename(place.templates / "other.html"),
    lambda place: (place.out / "index.html").unlink(),
    lambda place: (place.out / "index.html").write_text("by hand"),
    lambda place: shutil.rmtree(place.out),
    damage_the_memory,
    leave_it_unfinished,
    damage_the_stamp,
    stamp_of_another_version,
    leave_a_journal,
    use_a_bare_clone,
    lambda place: place.repository.rename(place.repository.with_name("moved")),
]  # fmt: skip


@pytest.mark.parametrize("change", BREAKS, ids=lambda change: getattr(change, "__name__", "").strip("<>"))
def test_whatever_a_site_depends_on_is_seen(place: Place, change: Callable[[Place], object]) -> None:
    place.build(templates=place.templates)
    assert place.asked(templates=place.templates) is not None
    change(place)
    assert place.asked(templates=place.templates) is None


@pytest.mark.parametrize(
    "options", [{"public": True}, {"base_url": "https://example.org"}, {"python_charts": False}, {"force": True}, {"at": "HEAD"},
                {"diff": ("HEAD~1", "HEAD")}, {"templates": Path(__file__).parent}]
)  # fmt: skip
def test_other_options_are_another_question(place: Place, options: dict[str, Any]) -> None:
    place.build()
    assert place.asked(**options) is None
    assert place.asked(jobs=3) is not None


def test_what_is_built_of_the_past_is_not_remembered_as_the_present(place: Place) -> None:
    place.build()
    place.build(at="HEAD~1")
    assert place.asked() is None and place.asked(at="HEAD~1") is None


def test_packed_refs_and_collected_garbage_change_nothing(place: Place) -> None:
    place.build()
    place.git("pack-refs", "--all")
    place.git("gc", "-q")
    assert place.asked() is not None


def test_two_sites_of_one_folio_are_both_known(place: Place, tmp_path: Path) -> None:
    place.build()
    place.out = tmp_path / "second"
    place.build(public=True)
    assert place.asked(public=True) is not None
    place.out = tmp_path / "s"
    assert place.asked() is not None


def test_settings_that_are_saved_while_a_site_is_built_are_not_taken_for_those_that_it_was_built_with(place: Place) -> None:
    folio = open_folio(place.folder)
    edit_settings(place)
    build_site(folio, place.out)
    folio.close()
    assert place.asked() is None
    place.build()
    assert place.asked() is not None


def test_templates_that_were_written_just_now_are_not_trusted_to_their_times(place: Place) -> None:
    place.now = os.stat(place.page).st_ctime_ns + 1000
    place.build(templates=place.templates)
    assert place.asked(templates=place.templates) is None
    place.age()
    assert place.asked(templates=place.templates) is None
    place.build(templates=place.templates)
    assert place.asked(templates=place.templates) is not None


def test_a_folder_of_other_things_is_refused_in_the_same_words(place: Place) -> None:
    place.build()
    shutil.rmtree(place.out)
    place.out.mkdir()
    (place.out / "thesis.tex").write_text("mine")
    with pytest.raises(StateError, match="holds no site of runfolio's"):
        place.asked()


def test_names_and_places_are_those_of_the_open_folio(place: Place) -> None:
    place.build()
    folio = open_folio(place.folder)
    assert (folio.place.local / unchanged.FILE).is_file()
    assert paths.SETTINGS == unchanged._SETTINGS
    assert unchanged._local(folio.repo.git_dir, "ml") == folio.place.local
    folio.close()


def test_the_command_prints_the_same_on_both_ways(place: Place) -> None:
    place.command("build", "-o", str(place.out))
    stamp = place.repository / ".git" / "runfolio" / "at-ml" / unchanged.FILE

    def whole_way(*args: str) -> tuple[str, str, int]:
        # Another version's is passed over, but for what it warned of.
        held = json.loads(stamp.read_text())
        for made in held["sites"].values():
            made["asked"] = None
        stamp.write_text(json.dumps(held))
        done = place.command("build", "-o", str(place.out), *args)
        return done.stdout, done.stderr, done.returncode

    for args in ((), ("--json",), ("--check",)):
        told = whole_way(*args)
        place.command("build", "-o", str(place.out))
        assert place.asked() is not None
        done = place.command("build", "-o", str(place.out), *args)
        assert (done.stdout, done.stderr, done.returncode) == told


def test_what_was_left_behind_is_said_as_ever(place: Place) -> None:
    place.command("build", "-o", str(place.out))
    leave_a_journal(place)
    done = place.command("build", "-o", str(place.out))
    assert "0 files written" in done.stdout and "1 run was left by a process that died" in done.stderr


def test_publishing_again_sends_nothing_and_warns_again(place: Place, tmp_path: Path) -> None:
    first = place.command("publish", str(tmp_path / "www"))
    again = place.command("publish", str(tmp_path / "www"))
    assert "0 files sent" in again.stdout and again.returncode == 0
    assert "NOT FOR THE PUBLIC" in first.stderr and again.stderr == first.stderr
    elsewhere = place.command("publish", str(tmp_path / "second"))
    assert "NOT FOR THE PUBLIC" in elsewhere.stderr and "0 as they were" in elsewhere.stdout


def test_templates_that_look_the_same_are_not_read_again(place: Place) -> None:
    place.build(templates=place.templates)
    log(place.folder, "wine", 3, 4)
    options = BuildOptions(templates=place.templates)
    folio = open_folio(place.folder)
    try:
        held = templates_then(folio.place, place.out, asked_of(folio.place, options))
        assert held == templates_digest()
        assert templates_then(folio.place, place.out.parent / "other", asked_of(folio.place, options)) is None
        place.page.write_text("two")
        assert templates_then(folio.place, place.out, asked_of(folio.place, options)) is None, "just written"
        place.age()
        assert templates_then(folio.place, place.out, asked_of(folio.place, options)) is None
    finally:
        folio.close()
