"""Keep files few: fold the packs of small commits, and let git pack what is left, as git's own commands do after they wrote.

Packs that a killed process left without their index get it by the way.

``git commit`` starts ``git maintenance run --auto`` each time, which looks whether there is anything to do. The same look is a listing of
two folders (git's estimate: the loose objects whose ids begin with ``17``, times 256), so that git is started only where there is: once
in some thousand commits. It goes on in the background, and does what the repository's configuration says: ``gc.auto``,
``gc.autoPackLimit``, ``gc.autoDetach``, ``maintenance.auto``.

A ``git gc`` in the background that is killed leaves ``gc.log.lock``, and git then refuses to pack for ever ("Unable to create …
gc.log.lock: File exists"; builtin/gc.c, ``hold_lock_file_for_update``). What such a process left is removed here.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import lru_cache

from runfolio.gitstore.config import Values
from runfolio.gitstore.left_packs import index_left_packs
from runfolio.gitstore.process import run_git
from runfolio.gitstore.repo import Repo
from runfolio.gitstore.small_packs import MANY, fold_packs

LOOSE = 6700
"""Loose objects from which on git packs them (``gc.auto``)."""
PACKS = 50
"""Packs from which on git joins them (``gc.autoPackLimit``)."""
_ASK_AGAIN_S = 60.0
"""While git packs, or cannot, it is not asked at every commit."""
_LEFT_S = 12 * 3600.0
"""So old, git takes a ``gc.pid`` for left, too."""
_asked: dict[str, float] = {}
LOOKS_EACH = 8
"""Commits of one process from one look to the next: to list two folders is a tenth of a small commit."""
_since_look: dict[str, int] = {}


def pack_now_and_then(repo: Repo) -> None:
    """Do :func:`pack_when_due` at the first commit of this process in a repository, and at each :data:`LOOKS_EACH`-th after it.

    Parameters
    ----------
    repo : Repo
        Its folio's lock is held.
    """
    place = str(repo.common_dir)
    since = _since_look.get(place, LOOKS_EACH - 1) + 1
    if since < LOOKS_EACH:
        _since_look[place] = since
    else:
        _since_look[place] = 0
        pack_when_due(repo)


def pack_when_due(repo: Repo) -> bool:
    """Fold small packs, and start git's upkeep if there is enough for it; tell whether that was started.

    Parameters
    ----------
    repo : Repo
        Its folio's lock is held.
    """
    place = str(repo.common_dir)
    packs = _listed(f"{place}/objects/pack")
    if len(packs) > 2 * MANY and not os.path.exists(f"{place}/gc.pid"):  # git's own upkeep reads what would be removed
        with suppress(OSError):
            index_left_packs(place, packs)
            fold_packs(f"{place}/objects/pack", packs)
    last = _asked.get(place)
    if last is not None and 0 <= time.monotonic() - last < _ASK_AGAIN_S:
        return False
    if not _due(repo, packs):
        return False
    _asked[place] = time.monotonic()
    drop_left_lock(repo)
    run_git(("--git-dir", place, "maintenance", "run", "--auto", "--quiet"), place)
    return True


def drop_left_lock(repo: Repo) -> bool:
    """Remove the lock of an upkeep that was killed; tell whether there was one.

    Its process stands in ``gc.pid`` ("pid host"), which git itself looks at before it starts another. Where that file is gone or names
    another machine, only age tells.

    Parameters
    ----------
    repo : Repo
    """
    lock, told = f"{repo.common_dir}/gc.log.lock", f"{repo.common_dir}/gc.pid"
    try:
        age_s = time.time() - os.stat(lock).st_mtime
        dead = _is_dead(told)
        if not (dead or age_s > _LEFT_S):
            return False
        if dead:
            os.unlink(told)  # where nobody reaps the dead, as in many containers, git takes it for a living one
        os.unlink(lock)
    except OSError:
        return False
    return True


def _is_dead(file: str) -> bool:
    import socket

    try:
        with open(file, encoding="utf-8") as said:
            pid, _, host = said.read().strip().partition(" ")
        if host != socket.gethostname():
            return False
        os.kill(int(pid), 0)
        with open(f"/proc/{int(pid)}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"
    except ProcessLookupError:
        return True
    except (OSError, ValueError, OverflowError):
        return False


@lru_cache(maxsize=8)  # the same values are asked about at each commit
def packs_may_be_many(said: Values) -> bool:
    """Tell whether the repository's configuration lets small packs gather until they are folded (``gc.autoPackLimit``)."""
    return not 0 < _number(said, "gc.autoPackLimit", PACKS) < PACKS


def _due(repo: Repo, packs: list[str]) -> bool:
    loose = _listed(f"{repo.common_dir}/objects/17")
    if not loose and len(packs) < 2:
        return False
    said = repo.configured.last()
    most = _number(said, "gc.auto", LOOSE)
    if most <= 0:
        return False
    limit = _number(said, "gc.autoPackLimit", PACKS)
    kept = {name[:-5] for name in packs if name.endswith(".keep")}
    count = sum(name.endswith(".pack") and name[:-5] not in kept for name in packs)
    return len(loose) > (most + 255) // 256 or (limit > 0 and count > limit)


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _number(said: Values, key: str, default: int) -> int:
    text = said.get(key)
    try:
        return default if text is None else int(text)
    except ValueError:
        return 0  # git says what is wrong with it when it is asked for something
