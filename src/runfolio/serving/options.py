"""How a model is served: one record, from the command line to the workers."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
AUTO, ON, OFF = "auto", "on", "off"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Options of a server; all that a worker is told besides its model.

    Parameters
    ----------
    host : str
    port : int
        0 takes a free one.
    workers : int
        Processes.
    threads : int
        Predictions at a time in each worker, for models whose requests are not joined; 0 chooses.
    timeout_s : float
        How long a request may take from its last byte to its answer.
    body_timeout_s, head_timeout_s, idle_timeout_s : float
        How long a client may take to send a body and a head, and be silent between requests.
    max_body : int, bytes
    max_connections, max_waiting : int
        Connections and requests under way, of each worker.
    max_requests : int
        A worker is replaced after so many; 0 never.
    max_memory : int, bytes
        A worker whose resident memory grew beyond it is replaced; 0 never.
    shutdown_timeout_s : float
        How long requests under way may take when the server ends.
    token : str
        Bearer token that ``/invocations`` asks for; empty asks for none.
    hosts : tuple of str
        Names that a Host header may say besides loopback and `host`; ``*`` takes any.
    batching : {"auto", "on", "off"}
        Whether concurrent requests are predicted together.
    engine : {"native", "onnx"}
    log_format : {"text", "json"}
    access_log : bool
    """

    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    threads: int = 0
    timeout_s: float = 60.0
    body_timeout_s: float = 30.0
    head_timeout_s: float = 10.0
    idle_timeout_s: float = 75.0
    max_body: int = 100 * 1024 * 1024
    max_connections: int = 1000
    max_waiting: int = 1000
    max_requests: int = 0
    max_memory: int = 0
    shutdown_timeout_s: float = 30.0
    token: str = ""
    hosts: tuple[str, ...] = ()
    batching: str = AUTO
    engine: str = "native"
    log_format: str = "text"
    access_log: bool = False

    def to_json(self) -> str:
        """Return it for a worker."""
        return json.dumps(asdict(self))

    @classmethod
    def from_fields(cls, said: dict[str, Any]) -> ServeOptions:
        """Read it in a worker."""
        known = {each.name for each in fields(cls)}
        return cls(**{**{name: value for name, value in said.items() if name in known}, "hosts": tuple(said.get("hosts", ()))})


def check_exposure(options: ServeOptions, *, open_to_all: bool) -> None:
    """Do nothing if who can reach the server is who should.

    Raises
    ------
    UsageError
        If other machines can, and neither a token nor the user's word says that they may.
    """
    if options.host in LOOPBACK or options.host.startswith("127.") or options.token or open_to_all:
        return
    raise UsageError(
        f"--host {options.host} lets other machines call the model, and no token is asked of them. Set one in the environment "
        "(RUNFOLIO_SERVE_TOKEN) or in a file (--token-file), or say --no-token if something in front of the server asks for one."
    )
