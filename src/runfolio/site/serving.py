"""Look at the site while runs come in: builds it, serves it on this machine, builds again as commits come.

Invariants:

- Listens on the loopback address unless told otherwise; answers GET and HEAD of files of the site only; a request under another
  host name is refused, so that no page of elsewhere can read a site through the browser (DNS rebinding).
- Adds one script to pages, which asks for the state of the build and reloads; what is published never has it.

It is not a way to publish: it is one process, without TLS and without users.
"""

from __future__ import annotations

import mimetypes
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runfolio.errors import RunfolioError, StorageError
from runfolio.folio import Folio
from runfolio.site.build import build_site
from runfolio.site.options import BuildOptions

WAIT_S = 20.0
LOOK_S = 1.0
_RELOAD = b"""(function () {
  var at = null;
  window.rfState = function (state) {
    if (at !== null && at !== state) { location.reload(); return; }
    at = state; setTimeout(ask, 200);
  };
  function ask() {
    var script = document.createElement("script");
    script.src = "/.runfolio/state.js?" + encodeURIComponent(at === null ? "" : at);
    script.onload = function () { script.remove(); };
    script.onerror = function () { script.remove(); setTimeout(ask, 2000); };
    document.head.appendChild(script);
  }
  ask();
})();
"""
_TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml", ".xml": "application/xml",
          ".parquet": "application/vnd.apache.parquet"}  # fmt: skip


class State:
    """What the open pages are told: a text that changes with every build."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._text = ""

    def set(self, text: str) -> None:
        """Tell everyone who waits."""
        with self._changed:
            self._text = text
            self._changed.notify_all()

    def after(self, seen: str) -> str:
        """Return the state, once it is another than `seen`, or after some time."""
        with self._changed:
            self._changed.wait_for(lambda: self._text != seen, WAIT_S)
            return self._text


def serve_site(
    folio: Folio, host: str, port: int, templates: Path | None, say: Callable[[str], None], *, show: bool = False,
    jobs: int = 1,
) -> None:  # fmt: skip
    """Serve the site of a folio until the process is interrupted.

    Parameters
    ----------
    folio : Folio
    host : str
    port : int
        0 takes a free one.
    templates : Path or None
        See :class:`~runfolio.site.options.BuildOptions`.
    say : callable
        Called with each line to show.
    show : bool, optional
        Open it in the browser.
    jobs : int, optional
        Processes that render the first time.

    Raises
    ------
    StorageError
        If the port cannot be had.
    """
    state = State()
    with tempfile.TemporaryDirectory(prefix="runfolio-site-") as folder:
        out = Path(folder) / "site"
        options = BuildOptions(templates=templates, jobs=jobs)
        report = build_site(folio, out, options)
        state.set(report.commit)
        try:
            server = _Server((host, port), _handler(out, state, host))
        except OSError as error:
            raise StorageError(f"Port {port} of {host} cannot be had: {error.strerror}. Take another: --port 0") from error
        address = f"http://{f'[{host}]' if ':' in host else host}:{server.server_address[1]}/"
        say(f"Serving {report.runs:,} runs at {address} (Ctrl+C ends it)")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # Also where the one who started us ignores Ctrl+C, as shells do for what runs behind them.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if show:
            import webbrowser

            webbrowser.open(address)
        try:
            _watch(folio, out, options, state, say)
        except KeyboardInterrupt:
            say("")
        finally:
            server.shutdown()
            server.server_close()


def _watch(folio: Folio, out: Path, options: BuildOptions, state: State, say: Callable[[str], None]) -> None:
    built, looked = folio.place.tip(), _stamp(options.templates)
    while True:
        time.sleep(LOOK_S)
        tip, stamp = folio.place.tip(), _stamp(options.templates)
        if (tip, stamp) == (built, looked):
            continue
        built, looked = tip, stamp
        try:
            report = build_site(folio, out, options)
        except RunfolioError as error:
            say(f"not built: {error.message}")
            continue
        state.set(f"{report.commit}{stamp}")
        say(f"{report.commit[:10]}: {report.rendered:,} files written, {report.kept:,} kept")


def _stamp(templates: Path | None) -> str:
    if templates is None:
        return ""
    return str(sorted((str(path), path.stat().st_mtime_ns) for path in templates.rglob("*") if path.is_file()))


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def _handler(out: Path, state: State, host: str) -> type[BaseHTTPRequestHandler]:
    names = {host, "localhost", "127.0.0.1", "::1"}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            name = urlsplit("//" + self.headers.get("Host", "")).hostname
            if host in ("127.0.0.1", "::1", "localhost") and name not in names:
                self._answer(403, "text/plain", b"This address is served under another name.\n")
            elif parts.path == "/.runfolio/reload.js":
                self._answer(200, "text/javascript", _RELOAD)
            elif parts.path == "/.runfolio/state.js":
                import json

                self._answer(200, "text/javascript", f"rfState({json.dumps(state.after(unquote(parts.query)))});".encode())
            else:
                self._file(unquote(parts.path))

        do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

        def _file(self, path: str) -> None:
            target = (out / path.lstrip("/")).resolve()
            if target.is_dir():
                target /= "index.html"
            code = 200
            if not target.is_relative_to(out.resolve()) or not target.is_file() or target.name.startswith("."):
                target, code = out / "404.html", 404
            try:
                data = target.read_bytes()
            except OSError:
                self._answer(404, "text/plain", b"Not found.\n")
                return
            kind = _TYPES.get(target.suffix) or mimetypes.guess_type(target.name)[0] or "application/octet-stream"
            if target.suffix == ".html":
                kind = "text/html"
                data = data.replace(b"</head>", b'<script src="/.runfolio/reload.js" defer></script>\n</head>', 1)
            self._answer(code, kind, data)

        def _answer(self, code: int, kind: str, data: bytes) -> None:
            self.send_response(code)
            text = kind.startswith("text/") or kind.endswith(("json", "xml"))
            self.send_header("Content-Type", f"{kind}; charset=utf-8" if text else kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if self.command != "HEAD":
                try:
                    self.wfile.write(data)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: what is asked for is not news."""

    return Handler
