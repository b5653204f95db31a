"""What pages show of texts is bounded, and cannot be anything but text."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.site.columns import script
from runfolio.site.kinds import Kind, kind_of
from runfolio.site.markdown import ELEMENTS, MAX_CHARACTERS, markdown_tree
from runfolio.site.previews import MAX_CELL, MAX_COLUMNS, MAX_ROWS, MAX_SVG_BYTES, MAX_TEXT, body_of

HOSTILE = [
    "<script>alert(1)</script>", "</script><script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&#58;alert(1))", "[x](data:text/html;base64,PHNjcmlwdD4=)", "![p](https://evil.example/pixel.png)", "<svg/onload=alert(1)>",
    "[x](vbscript:x)", "<https://ok.example/\" onclick=alert(1)>", "[x]: javascript:alert(1)\n\n[x]", "[a](//evil.example)", "[a](https://a b)",
    "\u202e\u2028\u2029", "|a|\n|-|\n|<b>|", "&lt;script&gt;", "`<script>`", "    <script>", "# <script>",
]  # fmt: skip


def body(text: str | bytes, path: str) -> dict[str, Any]:
    data = text.encode() if isinstance(text, str) else text
    kind = kind_of(data, path)
    assert kind is not None
    return body_of(kind, data, path)


def elements(nodes: list[Any]) -> list[tuple[str, dict[str, str]]]:
    found = []
    for node in nodes:
        if not isinstance(node, str):
            found += [(node[0], node[1]), *elements(node[2:])]
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_holds_only_known_elements_and_links_to_the_web(text: str) -> None:
    for name, attributes in elements(markdown_tree(text)):
        assert name in ELEMENTS
        assert set(attributes) <= {"href"}
        assert attributes.get("href", "https://").startswith(("https://", "http://"))
        assert " " not in attributes.get("href", "")


@settings(max_examples=200)
@given(st.text(alphabet="[]()!<>*_#`\\-|: \nahttps:/javscript&;\"'=.", max_size=120))
def test_no_markdown_makes_other_elements(text: str) -> None:
    assert {name for name, _ in elements(markdown_tree(text))} <= ELEMENTS


def test_markdown_shows_what_is_meant() -> None:
    assert markdown_tree("# A\n\n- **b**\n- [c](https://example.org/)\n\n![roc](x.png)") == [
        ["h3", {}, "A"],
        ["ul", {}, ["li", {}, ["strong", {}, "b"]], ["li", {}, ["a", {"href": "https://example.org/"}, "c"]]],
        ["p", {}, "[image: roc]"],
    ]


def test_markdown_is_cut() -> None:
    assert body("a" * (MAX_CHARACTERS + 7), "notes.md")["cut"] == 7


def test_html_is_shown_as_its_text() -> None:
    assert body("<script>alert(1)</script>", "page.html") == {"kind": "text", "text": "<script>alert(1)</script>", "cut": 0}


def test_long_text_is_cut_and_says_so() -> None:
    assert body("x" * (MAX_TEXT + 3), "log.txt")["cut"] == 3


def test_columns_of_separated_values_that_are_numbers_are_told() -> None:
    made = body("name,score,some,word,id\na,0.9512195121951219,,1,-3\nb,1e-5,2,x,.5\n", "t.csv")
    assert [made["columns"][at] for at in made["numeric"]] == ["score", "some", "id"]
    assert made["rows"][0] == ["a", "0.9512195121951219", "", "1", "-3"]  # as they are written


def test_separated_values_are_a_table_of_the_first_rows() -> None:
    made = body("a,b\n" + "".join(f"{n},<i>\n" for n in range(120)), "t.csv")
    assert (made["columns"], len(made["rows"]), made["total"], made["hidden"]) == (["a", "b"], MAX_ROWS, 120, 0)
    assert made["rows"][1] == ["1", "<i>"]


def test_wide_and_uneven_tables_are_bounded() -> None:
    wide = body(",".join(map(str, range(1000))) + "\n1\n", "t.csv")
    assert (len(wide["columns"]), len(wide["rows"][0]), wide["hidden"]) == (MAX_COLUMNS, MAX_COLUMNS, 1000 - MAX_COLUMNS)
    assert body("a\tb\n1\t2\t3\n", "t.tsv")["columns"] == ["a", "b", ""]


@pytest.mark.parametrize("text", ['"' * 5, "a" * 200_000, "\n\n", 'a,"b\n1', "\r\r\n"])
def test_what_is_no_table_is_text_or_a_table(text: str) -> None:
    assert body(text, "t.csv")["kind"] in ("text", "table")


def test_logged_table_is_a_table() -> None:
    text = json.dumps({"columns": ["q", "a"], "data": [["<b>", 4], [None, {"x": [1]}], ["long" * 900, True]]})
    made = body(text, "qa.json")
    assert made["rows"][:2] == [["<b>", 4], [None, '{"x": [1]}']]
    assert len(made["rows"][2][0]) == MAX_CELL + 1


def test_numbers_that_a_page_cannot_hold_are_texts() -> None:
    made = body('{"columns": ["a", "b", "c"], "data": [[NaN, -Infinity, 123456789012345678901]]}', "t.json")
    assert made["rows"] == [["nan", "-inf", "123456789012345678901"]]
    script("data/a/x", made)


def test_json_is_spelled_readably() -> None:
    assert body('{"a":[1,"<i>"]}', "x.json")["text"] == '{\n  "a": [\n    1,\n    "<i>"\n  ]\n}'


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{", '{"columns": 3, "data": []}', "1" * 9000, '{"a": "\\ud800"}', '{"columns": ["a"], "data": [[1, 2]]}'],
)
def test_hostile_json_is_text(text: str) -> None:
    made = body(text, "x.json")
    assert made["kind"] == "text"
    script("data/a/x", made)


def test_svg_is_drawn_from_a_data_address() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    made = body(svg, "plot.svg")
    assert made["kind"] == "image"
    head, _, code = made["source"].partition(",")
    assert (head, base64.b64decode(code)) == ("data:image/svg+xml;base64", svg)


def test_large_svg_is_shown_as_text() -> None:
    assert body(b"<svg>" + b" " * MAX_SVG_BYTES + b"</svg>", "plot.svg")["kind"] == "text"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("path", ["a.txt", "a.md", "a.csv", "a.json"])
def test_script_of_a_body_is_plain_ascii_and_closes_no_element(text: str, path: str) -> None:
    made = script("data/a/x", body_of(Kind("text", ".txt"), text.encode(), path))
    assert made.isascii()
    assert made.count(b"\n") == 1
