"""The package list: right against importlib.metadata, without paths or credentials, and quick."""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from pathlib import Path

import pytest

from runfolio.tracking.packages import installed, lock_name


def dist(place: Path, folder: str, url: dict[str, object] | None = None, metadata: str = "") -> None:
    made = place / folder
    made.mkdir()
    if metadata:
        (made / "METADATA").write_text(metadata, "utf-8")
    if url is not None:
        (made / "direct_url.json").write_text(json.dumps(url), "utf-8")


def test_list_is_what_importlib_metadata_finds() -> None:
    # What else was imported here has put folders inside of packages there: setuptools' _vendor, Ray's thirdparty_files.
    path = [folder for folder in sys.path if not Path(folder or ".").absolute().with_name("__init__.py").exists()]
    expected = {re.sub(r"[-_.]+", "-", item.metadata["Name"]).lower() for item in importlib.metadata.distributions(path=path)}
    lines = installed().splitlines()
    assert {re.split("==| @ ", line)[0] for line in lines} == expected
    assert lines == sorted(lines, key=lambda line: re.split("==| @ ", line)[0])


def test_names_are_normal_and_the_first_folder_wins(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    dist(tmp_path / "a", "Foo_Bar.baz-1.0.dist-info")
    dist(tmp_path / "b", "foo_bar_baz-2.0.dist-info")
    dist(tmp_path / "b", "torch-2.3.0+cu118.dist-info")
    dist(
        tmp_path / "b",
        "odd-name-1.0-1.dist-info",
        metadata="Metadata-Version: 2.1\nName: odd-name\nVersion: 1.0.post1\n\nVersion: 9\n",
    )
    dist(tmp_path / "b", "legacy-3.1-py3.11.egg-info")
    (tmp_path / "b/devel.egg-info").mkdir()
    (tmp_path / "b/devel.egg-info/PKG-INFO").write_text("Name: devel\nVersion: 0.1\n")
    (tmp_path / "b/broken.egg-info").write_text("")
    paths = [str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "missing")]
    assert installed(paths).splitlines() == [
        "devel==0.1",
        "foo-bar-baz==1.0",
        "legacy==3.1",
        "odd-name==1.0.post1",
        "torch==2.3.0+cu118",
    ]


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (
            {"url": "https://ada:tok@git.example.org/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "pkg @ git+https://git.example.org/x.git@abc",
        ),
        ({"url": "https://ada:tok@h:8443/p-1.whl?sig=s3cret", "archive_info": {}}, "pkg @ https://h:8443/p-1.whl"),
        ({"url": "file:///home/ada/pkg", "dir_info": {"editable": True}}, "pkg==1.0  # editable install"),
        ({"url": "file:///home/ada/pkg.whl"}, "pkg==1.0  # from a local file"),
        ({"no": "url"}, "pkg==1.0"),
        ({"url": 5}, "pkg==1.0"),
        ({"url": "https://h:bad/p"}, "pkg==1.0"),
    ],
)
def test_origin_is_told_without_credentials_or_paths(tmp_path: Path, url: dict[str, object], line: str) -> None:
    dist(tmp_path, "pkg-1.0.dist-info", url)
    assert installed([str(tmp_path)]) == f"{line}\n"


def test_new_package_is_seen_in_the_same_process(tmp_path: Path) -> None:
    dist(tmp_path, "a-1.dist-info")
    assert installed([str(tmp_path)]) == "a==1\n"
    dist(tmp_path, "b-2.dist-info")
    assert installed([str(tmp_path)]) == "a==1\nb==2\n"


def test_what_a_package_brings_along_is_not_installed(tmp_path: Path) -> None:
    # As setuptools does, which appends its folder to sys.path in the middle of a training.
    place, vendored = tmp_path / "site-packages", tmp_path / "site-packages/setuptools/_vendor"
    vendored.mkdir(parents=True)
    (place / "setuptools/__init__.py").write_text("")
    dist(place, "setuptools-80.0.dist-info")
    dist(vendored, "jaraco.text-4.0.0.dist-info")
    assert installed([str(place), str(vendored)]) == installed([str(place)]) == "setuptools==80.0\n"
    # A folder that only lies beside an __init__.py, as dependencies in a project may, is listed.
    assert installed([str(vendored)]) == "jaraco-text==4.0.0\n"


def test_lock_name_follows_from_the_text() -> None:
    assert lock_name("a==1\n") == lock_name("a==1\n") != lock_name("a==2\n")
    assert re.fullmatch("[0-9a-f]{16}", lock_name(""))
