"""The target ``local``: a server process on this machine, which goes on when the command has ended.

What runs is ``runfolio models serve``. A file a deployment, in the folio's local folder (never committed), holds process, port and log. It
leaves no record in the folio unless ``record=true`` is asked for: what runs on one's own machine is nobody else's business.

While a server starts, a file ``.starting`` beside it holds its process: an order that is interrupted ends it, and the next order under that
name ends one whose order was killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from runfolio.deployments.calling import answers, ask
from runfolio.deployments.client import Config, Outcome, Target, whole
from runfolio.deployments.plan import Plan, Step, already_there, not_there
from runfolio.deployments.processes import birth, end, lives, start
from runfolio.errors import NotFoundError, RunfolioError, StateError, UsageError
from runfolio.records.names import slug_of

if TYPE_CHECKING:
    from runfolio.deployments.source import Source

_SERVE, _STOP = "start a server", "stop a server"
_PAUSE_S = 0.05
_HOST = "127.0.0.1"


class LocalDeploymentClient(Target):
    """Server processes on this machine."""

    name = "local"
    recorded = False
    ends_with_us = True
    keys: ClassVar[Mapping[str, str]] = {
        "port": "port to listen on; a free one by default",
        "workers": "processes that predict; 1 by default",
        "timeout": "seconds to wait until it answers; 120 by default",
    }

    @property
    def place(self) -> str:
        """There is one place only."""
        return ""

    def plan(self, verb: str, name: str, source: Source | None, config: Config) -> Plan:
        """Work out which process is started, and which is stopped."""
        plan = Plan(self.name, self.place, verb, name, source, config)
        if verb == "delete":
            return replace(plan, steps=(Step(_STOP, {"name": name}),))
        if source is None:
            raise UsageError("local: update takes the model, too: -m models:/NAME/VERSION")
        port, workers = whole(config.get("port", 0), "port"), whole(config.get("workers", 1), "workers", 1)
        uri = f"models:/{source.name}/{source.version}" if source.version else _absolute(source.uri)
        command = ["runfolio", "models", "serve", "-m", uri, "-h", _HOST, "-p", str(port or "FREE"), "-w", str(workers)]
        stop = (Step(_STOP, {"name": name}),) if verb == "update" else ()
        return replace(plan, steps=(Step(_SERVE, {"command": command}), *stop))

    def carry_out(self, plan: Plan) -> Outcome:
        """Start, replace or stop the process."""
        there = self._state(plan.name)
        self._end_left(plan.name)
        running = there is not None and lives(there["pid"], there["born"])
        if plan.verb == "delete":
            if there is not None:
                end(there["pid"], there["born"])
                self._file(plan.name).unlink(missing_ok=True)
            return Outcome()
        if plan.verb == "create" and running:
            raise already_there(plan)
        if plan.verb == "update" and not running:
            raise not_there(plan)
        command, config = list(plan.contents(_SERVE)[0]["command"]), plan.config or {}
        same = running and there is not None and str(there["port"]) == command[8]
        if same and there is not None:  # two servers cannot have one port
            end(there["pid"], there["born"])
        port = int(command[8]) if command[8].isdigit() else _free_port()
        command[8] = str(port)
        made = self._started(plan.name, command, port, whole(config.get("timeout", 120), "timeout", 1))
        if running and not same and there is not None:
            end(there["pid"], there["born"])
        self._keep(plan.name, made)
        return Outcome(endpoint=made["url"], shown={"url": made["url"], "pid": made["pid"], "log": made["log"]})

    def _started(self, name: str, command: list[str], port: int, timeout_s: int) -> dict[str, Any]:
        from runfolio.tracking.session import get_tracking_uri

        log = self._file(name).with_suffix(".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "RUNFOLIO_TRACKING_URI": os.path.abspath(os.path.expanduser(get_tracking_uri()))}
        pid = start([sys.executable, "-m", *command], env, log)
        born = birth(pid)
        self._starting(name).write_text(json.dumps({"pid": pid, "born": born}))
        deadline = time.monotonic() + timeout_s
        try:
            while not answers(f"http://{_HOST}:{port}/ping"):
                if not lives(pid, born) or time.monotonic() > deadline:
                    last = " | ".join(log.read_text("utf-8", "replace").strip().splitlines()[-3:])
                    raise StateError(f"The server of {name!r} did not start: {last or 'it said nothing'} (all of it: {log})")
                time.sleep(_PAUSE_S)
        except (RunfolioError, KeyboardInterrupt):
            self._end_left(name)
            raise
        url = f"http://{_HOST}:{port}"
        return {"name": name, "pid": pid, "born": born, "port": port, "url": url, "log": str(log), "model": command[4]}

    def _end_left(self, name: str) -> None:
        """End the server that an order under this name started, and did not see through."""
        file = self._starting(name)
        with suppress(FileNotFoundError, ValueError):
            left = json.loads(file.read_text())
            end(left["pid"], left["born"])
        file.unlink(missing_ok=True)

    def _starting(self, name: str) -> Path:
        return self._file(name).with_suffix(".starting")

    def _keep(self, name: str, made: Mapping[str, Any]) -> None:
        """Write what a server is to be found by, whole or not at all: then it is not one that is left over."""
        file = self._file(name)
        written = file.with_suffix(".new")
        written.write_text(json.dumps(made))
        written.replace(file)
        self._starting(name).unlink(missing_ok=True)

    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """List the processes that were started here."""
        return [self._shown(json.loads(file.read_text())) for file in sorted(_folder().glob("*.json"))]

    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, Any]:
        """Return address, process and whether it answers."""
        return self._shown(self._known(name))

    def predict(self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None) -> Any:
        """Ask the server."""
        return ask(f"{self._known(deployment_name or endpoint or '')['url']}/invocations", inputs)

    def _shown(self, state: dict[str, Any]) -> dict[str, Any]:
        running = lives(state["pid"], state["born"])
        up = running and answers(f"{state['url']}/ping")
        shown = {key: state[key] for key in ("name", "model", "url", "pid", "log")}
        return {**shown, "status": "Ready" if up else "Starting" if running else "Ended"}

    def _known(self, name: str) -> dict[str, Any]:
        found = self._state(name)
        if found is None:
            names = ", ".join(item["name"] for item in self.list_deployments()) or "none"
            raise NotFoundError(f"No deployment {name!r} was started here. There are: {names}.")
        return found

    def _state(self, name: str) -> dict[str, Any] | None:
        try:
            made: dict[str, Any] = json.loads(self._file(name).read_text())
        except (FileNotFoundError, ValueError):
            return None
        return made

    def _file(self, name: str) -> Path:
        if not name.strip():
            raise UsageError("Name the deployment: --name NAME")
        slug = slug_of(name)
        # Two names may have one slug: what is no slug gets a part of its digest.
        return _folder() / f"{slug if slug == name else f'{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}'}.json"


def _absolute(uri: str) -> str:
    return uri if uri.startswith("runs:/") else str(Path(uri.removeprefix("file:")).expanduser().resolve())


def _folder() -> Path:
    """Return where the files are: with the folio; without one, in the user's state folder."""
    from runfolio.tracking.client import RunfolioClient

    try:
        return RunfolioClient()._registry().place.local / "deployments"
    except RunfolioError:
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "runfolio" / "deployments"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def run_local(name: str, model_uri: str, flavor: str | None = None, config: Config | None = None) -> dict[str, Any]:
    """Serve a model on this machine."""
    return LocalDeploymentClient("local").create_deployment(name, model_uri, flavor, config)


def target_help() -> str:
    """Say what the target is and takes."""
    from runfolio.deployments.helping import help_text

    return help_text(LocalDeploymentClient, "local", "A server process on this machine; it goes on when the command has ended.")
