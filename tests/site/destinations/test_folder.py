"""Publishing to a folder: it changes in one step, keeps what is not ours, and survives being killed."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runfolio.errors import BusyError, StateError
from runfolio.site.destinations import folder as folders
from runfolio.site.destinations import publish_to_folder, read_built
from runfolio.site.destinations.contents import LIST
from runfolio.site.destinations.turns import in_turn
from tests.site.destinations.conftest import Sites
from tests.site.destinations.links import broken


def held(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def wanted(sites_built: object) -> dict[str, bytes]:
    return {path: (sites_built.folder / path).read_bytes() for path in sites_built.files}  # type: ignore[attr-defined]


def test_a_site_is_published_brought_up_to_date_and_left_alone(sites: Sites, tmp_path: Path) -> None:
    target = tmp_path / "www"
    assert publish_to_folder(sites.before, target).sent == len(sites.before.files)
    done = publish_to_folder(sites.after, target)
    assert 0 < done.sent < len(sites.after.files) and done.removed > 0
    shown = held(target)
    del shown[LIST]
    assert shown == wanted(sites.after) and not broken(shown)
    inode = target.stat().st_ino
    assert publish_to_folder(sites.after, target).sent == 0 and target.stat().st_ino == inode
    assert sorted(os.listdir(tmp_path)) == ["www"]


def test_what_lies_beside_the_site_is_kept_also_inside_its_folders(sites: Sites, tmp_path: Path) -> None:
    target = tmp_path / "www"
    publish_to_folder(sites.before, target)
    (target / "CNAME").write_text("folio.example.org")
    (target / "preview" / "7").mkdir(parents=True)
    (target / "preview" / "7" / "index.html").write_text("preview")
    (target / "assets" / "logo.txt").write_text("ours is not this")
    publish_to_folder(sites.after, target)
    shown = held(target)
    assert shown["CNAME"] and shown["preview/7/index.html"] == b"preview" and shown["assets/logo.txt"]
    assert shown.keys() == {*sites.after.files, LIST, "CNAME", "preview/7/index.html", "assets/logo.txt"}


def test_what_lies_beside_survives_a_publish_that_is_killed_while_it_clears(
    sites: Sites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "www"
    publish_to_folder(sites.before, target)
    (tmp_path / "elsewhere").mkdir()
    others = {f"{folder}/{name}": name for folder in ("assets", "data", "") for name in ("a.txt", "z.txt")}
    for path, text in others.items():
        (target / path).write_text(text)
    (target / "assets" / "link").symlink_to(tmp_path / "elsewhere")
    unlink = os.unlink
    for number in range(0, 40, 3):
        left = [number]

        def killed(*args: Any, left: list[int] = left, **options: Any) -> None:
            if options and not left[0]:
                raise KeyboardInterrupt  # as a signal, between two calls of the system
            left[0] -= 1
            unlink(*args, **options)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(os, "unlink", killed)
            publish_to_folder(sites.after if number % 2 else sites.before, target)
            patch.setattr(os, "unlink", unlink)
            publish_to_folder(sites.before if number % 2 else sites.after, target)
            raise KeyboardInterrupt  # no more files than that
        publish_to_folder(sites.after if number % 2 else sites.before, target)
        assert all((target / path).read_text() == text for path, text in others.items()), number
        assert (target / "assets" / "link").is_symlink() and (tmp_path / "elsewhere").is_dir()
        assert sorted(os.listdir(tmp_path)) == ["elsewhere", "www"]


def test_a_folder_of_something_else_is_refused_and_untouched(sites: Sites, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(StateError, match="holds no site that runfolio published"):
        publish_to_folder(sites.before, tmp_path)
    assert held(tmp_path) == {"index.html": b"mine"}


@pytest.mark.parametrize("inside", ["", "public"])
def test_a_site_is_not_published_into_itself(sites: Sites, inside: str) -> None:
    with pytest.raises(StateError, match="lie in one another"):
        publish_to_folder(sites.before, sites.before.folder / inside)


def test_a_build_that_was_not_finished_or_was_changed_is_refused(sites: Sites, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(sites.before.folder, tmp_path / "built")
    (tmp_path / "built" / "index.html").write_text("changed")
    with pytest.raises(StateError, match="not as the build left it"):
        read_built(tmp_path / "built")


def test_a_link_is_followed_and_stays(sites: Sites, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "www")
    publish_to_folder(sites.before, tmp_path / "link")
    publish_to_folder(sites.after, tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and held(tmp_path / "www").keys() == {*sites.after.files, LIST}


def test_without_an_exchange_in_one_step_the_files_are_replaced_in_order(
    sites: Sites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "www"
    publish_to_folder(sites.before, target)
    (target / "CNAME").write_text("x")
    steps: list[str] = []
    replace = os.replace

    def watched(source: Path, place: Path) -> None:
        replace(source, place)
        shown = held(target)
        assert not broken({path: data for path, data in shown.items() if not path.startswith("preview")})
        steps.append(Path(place).name)

    # A network share says EINVAL to the system call: that is all that is different here.
    monkeypatch.setattr(folders.ctypes, "get_errno", lambda: errno.EINVAL)
    monkeypatch.setattr(folders, "_RENAME_EXCHANGE", 1 << 30)
    monkeypatch.setattr(os, "replace", watched)
    publish_to_folder(sites.after, target)
    assert steps[-1] == LIST and steps[-2] == "index.html"
    assert held(target).keys() == {*sites.after.files, LIST, "CNAME"}


PUBLISH = """
import sys
from pathlib import Path
from runfolio.site.destinations import publish_to_folder, read_built
publish_to_folder(read_built(Path(sys.argv[1])), Path(sys.argv[2]))
"""


def _holds_more_than(folder: Path, files: int) -> bool:
    try:
        return folder.is_dir() and sum(1 for _ in folder.rglob("*")) > files
    except FileNotFoundError:  # it was put in place meanwhile: the moment to kill is now
        return True


@pytest.mark.parametrize("after_files", [0, 5, 30])
def test_a_killed_publish_leaves_the_old_site_or_the_new_one_whole(sites: Sites, tmp_path: Path, after_files: int) -> None:
    target, beside = tmp_path / "www", tmp_path / ".www.runfolio-new"
    publish_to_folder(sites.before, target)
    (target / "CNAME").write_text("x")
    process = subprocess.Popen([sys.executable, "-c", PUBLISH, str(sites.after.folder), str(target)])
    while process.poll() is None and not _holds_more_than(beside, after_files):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    shown = held(target)
    shown.pop("CNAME", None)
    shown.pop(LIST)
    assert shown in (wanted(sites.before), wanted(sites.after))
    publish_to_folder(sites.after, target)
    assert held(target).keys() == {*sites.after.files, LIST, "CNAME"} and not beside.exists()


def test_two_publishers_of_one_folder_take_turns(sites: Sites, tmp_path: Path) -> None:
    target = tmp_path / "www"
    publish_to_folder(sites.before, target)
    for _ in range(3):
        built = [sites.after, sites.before, sites.after]
        started = [
            subprocess.Popen([sys.executable, "-c", PUBLISH, str(site.folder), str(target)], stderr=subprocess.PIPE, text=True)
            for site in built
        ]
        said = [process.communicate()[1] for process in started]
        assert [process.returncode for process in started] == [0, 0, 0], said
        shown = held(target)
        del shown[LIST]
        assert shown in (wanted(sites.before), wanted(sites.after)) and sorted(os.listdir(tmp_path)) == ["www"]


def test_a_folder_that_another_holds_is_said_to_be_busy_and_ones_own_is_not(tmp_path: Path) -> None:
    hold = "import sys\nfrom pathlib import Path\nfrom runfolio.site.destinations.turns import in_turn\n"
    hold += "with in_turn(Path(sys.argv[1])) as waited:\n    print(waited, flush=True)\n    sys.stdin.read()\n"
    other = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdin and other.stdout and other.stdout.readline() == "False\n"
    with pytest.raises(BusyError, match="publishing"), in_turn(tmp_path, 0):
        raise AssertionError("it is held")
    other.communicate()
    with in_turn(tmp_path, 0) as waited, in_turn(tmp_path, 0) as again:
        assert not waited and not again
