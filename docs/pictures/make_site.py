"""Take the pictures of the site: ``python docs/pictures/make_site.py [SITE]`` (needs Chromium, playwright, pillow).

Without SITE, the folio of ``runfolio demo`` is made first and its site is taken. The pictures lie in ``docs/pictures/site/``.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "site"
DESK, PHONE = {"width": 1360, "height": 850}, {"width": 390, "height": 760}
COLOURS = 200  # of a picture: text and the colours of series stay, and all pictures together are under a megabyte


def shots(site: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, address and what to do before the picture is taken."""
    wine = site / "e" / "wine-classification" / "index.html"
    curves = site / "e" / "digits-curves" / "index.html"
    changes = sorted((site / "changes").glob("*/index.html"), key=lambda path: (len(path.read_bytes()), path.name))
    newest = _newest(site)
    ids = ",".join(newest)
    yield "home", (site / "index.html").as_uri(), ""
    yield "experiment", wine.as_uri(), ""
    yield "run", (site / "r" / newest[-1] / "index.html").as_uri(), ""
    yield "compare", (site / "compare.html").as_uri() + f"#r={ids}", ""
    yield "changes", changes[-1].as_uri(), ""
    evaluated = next(path for path in sorted((site / "r").glob("*/index.html")) if 'id="evaluation"' in path.read_text("utf-8"))
    yield "evaluation", evaluated.as_uri(), ""
    live = next(path for path in sorted((site / "m").glob("*/*/index.html")) if ">Production<" in path.read_text("utf-8"))
    yield "version", live.as_uri(), ""
    yield "charts", curves.as_uri(), "rf.table.ready.then(() => rf.table.select([...rf.table.rows], true))"


def _newest(site: Path) -> list[str]:
    """Return the runs of the digits that have pages, best first."""
    found = [path for path in (site / "r").glob("*/index.html") if "digits-curves" in path.read_text("utf-8")]
    return [path.parent.name for path in sorted(found, key=lambda path: path.parent.name) if "mlp" in path.read_text("utf-8")][:3]


def save(data: bytes, name: str) -> None:
    """Save a picture with few colours."""
    from PIL import Image

    picture = Image.open(io.BytesIO(data)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(HERE / f"{name}.png", optimize=True)


def take(browser: Any, site: Path, only: set[str]) -> None:
    """Take each page light and dark on a desk, and on a phone."""
    for name, address, before in shots(site):
        if only and name not in only:
            continue
        for look, size, dark in (("", DESK, False), ("-dark", DESK, True), ("-phone", PHONE, False)):
            context = browser.new_context(
                viewport=size,
                color_scheme="dark" if dark else "light",
                timezone_id="UTC",
                locale="en-GB",
                reduced_motion="reduce",
            )
            page = context.new_page()
            page.goto(address)
            page.wait_for_function("() => !document.querySelector('[aria-busy=true]')")
            if before:
                page.evaluate(before)
            page.wait_for_timeout(700)  # charts are drawn when they come near the window
            save(page.screenshot(), name + look)
            context.close()


def main() -> None:
    """Take all pictures, or those that are named."""
    from playwright.sync_api import sync_playwright

    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch, sync_playwright() as playwright:
        if len(sys.argv) > 1:
            site = Path(sys.argv[1])
        else:
            folder, settings = Path(scratch) / "demo", Path(scratch) / "gitconfig"
            settings.write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
            env = {**os.environ, "GIT_CONFIG_GLOBAL": str(settings), "GIT_CONFIG_NOSYSTEM": "1"}
            subprocess.run([sys.executable, "-m", "runfolio", "demo", str(folder), "--no-open"], env=env, check=True)
            site = folder / "site"
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--disable-gpu"])
        take(browser, site.resolve(), set(sys.argv[2:]))
        browser.close()


if __name__ == "__main__":
    main()
