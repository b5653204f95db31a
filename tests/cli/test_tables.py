"""Tables fit, whatever the text; CSV runs no formula; curves fit one line."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runfolio.cli.tables import Column, render_table, shortened, text_width
from runfolio.diff.sparklines import BARS, sparkline
from runfolio.formats.csv_text import csv_text
from runfolio.records.visible import visible


def lines(columns: list[Column], rows: list[list[str]], width: int | None) -> list[str]:
    import click

    return click.unstyle(render_table(columns, rows, width)[0]).splitlines()


def test_numbers_stand_to_the_right_and_text_to_the_left() -> None:
    made = lines([Column("name"), Column("acc", right=True)], [["a", "0.5"], ["bcd", "10.25"]], None)
    assert made == ["name    acc", "a       0.5", "bcd   10.25"]


def test_wide_and_combining_characters_are_counted_as_terminals_show_them() -> None:
    assert text_width("運行") == 4
    assert text_width("e\u0301") == 1
    made = lines([Column("name"), Column("x")], [["運行", "1"], ["abcd", "2"]], None)
    assert made == ["name  x", "運行  1", "abcd  2"]


def test_long_cells_are_cut_before_columns_go() -> None:
    text, dropped = render_table(
        [Column("id", whole=True), Column("name"), Column("acc", rank=2)], [["01234567", "n" * 60, "0.5"]], 30
    )
    assert dropped == []
    assert all(text_width(line) <= 30 for line in text.splitlines() if "\x1b" not in line)
    assert "…" in text


def test_columns_of_the_highest_rank_go_first_and_are_named() -> None:
    columns = [Column("id", whole=True), Column("first", rank=1, whole=True), Column("second", rank=2, whole=True)]
    text, dropped = render_table(columns, [["0123456789", "a" * 10, "b" * 10]], 24)
    assert dropped == ["second"]
    assert "bbb" not in text


def test_nothing_is_cut_where_the_output_is_no_terminal() -> None:
    assert "n" * 300 in render_table([Column("name")], [["n" * 300]], None)[0]


def test_a_name_cannot_repaint_the_terminal() -> None:
    made = lines([Column("name")], [["\x1b[31mred\x1b[0m\u202e"]], None)
    assert made[1] == "\\u001b[31mred\\u001b[0m\\u202e"


@given(some.text(), some.integers(1, 40))
def test_a_cut_text_is_never_wider_than_its_place(text: str, size: int) -> None:
    assert text_width(shortened(text, size)) <= size


@given(some.lists(some.lists(some.text(max_size=30), min_size=3, max_size=3), max_size=5), some.integers(40, 120))
def test_a_table_fits_the_terminal(rows: list[list[str]], width: int) -> None:
    columns = [Column("id"), Column("name", rank=1), Column("metric", right=True, rank=2)]
    assert all(text_width(line) <= width for line in lines(columns, rows, width))


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "\uff1d1"])
def test_csv_guards_cells_that_a_spreadsheet_would_run(cell: str) -> None:
    assert f"'{cell}" in csv_text(["name"], [[cell]])
    assert f"'{cell}" not in csv_text(["name"], [[cell]], raw=True)


@pytest.mark.parametrize("cell", ["-0.5", "+1e-3", "-inf", "0.1", ""])
def test_csv_leaves_numbers_as_they_are(cell: str) -> None:
    assert f"'{cell}" not in csv_text(["value", "x"], [[cell, 1]])


def test_csv_quotes_what_must_be_quoted() -> None:
    assert csv_text(["a"], [['say "hi", then\nleave'], [None]]) == 'a\n"say ""hi"", then\nleave"\n""\n'


def test_sparkline_of_a_falling_curve_falls() -> None:
    assert sparkline([8, 7, 6, 5, 4, 3, 2, 1]) == BARS[::-1]


@pytest.mark.parametrize("values", [[], [1.0], [math.nan, math.nan], [math.inf, -math.inf, 0.0], [1e308, -1e308], [5.0] * 100])
def test_sparkline_takes_every_number(values: list[float]) -> None:
    assert len(sparkline(values)) == min(len(values), 24)


def test_infinities_in_csv_are_numbers() -> None:
    text = csv_text(("a", "b", "c"), [("-Infinity", "-inf", "-Infinity and more")])
    assert text == "a,b,c\n-Infinity,-inf,'-Infinity and more\n"


@given(
    some.lists(
        some.lists(
            some.sampled_from(["", "a", "50 %", "%s", "FAILED", "deleted", "運行", "e\u0301", "x\ty", "\u202e1", "long " * 9]),
            min_size=2,
            max_size=2,
        )
    )
)
def test_a_cell_looks_the_same_whatever_stands_above_and_below(rows: list[list[str]]) -> None:
    columns = [Column("name", whole=True), Column("x", right=True, whole=True)]
    widths = [max([len(column.title), *(text_width(visible(row[at])) for row in rows)]) for at, column in enumerate(columns)]
    ruler = ["-" * width for width in widths]
    together = render_table(columns, [ruler, *rows], None)[0].splitlines()[2:]
    assert together == [render_table(columns, [ruler, row], None)[0].splitlines()[2] for row in rows]
