"""A worker: one process that loads one model and answers until it is told to end. Started by the supervisor only.

It is told what to do by one line of JSON on standard input, and ends when that is closed: a supervisor that dies leaves nobody
behind. It says one line on the descriptor that it was given: that it serves, or why it cannot. SIGTERM: it takes no new connection,
answers what is under way, and ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from runfolio.errors import EXIT_DONE, RunfolioError, missing_package
from runfolio.serving.counters import Counters
from runfolio.serving.logs import log_warnings, start_logging
from runfolio.serving.options import ServeOptions

_log = logging.getLogger("runfolio.serving")
STUCK_EXIT = 75
"""The worker asks to be replaced: predictions that never end hold too many of its threads."""

BACKLOG = 2048
_SWITCH_S = 0.001
_TURNS = 20


def main() -> int:
    """Serve until the end."""
    said = json.loads(sys.stdin.buffer.readline())
    options = ServeOptions.from_fields(said["options"])
    start_logging(options.log_format)
    log_warnings()
    report = os.fdopen(said["report"], "w", encoding="utf-8")
    try:
        serving = _Serving(said, options)
    except RunfolioError as error:
        report.write(json.dumps({"error": error.message, "exit_code": error.exit_code}) + "\n")
        report.close()
        return error.exit_code
    # The threads that predict and the one that reads and writes share a lock: it changes hands sooner than Python's 5 ms.
    sys.setswitchinterval(_SWITCH_S)
    return asyncio.run(serving.serve(report))


class _Serving:
    def __init__(self, said: dict[str, Any], options: ServeOptions) -> None:
        try:
            import runfolio.serving.http  # noqa: F401 # asked first: what loads the model comes to it, too
        except ImportError as error:
            raise missing_package("httptools", "serve", "serve models over HTTP") from error
        from runfolio.serving.loading import load

        self._options = options
        self._folder = Path(said["folder"])
        self._socket = socket.socket(fileno=said["socket"])
        self._predictor = load(Path(said["model"]), options)
        self._counters = Counters(self._folder / said["counters"])
        self._ending = asyncio.Event()
        self._code = EXIT_DONE

    async def serve(self, report: Any) -> int:
        from runfolio.serving.app import App
        from runfolio.serving.http import Listener

        loop = asyncio.get_running_loop()
        app = App(self._predictor, self._options, self._counters, self._folder, loop)
        listener = Listener(self._options, app)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ending.set)
        loop.add_reader(sys.stdin.fileno(), self._hear)
        server = await loop.create_server(listener.connect, sock=self._socket, backlog=BACKLOG)
        sweeping = loop.create_task(listener.sweep_for_ever(lambda now: self._look(app, listener, now)))
        self._counters.put("alive", 1)
        self._counters.put("beat", time.monotonic())  # the first sweep may never come: the first request may hold the lock
        way = self._predictor.way
        report.write(json.dumps({"ready": True, "arrays": way is not None, "joins": self._predictor.joins}) + "\n")
        report.close()
        await self._ending.wait()
        # What the loop has accepted becomes a connection some turns later, and none of a server that is closed: it would be reset.
        loop.remove_reader(self._socket.fileno())
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        server.close()
        listener.drain()
        await self._drained(listener)
        sweeping.cancel()
        self._counters.leave()
        return self._code

    def _hear(self) -> None:
        if not os.read(sys.stdin.fileno(), 1024):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            self._ending.set()

    def _look(self, app: Any, listener: Any, now: float) -> None:
        from runfolio.serving.lanes import MAX_STUCK

        app.sweep(now)
        self._counters.put("connections", len(listener.connections))
        memory = resident_bytes()
        self._counters.put("resident_bytes", memory)
        reason = ""
        if app.lanes.stuck >= MAX_STUCK:
            reason, self._code = f"{app.lanes.stuck} predictions never ended", STUCK_EXIT
        elif self._options.max_requests and app.answered >= self._options.max_requests:
            reason = f"{app.answered} requests were answered (--max-requests)"
        elif self._options.max_memory and memory > self._options.max_memory:
            reason = f"it holds {memory >> 20} MB (--max-memory)"
        if reason and self._counters.get("alive") == 1:
            _log.warning("this worker asks to be replaced: %s", reason)
            self._counters.put("alive", 2)

    async def _drained(self, listener: Any) -> None:
        end = asyncio.get_running_loop().time() + self._options.shutdown_timeout_s
        while listener.connections and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)


def resident_bytes() -> int:
    """Return the memory that this process holds; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Not sys.exit: threads of a model that never end would hold the process.
    os._exit(code)
