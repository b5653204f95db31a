"""A host of static files on loopback that compresses as GitHub Pages does: ``python plain_host.py FOLDER`` prints its port.

Each file is compressed once (gzip 6) and kept, because a host or its cache does that before a reader comes.
"""

from __future__ import annotations

import gzip
import mimetypes
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

PACKED = (".html", ".css", ".js", ".json", ".svg", ".xml", ".txt")
KEPT: dict[Path, bytes] = {}


class Host(BaseHTTPRequestHandler):
    """Answers GET with a file of the folder."""

    protocol_version = "HTTP/1.1"
    folder = Path()

    def do_GET(self) -> None:
        """Send a file."""
        path = (self.folder / unquote(urlsplit(self.path).path).lstrip("/")).resolve()
        if not path.is_relative_to(self.folder) or not path.is_file():
            self.send_error(404)
            return
        packed = path.suffix in PACKED
        if path not in KEPT:
            data = path.read_bytes()
            KEPT[path] = gzip.compress(data, 6) if packed else data
        self.send_response(200)
        self.send_header("Content-Type", mimetypes.guess_type(path.name)[0] or "application/octet-stream")
        self.send_header("Content-Length", str(len(KEPT[path])))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(KEPT[path])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Host.folder = Path(sys.argv[1]).resolve()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    print(server.server_address[1], flush=True)
    server.serve_forever()
