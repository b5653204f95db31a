"""How a server begins: one program finds the model and the socket, and becomes another, which keeps the workers.

To find a model takes the command line, a folio, formats and flavors, 12 MB that a supervisor has no use for afterwards; a program
that is replaced (``exec``) leaves them behind, and stays the same process to whoever started it. What it goes on with is one line of
JSON in a pipe, never in the arguments, which other users may read: a token is among it. Signals wait meanwhile.

>>> beginning = prepared(Source("models:/churn/Production"), ServeOptions(), "local", reload_s=1.0, start_timeout_s=600.0)
>>> hand_over(beginning, "runfolio.cli.models_serving", sys.argv[1:])  # and there: supervised(taken_over(descriptor)).run()

What it does *not* do: start workers, or watch anything.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.serving.options import ServeOptions
from runfolio.serving.signals import hold
from runfolio.serving.sources import Source, Which

if TYPE_CHECKING:
    from runfolio.serving.supervisor import Supervisor

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Beginning:
    """All that a supervisor is told.

    Parameters
    ----------
    options : str
        The server's, as JSON.
    uri, place : str
        Of the model, and of the folio if one was named.
    trust : bool, optional
    which : dict of str to str
        The model that was found.
    model, folder : str
        Where it lies, and the server's own folder.
    python, manager : str
        What runs this model, and who makes such environments for others.
    listening : int
        Descriptor of the socket.
    reload_s, start_timeout_s : float
    """

    options: str
    uri: str
    place: str | None
    trust: bool | None
    which: dict[str, str]
    model: str
    folder: str
    python: str
    manager: str
    listening: int
    reload_s: float
    start_timeout_s: float


def prepared(
    source: Source, options: ServeOptions, manager: str, *, reload_s: float = 1.0, start_timeout_s: float = 600.0
) -> Beginning:
    """Bind the socket, and fetch the model.

    Parameters
    ----------
    source : Source
    options : ServeOptions
    manager : {"local", "virtualenv", "uv"}
        Of the model's environment.
    reload_s : float
        How often to look whether the stage moved; 0 never.
    start_timeout_s : float
        How long a worker may take to load the model.

    Raises
    ------
    RunfolioError
        If the address is taken, or the model cannot be had.
    """
    import shutil
    import tempfile

    listening = bound(options.host, options.port)
    folder = Path(tempfile.mkdtemp(prefix="runfolio-serve-"))
    try:
        which = source.which()
        model = source.fetch(which, folder / "model")
        python = python_for(model, manager, options.engine)
    except BaseException:
        listening.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        source.close()
    options = replace(options, port=listening.getsockname()[1])
    return Beginning(
        options.to_json(), source.uri, source.place, source.trust, which.fields(), str(model), str(folder), python, manager,
        listening.detach(), reload_s, start_timeout_s,
    )  # fmt: skip


def hand_over(beginning: Beginning, program: str, said: Sequence[str]) -> NoReturn:
    """Become a module's program, which goes on with this.

    Parameters
    ----------
    beginning : Beginning
    program : str
        Name of the module.
    said : sequence of str
        Arguments of this program, shown by the system's list of processes and not read again.
    """
    readable, writable = os.pipe()
    os.write(writable, json.dumps(asdict(beginning)).encode())
    os.close(writable)
    for descriptor in (readable, beginning.listening):
        os.set_inheritable(descriptor, True)
    hold()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", program, str(readable), *said])  # noqa: S606 # no shell is meant


def taken_over(descriptor: int) -> Beginning:
    """Read what was handed over."""
    with os.fdopen(descriptor, "rb") as pipe:
        said = json.loads(pipe.read())
    # Processes of git that served the program before: they end when it does, and nobody else would ask how.
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return Beginning(**said)


def supervised(beginning: Beginning) -> Supervisor:
    """Return what keeps the server."""
    from runfolio.serving.supervisor import Generation, Supervisor

    options = ServeOptions.from_fields(json.loads(beginning.options))
    os.set_inheritable(beginning.listening, False)
    which = Which(**beginning.which)
    return Supervisor(
        Source(beginning.uri, beginning.place, trust=beginning.trust),
        options,
        Generation(which, Path(beginning.model), beginning.python, wanted=options.workers),
        socket.socket(fileno=beginning.listening),
        Path(beginning.folder),
        python_for=lambda folder: python_for(folder, beginning.manager, options.engine),
        reload_s=beginning.reload_s,
        start_timeout_s=beginning.start_timeout_s,
    )


def python_for(folder: Path, manager: str, engine: str) -> str:
    """Return the Python that runs the model in a folder: ours, or of its own environment."""
    if manager == LOCAL:
        return sys.executable
    from runfolio.serving import environments

    return environments.python_for(folder, manager, engine)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound, and not listening yet: a client finds nobody until a worker serves.

    Raises
    ------
    UsageError
        If the address is taken, or none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise UsageError(
            f"--host {host} --port {port}: {error.strerror or error}. Choose another port with -p, or end what uses it."
        ) from None
    return made
