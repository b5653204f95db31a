"""What a site for everybody leaves out of the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from runfolio.records.settings import SiteSettings

PRIVATE_FIELDS = ("user", "notices")


@dataclass(frozen=True, slots=True)
class Redaction:
    """Takes the private parts out of records; nothing where `public` is false.

    Parameters
    ----------
    public : bool
    hide : tuple of str
        Shell patterns of params and tags.
    """

    public: bool = False
    hide: tuple[str, ...] = ()

    def record(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a run's record without its private parts.

        Parameters
        ----------
        record : dict
            JSON values; not used by the caller afterwards.
        """
        if not self.public:
            return record
        for name in PRIVATE_FIELDS:
            record.pop(name, None)
        for name in ("params", "tags"):
            if name in record:
                record[name] = self._shown(record[name])
        record["entry"] = {key: value for key, value in record.get("entry", {}).items() if key != "args"}
        record["code"] = {key: value for key, value in record.get("code", {}).items() if key != "remote"}
        return record

    def _shown(self, entries: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in entries.items() if not any(fnmatchcase(key, pattern) for pattern in self.hide)}


def redaction_of(settings: SiteSettings, public: bool) -> Redaction:
    """Return what a build leaves out."""
    return Redaction(public, settings.hide)
