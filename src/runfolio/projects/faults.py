"""A YAML file as MLflow reads it, with every fault noted and its line.

Values are those of YAML 1.1, which MLflow reads (``no`` is false, ``1e-3`` is text), so that a default means here what it means
there. Doubled keys are faults; only what is asked for is walked, so that aliases cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from runfolio.errors import NotFoundError, UsageError, sentence, storage_error

MAX_BYTES = 256 * 1024


class YamlFile:
    """A file of YAML, and what is wrong with it.

    Parameters
    ----------
    path : Path
    name : str
        How messages call it.
    """

    def __init__(self, path: Path, name: str) -> None:
        import yaml

        self.name = name
        self.faults: list[tuple[int, str]] = []
        self.notices: list[str] = []
        self.value: Any = {}
        self._root: Any = None
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"{name}: there is no such file.") from None
        except OSError as error:
            raise storage_error(f"read {name}", error) from None
        if len(data) > MAX_BYTES:
            raise UsageError(f"{name}: {len(data):,} bytes are too many: {MAX_BYTES:,} are read at most.")
        try:
            text = data.decode("utf-8")
            self._root = yaml.compose(text, yaml.SafeLoader)
            self.value = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            said = getattr(error, "problem", None) or str(error)
            self.fault((), f"not YAML: {said}", mark.line + 1 if mark else 1)
        if self.value is None:
            self.value = {}
        if not self.faults and not isinstance(self.value, dict):
            self.fault((), f"'key: value' lines are expected, found {kind(self.value)}")
            self.value = {}

    def fault(self, path: Iterable[str | int], what: str, line: int | None = None) -> None:
        """Note a fault of the entry at a path of keys."""
        keys = tuple(path)
        name = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")
        at = self._line(keys) if line is None else line
        self.faults.append((at, f"{self.name}: line {at}: {name}: {what}" if name else f"{self.name}: line {at}: {what}"))

    def mapping(self, path: tuple[str | int, ...], known: Iterable[str] | None = None) -> dict[str, Any]:
        """Return the mapping at a path: empty where there is none; keys that are not known are told or noted.

        A key that looks like a known one is a fault; another is passed over, as MLflow does, and told.
        """
        import difflib

        value = self._at(path)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fault(path, f"'key: value' lines are expected, found {kind(value)}")
            return {}
        self._check_doubled(path)
        made: dict[str, Any] = {}
        for key, item in value.items():
            text = key if isinstance(key, str) else str(key)
            if known is not None and text not in known:
                near = difflib.get_close_matches(text, list(known), 1, 0.75)
                if near:
                    self.fault((*path, text), f"there is no such key. Did you mean {near[0]!r}?")
                else:
                    self.notices.append(
                        f"{self.name}: {'.'.join(str(part) for part in (*path, text))} is not known, and passed over"
                    )
                continue
            made[text] = item
        return made

    def text(self, path: tuple[str | int, ...], value: Any, *, default: str | None = None) -> str | None:
        """Return a value that must be text."""
        if value is None:
            return default
        if not isinstance(value, str):
            self.fault(path, f"text is expected, found {kind(value)}. Put it in quotes")
            return default
        return value

    def texts(self, path: tuple[str | int, ...], value: Any) -> list[str]:
        """Return a list of text."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(path, f"a list is expected, found {kind(value)}")
            return []
        for at, item in enumerate(value):
            if not isinstance(item, str):
                self.fault((*path, at), f"text is expected, found {kind(item)}. Put it in quotes")
        return [item for item in value if isinstance(item, str)]

    def report(self) -> None:
        """Raise with all faults.

        Raises
        ------
        UsageError
        """
        if self.faults:
            raise UsageError("\n".join(sentence(text) for _, text in sorted(self.faults)))

    def _at(self, path: tuple[str | int, ...]) -> Any:
        value = self.value
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def _node(self, path: Iterable[str | int]) -> Any:
        node = self._root
        for key in path:
            found = None
            if node is not None and isinstance(node.value, list):
                if isinstance(key, int):
                    found = node.value[key] if key < len(node.value) else None
                else:
                    found = next((pair[1] for pair in node.value if isinstance(pair, tuple) and pair[0].value == key), None)
            if found is None:
                break
            node = found
        return node

    def _line(self, path: tuple[str | int, ...]) -> int:
        node = self._node(path)
        return node.start_mark.line + 1 if node is not None else 1

    def _check_doubled(self, path: tuple[str | int, ...]) -> None:
        node = self._node(path)
        seen: set[str] = set()
        for pair in node.value if node is not None else ():
            if isinstance(pair, tuple):
                name = str(pair[0].value)
                if name in seen and name != "<<":
                    self.fault((*path, name), "the key is there twice. Keep one", pair[0].start_mark.line + 1)
                seen.add(name)


def kind(value: Any) -> str:
    """Say what a value is, in words."""
    if isinstance(value, bool):
        return f"{str(value).lower()!r}, which YAML reads as true or false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    return {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value), f"a {type(value).__name__}")
