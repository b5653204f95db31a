"""Pictures of pipelines: in words, Mermaid and SVG; nodes in layers, no name is markup."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from runfolio.site.svg.layers import lay_out
from runfolio.site.svg.pipelines import MOST_DRAWN, Box, steps_picture
from tests.pipelines.conftest import Command

SVG = "{http://www.w3.org/2000/svg}"


def test_the_graph_in_words_names_what_is_passed_on(words: Path, run_cli: Command) -> None:
    said = run_cli("pipeline", "graph").out
    assert "    reads  made/sorted.txt  ← words\n" in said
    assert "    makes  count.txt  → report\n" in said
    assert "    makes  report\n" in said


def test_mermaid_is_read_by_mermaid(words: Path, run_cli: Command) -> None:
    said = run_cli("pipeline", "graph", "--format", "mermaid").out
    assert said.startswith("flowchart LR\n")
    assert '  s0 -->|"made/sorted.txt"| s1\n' in said
    # What Mermaid would take for its own is spelled by number.
    assert not [line for line in said.splitlines() if line.count('"') % 2]


def test_an_svg_file_stands_alone(words: Path, run_cli: Command, tmp_path: Path) -> None:
    assert run_cli("pipeline", "graph", "--format", "svg", "-o", str(tmp_path / "g.svg")).code == 0
    root = ElementTree.parse(tmp_path / "g.svg").getroot()
    assert root.tag == f"{SVG}svg"
    assert [each.text for each in root.iter(f"{SVG}text")][::2] == ["words", "count", "report"]


def test_a_name_is_text_in_the_picture() -> None:
    picture = str(steps_picture([Box('<script>"&', note="<b>", href='x" onload="y', words="<i>")], "<u>", alone=True))
    root = ElementTree.fromstring(picture)
    assert [each.text for each in root.iter(f"{SVG}text")] == ['<script>"&', "<b>"]
    assert root.find(f"{SVG}a").attrib["href"] == 'x" onload="y'  # type: ignore[union-attr]


def test_a_thousand_steps_are_drawn_up_to_a_bound() -> None:
    picture = str(steps_picture([Box(f"s{at}", (f"s{at - 1}",) if at else ()) for at in range(1000)], "many"))
    assert picture.count("step-box") == MOST_DRAWN


@given(st.lists(st.sets(st.integers(0, 11), max_size=4), max_size=12))
def test_in_a_layout_each_node_has_its_own_place_after_all_that_it_needs(drawn: list[set[int]]) -> None:
    needs = {str(at): [str(each) for each in sorted(wanted) if each < at] for at, wanted in enumerate(drawn)}
    made = lay_out(needs)
    assert set(made.places) == set(needs)
    assert len(set(made.places.values())) == len(needs)
    for name, wanted in needs.items():
        for each in wanted:
            assert made.places[each][0] < made.places[name][0]
    taken = set(made.places.values())
    for edge, (first, last) in zip(made.edges, made.ends, strict=True):
        assert edge[0] == made.places[first] and edge[-1] == made.places[last]
        assert [layer for layer, _ in edge] == list(range(edge[0][0], edge[-1][0] + 1))
        assert not taken & set(edge[1:-1])  # no edge goes through a node
