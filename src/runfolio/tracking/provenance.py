"""What made a run: code, entry point, environment, captured without asking and redacted before it is written.

Invariants:

- Training never fails because of this room: what could not be captured becomes a notice in the run, in words.
- Nothing leaves here unredacted: remotes, arguments, paths and cells pass the redactor.
- A script pays once a process; a notebook, whose code changes, is captured afresh for each run.
- A code tree that is named in a run is kept (`runfolio.gitstore.snapshots.keep_tree`) before the run is.

What it does *not* do: capture environment variables, or look at packages that were imported from elsewhere.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping, Sequence

from runfolio._dataclass import dataclass, field
from runfolio._typing import Any
from runfolio.errors import RunfolioError
from runfolio.gitstore.codestate import Asked
from runfolio.gitstore.repo import Repo
from runfolio.records.redaction import Redactor
from runfolio.records.settings import CaptureSettings
from runfolio.tracking.entrypoint import EntryPoint, entry_point, may_be_interactive
from runfolio.tracking.packages import installed, lock_name
from runfolio.tracking.source import (
    ask_code,
    captured_code,
    configured_user,
    printable,
    relative_name,
    repository_of,
    working_folder,
)

MAX_ARGUMENTS = 200


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made a run, in the form of a run record's fields.

    Parameters
    ----------
    code, entry, environment : Mapping
        As in `runfolio.records.Run`.
    user : str
        Git's configured name; empty where it is not captured.
    notices : tuple of str
        What was redacted, left out or could not be captured.
    lock_text : str
        The package list that ``environment["lock"]`` names.
    """

    code: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    user: str = ""
    notices: tuple[str, ...] = ()
    lock_text: str = ""


_cache: dict[object, Provenance] = {}
_lock = threading.RLock()


def _renew_lock() -> None:
    # A fork while another thread captures would leave the child a lock that nobody gives back.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def current(folio: Repo | None, prefix: str, settings: CaptureSettings, redactor: Redactor) -> Provenance:
    """Return the provenance of a run that starts now, captured before in this process where that still holds.

    Parameters
    ----------
    folio, prefix, settings, redactor
        As for :func:`capture`.
    """
    key = (folio.common_dir if folio else None, prefix, redactor.rules, settings)
    found = _cache.get(key)
    if found is not None and not may_be_interactive():
        return found
    entry = entry_point()
    if entry.interactive:
        return _capture(folio, prefix, settings, redactor.fresh(), entry)
    with _lock:
        if key not in _cache:
            _cache[key] = _capture(folio, prefix, settings, redactor.fresh(), entry)
        return _cache[key]


def environment_here(settings: CaptureSettings) -> Provenance:
    """Return what this process runs in, and nothing else: for a run whose code and entry point are those of another one.

    Parameters
    ----------
    settings : CaptureSettings
    """
    key = ("environment", settings)
    with _lock:
        if key not in _cache:
            notices: list[str] = []
            environment, lock_text = _environment(settings, notices)
            _cache[key] = Provenance(environment=environment, notices=tuple(map(printable, notices)), lock_text=lock_text)
        return _cache[key]


def capture(
    folio: Repo | None, prefix: str, settings: CaptureSettings, redactor: Redactor, entry: Mapping[str, Any] | None = None
) -> Provenance:
    """Capture what makes a run.

    Parameters
    ----------
    folio : Repo or None
        Where code is kept; None where no repository is at hand: then it is named, but not kept.
    prefix : str
        The folio's folder in its repository, ``""`` or ``"sub/dir/"``.
    settings : CaptureSettings
    redactor : Redactor
        Its rules are used; what is found goes into the notices.
    entry : mapping, optional
        What was started (``script``, ``type``, ``args``, ``cwd``), where it is not this process.

    Returns
    -------
    Provenance
    """
    return _capture(folio, prefix, settings, redactor.fresh(), entry_point(entry))


def _capture(folio: Repo | None, prefix: str, settings: CaptureSettings, redactor: Redactor, entry: EntryPoint) -> Provenance:
    notices: list[str] = []
    code: dict[str, Any] = {}
    user, script, folder = "", entry.name, ""
    source, asked, failed = _asked(folio, prefix, settings, entry)
    later: list[str] = []
    environment, lock_text = _environment(settings, later, entry)  # while git looks at the work tree
    if settings.code or settings.user:
        try:
            if failed is not None:
                raise failed
            script, folder = relative_name(entry, source), working_folder(source, entry.cwd)
            if settings.code:
                code, user = captured_code(source, folio, prefix, settings, redactor, entry, notices, asked)
            else:
                user = configured_user(source or folio)
        except (RunfolioError, OSError, ValueError) as error:
            notices.append(f"the code could not be captured: {error}")
        finally:
            if asked is not None:
                asked.close()
            if source is not None and source is not folio:
                source.close()
    notices += later
    made_entry = _entry(entry, script, folder, settings, redactor)
    # What went wrong can name a path; what was redacted is in words already.
    said = [redactor.text(notice) for notice in notices]
    told = tuple(printable(notice) for notice in (*said, *redactor.notices))
    return Provenance(code, made_entry, environment, user if settings.user else "", told, lock_text)


def _asked(
    folio: Repo | None, prefix: str, settings: CaptureSettings, entry: EntryPoint
) -> tuple[Repo | None, Asked | None, Exception | None]:
    """Find the code's repository and have git look at it; what went wrong comes back, to be said where the answer is taken."""
    source, asked = None, None
    try:
        if settings.code or settings.user:
            source = repository_of(entry.folder, folio)
        if source is not None and settings.code:
            asked = ask_code(source, folio, prefix)
    except (RunfolioError, OSError, ValueError) as error:
        return source, asked, error
    return source, asked, None


def _entry(entry: EntryPoint, script: str, folder: str, settings: CaptureSettings, redactor: Redactor) -> dict[str, Any]:
    made: dict[str, Any] = {"script": printable(redactor.text(script)), "type": entry.kind}
    for key, value in (("module", entry.module), ("cwd", folder), ("hash_seed", os.environ.get("PYTHONHASHSEED", ""))):
        if value:
            made[key] = printable(redactor.text(value))
    if settings.arguments and entry.args:
        made["args"] = recorded_arguments(entry.args, redactor)
    if settings.arguments and entry.env:
        made["env"] = {printable(name): printable(redactor.value(name, value)) for name, value in entry.env}
    return made


def recorded_arguments(args: Sequence[str], redactor: Redactor) -> list[str]:
    """Return arguments as a record has them: without secrets, the first of very many."""
    shown = [printable(item) for item in redactor.arguments(tuple(args[:MAX_ARGUMENTS]))]
    more = len(args) - len(shown)
    return [*shown, f"… and {more} more"] if more else shown


def _environment(settings: CaptureSettings, notices: list[str], entry: EntryPoint | None = None) -> tuple[dict[str, Any], str]:
    python = (entry.python if entry else "") or "{}.{}.{}".format(*sys.version_info[:3])
    made: dict[str, Any] = {"python": python, "implementation": sys.implementation.name}
    lock_text = ""
    if settings.platform:
        made["platform"] = f"{sys.platform}-{_machine()}"
    if settings.host:
        import socket

        made["host"] = socket.gethostname()
    if settings.packages:
        try:
            lock_text = installed((entry.packages if entry else ()) or None)
            made["lock"] = lock_name(lock_text)
        except OSError as error:
            notices.append(f"the packages could not be listed: {error.strerror}")
    return made, lock_text


def _machine() -> str:
    return os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "unknown").lower()
