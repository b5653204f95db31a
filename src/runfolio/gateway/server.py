"""``runfolio gateway``: MLflow's own server over a folio, for clients in any language.

MLflow's routes, its artifact proxy and its pages are its own; what is ours is the plug-in below them and the guard before them. One
process serves: a run that a client logs to is held by it from its first call to its last, so that an acknowledged call lies in
the run's journal, which ``kill -9`` does not take. What has ended is committed in batches, in the background.

What it does *not* do: TLS, users. Put a reverse proxy before it for that.
"""

from __future__ import annotations

import importlib
import os
import re
import secrets
import signal
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import StateError, UsageError, missing_package
from runfolio.gateway.addresses import PROXY, SCHEME
from runfolio.gateway.guard import LOOPBACK, Guard
from runfolio.gateway.guarded_apps import GuardedWsgi
from runfolio.gateway.mlflow_apps import application
from runfolio.gateway.wsgi_server import WsgiServer

ANY = ("0.0.0.0", "::")  # noqa: S104  # compared with, not listened on
TOKEN = re.compile(r"[A-Za-z0-9\-_.~+/]+=*")
"""A bearer token (RFC 6750, section 2.1)."""
STORE, REGISTRY = "_MLFLOW_SERVER_FILE_STORE", "_MLFLOW_SERVER_REGISTRY_STORE"
ROOT, DESTINATION, PROXIES = (
    "_MLFLOW_SERVER_ARTIFACT_ROOT",
    "_MLFLOW_SERVER_ARTIFACT_DESTINATION",
    "_MLFLOW_SERVER_SERVE_ARTIFACTS",
)
"""Variables by which MLflow's server is told what to serve (mlflow/server/__init__.py, the same in 2.22 and 3)."""


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """How a folio is served.

    Parameters
    ----------
    folio : Path
    host : str
    port : int
        0 for any that is free.
    token : str or None
        None makes one; empty asks for none, on loopback alone.
    allowed : tuple of str
        More names by which the gateway may be called.
    """

    folio: Path
    host: str = "127.0.0.1"
    port: int = 5000
    token: str | None = None
    allowed: tuple[str, ...] = ()

    @property
    def guard(self) -> Guard:
        """Decides about requests.

        Raises
        ------
        UsageError
            If no token is asked for, and others than this machine can call; or the token cannot stand in a header and a cookie.
        """
        if self.token == "" and self.host not in LOOPBACK:
            raise UsageError(f"--no-token on {self.host}: whoever can reach that address could change the folio. Keep the token.")
        if self.token and not TOKEN.fullmatch(self.token):
            raise UsageError("The token holds what no header and cookie can: make it of letters, digits and - _ . ~ + / = alone.")
        own = () if self.host in ANY else (self.host.lower(),)
        return Guard(secrets.token_urlsafe(24) if self.token is None else self.token, (*LOOPBACK, *own, *self.allowed))


def mlflow_version() -> tuple[int, str]:
    """Return the version of the MLflow that is installed: the first number, and all of it.

    Raises
    ------
    MissingPackageError
        If there is none, or it is one without a server.
    """
    try:
        found = metadata.version("mlflow")
    except metadata.PackageNotFoundError:
        raise missing_package("mlflow", "", "serve MLflow's clients (mlflow-skinny has no server)") from None
    return int(found.split(".")[0]), found


def serve(options: GatewayOptions, tell: Any) -> None:
    """Serve a folio until the process is told to end.

    Parameters
    ----------
    options : GatewayOptions
    tell : callable
        Given what the user should read.

    Raises
    ------
    StateError
        If the port is taken.
    """
    generation, version = mlflow_version()
    guard = options.guard
    place = f"{SCHEME}://{options.folio}"
    os.environ.update({STORE: place, REGISTRY: place, ROOT: f"{PROXY}:/", DESTINATION: place, PROXIES: "true"})
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # Else the terminal shows a bar for each file that a client fetches.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    listener = _listener(options)
    _open_early(place)
    host = f"[{options.host}]" if ":" in options.host else options.host
    shown = f"http://{host}:{listener.getsockname()[1]}"
    _say(tell, shown, guard.token, options.folio, version)
    if generation >= 3:
        # MLflow 3 looks at Host itself; the guard has done so.
        os.environ.setdefault("MLFLOW_SERVER_ALLOWED_HOSTS", "*")
    _serve(GuardedWsgi(application(generation), guard), listener)


def _open_early(place: str) -> None:
    """Open the folio before anybody is told that it is served: what is wrong with it is said now."""
    importlib.import_module("mlflow")  # first: it loads the stores of all plug-ins, which import it
    from runfolio.gateway.tracking_store import RunfolioStore

    RunfolioStore(place, f"{PROXY}:/").client._session()


def _say(tell: Any, shown: str, token: str, folio: Path, version: str) -> None:
    tell(f"MLflow {version} serves {folio} at {shown}")
    tell(f"export MLFLOW_TRACKING_URI={shown}")
    if token:
        tell(f"export MLFLOW_TRACKING_TOKEN={token}")
        tell(f"In a browser: {shown}/?token={token}")


def _listener(options: GatewayOptions) -> Any:
    import socket

    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((options.host, options.port))
    except OSError as error:
        made.close()
        raise StateError(
            f"{options.host}:{options.port} cannot be served: {error.strerror}. Choose another port: --port 0 takes a free one."
        ) from None
    made.listen(512)
    return made


def _serve(app: Any, listener: Any) -> None:
    signal.signal(signal.SIGTERM, _ended)
    with suppress(KeyboardInterrupt):
        WsgiServer(app, listener).serve_for_ever()


def _ended(*_: Any) -> None:
    raise KeyboardInterrupt
