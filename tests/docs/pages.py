"""Blocks of the documentation pages, by the mark that stands before them."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_MARKED = re.compile(r"<!-- (?P<kind>[a-z]+): (?P<what>[a-z-]+) -->\n```\w*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def marked(page: str, kind: str, what: str) -> list[str]:
    """Return the blocks of a page that a mark names, each with its last line feed."""
    text = (DOCS / page).read_text("utf-8")
    return [match["text"] for match in _MARKED.finditer(text) if (match["kind"], match["what"]) == (kind, what)]


def fenced(page: str) -> list[tuple[str, str]]:
    """Return (language, text) of all fenced blocks of a page."""
    return [(match["language"], match["text"]) for match in _FENCED.finditer((DOCS / page).read_text("utf-8"))]
