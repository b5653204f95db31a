"""Packs whose process was killed before their index had its name: git passes them by, and nobody removes them.

A pack is renamed first and its index after it, as git does it (builtin/index-pack.c, ``final``), so a process that dies between the two
leaves a ``.pack`` alone: "warning: no corresponding .idx". Nothing names what is in it, but it may be the only copy of something that
somebody put there, so it is not removed: it gets its index, and becomes a pack like others, which are folded and which ``git gc`` prunes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress

from runfolio.gitstore.process import run_git

LEFT_S = 3600.0
"""Age in seconds from which on no process can be between its two renames any more."""
_MOST = 16
"""Of one look: each starts a process of git."""


def index_left_packs(place: str, names: Sequence[str]) -> int:
    """Give old packs without an index theirs; return how many got one.

    Parameters
    ----------
    place : str
        The repository's folder, which its worktrees share.
    names : sequence of str
        The files in its ``objects/pack``.
    """
    beside: dict[str, set[str]] = {}
    for name in names:
        stem, _, ending = name.partition(".")
        beside.setdefault(stem, set()).add(ending)
    before, made = time.time() - LEFT_S, 0
    for stem in [stem for stem, endings in beside.items() if endings == {"pack"}][:_MOST]:
        file = f"{place}/objects/pack/{stem}.pack"
        with suppress(OSError):
            if os.stat(file).st_mtime < before:
                # Whole and undamaged, or git refuses it, and it stays as it is. A .rev beside it would keep it from being folded.
                done = run_git(("--git-dir", place, "-c", "pack.writeReverseIndex=false", "index-pack", file), place)
                made += done.returncode == 0
    return made
