"""Markdown as the hosts read it: cmark-gfm with the extensions of GitHub, another family beside it, and what is in the HTML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options
from markdown_it import MarkdownIt

OWN = frozenset(("details", "summary", "b", "sub"))
"""HTML that we write ourselves."""
_MADE = frozenset("p h2 h3 ul li ol strong em code pre blockquote table thead tbody tr th td hr del br".split())
_VOID = frozenset(("hr", "br", "input", "img"))


@dataclass
class Seen:
    """What a reader sees."""

    links: list[str] = field(default_factory=list)
    images: int = 0
    strange: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    folds: int = 0

    @property
    def outside_text(self) -> str:
        return "".join(self.outside)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen = Seen()
        self.open: list[str] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.seen.links.append(str(dict(attrs).get("href")))
        elif tag == "img":
            self.seen.images += 1
        elif tag not in OWN | _MADE:
            self.seen.strange.append(tag)
        if tag in OWN and attrs:
            self.seen.strange.append(f"{tag} with attributes")
        self.seen.folds += tag == "details"
        if tag == "table":
            self.seen.tables.append([])
        elif tag == "tr":
            self.seen.tables[-1].append([])
        elif tag in ("td", "th"):
            self._cell = []
        elif tag == "code":
            self.seen.codes.append("")
        elif tag in ("h2", "h3"):
            self.seen.headings.append("")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.seen.unbalanced.append(tag)
        if tag in ("td", "th") and self._cell is not None:
            self.seen.tables[-1][-1].append("".join(self._cell))
            self._cell = None

    def handle_comment(self, data: str) -> None:
        self.seen.comments.append(data)

    def handle_data(self, data: str) -> None:
        if "code" in self.open:
            self.seen.codes[-1] += data
        else:
            self.seen.outside.append(data)
        if self.open and self.open[-1] in ("h2", "h3"):
            self.seen.headings[-1] += data
        if self._cell is not None:
            self._cell.append(data)


def html(text: str) -> str:
    """Return the HTML that GitHub's renderer makes, raw HTML kept, so that none can hide."""
    return str(cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE))


def other_html(text: str) -> str:
    """Return the HTML of another family of renderers, in which tables and code are read by rules of their own."""
    return str(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))


def read(text: str, renderer: Callable[[str], str] = html) -> Seen:
    """Return what is seen of some Markdown."""
    reader = _Reader()
    reader.feed(renderer(text))
    reader.close()
    reader.seen.unbalanced += reader.open
    return reader.seen
