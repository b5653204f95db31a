"""Fixtures for tests of the site's pages in a real browser.

``open_page``
    Opens a page. When the test ends, it fails for every console error, uncaught exception, violation of the page's policy and
    request to anywhere but the page's own place.
``serve``
    Serves a folder on loopback, under a sub-path; for what must also hold away from ``file://``.
``hostile_site``, ``odd_site``, ``team_site``
    Sites built from whole folios, once in a session; see ``real_folios.py``. No test changes one.
``scripts_page``
    An empty page with all of the site's scripts, as they are published, for tests of their parts: ``scripts_page.evaluate("rf.number(0.5)")``.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

TEMPLATES = Path(__file__).resolve().parents[2] / "site_templates"
# As every page of the site has it; no test here may need less.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


class Opened:
    """Opens pages and remembers what went wrong on them."""

    def __init__(self, browser: Any, stack: ExitStack) -> None:
        self._browser, self._stack = browser, stack
        self.faults: list[str] = []
        self.requests: list[str] = []

    def __call__(
        self,
        place: str | Path,
        *,
        phone: bool = False,
        dark: bool = False,
        javascript: bool = True,
        scale: float = 1,
        **more: Any,
    ) -> Any:
        """Open a page.

        Parameters
        ----------
        place : str or Path
            Its address, or its file.
        phone, dark : bool
            390 px wide; a system that prefers dark.
        javascript : bool
        scale : float
            Device pixels of one CSS pixel.
        **more
            For Playwright's ``new_context``.
        """
        url = place.resolve().as_uri() if isinstance(place, Path) else place
        context = self._browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            device_scale_factor=scale,
            timezone_id="UTC",
            locale="en-GB",
            **more,
        )
        self._stack.callback(context.close)
        page = context.new_page()
        page.set_default_timeout(15_000)
        home = urlsplit(url)
        page.on("pageerror", lambda error: self.faults.append(f"uncaught on {page.url}: {error}"))
        page.on("console", lambda said: said.type == "error" and self.faults.append(f"console on {page.url}: {said.text}"))
        page.on("request", lambda request: self._requested(request.url, (home.scheme, home.netloc)))
        page.goto(url)
        return page

    def _requested(self, url: str, home: tuple[str, str]) -> None:
        self.requests.append(url)
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and (parts.scheme, parts.netloc) != home:
            self.faults.append(f"a request to elsewhere: {url}")


@pytest.fixture
def open_page(browser: Any, serve: Any) -> Iterator[Opened]:
    # It wants `serve` so that pages are closed before what they still load is no longer served.
    with ExitStack() as stack:
        opened = Opened(browser, stack)
        yield opened
    assert opened.faults == []


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder under ``/team/site/``, and knows nothing outside of it."""

    def translate_path(self, path: str) -> str:
        inside = path.removeprefix("/team/site")
        return super().translate_path(inside if inside != path else "/outside-of-the-site")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    with ExitStack() as stack:

        def start(folder: Path) -> str:
            server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()

            def stop() -> None:
                server.shutdown()
                server.server_close()
                thread.join()

            stack.callback(stop)
            return f"http://127.0.0.1:{server.server_address[1]}/team/site/"

        yield start


@pytest.fixture
def scripts_page(open_page: Opened, tmp_path: Path) -> Any:
    from runfolio.site.assets import asset_files

    folder = tmp_path / "scripts"
    folder.mkdir()
    made = {item.name: item.render()[0] for item in asset_files({}) if item.ending == ".js"}
    for name, script in made.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.js").write_bytes(script)
    tags = "".join(f'<script src="assets/{name}.js"></script>' for name in ("theme", "app", "table", "charts", "runs", "start"))
    (folder / "index.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{CSP}">'
        f'<link rel="icon" href="data:,"><title>Scripts</title><body data-page="none" data-root="">{tags}</body></html>'
    )
    return open_page(folder / "index.html")


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.site.real_folios import hostile_site

    folder = tmp_path_factory.mktemp("hostile")
    return hostile_site(folder / "folio", folder / "site")


@pytest.fixture(scope="session")
def odd_site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.site.real_folios import odd_site

    folder = tmp_path_factory.mktemp("odd")
    return odd_site(folder / "folio", folder / "site")


@pytest.fixture(scope="session")
def team_site(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.site.real_folios import team_site

    folder = tmp_path_factory.mktemp("team")
    return team_site(folder / "folio", folder / "site")
