"""Names and ids: how they are made, and the rules they must keep.

The limits are MLflow's (``mlflow/utils/validation.py``, 2.22 and 3.18), so that a script which ran there runs here
and one that was refused there is refused here, with the same error code.
"""

from __future__ import annotations

import os
import posixpath
import re
import threading
import time
from functools import lru_cache

from runfolio._pattern import pattern
from runfolio.errors import UsageError

MAX_KEY_LENGTH = 250
MAX_PARAM_LENGTH = 6000
MAX_TAG_LENGTH = 8000
MAX_EXPERIMENT_NAME_LENGTH = 500
MAX_EXPERIMENT_TAG_LENGTH = 20_000
MAX_DATASET_NAME_LENGTH = 500
MAX_DATASET_DIGEST_LENGTH = 36
MAX_DATASET_SCHEMA_LENGTH = 1_048_576
MAX_DATASET_SOURCE_LENGTH = 65_536
MAX_DATASET_PROFILE_LENGTH = 16_777_216
MAX_INPUT_TAG_KEY_LENGTH = 255
MAX_INPUT_TAG_VALUE_LENGTH = 500

_KEY = pattern(r"[/\w.\- :]*\Z")
_PLAIN_KEY = pattern(r"[\w\- :]{1,250}\Z")
_PLAIN_PATH = pattern(r"[A-Za-z0-9_][\w\-. ]{0,254}(?:/[A-Za-z0-9_][\w\-. ]{0,254}){0,30}\Z", re.ASCII)
"""Artifact paths that need no closer look: no dot begins a part, and a letter is a byte."""
_RUN_ID = pattern(r"[a-zA-Z0-9][\w\-]{0,255}\Z", re.ASCII)
_EXPERIMENT_ID = pattern(r"[a-zA-Z0-9][\w\-]{0,63}\Z", re.ASCII)
_YEAR_10000 = 253_402_300_800_000
_UUID7 = pattern(r"[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}\Z")

_last_id_lock = threading.Lock()
_last_id_time = 0
_last_id_count = 0
_last_id_process = 0


def new_run_id(now_ms: int | None = None) -> str:
    """Make a run id: 32 hex digits, ordered by time.

    The form is UUID version 7 (RFC 9562, section 5.7) without hyphens: 48 bits of milliseconds, then a counter of 12
    bits that keeps the ids of one process in order within a millisecond and when the clock goes back, then 62 random
    bits.

    Parameters
    ----------
    now_ms : int, optional
        Milliseconds since the epoch, UTC; the clock's by default.

    Returns
    -------
    str
        32 lower-case hex digits.
    """
    global _last_id_time, _last_id_count, _last_id_process
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    with _last_id_lock:
        if os.getpid() != _last_id_process:
            _last_id_process, _last_id_time, _last_id_count = os.getpid(), 0, 0
        if now_ms is None and now <= _last_id_time:
            now, count = _last_id_time, _last_id_count + 1
            if count > 0xFFF:
                now, count = now + 1, 0
        else:
            count = 0
        if now_ms is None:
            _last_id_time, _last_id_count = now, count
    noise = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return f"{now & ((1 << 48) - 1):012x}7{count:03x}{(0b10 << 62) | noise:016x}"


def run_id_time(run_id: str) -> int | None:
    """Read the time out of a run id of ours.

    Parameters
    ----------
    run_id : str

    Returns
    -------
    int or None
        Milliseconds since the epoch, UTC; None for an id that was not made by :func:`new_run_id` (an imported run). An id of another
        tool may look like one of ours by chance; a year that has not four digits is no time of a run.
    """
    at = int(run_id[:12], 16) if _UUID7.match(run_id) else None
    return at if at is not None and at < _YEAR_10000 else None


def check_run_id(run_id: object) -> str:
    """Return `run_id` if it can name a run.

    Raises
    ------
    UsageError
        If it is empty, longer than 256 characters, or holds anything but letters, digits, ``_`` and ``-``.
    """
    if not isinstance(run_id, str) or not _RUN_ID.match(run_id):
        raise UsageError(f"Invalid run ID: {run_id!r}. A run ID is letters, digits, '_' and '-', 256 at most.")
    return run_id


def check_experiment_id(experiment_id: object) -> str:
    """Return `experiment_id` as text if it can name an experiment.

    Raises
    ------
    UsageError
        If it does not match ``^[a-zA-Z0-9][\\w\\-]{0,63}$``.
    """
    text = str(experiment_id)
    if isinstance(experiment_id, bool) or not _EXPERIMENT_ID.match(text):
        raise UsageError(f"Invalid experiment ID: {experiment_id!r}. It is letters, digits, '_' and '-', 64 at most.")
    return text


def check_key(key: object, kind: str) -> str:
    """Return `key` if it may name a param, metric or tag.

    Parameters
    ----------
    key : object
        What the user gave.
    kind : str
        ``"parameter"``, ``"metric"`` or ``"tag"``, for the message.

    Raises
    ------
    UsageError
        If it is not text, empty, longer than 250 characters, not a normal relative path (``a//b``, ``../a``), or
        holds anything but letters, digits, ``_ - . / :`` and spaces.
    """
    if type(key) is str and _PLAIN_KEY.match(key):
        return key  # neither dot nor slash: there is no path to normalise
    if key is None:
        raise UsageError(f"A {kind} name cannot be None: a key name must be provided.")
    if not isinstance(key, str):
        raise UsageError(f"Invalid {kind} name {key!r}: a name is text, this is {type(key).__name__}.")
    if not key:
        raise UsageError(f"Invalid {kind} name: it is empty.")
    if not _KEY.match(key):
        raise UsageError(
            f"Invalid {kind} name {key!r}: names may hold only letters, digits, underscores (_), dashes (-), "
            "periods (.), spaces ( ), colons (:) and slashes (/)."
        )
    if key.startswith(("..", "/")) or key == "." or posixpath.normpath(key) != key:
        better = posixpath.normpath(key).lstrip("./") or "a name"
        raise UsageError(f"Invalid {kind} name {key!r}: names must be normal relative paths; write {better!r}.")
    if len(key) > MAX_KEY_LENGTH:
        raise UsageError(f"Invalid {kind} name '{key[:40]}…': it has {len(key)} characters, {MAX_KEY_LENGTH} are the most.")
    return key


def check_experiment_name(name: object) -> str:
    """Return `name` if it may name an experiment.

    Raises
    ------
    UsageError
        If it is not text, blank, or longer than 500 characters.
    """
    if not isinstance(name, str):
        raise UsageError(f"Invalid experiment name {name!r}: a name is text, this is {type(name).__name__}.")
    if not name.strip():
        raise UsageError("Invalid experiment name: it is blank.")
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        raise UsageError(f"Invalid experiment name {name!r}: it holds an unpaired surrogate, which is no character.")
    if len(name) > MAX_EXPERIMENT_NAME_LENGTH:
        raise UsageError(
            f"Invalid experiment name '{name[:40]}…': it has {len(name)} characters, {MAX_EXPERIMENT_NAME_LENGTH} are the most."
        )
    return name


def check_artifact_path(path: object, *, allow_empty: bool = False) -> str:
    """Return `path` if it may name an artifact of a run.

    The rule is an allow-list by resolution: after normalising it must still be the same relative path below the run,
    on every operating system.

    Raises
    ------
    UsageError
        If it is absolute, climbs out (``..``), holds a backslash, a control character or an empty segment.
    """
    if path is None or path == "":
        if allow_empty:
            return ""
        raise UsageError("Invalid artifact path: it is empty.")
    if isinstance(path, str) and _PLAIN_PATH.match(path):
        return path
    if isinstance(path, os.PathLike):
        path = os.fspath(path)
    if not isinstance(path, str):
        raise UsageError(f"Invalid artifact path {path!r}: a path is text, this is {type(path).__name__}.")
    text = path.rstrip("/")
    segments = text.split("/")
    bad = (
        text != posixpath.normpath(text)
        or text.startswith("/")
        or any(part in ("", ".", "..") for part in segments)
        or "\\" in text
        or re.match(r"[A-Za-z]:", text)
        or (not text.isprintable() and _has_control(text))
        or any(len(part.encode()) > 255 for part in segments)
    )
    if bad:
        raise UsageError(
            f"Invalid artifact path {path!r}: it must be a normal relative path below the run, such as 'plots/roc.png'."
        )
    return text


def _without_accents(name: str) -> str:
    import unicodedata

    folded = unicodedata.normalize("NFKD", name.replace("đ", "d").replace("Đ", "D"))
    return folded.encode("ascii", "ignore").decode()


def _has_control(text: str) -> bool:
    import unicodedata  # a megabyte of tables, loaded where a text is out of the ordinary

    return any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


@lru_cache(maxsize=256)
def slug_of(name: str) -> str:
    """Make the folder name for an experiment's name.

    Letters, digits, ``-`` and ``_`` stay (accents are folded, other scripts are spelled as their code points only when
    nothing else is left); everything else becomes ``-``. Lower case, because two folders that differ in case only
    are one folder on macOS and Windows.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        ``[a-z0-9][a-z0-9_-]{0,47}``.

    Examples
    --------
    >>> slug_of("Wine classification")
    'wine-classification'
    >>> slug_of("Thử nghiệm")
    'thu-nghiem'
    """
    ascii_only = name if name.isascii() else _without_accents(name)
    slug = re.sub(r"[^a-z0-9_]+", "-", ascii_only.lower()).strip("-_")[:48].rstrip("-_")
    if not slug:
        slug = "x" + "-".join(f"{ord(letter):x}" for letter in name[:8])[:47].rstrip("-")
    if slug in ("0", "con", "nul", "aux", "prn", "default") or re.fullmatch(r"(com|lpt)\d", slug):
        slug += "-x"
    return slug
