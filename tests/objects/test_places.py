"""Where a setting says that objects lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from runfolio.errors import UsageError
from runfolio.objects import LocalStore, media_type_of, open_store

BASE, DEFAULT = Path("/base/folio"), Path("/base/.git/runfolio/objects")


def root_of(place: str | None) -> Path:
    store = open_store(place, DEFAULT, BASE)
    assert isinstance(store, LocalStore)
    return store.root


@pytest.mark.parametrize(
    ("place", "root"),
    [
        (None, DEFAULT),
        ("", DEFAULT),
        ("objects", BASE / "objects"),
        ("../shared/objects", BASE / "../shared/objects"),
        ("/mnt/objects", Path("/mnt/objects")),
        ("file:///mnt/with%20space", Path("/mnt/with space")),
        ("file://localhost/mnt/x", Path("/mnt/x")),
        ("FILE:/mnt/x", Path("/mnt/x")),
        ("file:objects", BASE / "objects"),
        ("C:objects", BASE / "C:objects"),
    ],
)
def test_a_path_or_a_file_url_is_a_folder(place: str | None, root: Path) -> None:
    assert root_of(place) == root


def test_the_home_folder_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert root_of("~/objects") == Path("/home/ada/objects")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("https://host/x", "can only be read"),
        ("zip://::file:///x.zip", "can only be read"),
        ("simplecache::tar://::file:///x.tar", "can only be read"),
        ("s3://bkt/x?endpoint=minio.example.org", "https://HOST is expected, found 'minio.example.org'"),
        ("s3://bkt/x?endpoint=ftp://host", "https://HOST is expected"),
        ("s3://bkt/x?endpoint=", "https://HOST is expected, found ''"),
        ("s3://bkt/x?endpoint=https://", "https://HOST is expected"),
        ("s3:bucket", "names no bucket"),
        ("s3://", "names no bucket"),
        ("s3://key:secret@bucket/x", "holds no credentials"),
        ("s3://bucket/x?profile=me", "'profile' is no option"),
        ("nonsense://x", "neither a folder nor a place"),
        ("sftp://ann:secret@host/x", "holds no credentials"),
    ],
)
def test_what_is_no_store_is_refused_with_what_to_give(place: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        root_of(place)


@pytest.mark.parametrize("place", ["file://server/share", "file:", "file:///x?y", "file:///x#y", "file:///a%00b", "a\0b", "  "])
def test_a_wrong_place_names_the_setting(place: str) -> None:
    with pytest.raises(UsageError, match=r"^artifacts: "):
        root_of(place)


def test_durability_is_passed_on() -> None:
    store = open_store("x", DEFAULT, BASE, durable=False)
    assert isinstance(store, LocalStore)
    assert not store.durable


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("plots/roc.png", "image/png"),
        ("a.b/DATA.CSV", "text/csv"),
        ("model/MLmodel", "application/yaml"),
        ("model.tar.gz", "application/gzip"),
        ("a.png/noending", "application/octet-stream"),
        (".png", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_an_ending_says_the_media_type(path: str, kind: str) -> None:
    assert media_type_of(path) == kind


def test_an_endpoint_of_the_environment_that_is_no_address_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "minio.example.org:9000")
    with pytest.raises(UsageError, match=r"the endpoint that the environment.*https://HOST is expected, found 'minio"):
        open_store("s3://bkt/x", tmp_path, tmp_path)
