"""Many files as one object."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.errors import DamagedError, NewerSchemaError, UsageError
from runfolio.formats.canonical import dump
from runfolio.objects import decode_manifest, encode_manifest
from runfolio.records import ArtifactEntry, Digest

NAMES = st.lists(st.text("abcé .-_", min_size=1, max_size=6).filter(lambda name: name not in (".", "..")), min_size=1, max_size=3)
ENTRIES = st.builds(
    ArtifactEntry,
    digest=st.binary(min_size=32, max_size=32).map(lambda data: Digest("sha256:" + data.hex())),
    size=st.integers(0),
    media_type=st.sampled_from(["", "image/png"]),
)
GOOD = {"digest": "sha256:" + "0" * 64, "size": 1}


@given(st.dictionaries(NAMES.map("/".join), ENTRIES, max_size=8))
def test_what_is_written_is_read(files: dict[str, ArtifactEntry]) -> None:
    assert decode_manifest(encode_manifest(files), "x") == files


def test_every_wrong_entry_is_named() -> None:
    data = dump(
        {
            "schema": 1,
            "artifacts": {"../up": GOOD, "/root": GOOD, "a": {"size": 1}, "b": {**GOOD, "digest": "md5:1"}, "c": 7, "fine": GOOD},
        }
    )
    with pytest.raises(DamagedError) as caught:
        decode_manifest(data, "sha256:ab")
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[2] for line in lines] == ["../up", "/root", "a", "b", "c"]
    assert all(line.startswith("sha256:ab: artifacts: ") for line in lines)


@pytest.mark.parametrize("value", [None, [], "x"])
def test_a_list_that_is_no_list_is_damaged(value: object) -> None:
    with pytest.raises(DamagedError, match="artifacts: an object is expected"):
        decode_manifest(dump({"schema": 1, "artifacts": value}), "x")


def test_a_newer_schema_asks_for_an_upgrade() -> None:
    with pytest.raises(NewerSchemaError, match="Upgrade"):
        decode_manifest(dump({"schema": 2, "artifacts": {}}), "x")


def test_more_files_than_a_reader_takes_are_refused_by_the_writer() -> None:
    entry = ArtifactEntry(Digest("sha256:" + "0" * 64), 1)
    with pytest.raises(UsageError, match="200000 files are too many"):
        encode_manifest({f"file-{at}": entry for at in range(200_000)})
