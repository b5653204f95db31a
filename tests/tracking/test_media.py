"""Images and dictionaries become bytes by MLflow's rules."""

from __future__ import annotations

import collections
import enum
import io
import json
import re
from datetime import date
from typing import Any

import pytest

from runfolio.errors import UsageError
from runfolio.records.names import check_artifact_path
from runfolio.tracking.media import render_dict, render_image, stepped_image_files

numpy = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")


def opened(data: bytes) -> Any:
    return Image.open(io.BytesIO(data))


ARRAYS = {
    "grey": (numpy.zeros((4, 6), "uint8"), "L"),
    "one channel": (numpy.zeros((4, 6, 1), "int64"), "L"),
    "rgb": (numpy.full((4, 6, 3), 255), "RGB"),
    "rgba": (numpy.ones((4, 6, 4), "uint16"), "RGBA"),
    "bool": (numpy.ones((4, 6), bool), "L"),
    "float": (numpy.full((4, 6), 0.5, "float32"), "L"),
    "view": (numpy.zeros((8, 12, 3))[::2, ::2], "RGB"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_array_becomes_an_image(name: str) -> None:
    array, mode = ARRAYS[name]
    image = opened(render_image(array, "a.png"))
    assert (image.size, image.mode) == ((6, 4), mode)


def test_pixels_are_scaled_to_bytes() -> None:
    assert opened(render_image(numpy.array([[0.0, 0.5, 1.0]]), "a.png")).tobytes() == bytes([0, 127, 255])
    assert opened(render_image(numpy.array([[False, True]]), "a.png")).tobytes() == bytes([0, 255])
    assert opened(render_image(numpy.array([[0, 7, 255]]), "a.png")).tobytes() == bytes([0, 7, 255])


def test_floats_out_of_range_are_rescaled_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="out of acceptable range"):
        data = render_image(numpy.array([[-1.0, 0.0, 1.0]]), "a.png")
    assert opened(data).tobytes() == bytes([0, 127, 255])


def test_equal_floats_out_of_range_become_black() -> None:
    with pytest.warns(UserWarning, match="rescaled"):
        data = render_image(numpy.full((1, 2), 7.0), "a.png")
    assert opened(data).tobytes() == bytes([0, 0])


REFUSED = {
    "integers above 255": (numpy.array([[256]]), "out of acceptable range"),
    "negative integers": (numpy.array([[-1]]), "out of acceptable range"),
    "complex": (numpy.zeros((2, 2), complex), "complex128"),
    "text": (numpy.array([["a"]]), "data type"),
    "one dimension": (numpy.zeros(3), "2 or 3 dimensions"),
    "four dimensions": (numpy.zeros((1, 2, 2, 3)), "2 or 3 dimensions"),
    "two channels": (numpy.zeros((2, 2, 2)), "channel length: 2"),
    "empty": (numpy.zeros((0, 3)), "empty"),
    "NaN": (numpy.array([[numpy.nan]]), "NaN"),
    "infinite": (numpy.array([[numpy.inf]]), "infinite"),
    "a list": ([[1, 2]], "list"),
    "a path": ("cat.png", "numpy array or a PIL image"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_is_refused_by_name(name: str) -> None:
    value, said = REFUSED[name]
    with pytest.raises(UsageError, match=said):
        render_image(value, "a.png")


@pytest.mark.parametrize(("name", "kind"), [("a.jpg", "JPEG"), ("x/a.WEBP", "WEBP"), ("a.gif", "GIF"), ("a.tiff", "TIFF")])
def test_image_is_written_in_the_format_of_the_ending(name: str, kind: str) -> None:
    assert opened(render_image(Image.new("RGB", (3, 2)), name)).format == kind


@pytest.mark.parametrize("name", ["a", "a.xyz", "dir.png/a", "a.txt"])
def test_ending_that_is_no_image_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"Use \.png"):
        render_image(Image.new("RGB", (3, 2)), name)


def test_mode_that_a_format_lacks_is_refused_with_advice() -> None:
    with pytest.raises(UsageError, match="mode RGBA as JPEG.*Convert it"):
        render_image(Image.new("RGBA", (3, 2)), "a.jpg")


def test_equal_images_give_equal_bytes() -> None:
    assert render_image(numpy.eye(9), "a.png") == render_image(numpy.eye(9), "b.png")


def test_stepped_image_has_mlflows_names_and_a_preview() -> None:
    (whole, data), (small, preview) = stepped_image_files(
        numpy.zeros((600, 1200, 3), "uint8"), "val/dogs 1", 3, 1_732_400_000_000
    )
    form = re.compile(r"images/val#dogs 1%step%3%timestamp%1732400000000%[g-z][0-9a-f]{7}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    assert form.fullmatch(whole.removesuffix(".png"))
    assert small == whole.removesuffix(".png") + "%compressed.webp"
    assert opened(data).size == (1200, 600)
    assert (opened(preview).format, opened(preview).size) == ("WEBP", (256, 128))
    assert check_artifact_path(whole) == whole


def test_stepped_image_has_defaults_and_names_never_repeat() -> None:
    names = {stepped_image_files(numpy.eye(2), "a")[0][0] for _ in range(20)}
    assert len(names) == 20
    assert all(re.match(r"images/a%step%0%timestamp%\d{13}%", name) for name in names)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK", "RGBA"])
def test_stepped_image_of_every_mode_has_a_preview_or_says_why_not(mode: str) -> None:
    image = Image.new(mode, (1, 900))
    if mode == "CMYK":
        with pytest.raises(UsageError, match="mode CMYK as PNG"):
            stepped_image_files(image, "a")
        return
    (_, data), (_, preview) = stepped_image_files(image, "a")
    assert opened(data).size == (1, 900) and opened(preview).size == (1, 256)


@pytest.mark.parametrize("key", ["", "a#b", "a%b", "a\n", "é", "a:b", None, 3])
def test_key_with_other_characters_is_refused(key: Any) -> None:
    with pytest.raises(UsageError, match="Invalid image key"):
        stepped_image_files(numpy.eye(2), key)


class Colour(str, enum.Enum):
    RED = "red"


VALUES = {
    "int": numpy.int64(3),
    "float": numpy.float32(0.5),
    "array": numpy.arange(2),
    "day": date(2026, 1, 2),
    "set": {"b", "a"},
    "tuple": (1, 2),
    "ordered": collections.OrderedDict(a=1),
    "kind": Colour.RED,
    "none": None,
}
PLAIN = {
    "int": 3,
    "float": 0.5,
    "array": [0, 1],
    "day": "2026-01-02",
    "set": ["a", "b"],
    "tuple": [1, 2],
    "ordered": {"a": 1},
    "kind": "red",
    "none": None,
}


def test_dictionary_is_json_with_plain_values() -> None:
    assert json.loads(render_dict(VALUES, "a.json")) == PLAIN


@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "A.YAML"])
def test_dictionary_is_plain_yaml_by_its_ending(name: str) -> None:
    yaml = pytest.importorskip("yaml")
    data = render_dict(VALUES, name)
    assert yaml.safe_load(data) == {**PLAIN, "day": date(2026, 1, 2)}
    assert b"!!" not in data and b"&" not in data


def test_yaml_keeps_numbers_as_keys_and_repeats_shared_values() -> None:
    shared = [1]
    assert render_dict({1: shared, 2: shared}, "a.yaml") == b"1:\n- 1\n2:\n- 1\n"


@pytest.mark.parametrize("name", ["data", "data.txt", "a.json"])
def test_json_is_indented_by_two_and_the_default(name: str) -> None:
    assert render_dict({"k": 1}, name) == b'{\n  "k": 1\n}'


@pytest.mark.parametrize("name", ["a.json", "a.yaml"])
def test_dictionary_that_contains_itself_is_refused(name: str) -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    with pytest.raises(UsageError, match=re.escape(name)):
        render_dict(loop, name)


def test_keys_that_json_lacks_are_refused() -> None:
    with pytest.raises(UsageError, match="keys must be"):
        render_dict({(1, 2): 3}, "a.json")
