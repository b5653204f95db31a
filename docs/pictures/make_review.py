"""Take a picture of a review as GitHub shows it: ``python docs/pictures/make_review.py COMMENT.md [NAME] [--unfold] [--height PIXELS]``.

Needs Chromium, a font with coloured emoji (Debian: fonts-noto-color-emoji), npm (for the package github-markdown-css, which is GitHub's own
style), and the extra ``test``: cmark-gfm reads the Markdown as GitHub does, and the real mermaid draws the chart. The pictures are
``docs/pictures/review/NAME-light.png`` and ``NAME-dark.png``; ``--height`` keeps the first so many pixels of the page.
"""

from __future__ import annotations

import argparse
import html
import importlib.util
import io
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "review"
WIDTH = 860  # of a comment on a wide screen
SCALE = 1.5
COLOURS = 200  # of a picture: text, symbols and lines stay sharp, at a fifth of the size
ICONS = {"caution": "⛔", "warning": "⚠️"}
_ALERT = re.compile(r"<blockquote>\s*<p>\[!(CAUTION|WARNING)\]\s*(.*?)</blockquote>", re.DOTALL)
_MERMAID = re.compile(
    r'<pre lang="mermaid"><code>(.*?)</code></pre>|<pre><code class="language-mermaid">(.*?)</code></pre>', re.DOTALL
)


def github_style(scratch: Path) -> str:
    """Return GitHub's own style for Markdown, from npm."""
    subprocess.run(["npm", "pack", "--silent", "github-markdown-css"], cwd=scratch, check=True, stdout=subprocess.DEVNULL)
    (archive,) = scratch.glob("github-markdown-css-*.tgz")
    with tarfile.open(archive) as found:
        member = found.extractfile("package/github-markdown.css")
        assert member is not None
        return member.read().decode()


def mermaid_script() -> Path:
    """Return mermaid's script, as a Python package has it."""
    spec = importlib.util.find_spec("mermaidx")
    assert spec is not None and spec.origin is not None, "pip install mermaidx"
    return Path(spec.origin).parent / "assets" / "mermaid.js"


def as_github(markdown: str) -> str:
    """Return the HTML of a comment, with alerts and charts as GitHub makes them."""
    import cmarkgfm
    from cmarkgfm.cmark import Options

    made = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    made = _MERMAID.sub(lambda match: f'<pre class="mermaid">{match.group(1) or match.group(2)}</pre>', made)

    def alert(match: re.Match[str]) -> str:
        kind = match.group(1).lower()
        title = f'<p class="markdown-alert-title">{ICONS[kind]} &nbsp;{kind.title()}</p>'
        return f'<div class="markdown-alert markdown-alert-{kind}">{title}<p>{match.group(2)}</div>'

    return _ALERT.sub(alert, made)


def page(markdown: str, style: str, *, dark: bool, unfold: bool) -> str:
    """Return a page with the comment on it."""
    ground, edge = ("#0d1117", "#3d444d") if dark else ("#ffffff", "#d1d9e0")
    body = as_github(markdown)
    if unfold:
        body = body.replace("<details>", "<details open>")
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape("A comment")}</title><style>{style}
body {{ margin: 0; padding: 24px; background: {ground}; }}
.comment {{ border: 1px solid {edge}; border-radius: 6px; padding: 16px; width: {WIDTH}px; box-sizing: border-box; }}
.markdown-body pre.mermaid {{ background: none; text-align: center; padding: 0; }} .markdown-body {{ font-size: 14px; }}
</style><div class="comment"><article class="markdown-body">{body}</article></div></html>"""


def take(browser: Any, markdown: str, target: Path, style: str, *, dark: bool, unfold: bool, height: int) -> None:
    """Take one picture; the chart is drawn first."""
    from PIL import Image

    context = browser.new_context(
        viewport={"width": WIDTH + 48, "height": height or 900},
        color_scheme="dark" if dark else "light",
        device_scale_factor=SCALE,
    )
    shown = context.new_page()
    shown.set_content(page(markdown, style, dark=dark, unfold=unfold))
    shown.add_script_tag(path=str(mermaid_script()))
    shown.evaluate(
        "async dark => { mermaid.initialize({startOnLoad: false, theme: dark ? 'dark' : 'default'}); await mermaid.run(); }", dark
    )
    picture = Image.open(io.BytesIO(shown.screenshot(full_page=not height))).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    context.close()


def main() -> None:
    """Take the comment in the file that is named, light and dark."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comment", type=Path)
    parser.add_argument("name", nargs="?", default="comment")
    parser.add_argument("--unfold", action="store_true")
    parser.add_argument("--height", type=int, default=0)
    asked = parser.parse_args()
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        style = github_style(Path(scratch))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--disable-gpu"])
        for look in ("light", "dark"):
            target = HERE / f"{asked.name}-{look}.png"
            text = asked.comment.read_text("utf-8")
            take(browser, text, target, style, dark=look == "dark", unfold=asked.unfold, height=asked.height)
            print(target, f"{target.stat().st_size:,} bytes")
        browser.close()


if __name__ == "__main__":
    main()
