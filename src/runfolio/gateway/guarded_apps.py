"""MLflow's application behind a :class:`~runfolio.gateway.guard.Guard`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from runfolio.gateway.guard import Answer, Guard

Environ = dict[str, Any]


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


def _headers(answer: Answer) -> list[tuple[str, str]]:
    return [*answer.headers, ("Content-Length", str(len(answer.body.encode())))]
