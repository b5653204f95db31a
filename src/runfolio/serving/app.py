"""A request's path to its answer: who may ask, what is asked, what is answered.

``/ping`` and ``/health`` answer anybody who can reach the server (probes of a cluster carry no token), everything else asks for the
token, if there is one.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runfolio._version import __version__
from runfolio.flavors.model import WRITTEN_AS
from runfolio.serving.answers import JSON, Answer, RefusedError, error_answer
from runfolio.serving.counters import Counters, summed
from runfolio.serving.http import Request
from runfolio.serving.lanes import Job, Lanes, lane_count
from runfolio.serving.metrics import MEDIA, exposition
from runfolio.serving.openapi import description
from runfolio.serving.options import LOOPBACK, ServeOptions
from runfolio.serving.page import PAGE_HEADERS, page
from runfolio.serving.payloads import media_of
from runfolio.serving.prediction import Predictor

_log = logging.getLogger("runfolio.serving")
_OPEN = ("/ping", "/health")
_PAGES = frozenset({"/", "/docs", "/openapi.json", "/metrics", "/health"})
_FOR_BROWSERS = 'Basic realm="runfolio: any name, and the token", charset="UTF-8"'
_ONCE = frozenset({"host", "authorization", "content-type", "content-length", "transfer-encoding"})
_POST, _GET = ("POST",), ("GET", "HEAD")


class App:
    """Answers requests with a model.

    Parameters
    ----------
    predictor : Predictor
    options : ServeOptions
    counters : Counters
    folder : path
        Where all workers' counters lie, and ``state.json``, which the supervisor writes.
    loop : event loop
    """

    def __init__(self, predictor: Predictor, options: ServeOptions, counters: Counters, folder: Path, loop: Any) -> None:
        self._predictor = predictor
        self._options = options
        self.counters = counters
        self._folder = folder
        self._hosts = frozenset(name.lower() for name in (*LOOPBACK, options.host, *options.hosts))
        self.lanes = Lanes(
            predictor.run,
            self._done,
            loop,
            threads=lane_count(options.threads, os.cpu_count() or 1, arrays=predictor.way is not None),
            together=predictor.way is not None,
            timeout_s=options.timeout_s,
        )
        self._routes: dict[str, tuple[tuple[str, ...], Callable[[Request], Answer | None]]] = {
            "/invocations": (_POST, self._invocations),
            "/ping": (_GET, lambda _: Answer(200, b"\n")),
            "/health": (_GET, self._health),
            "/version": (_GET, lambda _: Answer(200, WRITTEN_AS.encode(), JSON, (("x-runfolio-version", __version__),))),
            "/metrics": (_GET, self._metrics),
            "/openapi.json": (_GET, lambda _: Answer(200, self._description())),
            "/docs": (_GET, self._docs),
            "/": (_GET, lambda _: Answer(307, b"", JSON, (("location", "/docs"),))),
        }
        self.answered = 0

    # What the listener calls.

    def admit(self, request: Request) -> Answer | None:
        """Refuse who may not ask."""
        if not _ONCE.isdisjoint(request.twice):
            return error_answer(400, "BAD_REQUEST", "A header that may come once came twice.", close=True)
        if "*" not in self._hosts and not self._known_host(request.headers.get("host", "")):
            text = "The Host header names another server. Names that are allowed: --allowed-hosts."
            return error_answer(403, "PERMISSION_DENIED", text, close=True)
        if self._options.token and request.path not in _OPEN and not self._has_token(request):
            text = "A token is needed: Authorization: Bearer TOKEN"
            # A browser that opens a page asks its user where Basic is offered; programs are told what they are to send.
            way = _FOR_BROWSERS if request.path in _PAGES else "Bearer"
            return error_answer(401, "UNAUTHENTICATED", text, (("www-authenticate", way),), close=True)
        return None

    def handle(self, request: Request) -> None:
        """Answer a request."""
        route = self._routes.get(request.path)
        if route is None:
            self._send(request, error_answer(404, "ENDPOINT_NOT_FOUND", "There is no such endpoint; see /docs."))
            return
        methods, answer = route
        if request.method not in methods:
            text = f"{request.path} takes {methods[0]}."
            self._send(request, error_answer(405, "BAD_REQUEST", text, (("allow", ", ".join(methods)),)))
            return
        try:
            made = answer(request)
        except RefusedError as error:
            made = error.answer()
        if made is not None:
            self._send(request, made)

    def refused(self, request: Request, answer: Answer) -> None:
        """Count a request that was refused at its head."""
        self._count(request, answer, 0.0, 0)

    def told(self, kind: str) -> None:
        """Count a connection that was ended."""
        self.counters.add("ended", kind)

    def sweep(self, now: float) -> None:
        """Answer what took too long; twice a second."""
        for job in self.lanes.sweep(now):
            assert job.answer is not None
            _log.warning("a prediction took longer than %s s and was given up", self._options.timeout_s)
            self._send(job.request, job.answer)
        self.counters.put("in_flight", len(self.lanes))
        self.counters.put("stuck", self.lanes.stuck)
        self.counters.put("beat", now)

    # Who may ask.

    def _known_host(self, said: str) -> bool:
        name = said.lower()
        if name.startswith("["):
            return name[1:].partition("]")[0] in self._hosts
        return name.partition(":")[0] in self._hosts

    def _has_token(self, request: Request) -> bool:
        scheme, _, said = request.headers.get("authorization", "").partition(" ")
        scheme, token = scheme.lower(), said.strip().encode()
        if scheme == "basic" and request.path in _PAGES:
            # Pages only, which change nothing and predict nothing: a browser sends these credentials with whatever another page asks.
            try:
                token = base64.b64decode(token, validate=True).partition(b":")[2]
            except ValueError:
                return False
        elif scheme != "bearer":
            return False
        return hmac.compare_digest(token, self._options.token.encode())

    # What is asked.

    def _invocations(self, request: Request) -> None:
        said = request.headers.get("content-type")
        if not said:
            raise RefusedError("A Content-Type header is needed: application/json or text/csv.", status=415, plain=True)
        if request.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise RefusedError("Compressed bodies are not read: leave Content-Encoding out.", status=415, plain=True)
        media = media_of(said)
        if len(self.lanes) >= self._options.max_waiting:
            self.counters.add("busy_refusals")
            raise RefusedError("Too many requests are waiting. Try again later.", "TEMPORARILY_UNAVAILABLE")
        self.lanes.put(Job(request, media))

    def _done(self, jobs: list[Job], seconds: float) -> None:
        self.counters.add("batches")
        self.counters.add("batch_requests", by=len(jobs))
        self.counters.add("batch_seconds", by=seconds)
        for job in jobs:
            if not job.over and job.answer is not None:
                self._send(job.request, job.answer, job.rows)

    def _send(self, request: Request, answer: Answer, rows: int = 0) -> None:
        request.respond(answer)
        self._count(request, answer, time.monotonic() - request.begun, rows)

    def _count(self, request: Request, answer: Answer, seconds: float, rows: int) -> None:
        self.answered += 1
        self.counters.request(request.path, answer.status, seconds)
        if rows:
            self.counters.add("rows", by=rows)
        if self._options.access_log or answer.status >= 500:
            _log.log(
                logging.ERROR if answer.status >= 500 else logging.INFO,
                "%s %s %d %.4f s",
                request.method,
                request.path,
                answer.status,
                seconds,
                extra={
                    "event": "request",
                    "status": answer.status,
                    "path": request.path,
                    "seconds": round(seconds, 6),
                    "rows": rows,
                },
            )

    def state(self) -> dict[str, Any]:
        """Return what the supervisor says."""
        try:
            said = json.loads((self._folder / "state.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}

    def _health(self, request: Request) -> Answer:
        if "details" not in request.query:
            return Answer(200, b"\n")
        if self._options.token and not self._has_token(request):
            text = "The details of /health need the token."
            return error_answer(401, "UNAUTHENTICATED", text, (("www-authenticate", _FOR_BROWSERS),))
        said = {**self.state(), "worker": os.getpid(), "stuck_predictions": self.lanes.stuck, "waiting": len(self.lanes)}
        return Answer(200, (json.dumps(said, indent=2) + "\n").encode())

    def _metrics(self, request: Request) -> Answer:
        return Answer(200, exposition(summed(self._folder), self.state()).encode(), MEDIA)

    def _description(self) -> bytes:
        said = description(self._predictor.model, self.state().get("model") or {}, token=bool(self._options.token))
        return json.dumps(said, indent=1).encode()

    def _docs(self, request: Request) -> Answer:
        text = page(self._predictor.model, self.state().get("model") or {}, token=bool(self._options.token))
        return Answer(200, text.encode(), "text/html; charset=utf-8", PAGE_HEADERS)
