"""Markdown to a tree of plain elements, which both the templates and the pages' scripts draw node by node.

No HTML is ever made of a text, so there is nothing to sanitise: a node is text or ``[name, attributes, child, …]``, names are
those of `ELEMENTS`, the only attribute is ``href``, and that only of a link to ``http:`` or ``https:``. HTML in the text stays
text; images become their description. Headings begin two levels lower, below those of the page.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from runfolio._pattern import pattern

if TYPE_CHECKING:
    from markdown_it.token import Token

ELEMENTS = frozenset("p h3 h4 h5 h6 ul ol li blockquote pre code em strong s a hr br table thead tbody tr th td".split())
MAX_CHARACTERS = 20_000
"""Of Markdown that is drawn: runs of brackets take quadratic time (50,000 of them 1.6 s)."""

_LINK = pattern(r"https?://[^\s\x00-\x1f\x7f\"'<>\\]+\Z", re.IGNORECASE)
_HEADINGS = {f"h{level}": f"h{min(level + 2, 6)}" for level in range(1, 7)}
Node = Any
"""Text, or a list of name, attributes and children."""


def markdown_tree(text: str) -> list[Node]:
    """Return the nodes of a Markdown text.

    Parameters
    ----------
    text : str
        Cut after `MAX_CHARACTERS`.

    Examples
    --------
    >>> markdown_tree("# A *b* <script>")
    [['h3', {}, 'A ', ['em', {}, 'b'], ' <script>']]
    >>> markdown_tree("[x](javascript:alert)")
    [['p', {}, '[x](javascript:alert)']]
    """
    if not text:
        return []
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table").enable("strikethrough")
    return _nodes(parser.parse(text[:MAX_CHARACTERS]))


def lead_words(text: str) -> str:
    """Return the words of the first paragraph of a Markdown text, for a line in a list; of what comes first where there is none.

    Examples
    --------
    >>> lead_words("# Notes\\n\\nOf **two** [kinds](https://example.org).\\n\\nMore.")
    'Of two kinds.'
    """
    nodes = markdown_tree(text)
    first = next((node for node in nodes if node[0] == "p"), nodes[0] if nodes else "")
    return " ".join(_words(first).split())


def _words(node: Node) -> str:
    if isinstance(node, str):
        return node
    return " " if node[0] == "br" else "".join(_words(child) for child in node[2:])


def _nodes(tokens: list[Token]) -> list[Node]:
    top: list[Node] = []
    open_nodes: list[list[Node]] = [top]
    for token in tokens:
        if token.type == "inline":
            open_nodes[-1].extend(_nodes(token.children or []))
        elif token.nesting == 1:
            node = _opened(token)
            open_nodes[-1].append(node)
            open_nodes.append(node)
        elif token.nesting == -1:
            open_nodes.pop()
        else:
            open_nodes[-1].extend(_leaf(token))
    return _without_gaps(top)


def _opened(token: Token) -> list[Node]:
    name = _HEADINGS.get(token.tag, token.tag)
    if name == "a":
        href = str(token.attrGet("href") or "")
        return ["a", {"href": href}] if _LINK.match(href) else ["s-none", {}]
    if token.hidden or name not in ELEMENTS:
        return ["s-none", {}]
    return [name, {}]


def _leaf(token: Token) -> list[Node]:
    if token.type in ("fence", "code_block"):
        return [["pre", {}, ["code", {}, token.content]]]
    if token.type == "code_inline":
        return [["code", {}, token.content]]
    if token.type == "softbreak":
        return ["\n"]
    if token.type in ("hardbreak", "hr"):
        return [["br" if token.type == "hardbreak" else "hr", {}]]
    if token.type == "image":
        described = token.content or str(token.attrGet("src") or "")
        return [f"[image: {described}]"]
    return [token.content] if token.content else []


def _without_gaps(nodes: list[Node]) -> list[Node]:
    """Put the children of nodes without an element in their place, and join texts that meet."""
    made: list[Node] = []
    for node in nodes:
        if isinstance(node, str):
            parts: list[Node] = [node]
        else:
            inner = _without_gaps(node[2:])
            parts = inner if node[0] == "s-none" else [[node[0], node[1], *inner]]
        for part in parts:
            if isinstance(part, str) and made and isinstance(made[-1], str):
                made[-1] += part
            else:
                made.append(part)
    return made
