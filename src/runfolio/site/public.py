"""What a site for everybody leaves out of the records, and what one that is not made so would show.

An allow-list by field where a field is private by nature, a mask where it is only private at times:

- gone: the user, notices, notes (``mlflow.note.content``), arguments of the script, the git remote, files left out of the code, the host,
  the source of datasets, params and tags that ``site.hide`` names, artifacts that no pattern of ``site.artifacts.publish`` fits;
- masked in every text that stays: home folders (``~``), and the user's and host's own names (``***``).

What slips through is caught by :mod:`runfolio.site.canary`, which reads the files that were written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from runfolio._dataclass import dataclass
from runfolio._pattern import pattern
from runfolio.records.settings import SiteSettings

PRIVATE_FIELDS = ("user", "notices")
PRIVATE_TAGS = ("mlflow.note.content", "mlflow.user", "mlflow.source.git.repoURL", "mlflow.source.name")
_NAME = r"[^/\\\s\"'<>:&,;]+"
HOME = pattern(
    rf"(?:(?<![\w.~/\-])|(?<=file://))/(?:home|Users)/{_NAME}|(?<!\w)[A-Za-z]:\\{{1,2}}Users\\{{1,2}}{_NAME}|(?<![\w./])/root(?=/)"
)
_HOME_PARTS = ("/home/", "/Users/", "\\Users\\", "/root/")
_HOME_BYTES = tuple(part.encode() for part in _HOME_PARTS)
MASK = "***"
_WORD = 4
"""Letters that a name must have to be looked for in other texts: ``ann`` is in ``annotations``, and in every other table."""

_SHOWN_BY_DEFAULT = (
    ("user names", b'\n  "user": "', rb'\n  "user": "'),
    ("arguments of scripts", b'\n    "args": [', rb'\n  "entry": \{\n(?:    .*\n)*?    "args": \['),
    ("addresses of git remotes", b'\n    "remote": "', rb'\n  "code": \{\n(?:    .*\n)*?    "remote": "'),
    ("host names", b'\n    "host": "', rb'\n  "environment": \{\n(?:    .*\n)*?    "host": "'),
    ("notes", b'\n    "mlflow.note.content": "', rb'\n    "mlflow\.note\.content": "'),
)
"""What to say, a line that such a record has, and where the line must stand."""
_HOMES = "paths of home folders"


def fits(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether a name fits one of some shell patterns; ``*`` also stands for ``/``."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Redaction:
    """Takes the private parts out of records; nothing where `public` is false.

    Parameters
    ----------
    public : bool
    hide : tuple of str
        Shell patterns of params and tags.
    publish : tuple of str
        Shell patterns of artifacts.
    """

    public: bool = False
    hide: tuple[str, ...] = ()
    publish: tuple[str, ...] = ("*",)

    def record(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a run's record without its private parts.

        Parameters
        ----------
        record : dict
            JSON values; not used by the caller afterwards.
        """
        if not self.public:
            return record
        own = own_names(record)
        for name in PRIVATE_FIELDS:
            record.pop(name, None)
        made: dict[str, Any] = _masked({**record, **self._sections(record)}, own)
        return made

    def shown(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        """Return params or tags without those that are hidden."""
        if not self.public:
            return dict(entries)
        return {key: value for key, value in entries.items() if key not in PRIVATE_TAGS and not fits(key, self.hide)}

    def artifacts(self, entries: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return artifacts without those that no pattern names."""
        return {path: entry for path, entry in entries.items() if fits(path, self.publish)} if self.public else entries

    def text(self, text: str) -> str:
        """Return a text without paths of home folders."""
        return HOME.sub("~", text) if self.public else text

    def _sections(self, record: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name in ("params", "tags"):
            if name in record:
                made[name] = self.shown(record[name])
        for name, gone in (("entry", ("args",)), ("code", ("remote", "left_out")), ("environment", ("host",))):
            if name in record:
                made[name] = {key: value for key, value in record[name].items() if key not in gone}
        if "inputs" in record:
            made["inputs"] = [{key: value for key, value in item.items() if key != "source"} for item in record["inputs"]]
        if "artifacts" in record:
            made["artifacts"] = self.artifacts(record["artifacts"])
            made["artifact_count"] = record.get("artifact_count", len(record["artifacts"]))
        return made


def redaction_of(settings: SiteSettings, public: bool) -> Redaction:
    """Return what a build leaves out."""
    return Redaction(public, settings.hide, settings.artifacts.publish)


def own_names(record: Mapping[str, Any]) -> list[str]:
    """Return the names of the person and machine of a record that are long enough to be looked for."""
    found = (record.get("user"), record.get("environment", {}).get("host"))
    return [name for name in found if isinstance(name, str) and len(name) >= _WORD]


def count_private(bodies: Iterable[bytes]) -> dict[str, int]:
    """Return how many records show what of people and machines.

    Parameters
    ----------
    bodies : iterable of bytes
        Records in the canonical spelling.
    """
    # The canonical spelling says where a field stands, so no record need be parsed.
    counts = dict.fromkeys([*(words for words, _, _ in _SHOWN_BY_DEFAULT), _HOMES], 0)
    looked_for = [(words, line, re.compile(place).search) for words, line, place in _SHOWN_BY_DEFAULT]
    for body in bodies:
        for words, line, stands in looked_for:
            if line in body and stands(body):
                counts[words] += 1
        for part in _HOME_BYTES:
            if part in body:
                counts[_HOMES] += has_home(body.decode())
                break
    return {words: count for words, count in counts.items() if count}


def has_home(text: str) -> bool:
    """Tell whether a text names a home folder."""
    return any(part in text for part in _HOME_PARTS) and HOME.search(text) is not None


def _masked(value: Any, names: Sequence[str]) -> Any:
    """Mask the texts in JSON values; keys stay as they are, but for home folders."""
    if isinstance(value, str):
        value = HOME.sub("~", value) if has_home(value) else value
        for name in names:
            if name in value:
                value = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", MASK, value)
        return value
    if isinstance(value, Mapping):
        return {HOME.sub("~", key) if has_home(key) else key: _masked(entry, names) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(entry, names) for entry in value]
    return value
