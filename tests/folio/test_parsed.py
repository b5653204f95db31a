"""Parsed settings are found by the file's whole text, and a cache that is damaged changes nothing."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runfolio.errors import DamagedError
from runfolio.folio.parsed import FILE, ParsedFiles, parsed_files
from runfolio.formats.settings import decode_settings

POWER = b"schema: 1\ndurability: power-each\n"


def test_a_text_that_was_read_before_needs_no_parser(tmp_path: Path) -> None:
    first = ParsedFiles(tmp_path)
    assert first.decode(decode_settings, POWER, "runfolio.yaml").durability == "power-each"
    first.save()
    code = (
        "import sys, pathlib\n"
        "from runfolio.folio.parsed import ParsedFiles\n"
        "from runfolio.formats.settings import decode_settings\n"
        f"print(ParsedFiles(pathlib.Path(sys.argv[1])).decode(decode_settings, {POWER!r}, 'x').durability, 'yaml' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["power-each", "False"]


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    parsed = ParsedFiles(tmp_path)
    parsed.decode(decode_settings, POWER, "runfolio.yaml")
    assert parsed.decode(decode_settings, b"schema: 1\ndurability: process\n", "runfolio.yaml").durability == "process"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version": "0", "files": {}}', b'{"files": 1}', b"\xff"],
    ids=lambda item: item.hex() or "empty",
)
def test_a_damaged_cache_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    parsed = ParsedFiles(tmp_path)
    assert parsed.decode(decode_settings, POWER, "runfolio.yaml").durability == "power-each"
    parsed.save()
    assert ParsedFiles(tmp_path).decode(decode_settings, POWER, "runfolio.yaml").durability == "power-each"


def test_a_fault_names_its_line_each_time(tmp_path: Path) -> None:
    wrong = b"schema: 1\n\ndurability: sometimes\n"
    for _ in range(2):
        parsed = ParsedFiles(tmp_path)
        with pytest.raises(DamagedError, match="line 3: durability"):
            parsed.decode(decode_settings, wrong, "runfolio.yaml")
        parsed.save()
    assert not (tmp_path / FILE).exists()


def test_a_kept_text_that_decodes_no_more_is_parsed_again(tmp_path: Path) -> None:
    parsed = ParsedFiles(tmp_path)
    parsed.decode(decode_settings, POWER, "runfolio.yaml")
    parsed.save()
    kept = (tmp_path / FILE).read_text().replace('"power-each"}', '"never"}')
    (tmp_path / FILE).write_text(kept)
    assert ParsedFiles(tmp_path).decode(decode_settings, POWER, "runfolio.yaml").durability == "power-each"


def test_bytes_that_are_no_text_share_nothing_with_text(tmp_path: Path) -> None:
    parsed = ParsedFiles(tmp_path)
    parsed.decode(decode_settings, "schema: 1\nartifacts: \ufffd\n".encode(), "runfolio.yaml")
    with pytest.raises(DamagedError, match="not UTF-8"):
        parsed.decode(decode_settings, b"schema: 1\nartifacts: \xff\n", "runfolio.yaml")


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("in the way")
    parsed = ParsedFiles(place)
    assert parsed.decode(decode_settings, POWER, "runfolio.yaml").durability == "power-each"
    parsed.save()


def test_threads_may_open_more_folders_than_are_held(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(400)]

    def opens(folder: Path) -> bytes:
        folder.mkdir()
        parsed = parsed_files(folder)
        parsed.decode(decode_settings, POWER, "runfolio.yaml")
        parsed.save_now()
        return (folder / FILE).read_bytes()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(opens, folders))) == 1
    finally:
        sys.setswitchinterval(interval)
