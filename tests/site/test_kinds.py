"""What an artifact is, is told from its bytes; a lie about its ending gets it nowhere."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.site.kinds import MAX_SIDE, SAFE_ENDINGS, Kind, kind_of

SCRIPT = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ACTIVE = (".html", ".htm", ".xhtml", ".svg", ".xml", ".js", ".mjs", ".pdf", ".swf", ".css", ".wasm")


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\2\0\0\0" + SCRIPT


def picture(form: str, size: tuple[int, int], **more: object) -> bytes:
    image = pytest.importorskip("PIL.Image")
    out = io.BytesIO()
    image.new("RGB", size, "red").save(out, form, **more)
    return out.getvalue()


@pytest.mark.parametrize("path", [f"report{ending}" for ending in ACTIVE])
@pytest.mark.parametrize("data", [SCRIPT, SVG, b"alert(1)", b"<?xml version='1.0'?><x/>", b"GIF8=1;alert(1)"])
def test_active_types_become_text(path: str, data: bytes) -> None:
    found = kind_of(data, path)
    assert found is not None
    assert found.ending == ".txt"


@pytest.mark.parametrize("path", ["roc.png", "a.jpg", "a.gif", "a.webp", "s.mp3", "s.wav", "s.ogg"])
def test_html_that_is_called_a_picture_or_sound_is_text(path: str) -> None:
    assert kind_of(SCRIPT, path) == Kind("text", ".txt")


def test_picture_that_is_called_html_is_a_picture() -> None:
    assert kind_of(png(3, 4), "index.html") == Kind("image", ".png", 3, 4)


@pytest.mark.parametrize(
    ("form", "ending", "more"),
    [("PNG", ".png", {}), ("JPEG", ".jpg", {}), ("JPEG", ".jpg", {"progressive": True}), ("GIF", ".gif", {}),
     ("WEBP", ".webp", {}), ("WEBP", ".webp", {"lossless": True}), ("WEBP", ".webp", {"exif": b"Exif\0\0MM"})],
)  # fmt: skip
def test_size_is_read_from_the_header(form: str, ending: str, more: dict[str, object]) -> None:
    assert kind_of(picture(form, (37, 21), **more), "x") == Kind("image", ending, 37, 21)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (MAX_SIDE + 1, 1), (16_000, 16_000), (2**32 - 1, 2**32 - 1)])
def test_picture_that_would_fill_a_visitors_memory_is_not_published(width: int, height: int) -> None:
    assert kind_of(png(width, height), "x.png") is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\0" * 9,
        b"GIF89a",
        b"RIFF\0\0\0\0WEBPVP8X",
        b"RIFF\0\0\0\0WEBPVP9 ",
    ],
)
def test_torn_picture_is_not_published(data: bytes) -> None:
    assert kind_of(data, "x.png") is None


def test_polyglot_is_published_as_what_its_first_bytes_say() -> None:
    found = kind_of(b"GIF89a\x2f\x2a\x01\x00*/=1;alert(1)//", "x.js")
    assert found is not None
    assert (found.name, found.ending) == ("image", ".gif")


@pytest.mark.parametrize(
    ("head", "path", "ending"),
    [
        (b"RIFF\x24\0\0\0WAVEfmt ", "x", ".wav"),
        (b"OggS\0\2\0\0", "x.html", ".ogg"),
        (b"fLaC\0\0\0\x22", "x", ".flac"),
        (b"ID3\4\0\0", "x", ".mp3"),
        (b"\xff\xfb\x90\0", "x.mp3", ".mp3"),
    ],
)
def test_sound_is_known_by_its_first_bytes(head: bytes, path: str, ending: str) -> None:
    assert kind_of(head + bytes(80), path) == Kind("audio", ending)


def test_text_that_begins_like_sound_is_text() -> None:
    assert kind_of(b"ID3 is a decision tree algorithm of 1986.\n", "notes.txt") == Kind("text", ".txt")


@pytest.mark.parametrize("data", [b"%PDF-1.4\n<script>", b"\0\1\2", b"\x80\4\x95", b"abc\xff\xfedef", b"PK\3\4", b"a\0b"])
def test_other_bytes_are_not_published(data: bytes) -> None:
    assert kind_of(data, "notes.txt") is None


@pytest.mark.parametrize("data", [SVG, b"<?xml version='1.0'?>\n<!-- x -->" + SVG, b"\n" + SVG])
def test_svg_is_text_that_may_be_drawn(data: bytes) -> None:
    assert kind_of(data, "plot.SVG") == Kind("svg", ".txt")


def test_svg_pattern_is_linear() -> None:
    kind_of(b"<!--" * 200_000, "x.svg")


@given(st.binary(max_size=200), st.text(max_size=20))
def test_every_ending_is_one_that_no_browser_executes(data: bytes, path: str) -> None:
    found = kind_of(data, path)
    assert found is None or found.ending in SAFE_ENDINGS


def test_no_safe_ending_is_active() -> None:
    assert not set(SAFE_ENDINGS) & set(ACTIVE)
