"""registry/proposals.py: what a reviewer reads is what was recorded, whatever marks stand in it."""

from __future__ import annotations

import html
import re

import cmarkgfm

from runfolio.policy.verdict import GateResult, Verdict
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.registry.promotion import Promotion
from runfolio.registry.proposals import proposal_text, verdict_markdown


def read(markdown: str) -> str:
    """Return the words that a git host shows of Markdown."""
    shown = cmarkgfm.github_flavored_markdown_to_html(markdown)
    return html.unescape(re.sub(r"<[^>]+>", "", shown))


def test_marks_in_gates_names_and_files_are_shown_as_they_are_and_mention_nobody() -> None:
    version = ModelVersion(3, source="runs:/x/my_model", runs_code=("my_model*.pkl", "a`b@c.pkl"), metrics={"top_5 > @all": 0.5})
    gates = verdict_markdown(
        Verdict("wine_2", 3, "Production", (GateResult("a|b", "where", "passed", "accuracy >= 0.95 <b>#3</b>"),))
    )
    made = proposal_text(RegisteredModel("wine_2", "wine-2"), Promotion("wine_2", 3, "Production"), version, None, "", gates)
    assert made.title == "Promote wine_2 3 to Production"
    shown = read(made.body)
    for words in (
        "Promote wine_2 3",
        "accuracy >= 0.95 <b>#3</b>",
        "a|b",
        "top_5 > @all",
        "runs:/x/my_model",
        "my_model*.pkl",
        "a'b@c.pkl",
    ):
        assert words in shown
    # In code nobody is mentioned; elsewhere the mark is spelled.
    assert "@" not in re.sub(r"`[^`]*`", "", made.body)
