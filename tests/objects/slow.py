"""A proxy that counts what goes up through it, and lets no more than so much through in a second."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from tests.objects.s3 import Proxy


class SlowProxy(Proxy):
    """Passes bytes of TCP connections on, up ones at a limited rate.

    Parameters
    ----------
    endpoint : str
    rate : float
        Bytes a second, of all connections together.
    """

    def __init__(self, endpoint: str, rate: float) -> None:
        self._rate, self._free = rate, time.monotonic()
        self._changed = threading.Condition()
        self.up = 0
        super().__init__(endpoint)

    def wait_for(self, count: int, timeout_s: float) -> bool:
        """Wait until so many bytes went up, or so long."""
        with self._changed:
            return self._changed.wait_for(lambda: self.up >= count, timeout_s)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), socket.create_connection(self._target) as server:
            answers = threading.Thread(target=self._pass_on, args=(server, connection, False), daemon=True)
            answers.start()
            self._pass_on(connection, server, True)
            answers.join()

    def _pass_on(self, source: socket.socket, target: socket.socket, up: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(1 << 16):
                if up:
                    self._take_turn(len(chunk))
                target.sendall(chunk)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _take_turn(self, size: int) -> None:
        with self._changed:
            self.up += size
            self._changed.notify_all()
            self._free = max(self._free, time.monotonic()) + size / self._rate
            wait = self._free - time.monotonic()
        if wait > 0:
            time.sleep(wait)
