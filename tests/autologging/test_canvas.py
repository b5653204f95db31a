"""The sheet that plots of trainings are drawn on: what is where on it, and what it takes to draw."""

from __future__ import annotations

import io
import itertools
import math
import random
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.autologging.canvas import DPI, Sheet, ticks
from runfolio.autologging.png import encode_png

numpy = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
DRAWS = """
import sys
import numpy
from runfolio.autologging import drawing
made = drawing.curve(
    numpy.linspace(0, 1, 9), numpy.linspace(0, 1, 9) ** 0.5, title="ROC curve", x_label="false", y_label="true", note="AUC = 0.9",
    chance=((0, 1), (0, 1)), steps=False,
)
made += drawing.confusion_matrix(numpy.eye(3), ["a", "b", "c"]) + drawing.importances(["x", "y"], [1.0, 2.0], kind="gain")
print(len(made), sorted(name for name in ("matplotlib", "PIL") if sys.modules.get(name)))
"""


def opened(sheet: Sheet) -> Image.Image:
    return Image.open(io.BytesIO(sheet.png())).convert("RGB")


def test_a_rectangle_covers_its_pixels_and_no_others() -> None:
    sheet = Sheet(1.0, 0.5)
    sheet.rectangle(10, 20, 13, 22, "#0b63ce")
    made = opened(sheet)
    assert made.size == (DPI, round(DPI / 2))
    blue = {(x, y) for x in range(made.width) for y in range(made.height) if made.getpixel((x, y)) == (11, 99, 206)}
    assert blue == {(x, y) for x in (10, 11, 12) for y in (20, 21)}
    assert made.getpixel((13, 20)) == made.getpixel((9, 20)) == (255, 255, 255)


def test_a_slanted_line_is_where_its_points_are_and_has_soft_edges() -> None:
    sheet = Sheet(1.0, 1.0)
    sheet.line([(20, 20), (120, 100)], "#000000", width=1.6)
    made = opened(sheet).convert("L")
    assert made.getpixel((70, 60)) == 0 and made.getpixel((70, 90)) == 255
    assert len(set(made.tobytes())) > 8


def test_points_on_the_way_change_nothing_and_one_that_turns_back_does() -> None:
    drawn = []
    for points in ([(20, 20), (20, 120), (120, 120)], [(20, 20), (20, 50), (20, 120), (60, 120), (120, 120)]):
        sheet = Sheet(1.0, 1.0)
        sheet.line(points, "#000000", width=1.6)
        drawn.append(sheet.png())
    assert drawn[0] == drawn[1]
    sheet = Sheet(1.0, 1.0)
    sheet.line([(20, 20), (120, 20), (60, 20)], "#000000", width=1.6)
    assert opened(sheet).convert("L").getpixel((110, 20)) == 0


def test_a_line_of_many_points_has_no_gaps_between_its_parts() -> None:
    sheet = Sheet(2.0, 1.0)
    sheet.line([(20 + 3 * at, 60 + 30 * math.sin(at / 8)) for at in range(100)], "#000000", width=1.6)
    made = opened(sheet).convert("L")
    assert all(min(made.getpixel((x, y)) for y in range(made.height)) == 0 for x in range(22, 316))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 1), (1, 5), (61, 43)])
def test_any_pixels_are_read_as_they_were_encoded(width: int, height: int) -> None:
    pick = random.Random(0)
    pixels = numpy.frombuffer(pick.randbytes(width * height), numpy.uint8).reshape(height, width)
    palette = pick.randbytes(256 * 3)
    made = Image.open(io.BytesIO(encode_png(pixels, palette)))
    assert (made.mode, made.size, made.tobytes()) == ("P", (width, height), pixels.tobytes())
    expected = b"".join(palette[3 * each : 3 * each + 3] for each in pixels.ravel().tolist())
    assert made.convert("RGB").tobytes() == expected


def test_what_covers_a_colour_is_mixed_with_it() -> None:
    sheet = Sheet(1.0, 1.0)
    sheet.rectangle(0, 0, 100, 175, "#d62728")
    sheet.polygon([(50, 50), (149, 50), (149, 149), (50, 149)], "#0000ff", share=0.5)
    made = opened(sheet)
    assert made.getpixel((75, 100)) == (107, 20, 148) and made.getpixel((125, 100)) == (128, 128, 255)
    assert made.getpixel((49, 100)) == (214, 39, 40) and made.getpixel((150, 100)) == (255, 255, 255)


def test_beyond_256_colours_each_is_the_nearest_that_there_is() -> None:
    sheet = Sheet(2.0, 2.0)
    for shade in range(256):
        sheet.rectangle(shade, 0, shade + 1, 10, f"#{shade:02x}{shade:02x}{shade:02x}")
    sheet.rectangle(0, 20, 10, 30, "#808283")
    made = opened(sheet)
    assert [made.getpixel((shade, 5)) for shade in range(256)] == [(shade, shade, shade) for shade in range(256)]
    assert made.getpixel((5, 25)) == (130, 130, 130)


def test_what_is_beyond_the_sheet_is_not_drawn() -> None:
    sheet = Sheet(0.4, 0.4)
    sheet.line([(-30, 35), (200, 35)], "#000000", width=1.6)
    sheet.text("a long name that does not fit", (-40, 10))
    sheet.rectangle(-5, 60, 300, 300, "#d62728")
    made = opened(sheet)
    assert made.getpixel((0, 35)) == made.getpixel((69, 35)) == (0, 0, 0) and made.getpixel((69, 69)) == (214, 39, 40)


def test_a_dashed_line_has_gaps() -> None:
    sheet = Sheet(1.0, 0.5)
    sheet.line([(10, 40), (160, 40)], "#000000", width=0.9, dashes=(4, 3))
    row = [opened(sheet).convert("L").getpixel((x, 40)) < 128 for x in range(10, 160)]
    assert 6 < sum(one and not other for one, other in itertools.pairwise(row)) < 15


@pytest.mark.parametrize(("anchor", "low", "high"), [("lm", 60, 100), ("rm", 20, 60), ("mm", 40, 80)])
def test_a_text_lies_at_its_anchor(anchor: str, low: int, high: int) -> None:
    sheet = Sheet(1.0, 0.5)
    sheet.text("01", (60, 40), anchor=anchor)
    made = opened(sheet).convert("L")
    dark = [x for x in range(made.width) for y in range(made.height) if made.getpixel((x, y)) < 128]
    assert low - 2 <= min(dark) and max(dark) <= high + 2


def test_a_turned_text_reads_upwards() -> None:
    sheet = Sheet(1.0, 1.0)
    sheet.text("a name", (40, 90), anchor="mt", turned=True)
    made = opened(sheet).convert("L").point(lambda value: 255 - value).getbbox()
    assert made is not None and made[3] - made[1] > 2 * (made[2] - made[0]) and made[0] >= 39


def test_what_a_user_named_is_one_line() -> None:
    one, other = Sheet(1.0, 0.5), Sheet(1.0, 0.5)
    one.text("a\n\tname", (5, 40))
    other.text("a name", (5, 40))
    assert one.png() == other.png()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-3.1, 3.2, [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]),
        (0.0, 1e-6, [0.0, 2e-7, 4e-7, 6e-7, 8e-7, 1e-6]),
        (0.0, 12345.0, [0.0, 2000.0, 4000.0, 6000.0, 8000.0, 10000.0, 12000.0]),
        (5.0, 5.0, [5.0]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_drawing_does_not_import_matplotlib(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DRAWS], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split(maxsplit=1)[1] == "['PIL']\n"


def test_without_matplotlib_texts_are_in_pillows_own_font(tmp_path: Path) -> None:
    hidden = "import sys\nsys.modules['matplotlib'] = None\n" + DRAWS
    done = subprocess.run([sys.executable, "-c", hidden], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split(maxsplit=1)[1] == "['PIL']\n"
