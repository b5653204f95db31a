"""MLflow's applications as one that speaks WSGI (PEP 3333): 2.22's is that of Flask; 3 lays it into one of FastAPI, with some routes more.

MLflow 3's own server asks FastAPI first, which hands what it does not know to Flask through a middleware: two milliseconds of CPU for
each call of a client. Here Flask is asked for all that it knows, as by ``mlflow server --gunicorn-opts``, and FastAPI, loaded at the first
need, for the rest: spans by OpenTelemetry's protocol, jobs, what MLflow's pages ask of the server.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from queue import SimpleQueue
from typing import Any

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def application(generation: int) -> Application:
    """Return MLflow's application.

    Parameters
    ----------
    generation : int
        The first number of MLflow's version.
    """
    flask: Any = importlib.import_module("mlflow.server").app
    return FlaskFirst(flask, _fastapi) if generation >= 3 else flask


def _fastapi() -> Any:
    return importlib.import_module("mlflow.server.fastapi_app").app


class FlaskFirst:
    """Asks an application of Flask for what it has routes for, and another for the rest.

    Parameters
    ----------
    flask : flask.Flask
    other : callable
        Loads the other application, which speaks ASGI.
    """

    def __init__(self, flask: Any, other: Callable[[], Any]) -> None:
        self._flask = flask
        self._routes = flask.url_map.bind("localhost")
        self._plain = frozenset(rule.rule for rule in flask.url_map.iter_rules() if "<" not in rule.rule)
        self._load = other
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        path = environ["PATH_INFO"]
        if path in self._plain or self._knows(path, environ["REQUEST_METHOD"]):
            return self._flask(environ, start_response)  # type: ignore[no-any-return]  # as above
        with self._lock:
            other = self._other
        return other(environ, start_response)

    def _knows(self, path: str, method: str) -> bool:
        faults: Any = importlib.import_module("werkzeug.exceptions")
        try:
            self._routes.match(path.encode("latin-1").decode("utf-8", "replace"), method)
        except faults.NotFound:
            return False
        except faults.HTTPException:
            pass  # known, by another method or another spelling: Flask says so
        return True

    @functools.cached_property
    def _other(self) -> AsgiInThread:
        return AsgiInThread(self._load())


class AsgiInThread:
    """An application that speaks ASGI, on an event loop of its own, for callers that speak WSGI.

    Parameters
    ----------
    app : callable
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="runfolio-asgi", daemon=True).start()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request; what the application streams is passed on as it comes."""
        said: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        body = environ["wsgi.input"].read()
        task = asyncio.run_coroutine_threadsafe(self._answer(_scope(environ), body, said), self._loop)
        first = said.get()
        if first is None:
            raise RuntimeError("MLflow's application ended without an answer") from task.exception()
        status = HTTPStatus(first["status"])
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in first.get("headers", ())]
        start_response(f"{status.value} {status.phrase}", headers)
        return _Pieces(said, task)

    async def _answer(self, scope: dict[str, Any], body: bytes, said: SimpleQueue[Any]) -> None:
        sent = False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:
                await asyncio.Event().wait()  # the client waits for its answer; if it goes, this is cancelled
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            said.put(message)

        try:
            await self._app(scope, receive, send)
        finally:
            said.put(None)


class _Pieces:
    """The body of an answer, as it comes."""

    def __init__(self, said: SimpleQueue[Any], task: Any) -> None:
        self._said, self._task = said, task

    def __iter__(self) -> Iterator[bytes]:
        while (message := self._said.get()) is not None:
            yield message.get("body", b"")

    def close(self) -> None:
        """End what still works on the answer."""
        self._task.cancel()


def _scope(environ: Environ) -> dict[str, Any]:
    headers = [
        (name.removeprefix("HTTP_").replace("_", "-").lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name in ("CONTENT_TYPE", "CONTENT_LENGTH") and value)
    ]
    raw = environ["PATH_INFO"].encode("latin-1")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": environ["REQUEST_METHOD"],
        "scheme": "http",
        "path": raw.decode("utf-8", "replace"),
        "raw_path": environ["RAW_URI"].partition("?")[0].encode("latin-1"),
        "query_string": environ["QUERY_STRING"].encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": (environ["REMOTE_ADDR"], int(environ["REMOTE_PORT"])),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "state": {},
    }
