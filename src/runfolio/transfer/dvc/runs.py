"""A revision of a DVC repository as a run: params, metrics with the histories that dvclive keeps, what was made, what was read."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.formats.dvc import DvcOut
from runfolio.records import DatasetInput
from runfolio.transfer.dvc.declared import Declared, declared_of, structure
from runfolio.transfer.dvc.trees import Cache, Files
from runfolio.transfer.held import Draft, flat, number_of, stepped_image

_METRICS, _PICTURES = "plots/metrics/", "plots/images/"


@dataclass(slots=True)
class Reading:
    """A revision that is being read.

    Parameters
    ----------
    files : Files
    cache : Cache
    draft : Draft
    at : int
        When it was committed, milliseconds since the epoch, UTC.
    tell : callable
        Given in words what could not be read.
    """

    files: Files
    cache: Cache
    draft: Draft
    at: int
    tell: Callable[[str], None]
    first: int | None = None
    last: int | None = None
    last_step: int = 0

    def run(self) -> None:
        """Put all of it into the draft."""
        declared = declared_of(self.files, self.tell)
        folders = self._live_folders(declared)
        for path in dict.fromkeys([*declared.params, *(posixpath.join(folder, "params.yaml") for folder in folders)]):
            self._params(path)
        for folder in folders:
            self._live(folder)
        for path in declared.metrics:
            if path not in self.files.paths:
                self.tell(f"{path}: dvc.yaml names it, and it is not there")
        for path in declared.metrics:
            if posixpath.dirname(path) not in folders or posixpath.basename(path) != "metrics.json":
                self._metrics(path)
        self._files(declared, folders)
        for out in declared.made:
            self._made(out)
        for out in declared.read:
            self._read(out)
        commands = list(declared.commands.values())
        self.draft.tag("mlflow.source.name", commands[0] if len(commands) == 1 else "")
        for name, command in declared.commands.items() if len(commands) > 1 else ():
            self.draft.tag(f"dvc.stage.{name}", command)
        if declared.artifacts:
            self.draft.files["dvc-artifacts.json"] = json.dumps(declared.artifacts, indent=1, default=str).encode()

    def _live_folders(self, declared: Declared) -> list[str]:
        """Find folders of dvclive: a ``metrics.json`` beside ``plots`` or named by a ``dvc.yaml``, or histories alone."""
        found = [posixpath.dirname(path) for path in declared.metrics if posixpath.basename(path) == "metrics.json"]
        for path in self.files.paths:
            head, mark, _ = f"/{path}".partition(f"/{_METRICS}")
            if mark and path.endswith(".tsv"):
                found.append(head.lstrip("/"))
            elif path == "metrics.json" and not declared.metrics:
                found.append("")
        return sorted(set(found))

    def _params(self, path: str) -> None:
        value = structure(self.files, path, self.tell)
        if not isinstance(value, Mapping):
            return
        for key, item in flat(value):
            if self.draft.params.get(key, str(item)) != str(item):
                key = f"{path}:{key}"
            self.draft.param(key, item)

    def _live(self, folder: str) -> None:
        start = posixpath.join(folder, _METRICS)
        for path in self.files.paths:
            if path.startswith(start) and path.endswith(".tsv"):
                self._history(path, path[len(start) : -len(".tsv")])
        value = structure(self.files, posixpath.join(folder, "metrics.json"), self.tell)
        for key, item in flat(value, joint="/") if isinstance(value, Mapping) else ():
            if key != "step" or not self.draft.histories:
                self._final(key, item)

    def _history(self, path: str, key: str) -> None:
        lines = (self.files.read(path) or b"").decode("utf-8", "replace").splitlines()
        header = lines[0].split("\t") if lines else []
        name = key.rpartition("/")[2]
        column = header.index(name) if name in header else len(header) - 1
        wrong = 0
        for at, line in enumerate(lines[1:]):
            row = dict(zip(header, line.split("\t"), strict=False))
            try:
                value = float(line.split("\t")[column])
                step = int(float(row.get("step", at)))
                moment = int(float(row["timestamp"])) if row.get("timestamp") else None
            except (ValueError, IndexError, OverflowError):
                wrong += 1
                continue
            if moment is not None:
                self.first = moment if self.first is None else min(self.first, moment)
                self.last = moment if self.last is None else max(self.last, moment)
            self.draft.point(key, value, self.at if moment is None else moment, step)
            self.last_step = max(self.last_step, step)
        if wrong:
            self.tell(f"{path}: {wrong} of {len(lines) - 1} lines hold no point (step, value); they were left out")

    def _metrics(self, path: str) -> None:
        value = structure(self.files, path, self.tell)
        for key, item in flat(value) if isinstance(value, Mapping) else ():
            self._final(key, item)

    def _final(self, key: str, item: Any) -> None:
        number = number_of(item)
        if number is not None:
            self.draft.final(key, number, self.at, self.last_step)
        elif item is not None:
            self.draft.tag(f"summary.{key}", item)

    def _files(self, declared: Declared, folders: list[str]) -> None:
        """Take what dvclive and plots have; histories became metrics, ``metrics.json`` too."""
        inside = tuple(f"{folder}/" for folder in folders if folder)
        for path in self.files.paths:
            name = posixpath.basename(path)
            plot = any(path == found or path.startswith(f"{found}/") for found in declared.plots)
            if f"/{_METRICS}" in f"/{path}" and path.endswith(".tsv"):
                continue
            live = path.startswith(inside) and name not in ("metrics.json", "params.yaml") and not path.endswith(".dvc")
            if live or plot or name in ("dvc.yaml", "dvc.lock") or ("" in folders and self._of_live(path)):
                self.draft.files[self._named(path)] = self.files.place(path)

    @staticmethod
    def _of_live(path: str) -> bool:
        """Tell whether a file is dvclive's, where its folder is the root."""
        return path.startswith(("plots/", "static/", "artifacts/")) or path in ("report.md", "report.html", "report.ipynb")

    def _named(self, path: str) -> str:
        """Name a picture of a series (``plots/images/KEY/3.png``) as the site's pages look for it, all else as it is."""
        _, mark, inner = f"/{path}".partition(f"/{_PICTURES}")
        key, _, last = inner.rpartition("/")
        stem, ending = posixpath.splitext(last)
        if mark and key and stem.isdigit() and ending[1:].isalnum():
            return stepped_image(key, int(stem), self.at, path, ending)
        return path

    def _made(self, out: DvcOut) -> None:
        for path, digest in self._listed(out):
            if path in self.draft.files or path in self.files.paths:
                continue
            place = self.cache.file(digest)
            if place is None:
                self.tell(f"{path} ({digest}) is not in DVC's cache on this machine; fetch it with dvc fetch, and import again")
                continue
            self.draft.files[self._named(path)] = place

    def _listed(self, out: DvcOut) -> list[tuple[str, str]]:
        if not out.digest.endswith(".dir"):
            return [(out.path, out.digest)]
        listed = self.cache.listing(out.digest)
        if listed is None:
            return [(out.path, out.digest)]
        return [(posixpath.join(out.path, path), digest) for path, digest in listed]

    def _read(self, out: DvcOut) -> None:
        where = {"path": out.path, "digest": out.digest, **({"remote": out.remote} if out.remote else {})}
        schema = {key: number for key, number in (("size", out.size), ("files", out.files)) if number is not None}
        self.draft.inputs.append(
            DatasetInput(
                out.path, out.digest.removeprefix("md5:"), "dvc", json.dumps(where), "", json.dumps(schema) if schema else ""
            )
        )
