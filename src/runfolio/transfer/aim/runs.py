"""A run of Aim, put into a draft: attributes, sequences with their contexts, pictures, logs, artifacts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError
from runfolio.transfer.aim.reading import NUMBERS, AimRun, Media, Sequence, media_of
from runfolio.transfer.held import Draft, flat, number_of, stepped_image

HISTORY_FILE = "aim-history.jsonl"
"""What was tracked and is no number: text, distributions, captions and places of media; a line each."""
_SYSTEM, _SYSTEM_PREFIX, _LOGS = "__system_params", "__system__", "aim.log_line"


@dataclass(slots=True)
class Reading:
    """A run that is being read.

    Parameters
    ----------
    run : AimRun
    run_hash : str
    draft : Draft
    created : int
        When it began, milliseconds since the epoch, UTC.
    tell : callable
        Given in words what could not be read.
    """

    run: AimRun
    run_hash: str
    draft: Draft
    created: int
    tell: Callable[[str], None]
    last: int = 0
    others: list[str] = field(default_factory=list)

    def take(self) -> None:
        """Put all of it into the draft."""
        self.last = self.created
        attributes = self.run.meta.get("attrs")
        for key, value in attributes.items() if isinstance(attributes, Mapping) else ():
            if key == _SYSTEM:
                self._system(value)
            else:
                for name, item in flat({str(key): value}):
                    self._param(name, item)
        for key, sequence in self._named(list(self.run.sequences())):
            try:
                self._sequence(key, sequence)
            except DamagedError as error:
                self.tell(error.message)
        for name, artifact in (self.run.meta.get("artifacts") or {}).items():
            self._artifact(str(name), str(getattr(artifact, "uri", "")))
        if self.others:
            self.draft.files[HISTORY_FILE] = "".join(f"{line}\n" for line in self.others).encode()

    def _param(self, name: str, value: Any) -> None:
        found = media_of(value)
        if not found:
            self.draft.param(name, value)
        elif len(found) == 1 and found[0].kind == "aim.text":
            self.draft.param(name, found[0].data.decode("utf-8", "replace"))
        else:
            self.tell(f"attribute {name}: an object ({found[0].kind}) is no param; it was not taken")

    def _system(self, said: Any) -> None:
        """Set what Aim saw of program, code and packages; environment variables are left where they are."""
        said = said if isinstance(said, Mapping) else {}
        arguments = [str(item) for item in said.get("arguments") or ()]
        git = said.get("git_info") or {}
        tag = self.draft.tag
        tag("mlflow.source.name", arguments[0] if arguments else "")
        tag("mlflow.source.type", "LOCAL" if arguments else "")
        tag("arguments", " ".join(arguments[1:]))
        tag("executable", said.get("executable"))
        commit = git.get("commit")
        tag("mlflow.source.git.commit", commit.get("hash") if isinstance(commit, Mapping) else commit)
        tag("mlflow.source.git.branch", git.get("branch"))
        tag("mlflow.source.git.repoURL", git.get("remote_origin_url"))
        packages = said.get("packages")
        if isinstance(packages, Mapping) and packages:
            self.draft.files["requirements.txt"] = "".join(
                f"{name}=={version}\n" for name, version in sorted(packages.items())
            ).encode()

    def _named(self, sequences: list[Sequence]) -> Iterator[tuple[str, Sequence]]:
        """Name sequences: a context of a subset alone is a prefix (``val/loss``) where no other has that name, else it is spelled out."""
        short = [_name(sequence, spelled_out=False) for sequence in sequences]
        taken: set[str] = set()
        for sequence, name in zip(sequences, short, strict=True):
            if short.count(name) > 1 and sequence.context:
                name = _name(sequence, spelled_out=True)
            if name in taken:
                self.tell(
                    f"{sequence.name} {json.dumps(dict(sequence.context), default=str)}: {name!r} is another's name, too; it has a number"
                )
                name = next(f"{name} {number}" for number in range(2, len(sequences) + 2) if f"{name} {number}" not in taken)
            taken.add(name)
            yield name, sequence

    def _sequence(self, key: str, sequence: Sequence) -> None:
        if sequence.kind == _LOGS:
            lines = [
                item.data.decode("utf-8", "replace") for _, _, value in self.run.values(sequence) for item in media_of(value)
            ]
            self.draft.files["output.log"] = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
            return
        for step, seconds, value in self.run.values(sequence):
            if seconds is not None:
                self.last = max(self.last, int(seconds * 1000))
            elif value is None:
                continue  # a hole before the first step
            at = self.created if seconds is None else int(seconds * 1000)
            number = number_of(value)
            if number is not None and sequence.kind in NUMBERS:
                self.draft.point(key, number, at, step)
                continue
            for place, media in enumerate(media_of(value)):
                self._media(key, media, step, at, place)

    def _media(self, key: str, media: Media, step: int, at: int, place: int) -> None:
        kind = media.kind.removeprefix("aim.")
        line: dict[str, Any] = {"step": step, "timestamp": at, "key": key, "type": kind, "value": media.said}
        if kind == "text":
            line["value"] = media.data.decode("utf-8", "replace")
        ending = "".join(letter for letter in str(media.said.get("format", "")).lower() if letter.isalnum())
        path = ""
        if kind == "image":
            path = stepped_image(key, step, at, f"{self.run_hash} {key} {step} {place}", f".{ending or 'png'}")
        elif kind == "audio":
            path = f"audio/{key}/{step}-{place}.{ending or 'wav'}"
        elif kind == "figure":
            path = f"figures/{key}/{step}-{place}.plotly.json"
        if path:
            self.draft.files[path] = media.data
            line["artifact"] = path
        self.others.append(json.dumps(line, default=str))

    def _artifact(self, name: str, uri: str) -> None:
        """Take a file that Aim put into a folder of the run; a file elsewhere is named, whoever wrote the repository."""
        parts = urlsplit(uri)
        place = Path(unquote(parts.path))
        if parts.scheme != "file" or self.run_hash not in place.parts or ".." in place.parts:
            self.tell(f"artifact {name} is at {uri}; it was not fetched")
        elif not place.is_file() or place.is_symlink():
            self.tell(f"artifact {name} is no longer at {uri}")
        else:
            self.draft.files[f"artifacts/{name}"] = place


def _name(sequence: Sequence, *, spelled_out: bool) -> str:
    if sequence.name.startswith(_SYSTEM_PREFIX):
        return f"system/{sequence.name[len(_SYSTEM_PREFIX) :]}"
    context = [str(value) if key == "subset" and not spelled_out else f"{key}:{value}" for key, value in flat(sequence.context)]
    return "/".join([*context, sequence.name])
