"""A git host's repositories over HTTP: git's own ``git http-backend`` behind basic authentication, one right a token.

Contract: the name is ``x-access-token`` (or anything), the password a token; a token without the right to read is answered like
none, 401; one that may not write is 403 for a push. Nothing is public.
"""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class GitServer:
    """Serves the bare repositories below a folder; a context manager.

    Attributes
    ----------
    tokens : dict of str to str
        ``read`` or ``write`` by token.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.tokens = folder, dict[str, str]()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> GitServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def right(self, header: str) -> str:
        """Return what an Authorization header allows; empty for nothing."""
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "token":
            return self.tokens.get(value, "")
        if scheme.lower() != "basic":
            return ""
        return self.tokens.get(base64.b64decode(value).decode().partition(":")[2], "")

    def _handler(outer) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                outer._answer(self)

            do_GET = do_POST = _any

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        return Handler

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        headers = request.headers.get_all("Authorization") or []
        parts = urlsplit(request.path)
        writes = "git-receive-pack" in request.path
        right = self.right(headers[0]) if len(headers) == 1 else ""
        if len(headers) > 1 or not right or (writes and right != "write"):
            request.send_response(400 if len(headers) > 1 else 403 if right else 401)
            if not right:
                request.send_header("WWW-Authenticate", 'Basic realm="git"')
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        path = parts.path.replace("/team/wine/", "/team/wine.git/", 1)
        body = self._body(request)
        env = {
            **os.environ, "GIT_PROJECT_ROOT": str(self.folder), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "QUERY_STRING": parts.query, "REQUEST_METHOD": request.command, "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)), "REMOTE_USER": "job", "REMOTE_ADDR": "127.0.0.1",
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""), "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
        status = next((int(value.split()[0]) for name, value in fields if name == "Status"), 200)
        request.send_response(status)
        for name, value in fields:
            if name != "Status":
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    @staticmethod
    def _body(request: BaseHTTPRequestHandler) -> bytes:
        if request.headers.get("Transfer-Encoding", "") != "chunked":
            return request.rfile.read(int(request.headers.get("Content-Length") or 0))
        made = b""
        while size := int(request.rfile.readline().split(b";")[0], 16):
            made += request.rfile.read(size)
            request.rfile.readline()
        request.rfile.readline()
        return made
