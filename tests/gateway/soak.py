"""Clients that log to a gateway while it is killed and started again; then everything that was answered must be there.

``python -m tests.gateway.soak FOLDER [--clients 8] [--runs 400] [--kills 5]`` makes a folio in an empty folder and prints what it found; MLflow is the one
that the Python sees. Each client logs runs of its own (param, metrics, tag, an artifact through the proxy) and a point a run to a run that all share,
by the REST calls of MLflow's clients over a connection that is kept. A call that was not answered is sent again, as MLflow's clients do.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runfolio.tracking.client import RunfolioClient
from tests.gateway.served import gateway
from tests.gateway.versions import Version

PATIENCE_S = 180


@dataclass
class Told:
    """What was answered, and so must be there: artifacts by run and path, points of the shared run by metric."""

    runs: dict[str, tuple[int, int]] = field(default_factory=dict)
    shared: dict[str, list[float]] = field(default_factory=dict)
    sent_again: int = 0
    faults: list[str] = field(default_factory=list)


class Client(threading.Thread):
    """One client, which logs some runs."""

    def __init__(self, number: int, port: int, token: str, runs: int, experiment: str, shared: str, told: Told) -> None:
        super().__init__(daemon=True)
        self.number, self.port, self.token, self.runs, self.told = number, port, token, runs, told
        self.experiment, self.shared = experiment, shared
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def call(self, path: str, body: Any, method: str = "POST", version: str = "2.0/mlflow") -> Any:
        """Send a request until it is answered."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._connection.request(method, f"/api/{version}/{path}", data, headers)
                answer = self._connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                if time.monotonic() > until:
                    raise
                self.told.sent_again += 1
                time.sleep(0.1)
                continue
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {content[:500]!r}")
            return json.loads(content or b"{}")

    def run(self) -> None:
        """Log the runs."""
        try:
            for at in range(self.runs):
                self._one(at)
        except (RuntimeError, OSError, http.client.HTTPException) as error:
            self.told.faults.append(f"client {self.number}: {error}")
        finally:
            self._connection.close()

    def _one(self, at: int) -> None:
        now = time.time_ns() // 1_000_000
        run = self.call("runs/create", {"experiment_id": self.experiment, "start_time": now})["run"]["info"]["run_id"]
        self.call("runs/log-parameter", {"run_id": run, "key": "number", "value": str(at)})
        for step in range(2):
            self.call("runs/log-metric", {"run_id": run, "key": "loss", "value": at + step, "timestamp": now, "step": step})
        self.call("runs/set-tag", {"run_id": run, "key": "client", "value": str(self.number)})
        self.call(f"mlflow-artifacts/artifacts/runs/{run}/notes/a.txt", content_of(self.number, at), "PUT", "2.0")
        key = f"of-{self.number}"
        self.call("runs/log-metric", {"run_id": self.shared, "key": key, "value": at, "timestamp": now, "step": at})
        self.told.shared.setdefault(key, []).append(float(at))
        self.call("runs/update", {"run_id": run, "status": "FINISHED", "end_time": now + 1})
        self.told.runs[run] = (self.number, at)


def content_of(client: int, at: int) -> bytes:
    """Return the artifact of a client's run."""
    return f"client {client}, run {at}\n".encode() * 50


def soak(version: Version, folio: Path, clients: int, runs: int, kills: int) -> Told:
    """Let clients log, kill the gateway meanwhile, and return what was answered."""
    told = Told()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = folio.parent / "token"
    token.write_text("a-token-that-stays")
    options = ("--port", str(port), "--token-file", str(token))
    workers: list[Client] = []
    first = Client(-1, port, token.read_text(), 0, "", "", told)
    shared = ""
    for kill in range(kills + 1):
        with gateway(version, folio, *options) as served:
            if not workers:
                experiment = first.call("experiments/create", {"name": "soak"})["experiment_id"]
                shared = first.call("runs/create", {"experiment_id": experiment, "run_name": "shared"})["run"]["info"]["run_id"]
                workers = [Client(number, port, served.token, runs, experiment, shared, told) for number in range(clients)]
                for worker in workers:
                    worker.start()
            if kill < kills:
                _wait(workers, told, (kill + 1) * clients * runs // (kills + 1))
                served.kill()
                continue
            _wait(workers, told, None)
            first.call("runs/update", {"run_id": shared, "status": "FINISHED", "end_time": time.time_ns() // 1_000_000})
            told.runs[shared] = (-1, 0)
            first.close()
    return told


def _wait(workers: list[Client], told: Told, enough: int | None) -> None:
    """Wait until so many runs were answered for; for None, until all clients are done."""
    while any(worker.is_alive() for worker in workers) and (enough is None or len(told.runs) < enough):
        time.sleep(0.02)


def missing(folio: Path, told: Told) -> list[str]:
    """Return what was answered and is not there."""
    client = RunfolioClient(str(folio))
    runs = client._session().folio.runs
    lost = list(told.faults)
    for run_id, (number, at) in told.runs.items():
        run = client.get_run(run_id)
        if number < 0:
            for key, values in told.shared.items():
                there = [point.value for point in client.get_metric_history(run_id, key)]
                lost += [f"the shared run: {key} = {value}" for value in values if value not in there]
        else:
            seen = (run.data.params.get("number"), run.data.metrics.get("loss"), run.data.tags.get("client"))
            if seen != (str(at), float(at + 1), str(number)):
                lost.append(f"{run_id}: {seen}")
            entry = runs.artifacts(runs.get(run_id)).get("notes/a.txt")
            if entry is None or client._session().folio.store.read(entry.digest) != content_of(number, at):
                lost.append(f"{run_id}: notes/a.txt")
        if run.info.status != "FINISHED":
            lost.append(f"{run_id}: {run.info.status}")
    return lost


def main() -> int:
    """Soak, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.gateway.soak")
    parser.add_argument("folder", type=Path, help="where the folio is made")
    for name, default in (("clients", 8), ("runs", 400), ("kills", 5)):
        parser.add_argument(f"--{name}", type=int, default=default, help="a client" if name == "runs" else None)
    chosen = parser.parse_args()
    folio = chosen.folder / "folio"
    folio.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "runfolio", "init", str(folio)], check=True, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    told = soak(Version("here", os.environ.get("PYTHONPATH", "")), folio, chosen.clients, chosen.runs, chosen.kills)
    took = time.monotonic() - began
    lost = missing(folio, told)
    per_second = len(told.runs) / took
    print(
        f"{len(told.runs)} runs answered for, {chosen.kills} kills, {told.sent_again} calls sent again, {per_second:.0f} runs a second"
    )
    print("\n".join(lost) if lost else "nothing is missing")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
