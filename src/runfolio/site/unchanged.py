"""Answer a build that has nothing to do before the folio is opened, for the imports of that take longer than to see that no file is stale.

What a site shows is named by its *state*, a digest of the commit, the settings, the templates and the version
(:mod:`runfolio.site.build`). To make that digest takes the whole folio. So each finished build writes down, in ``sites.json``
beside the index, which state belongs to what can be read at once: the bytes of ``runfolio.yaml``, the commit that the branch names, the
options, and the sizes and times of the templates' files. Where all that is as it was, the state is too, and the site's folder is
asked whether it holds just that state and all of its files, by the same code as ever.

Invariants:

- An answer is given only where the whole way would give the same one. Whatever is not plain (a revision or difference that is asked for,
  a bare repository, a linked work tree, journals that may have been left behind, a damaged file) goes the whole way.
- ``sites.json`` is disposable, of one clone, and never published.
- Files of templates that were written just before they were looked at are not trusted to their times.

>>> report_if_unchanged(None, Path("site"), BuildOptions())                                # doctest: +SKIP
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio._version import __version__
from runfolio.errors import DamagedError
from runfolio.gitstore.discovery import plain_repository
from runfolio.gitstore.ref_values import ref_value
from runfolio.gitstore.settled import SettledFiles
from runfolio.site.assets import templates_folder
from runfolio.site.memory import read_memory
from runfolio.site.options import BuildOptions, BuildReport

if TYPE_CHECKING:
    from runfolio.folio.place import Place

Asked = list[Any]
FORMAT = 4
"""Raised when what the generator writes changes without a change of a template."""
FILE = "sites.json"
_SETTINGS = "runfolio.yaml"
_MOST = 8
"""Sites of one clone that are remembered."""
_SETTLED_NS = 2_000_000_000
"""Age from which on a file's times tell that it changed, on every file system."""


def optional_packages() -> list[bool]:
    """Return which packages are there that add files to a site."""
    from importlib.util import find_spec

    return [find_spec(name) is not None for name in ("PIL", "vl_convert")]


def report_if_unchanged(location: str | None, out: Path | str, options: BuildOptions) -> BuildReport | None:
    """Return what a build with nothing to do reports; None where a build is to be made, or the folio must be opened to tell.

    Parameters
    ----------
    location : str or None
        A folder in a folio; the current folder by default.
    out : Path or str
        The site's folder; a text names one of the folio's own, which `site publish` keeps beside the index.
    options : BuildOptions

    Raises
    ------
    StateError
        If the folder holds something that no build of ours wrote.
    """
    try:
        start = Path(location or os.getcwd()).expanduser().resolve()
        root = next((folder for folder in (start, *start.parents) if (folder / _SETTINGS).is_file()), None)
        top = plain_repository(root) if root is not None else None
        if root is None or top is None or "RUNFOLIO_SPOOL" in os.environ:
            return None
        local = _local(top / ".git", "" if root == top else root.relative_to(top).as_posix())
        out = local / out if isinstance(out, str) else out
        held = _held(local).get(_key(out))
        if held is None or held["asked"] is None or _may_be_left_behind(local) or held["asked"] != _asked(root, options):
            return None
        if ref_value(SettledFiles().read, [str(top / ".git")], held["ref"]) != held["commit"]:
            return None
        memory = read_memory(out)
        if not memory.is_current(out, held["state"]):
            return None
        size = sum(made.size for made in memory.files.values())
        return BuildReport(
            out,
            0,
            len(memory.files),
            0,
            size,
            **memory.told,
            commit=held["commit"],
            warnings=tuple(held["warnings"]),
            made=memory.files.values(),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def asked_of(place: Place, options: BuildOptions) -> Asked | None:
    """Return what a site depends on beside the commit, to be taken before anything of it is read.

    Parameters
    ----------
    place : Place
    options : BuildOptions

    Returns
    -------
    list or None
        JSON values; None where they cannot be told at once: in a bare repository, of an earlier revision, or while somebody edits.
    """
    from runfolio.folio.parsed import parsed_files
    from runfolio.formats.settings import decode_settings

    if place.repo.work_tree is None:
        return None
    try:
        asked = _asked(place.root, options)
        data = (place.root / _SETTINGS).read_bytes()
        now = parsed_files(place.repo.own_folder).decode(decode_settings, data, _SETTINGS)
    except (OSError, DamagedError):
        return None
    # The settings were read when the folio was opened, perhaps before somebody saved the file.
    return asked if now == place.settings else None


def remember(
    place: Place, out: Path, asked: Asked | None, commit: str, state: str, templates: str, warnings: Sequence[str]
) -> None:
    """Write down which state a site has, for :func:`report_if_unchanged` and its neighbours; where that fails, nothing is lost.

    Parameters
    ----------
    place : Place
    out : Path
    asked : list or None
        From before the build.
    commit : str
        The one that is shown.
    state : str
        Digest of all that the site depends on.
    templates : str
        Digest of the built-in templates alone.
    warnings : sequence of str
        What was said of the site.
    """
    with suppress(OSError, ValueError):
        held = _held(place.local)
        ref = place.ledger or "HEAD"
        made = {"asked": asked, "ref": ref, "commit": commit, "state": state, "templates": templates, "warnings": list(warnings)}
        if held.pop(key := _key(out), None) == made:
            return
        held = {name: other for name, other in held.items() if os.path.isdir(name)}
        held[key] = made
        beside = place.local / f".{FILE}.{os.getpid()}.part"
        place.local.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps({"version": __version__, "sites": dict(list(held.items())[-_MOST:])}), "utf-8")
        os.replace(beside, place.local / FILE)


def templates_then(place: Place, out: Path, asked: Asked | None) -> str | None:
    """Return the digest of the templates that the last build took, if no file of them looks different now; None where that is not known.

    Parameters
    ----------
    place : Place
    out : Path
    asked : list or None
        As it is now; templates that were written just before were never noted in one.
    """
    held = _held(place.local).get(_key(out), {})
    found = held.get("templates") if asked is not None and held.get("asked") == asked else None
    return found if isinstance(found, str) else None


def warnings_then(place: Place, out: Path, state: str) -> list[str]:
    """Return what was said of a site when it was built, for what it shows has not changed.

    Parameters
    ----------
    place : Place
    out : Path
    state : str
        Of the site as it is.
    """
    held = _held(place.local).get(_key(out), {})
    return [str(text) for text in held["warnings"]] if held.get("state") == state else []


def _local(git_dir: Path, prefix: str) -> Path:
    folder = git_dir / "runfolio"
    return folder / ("at-" + prefix.replace("/", "+")) if prefix else folder


def _key(out: Path) -> str:
    return os.path.abspath(out)


def _held(local: Path) -> dict[str, dict[str, Any]]:
    """Return what is written down of each site; nothing where it cannot be read."""
    try:
        found = json.loads((local / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    sites = found.get("sites") if isinstance(found, dict) and found.get("version") == __version__ else None
    return {name: made for name, made in sites.items() if isinstance(made, dict)} if isinstance(sites, dict) else {}


def _asked(root: Path, options: BuildOptions) -> Asked | None:
    """Return what a state depends on beside the commit; None where that cannot be told at once."""
    if options.at is not None or options.diff is not None or options.force:
        return None
    folders = [templates_folder(), *([options.templates.resolve()] if options.templates else [])]
    looks = [look for folder in folders for look in _looks(folder)]
    newest = max((look[-1] for look in looks), default=0)
    if time.time_ns() - newest < _SETTLED_NS:
        return None
    return [
        FORMAT, __version__, str(root), (root / _SETTINGS).read_bytes().decode("latin-1"), options.public, options.base_url,
        options.python_charts, optional_packages(), [str(folder) for folder in folders], looks,
    ]  # fmt: skip


def _looks(folder: Path) -> Iterator[list[Any]]:
    """Yield path, inode, size and times of each file of a folder, in one order."""
    waiting = [str(folder)]
    while waiting:
        for entry in sorted(os.scandir(waiting.pop()), key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            else:
                look = entry.stat()
                yield [entry.path[len(str(folder)) :], look.st_ino, look.st_size, look.st_mtime_ns, look.st_ctime_ns]


def _may_be_left_behind(local: Path) -> bool:
    """Tell whether there are journals that have not ended; what died, the open folio says."""
    try:
        names = os.listdir(local / "journal")
    except FileNotFoundError:
        return False
    return any(name.endswith(".jsonl") and not name.endswith(".sealed.jsonl") for name in names)
