"""Taking a site away again: from a folder, a branch, a bucket; what lies beside it stays, and one that was killed is finished."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.errors import DamagedError, StateError
from runfolio.gitstore import Repo
from runfolio.objects import open_bucket
from runfolio.site.destinations import (
    publish_to_branch,
    publish_to_bucket,
    publish_to_folder,
    unpublish_from_branch,
    unpublish_from_bucket,
    unpublish_from_folder,
)
from runfolio.site.destinations.contents import LIST, Listing
from tests.conftest import git
from tests.site.destinations.conftest import Sites
from tests.site.destinations.test_branch import clone, files, remote  # noqa: F401
from tests.site.destinations.test_bucket import held, place


def in_folder(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_preview_in_a_folder_goes_and_the_site_beside_it_stays(sites: Sites, tmp_path: Path) -> None:
    www = tmp_path / "www"
    publish_to_folder(sites.before, www)
    before = in_folder(www)
    publish_to_folder(sites.after, www / "preview" / "7")
    (www / "preview" / "7" / "e" / "wine" / "note.txt").write_text("mine")
    assert unpublish_from_folder(www / "preview" / "7").removed == len(sites.after.files)
    assert in_folder(www) - before == {
        "preview", "preview/7", "preview/7/e", "preview/7/e/wine", "preview/7/e/wine/note.txt",
    }  # fmt: skip
    assert unpublish_from_folder(www / "preview" / "7").removed == 0
    assert unpublish_from_folder(www / "preview" / "8").removed == 0
    assert publish_to_folder(sites.before, www).sent == 0


def test_a_folder_in_which_nothing_is_left_goes(sites: Sites, tmp_path: Path) -> None:
    publish_to_folder(sites.after, tmp_path / "preview" / "7")
    unpublish_from_folder(tmp_path / "preview" / "7")
    assert in_folder(tmp_path) == {"preview"}


def test_one_that_was_killed_is_finished_and_a_publish_after_it_sends_everything(sites: Sites, tmp_path: Path) -> None:
    www = tmp_path / "www"
    for last in (unpublish_from_folder, lambda folder: publish_to_folder(sites.after, folder)):
        publish_to_folder(sites.after, www)
        # As a process leaves it that was killed behind the first files: the list says that all is leaving.
        (www / LIST).write_bytes(Listing(sites.after.digests()).away().encode())
        for path in ("index.html", "404.html", "data.html"):
            (www / path).unlink()
        last(www)
    assert in_folder(www) >= set(sites.after.files)
    assert json.loads((www / LIST).read_bytes()) == {"version": 1, "files": sites.after.digests()}


def test_the_entry_page_goes_first() -> None:
    order = Listing({"index.html": "", "a.js": "", "e/wine/index.html": "", "404.html": ""}).leaving_order()
    assert order == ["404.html", "index.html", "e/wine/index.html", "a.js"]


def test_a_folder_with_a_damaged_list_is_left_alone(sites: Sites, tmp_path: Path) -> None:
    publish_to_folder(sites.after, tmp_path / "www")
    (tmp_path / "www" / LIST).write_text('{"version": 1, "files": {"../../etc/passwd": "%s"}}' % ("0" * 64))
    with pytest.raises(DamagedError, match="names what no site of ours has"):
        unpublish_from_folder(tmp_path / "www")
    assert in_folder(tmp_path / "www") >= set(sites.after.files)


def test_a_preview_on_a_branch_goes_and_the_others_stay(sites: Sites, clone: Repo, remote: Path) -> None:  # noqa: F811
    assert unpublish_from_branch(clone, "gh-pages", folder="preview/7").removed == 0
    publish_to_branch(clone, sites.before, "gh-pages")
    publish_to_branch(clone, sites.after, "gh-pages", folder="preview/7")
    publish_to_branch(clone, sites.before, "gh-pages", folder="preview/71")
    assert unpublish_from_branch(clone, "gh-pages", folder="preview/7").removed == len(sites.after.files)
    kept = {f"preview/71/{path}" for path in [*sites.before.files, LIST]}
    assert files(remote) == {*sites.before.files, LIST, ".nojekyll", *kept}
    tip = git(remote, "rev-parse", "gh-pages")
    assert unpublish_from_branch(clone, "gh-pages", folder="preview/7").removed == 0
    assert git(remote, "rev-parse", "gh-pages") == tip and git(remote, "rev-list", "--count", "gh-pages") == "1\n"
    assert unpublish_from_branch(clone, "gh-pages").removed == len(sites.before.files)
    assert files(remote) == {LIST, ".nojekyll", *kept}
    assert publish_to_branch(clone, sites.after, "gh-pages").sent == len(sites.after.files)
    with pytest.raises(StateError, match="something else than a site"):
        unpublish_from_branch(clone, git(remote, "branch", "--show-current").strip() or "main", folder="runs")


def test_a_preview_in_a_bucket_goes_and_the_others_stay(sites: Sites, s3_endpoint: str, s3_bucket: str) -> None:
    bucket = open_bucket(place(s3_endpoint, s3_bucket))
    publish_to_bucket(sites.before, bucket)
    before = held(s3_endpoint, s3_bucket)
    for folder in ("preview/7", "preview/71"):
        publish_to_bucket(sites.after, bucket, folder)
    assert unpublish_from_bucket(bucket, "preview/7").removed == len(sites.after.files)
    beside = {f"preview/71/{path}" for path in [*sites.after.files, LIST]}
    assert held(s3_endpoint, s3_bucket).keys() == {*before, *beside}
    assert unpublish_from_bucket(bucket, "preview/7").removed == 0


def test_one_of_a_bucket_that_was_killed_is_finished_and_a_publish_after_it_sends_everything(
    sites: Sites, s3_endpoint: str, s3_bucket: str
) -> None:
    bucket = open_bucket(place(s3_endpoint, s3_bucket))
    for last in (unpublish_from_bucket, lambda bucket, folder: publish_to_bucket(sites.after, bucket, folder)):
        publish_to_bucket(sites.after, bucket, "preview/7")
        bucket.put(f"preview/7/{LIST}", Listing(sites.after.digests()).away().encode())
        bucket.delete(["preview/7/index.html", "preview/7/data.html"])
        last(bucket, "preview/7")
    assert held(s3_endpoint, s3_bucket).keys() == {f"preview/7/{path}" for path in [*sites.after.files, LIST]}
    unpublish_from_bucket(bucket, "preview/7")
    assert held(s3_endpoint, s3_bucket) == {}


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runfolio", "site", "unpublish", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        input="",
    )


def test_the_command_asks_before_it_takes_a_whole_site(sites: Sites, tmp_path: Path) -> None:
    publish_to_folder(sites.after, tmp_path / "www")
    publish_to_folder(sites.after, tmp_path / "www" / "preview" / "7")
    assert "Give one destination" in command(tmp_path).stderr
    done = command(tmp_path, "www")
    assert done.returncode != 0 and "the whole site at www" in done.stderr and (tmp_path / "www" / "index.html").exists()
    assert command(tmp_path, "www", "--folder", "preview/7").stdout.endswith(f"{len(sites.after.files)} files removed\n")
    assert json.loads(command(tmp_path, "www", "--yes", "--json").stdout)["removed"] == len(sites.after.files)
    assert "no site of runfolio's is there" in command(tmp_path, "www", "--yes").stdout
