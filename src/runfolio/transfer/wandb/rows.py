"""What W&B logs, put into a draft: rows of the history, the summary, pictures under the names that the site's pages read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from runfolio.transfer.held import Draft, flat, number_of, stepped_image

HISTORY_FILE = "wandb-history.jsonl"
"""What was logged and is no number: text, histograms, where media lie; a line each, with its step and its time. Nulls are left out."""
SUMMARY_FILE = "wandb-summary.json"
_OWN = ("_step", "_timestamp", "_runtime", "_wandb")


def put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set a value in nested mappings."""
    for name in path[:-1]:
        below = tree.get(name)
        if not isinstance(below, dict):
            below = tree[name] = {}
        tree = below
    tree[path[-1]] = value


def drop(tree: dict[str, Any], path: tuple[str, ...]) -> None:
    """Take a value out of nested mappings."""
    for name in path[:-1]:
        below = tree.get(name)
        if not isinstance(below, dict):
            return
        tree = below
    tree.pop(path[-1], None)


class Rows:
    """The history of a run.

    Parameters
    ----------
    draft : Draft
    start : int
        When the run began, milliseconds since the epoch, UTC: of rows that say no time.
    """

    def __init__(self, draft: Draft, start: int) -> None:
        self._draft = draft
        self.last_at, self.last_step = start, 0
        self.first_at: int | None = None
        self.others: list[str] = []
        self.pictures: dict[str, list[str]] = {}  # names here by the path there
        self._texts: set[str] = set()

    def add(self, row: Mapping[str, Any], step: int | None = None) -> None:
        """Add a row: values by their name, ``_step`` and ``_timestamp`` (seconds) among them."""
        said, seconds = number_of(row.get("_step")), number_of(row.get("_timestamp"))
        if said is not None and math.isfinite(said):
            step = int(said)
        self.last_step = max(self.last_step, step or 0)
        if seconds is not None and math.isfinite(seconds):
            self.last_at = int(seconds * 1000)
            self.first_at = self.last_at if self.first_at is None else self.first_at
        for key, value in _values({key: value for key, value in row.items() if key not in _OWN}):
            number = number_of(value)
            if number is not None:
                self._draft.point(key, number, self.last_at, step or 0)
            elif value is not None:
                self._other(key, value, step or 0)

    def _other(self, key: str, value: Any, step: int) -> None:
        self._texts.add(key)
        line = {"step": step, "timestamp": self.last_at, "key": key, "value": value}
        pictures = list(self._pictures_of(key, value, step)) if isinstance(value, Mapping) else []
        if pictures:
            line["artifacts"] = pictures
        self.others.append(json.dumps(line))

    def _pictures_of(self, key: str, value: Mapping[str, Any], step: int) -> Iterator[str]:
        """Name a row's pictures as the site's pages look for them."""
        kind = value.get("_type")
        named = [value.get("path")] if kind == "image-file" else value.get("filenames") if kind == "images/separated" else []
        for at, path in enumerate(named if isinstance(named, list) else []):
            ending = PurePosixPath(str(path)).suffix
            if ending[1:].isalnum():
                made = stepped_image(key, step, self.last_at, f"{path} {at}", ending)
                self.pictures.setdefault(str(path), []).append(made)
                yield made

    def summary(self, tree: Mapping[str, Any]) -> None:
        """Set what only the summary says: numbers as metrics with one point, text as tags; all of it is kept as a file."""
        for key, value in _values({key: value for key, value in tree.items() if key not in _OWN}):
            number = number_of(value)
            if number is None:
                if isinstance(value, str) and key not in self._texts:
                    self._draft.tag(f"summary.{key}", value)
            else:
                self._draft.final(key, number, self.last_at, self.last_step)
        if tree:
            self._draft.files.setdefault(SUMMARY_FILE, json.dumps(tree, indent=1).encode())

    def close(self) -> None:
        """Keep what is no number as a file."""
        if self.others:
            self._draft.files[HISTORY_FILE] = "".join(f"{line}\n" for line in self.others).encode()


def _values(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a row; what has a type of W&B's own (an image, a histogram) is one."""
    for key, value in tree.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, Mapping) and value and "_type" not in value:
            yield from _values(value, name)
        else:
            yield name, value


def set_config(draft: Draft, config: Mapping[str, Any]) -> None:
    """Set the params of a config; W&B's own part of it is left out."""
    for key, value in flat({key: value for key, value in config.items() if key != "_wandb"}):
        draft.param(key, value)
