"""Which artifacts of runs a site publishes, and under which names.

Invariants:

- What is published fits a pattern of ``site.artifacts.publish``, is no larger than ``max_bytes``, and of a kind that
  :mod:`runfolio.site.kinds` knows. All files together are no more than ``total_bytes`` and `MAX_FILES`; the newest runs come first, and
  the first file that does not fit ends it. The small copy that `log_image` makes of a picture is not published beside it.
- Bytes are compared with their digest before anything is told from them, and are written as they are.
- A file stands once, under its digest, with an ending that no browser executes.
- A text in which a token or private key is found is withheld, whatever the settings say, and named in the warnings.

What is not published is still told: by name, size, digest, and how to get it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from runfolio._dataclass import dataclass, field, replace
from runfolio.errors import DamagedError, NotFoundError, StorageError, UsageError
from runfolio.records.runs import Digest
from runfolio.site.columns import script
from runfolio.site.kinds import Kind, kind_of
from runfolio.site.output import canonical
from runfolio.site.plan import Data, Page
from runfolio.site.public import fits
from runfolio.site.step_images import is_small_copy

if TYPE_CHECKING:
    from runfolio.site.gather import Site

MAX_FILES = 3000
"""Artifacts published at most: hosts count files, and GitHub Pages' upload pads each to 512 bytes."""
MAX_A_RUN = 200
_SLICE = 200
_WITH_BODY = ("text", "svg")


@dataclass(frozen=True, slots=True)
class Published:
    """One artifact that is published.

    Parameters
    ----------
    digest : Digest
    kind : Kind
    shown : str
        How pages show it: ``image``, ``audio``, ``text``, ``table``, ``chart`` or ``markdown``.
    path : str
        The artifact's name; where several have these bytes, the first that was met.
    file : str
        From the site's root.
    """

    digest: Digest
    kind: Kind
    shown: str
    path: str
    file: str

    @property
    def data(self) -> str | None:
        """Name of the data file with the body; None for what the file itself shows."""
        if self.kind.name not in _WITH_BODY:
            return None
        # How a text is shown follows from its name, too: notes.md and notes.txt may be the same bytes.
        return f"data/a/{self.file.rpartition('/')[2].partition('.')[0]}-{self.shown}"


@dataclass(slots=True)
class Selection:
    """What a site publishes.

    Parameters
    ----------
    runs : dict
        By run id and artifact path.
    files : dict
        By path from the site's root.
    withheld : list of str
        Why texts are not published, in words.
    missing : int
        Objects that are not at hand, or damaged.
    full : bool
        Whether the limit was reached.
    """

    runs: dict[str, dict[str, Published]] = field(default_factory=dict)
    files: dict[str, Published] = field(default_factory=dict)
    withheld: list[str] = field(default_factory=list)
    missing: int = 0
    full: bool = False

    def warnings(self) -> list[str]:
        """Return what the person who builds should know."""
        made = list(self.withheld[:20])
        if len(self.withheld) > 20:
            made.append(f"{len(self.withheld) - 20} more artifacts were withheld because they seem to hold secrets.")
        if self.missing:
            made.append(
                f"{self.missing} artifacts could not be read from the object store, and are shown by name only. "
                "Find out which: runfolio check"
            )
        if self.full:
            made.append(
                "Not all artifacts are published: the limit is reached (site.artifacts.total_bytes, or "
                f"{MAX_FILES:,} files); those of the newest runs are."
            )
        return made


def select(site: Site) -> Selection:
    """Choose what is published."""
    return _Chooser(site).choose()


def files(site: Site, selection: Selection) -> Iterator[Page | Data]:
    """Yield the published files, and the bodies that pages show of texts."""
    bodies: dict[str, Published] = {}
    for item in selection.files.values():
        yield Page(item.file, item.digest, partial(_read, site, item.digest))
    for found in selection.runs.values():
        for item in found.values():
            if item.data is not None:
                bodies.setdefault(item.data, item)
    for name, item in bodies.items():
        yield Data(name, canonical([item.digest, item.shown, item.path]), partial(_body, site, name, item))


def previews(site: Site, selection: Selection) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what the details of runs say of their published artifacts; the files must be written already."""
    return {run_id: {path: _preview(site, item) for path, item in found.items()} for run_id, found in selection.runs.items()}


def read_body(site: Site, artifact: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a page written ahead shows of an artifact.

    Parameters
    ----------
    site : Site
    artifact : Mapping
        Of the details of a run: ``path``, ``digest``, ``preview``.

    Returns
    -------
    dict or None
        See :mod:`runfolio.site.previews`; None where there is nothing to show, or the file itself is shown.
    """
    preview = artifact.get("preview")
    if not preview or "data" not in preview:
        return None
    from runfolio.site.previews import body_of

    data = _read(site, Digest(artifact["digest"]))
    kind = kind_of(data, artifact["path"])
    return body_of(kind, data, artifact["path"]) if kind else None


class _Chooser:
    """Walks the runs, the newest first, until the limits are reached."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._rules = site.settings.artifacts
        self._made = Selection()
        self._spent = 0
        self._seen: dict[tuple[str, str], Published | None] = {}

    def choose(self) -> Selection:
        if not self._rules.publish:
            return self._made
        rows = sorted(
            (row for row in self._site.rows if row.has_artifacts), key=lambda row: (row.start, row.run_id), reverse=True
        )
        for at in range(0, len(rows), _SLICE):
            part = rows[at : at + _SLICE]
            for row, record in zip(part, self._site.records(part), strict=True):
                self._run(row.run_id, record)
                if self._made.full:
                    return self._made
        return self._made

    def _run(self, run_id: str, record: Mapping[str, Any]) -> None:
        entries = self._site.artifacts(record)
        wanted = [
            (path, entry)
            for path, entry in sorted(entries.items())
            if entry["size"] <= self._rules.max_bytes and fits(path, self._rules.publish) and not is_small_copy(path, entries)
        ]
        found: dict[str, Published] = {}
        for path, entry in wanted[:MAX_A_RUN]:
            item = self._one(run_id, path, Digest(entry["digest"]))
            if self._made.full:
                break
            if item is not None:
                found[path] = item
        if found:
            self._made.runs[run_id] = found

    def _one(self, run_id: str, path: str, digest: Digest) -> Published | None:
        key = (digest, path.rpartition("/")[2].rpartition(".")[2].lower())
        if key not in self._seen:
            self._seen[key] = self._looked_at(run_id, path, digest)
        return self._seen[key]

    def _looked_at(self, run_id: str, path: str, digest: Digest) -> Published | None:
        from runfolio.site.previews import preview_kind

        try:
            data = self._site.folio.store.read(digest, self._rules.max_bytes)
        except (NotFoundError, DamagedError, StorageError):
            self._made.missing += 1
            return None
        except UsageError:
            return None  # larger than its record says
        kind = kind_of(data, path)
        if kind is None or not data:
            return None
        secret = secret_in(data) if kind.name in _WITH_BODY else None
        if secret:
            self._made.withheld.append(f"{path} of run {run_id} is not published: it seems to hold {secret}.")
            return None
        item = self._named(digest, kind, preview_kind(kind, data, path), path)
        if item.file not in self._made.files:
            if self._spent + len(data) > self._rules.total_bytes or len(self._made.files) >= MAX_FILES:
                self._made.full = True
                return None
            self._spent += len(data)
            self._made.files[item.file] = item
        return item

    def _named(self, digest: Digest, kind: Kind, shown: str, path: str) -> Published:
        # Twelve digits are enough for a name, and too few to trust: who makes two files that share them gets longer names.
        hexes = digest[7:]
        item = Published(digest, kind, shown, path, f"artifacts/{hexes[:2]}/{hexes[:12]}{kind.ending}")
        if self._made.files.get(item.file, item).digest != digest:
            item = replace(item, file=f"artifacts/{hexes[:2]}/{hexes}{kind.ending}")
        return item


def secret_in(data: bytes) -> str | None:
    """Name the first secret that is found in a text, or None."""
    from runfolio.site.tokens import tokens_in

    return next(iter(tokens_in(data.decode("utf-8", "replace"))), None)


def _preview(site: Site, item: Published) -> dict[str, Any]:
    made: dict[str, Any] = {"kind": item.shown, "file": item.file}
    if item.kind.width is not None:
        made.update(width=item.kind.width, height=item.kind.height)
    if item.data is not None:
        made["data"] = site.output.path(item.data)
    return made


def _read(site: Site, digest: Digest) -> bytes:
    return site.folio.store.read(digest)


def _body(site: Site, name: str, item: Published) -> tuple[bytes, None]:
    from runfolio.site.previews import body_of

    return script(name, body_of(item.kind, _read(site, item.digest), item.path)), None
