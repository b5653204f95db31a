"""Rules that every script of the site keeps."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from runfolio.site.assets import asset_files
from tests.site.conftest import TEMPLATES

SCRIPTS = sorted((TEMPLATES / "assets" / "js").glob("*.js"))
_QUOTED = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|(?<=[=(,:!&|?{;\n])\s*/(?![/*])(?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/|`""",
    re.DOTALL,
)


def nested_templates(text: str) -> list[int]:
    """Lines where a template literal stands inside another."""
    found: list[int] = []
    stack: list[int] = []  # of each open template, the braces that are open in its expression; -1 in its text
    at = 0
    while at < len(text):
        if stack and stack[-1] == -1:
            if text[at] == "\\":
                at += 1
            elif text[at] == "`":
                stack.pop()
            elif text.startswith("${", at):
                stack[-1] = 1
                at += 1
        elif text[at] == "`":
            if stack:
                found.append(text.count("\n", 0, at) + 1)
            stack.append(-1)
        elif (match := _QUOTED.match(text, at)) is not None:
            at = match.end() - 1
        elif stack:
            stack[-1] += {"{": 1, "}": -1}.get(text[at], 0)
            if stack[-1] == 0:
                stack[-1] = -1
        at += 1
    return found


def test_a_template_in_a_template_is_found() -> None:
    assert nested_templates("const a = 1;\nconst b = `x ${c ? ` y` : {d: 1}} z`; f(/`/);") == [2]
    assert nested_templates("const b = `x ${c} ${'`'} ${{}} z`; // `") == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_template_stands_in_another_because_rjsmin_takes_the_spaces_out_of_it(script: Path) -> None:
    assert nested_templates(script.read_text()) == []  # write a + b


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_text_never_becomes_markup_or_code(script: Path) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"on|\.onclick|fetch\(|XMLHttpRequest|import\("
    assert re.findall(forbidden, script.read_text()) == []


# Of each file, compressed: what every page loads, what the table of runs adds. Not a wish, but a guard against slow growth.
LIMITS = {"assets/app": 8_000, "assets/table": 19_500, "assets/start": 700, "assets/theme": 400}


def test_scripts_stay_small() -> None:
    sizes = {item.name: len(gzip.compress(item.render()[0], 9)) for item in asset_files({}) if item.name in LIMITS}
    assert {name: size for name, size in sizes.items() if size > LIMITS[name]} == {}
    assert sizes.keys() == LIMITS.keys()
