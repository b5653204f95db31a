"""Workflow commands and code quality reports: what a repository holds is never a command, and arrives whole."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runfolio.hosts import annotate, code_quality, inert
from runfolio.records.findings import Finding, Severity
from runfolio.records.visible import visible

KNOWN = {
    "error",
    "warning",
    "notice",
    "debug",
    "group",
    "endgroup",
    "add-mask",
    "add-matcher",
    "set-output",
    "set-env",
    "stop-commands",
    "echo",
}
LINE_ENDS = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""More than any runner ends a line at."""


def commands(printed: str) -> list[tuple[str, dict[str, str], str]]:
    """Read a job's output as the runner documents it: ``::NAME KEY=VALUE,…::DATA`` at a line's start, ``##[NAME]`` anywhere in it."""
    found = []
    for line in LINE_ENDS.split(printed):
        new = re.match(r"\s*::([^:\s]+)(?:\s+(.*?))?::(.*)\Z", line, re.DOTALL)
        if new and new[1].lower() in KNOWN:
            pairs = (pair.split("=", 1) for pair in (new[2] or "").split(",") if "=" in pair)
            found.append((new[1], {key.strip(): unescaped(value) for key, value in pairs}, unescaped(new[3])))
            continue
        old = re.search(r"##\[([a-zA-Z-]+)", line)
        if old and old[1].lower() in KNOWN:
            found.append((old[1], {}, line))
    return found


def unescaped(text: str) -> str:
    for sign, letter in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(sign, letter)
    return text


def finding(
    severity: Severity = Severity.ERROR, file: str = "runs/a.json", message: str = "it changed", rule: str = "review.edited"
) -> Finding:
    return Finding(rule, severity, file, "metrics.loss", message, "Explain it")


def test_a_finding_is_a_command_on_its_line() -> None:
    printed = annotate([finding()], lambda _: 12)
    assert printed == "::error file=runs/a.json,line=12,title=review.edited::metrics.loss: it changed. Explain it.\n"


def test_errors_come_first_and_each_severity_has_its_command() -> None:
    printed = annotate([finding(Severity.NOTE), finding(Severity.WARNING), finding(Severity.ERROR)])
    assert [name for name, _, _ in commands(printed)] == ["error", "warning", "notice"]
    assert "line=" not in printed
    assert annotate([]) == ""


@pytest.mark.parametrize(
    "text",
    ["a\n::add-mask::x", "a\r::error::x", "::set-output name=x::y", "100%0A::error::x", "##[add-mask]x", "a,line=99", "x::y", "\u2028::error::x",
     "%25%0D%0A", "a\x85::stop-commands::z"],
)  # fmt: skip
def test_no_text_makes_a_command_of_its_own(text: str) -> None:
    printed = annotate([Finding(text, Severity.ERROR, text, text, text, text)])
    ((name, properties, data),) = commands(printed)
    assert name == "error" and set(properties) == {"file", "title"}
    assert properties["file"] == visible(text) and visible(text) in data
    assert printed.count("\n") == 1


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.text(max_size=80))
def test_whatever_a_finding_says_is_one_command(rule: str, file: str, field: str, message: str) -> None:
    printed = annotate([Finding(rule, Severity.WARNING, file, field, message)])
    ((name, properties, data),) = commands(printed)
    assert name == "warning" and set(properties) <= {"file", "title"}
    assert properties.get("file", "") == visible(file).strip() or properties.get("file") == visible(file)
    assert visible(message) in data or data.endswith(visible(f"{message}."))


def test_a_flood_is_cut_with_a_count() -> None:
    printed = annotate([finding(message="word " * 5000)])
    assert len(printed) < 4200 and "more characters were left out here" in printed


def test_the_report_of_gitlab_has_what_it_needs() -> None:
    said = json.loads(code_quality([finding(), finding(Severity.NOTE, "./policy.yaml"), finding(file="")], lambda item: 3))
    assert [(issue["severity"], issue["location"]) for issue in said] == [
        ("major", {"path": "runs/a.json", "lines": {"begin": 3}}),
        ("info", {"path": "policy.yaml", "lines": {"begin": 3}}),
    ]
    assert said[0]["check_name"] == "review.edited" and said[0]["description"].startswith("metrics.loss: it changed")
    assert json.loads(code_quality([])) == []
    assert json.loads(code_quality([finding()]))[0]["location"]["lines"]["begin"] == 1


def test_fingerprints_are_stable_and_tell_findings_apart() -> None:
    two = [issue["fingerprint"] for issue in json.loads(code_quality([finding(), finding()]))]
    again = [issue["fingerprint"] for issue in json.loads(code_quality([finding(), finding()], lambda _: 9))]
    other = [issue["fingerprint"] for issue in json.loads(code_quality([finding(message="other")]))]
    assert len({*two, *other}) == 3 and two == again


@settings(deadline=None)
@given(st.text(st.one_of(st.sampled_from(":#[] \t\n\r\x85\u2028%aerror"), st.characters()), max_size=60))
def test_what_is_inert_is_no_command(text: str) -> None:
    assert commands(inert(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "::error::x",
        "  ::error::x",
        "a\r\n::error::x",
        "##[error]x",
        "a ##[group]x",
        "\u2003::error::x",
        "a\x0b::error::x",
        "###[error]",
        ":::error::x",
    ],
)
def test_commands_are_made_inert(text: str) -> None:
    assert commands(inert(text)) == []


def test_ordinary_text_is_left_alone() -> None:
    text = "std::vector\n## Heading\n[1] a::b\n\n  indented: yes"
    assert inert(text) == text
