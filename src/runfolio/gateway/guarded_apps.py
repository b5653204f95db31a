"""MLflow's applications behind a :class:`~runfolio.gateway.guard.Guard`: 2.22's speaks WSGI (PEP 3333), 3's ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any

from runfolio.gateway.guard import Answer, Guard

Environ = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class GuardedWsgi:
    """A WSGI application that only requests reach which the guard lets pass.

    Parameters
    ----------
    app : callable
    guard : Guard
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], guard: Guard) -> None:
        self._app, self._guard = app, guard

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        path = environ.get("PATH_INFO", "")
        answer = self._guard.answer(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), headers)
        if answer is None:
            return self._app(environ, start_response)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", _headers(answer))
        return [answer.body.encode()]


class GuardedAsgi:
    """An ASGI application that only requests reach which the guard lets pass.

    Parameters
    ----------
    app : callable
    guard : Guard
    """

    def __init__(self, app: Callable[..., Awaitable[None]], guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        query = scope.get("query_string", b"").decode("latin-1")
        answer = self._guard.answer(scope.get("method", "GET"), scope["path"], query, headers)
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            said = [(name.lower().encode(), value.encode()) for name, value in _headers(answer)]
            await send({"type": "http.response.start", "status": answer.status, "headers": said})
            await send({"type": "http.response.body", "body": answer.body.encode()})


def _headers(answer: Answer) -> list[tuple[str, str]]:
    return [*answer.headers, ("Content-Length", str(len(answer.body.encode())))]
