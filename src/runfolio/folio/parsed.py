"""YAML files that were read before: by their content, so that a command that lists or logs need not load the parser (25 ms).

The file ``parsed.json`` beside the index holds what each text said, as JSON. It is disposable: damaged, of another version or not
writable, it is passed over without a word. A text is found by itself, whole, so a changed file is never answered from it; a text
that was read with a fault is not kept, and one that does not decode any more is parsed again, so that the fault has its line.

A process holds one of these a folder (:func:`parsed_files`), and in it what it decoded: asked for the same file again and again, it
decodes once. It writes the file down when it first has something to add, then now and then, and when it ends.
"""

from __future__ import annotations

import atexit
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import get_ident

from runfolio._typing import Any, Protocol, TypeVar, cast
from runfolio._version import __version__
from runfolio.errors import DamagedError
from runfolio.formats.yaml import MAX_BYTES, YamlDocument, read_yaml

FILE = "parsed.json"
MOST = 500
SAVE_AGAIN_S = 5.0
"""A long-lived process does not write the file at each change of a registry."""
LONGEST = 16 * 1024
_MOST_FOLDERS = 32
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
        self.folder = folder
        self._file = folder / FILE
        self._known: dict[str, dict[str, Any]] | None = None
        self._changed = False
        self._decoded: dict[tuple[object, str, bytes], Any] = {}
        self._saved_at: float | None = None

    def decode(self, decoder: Decoder[T_co], data: bytes, where: str) -> T_co:
        """Decode a file, parsed only where its text was not seen before.

        Raises
        ------
        DamagedError
            As the decoder says it.
        """
        held = self._decoded.get((decoder, where, data))
        if held is None:
            held = self._decode(decoder, data, where)
            self._remember(decoder, data, where, held)
        return cast("T_co", held)

    def wrote(self, decoder: Decoder[Any], data: bytes, where: str, made: object, value: dict[str, Any]) -> None:
        """Take note of a file that this process wrote, so that it need not be parsed to be read again.

        Parameters
        ----------
        decoder : callable
        data : bytes
        where : str
        made : object
            What the decoder makes of it.
        value : dict
            What the parser makes of it.
        """
        if len(data) <= LONGEST:
            self._remember(decoder, data, where, made)
            self._keep(data.decode("latin-1"), value)

    def _remember(self, decoder: Decoder[Any], data: bytes, where: str, made: object) -> None:
        if len(self._decoded) >= MOST:
            self._decoded.clear()
        if len(data) <= LONGEST:
            self._decoded[decoder, where, data] = made

    def _decode(self, decoder: Decoder[T_co], data: bytes, where: str) -> T_co:
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
        """Write down what was parsed since the last time, if anything was and that time is not just past."""
        now = time.monotonic()
        if self._saved_at is None or now - self._saved_at > SAVE_AGAIN_S:
            self.save_now()

    def save_now(self) -> None:
        """Write down what was parsed since the last time, if anything was."""
        if not self._changed or self._known is None:
            return
        self._changed, self._saved_at = False, time.monotonic()
        temporary = self._file.with_name(f"{FILE}.{os.getpid()}-{get_ident():x}")
        with suppress(OSError):
            self._file.parent.mkdir(exist_ok=True)
            try:
                temporary.write_text(json.dumps({"version": __version__, "files": dict(self._known)}), "utf-8")
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
            try:
                found = json.loads(self._file.read_bytes())
            except (OSError, ValueError):
                found = None
            files = found.get("files") if isinstance(found, dict) and found.get("version") == __version__ else None
            self._known = (
                {text: value for text, value in files.items() if isinstance(value, dict)} if isinstance(files, dict) else {}
            )
        return self._known


_held: dict[Path, ParsedFiles] = {}


def parsed_files(folder: Path) -> ParsedFiles:
    """Return this process's parsed files of a folder.

    Parameters
    ----------
    folder : Path
        Where ``parsed.json`` is, or will be.
    """
    held = _held.get(folder)
    if held is None:
        if len(_held) >= _MOST_FOLDERS:
            _save_all()
            _held.clear()
        held = _held.setdefault(folder, ParsedFiles(folder))
    return held


@atexit.register
def _save_all() -> None:
    for parsed in list(_held.values()):  # a list, for another thread may open a folio meanwhile
        with suppress(OSError):
            if parsed.folder.is_dir():  # a folio that was removed meanwhile is not made again
                parsed.save_now()
