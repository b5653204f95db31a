"""What a server says on standard error: lines of text, or of JSON; each request only where it was asked for."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from datetime import datetime, timezone
from typing import Any

LOGGER = "runfolio.serving"
_PLAIN = ("event", "status", "path", "seconds", "rows", "model", "version", "worker")


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        text = f"{moment} {record.levelname.lower()} {_oneline(record.getMessage())}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "pid": record.process,
        }
        said.update({name: getattr(record, name) for name in _PLAIN if hasattr(record, name)})
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str)


def _oneline(text: str) -> str:
    """Return the text without what would make a second line of it: what a client sent is in some of them."""
    return text.encode("unicode_escape").decode() if any(ord(letter) < 32 or letter == "\x7f" for letter in text) else text


def start_logging(form: str) -> logging.Logger:
    """Send the log to standard error.

    Parameters
    ----------
    form : {"text", "json"}
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Lines())
    logger = logging.getLogger("runfolio")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logging.getLogger(LOGGER)


def log_warnings() -> None:
    """Make what is warned of, here and in libraries, lines of the log."""
    log = logging.getLogger(LOGGER)

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        log.warning("%s: %s", category.__name__, " ".join(str(message).split()))

    warnings.showwarning = show
