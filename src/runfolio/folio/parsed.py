"""YAML files that were read before: by their content, so that a command that lists or logs need not load the parser (25 ms).

The file ``parsed.json`` beside the index holds what each text said, as JSON. It is disposable: damaged, of another version or not
writable, it is passed over without a word. A text is found by itself, whole, so a changed file is never answered from it; a text
that was read with a fault is not kept, and one that does not decode any more is parsed again, so that the fault has its line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from runfolio._version import __version__
from runfolio.errors import DamagedError
from runfolio.formats.yaml import MAX_BYTES, YamlDocument, read_yaml

FILE = "parsed.json"
MOST = 500
LONGEST = 16 * 1024
T_co = TypeVar("T_co", covariant=True)


class Decoder(Protocol[T_co]):
    """A decoder of a YAML file that takes the reader from its caller."""

    def __call__(self, data: bytes, where: str, *, read: Callable[..., YamlDocument]) -> T_co:
        """Decode a file."""


class ParsedFiles:
    """The YAML files that were read before.

    Parameters
    ----------
    folder : Path
        Where ``parsed.json`` is, or will be.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._known: dict[str, dict[str, Any]] | None = None
        self._changed = False

    def decode(self, decoder: Decoder[T_co], data: bytes, where: str) -> T_co:
        """Decode a file, parsed only where its text was not seen before.

        Raises
        ------
        DamagedError
            As the decoder says it.
        """
        text = data.decode("latin-1")  # one letter a byte, so that no two files share a text
        value = self._all().get(text)
        if value is not None:
            with suppress(DamagedError):
                return decoder(data, where, read=lambda data, where, *, limit=MAX_BYTES: YamlDocument(value, {}))
        read: list[YamlDocument] = []

        def reader(data: bytes, where: str, *, limit: int = MAX_BYTES) -> YamlDocument:
            read.append(read_yaml(data, where, limit=limit))
            return read[-1]

        made = decoder(data, where, read=reader)
        if len(read) == 1 and len(data) <= LONGEST:
            self._keep(text, read[0].value)
        return made

    def save(self) -> None:
        """Write down what was parsed since the last time, if anything was."""
        if not self._changed or self._known is None:
            return
        self._changed = False
        temporary = self._file.with_name(f"{FILE}.{os.getpid()}")
        with suppress(OSError):
            self._file.parent.mkdir(exist_ok=True)
            try:
                temporary.write_text(json.dumps({"version": __version__, "files": self._known}), "utf-8")
                os.replace(temporary, self._file)
            except OSError:
                temporary.unlink(missing_ok=True)

    def _keep(self, text: str, value: dict[str, Any]) -> None:
        known = self._all()
        if len(known) >= MOST:
            known.clear()
        known[text] = value
        self._changed = True

    def _all(self) -> dict[str, dict[str, Any]]:
        if self._known is None:
            self._known = {}
            try:
                found = json.loads(self._file.read_bytes())
            except (OSError, ValueError):
                return self._known
            files = found.get("files") if isinstance(found, dict) and found.get("version") == __version__ else None
            if isinstance(files, dict):
                self._known = {text: value for text, value in files.items() if isinstance(value, dict)}
        return self._known
