"""Objects over a socket between a sweep and its own worker: a length, then a pickle. Nobody else holds an end of the socket."""

from __future__ import annotations

import pickle
import socket
import struct
from typing import Any

from runfolio._dataclass import dataclass

_LENGTH = struct.Struct("!Q")


@dataclass(frozen=True, slots=True)
class Refused:
    """A worker could not log.

    Parameters
    ----------
    message : str
    errno : int or None
    """

    message: str
    errno: int | None = None


class Frames:
    """One end.

    Parameters
    ----------
    end : socket
    """

    def __init__(self, end: socket.socket) -> None:
        self.socket = end

    def send(self, value: Any) -> None:
        """Send an object."""
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        self.socket.sendall(_LENGTH.pack(len(data)) + data)

    def receive(self) -> Any:
        """Wait for an object; None where the other end is gone."""
        head = self._exactly(_LENGTH.size)
        data = self._exactly(_LENGTH.unpack(head)[0]) if head is not None else None
        return None if data is None else pickle.loads(data)  # noqa: S301 - what our own parent or worker packed

    def _exactly(self, size: int) -> bytes | None:
        parts, left = [], size
        while left:
            part = self.socket.recv(min(left, 1 << 20))
            if not part:
                return None
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
