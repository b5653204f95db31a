"""How git shows and joins records in one clone: its own configuration, which no clone brings along; ``runfolio init`` sets it.

Git calls these commands by a shell, from wherever it is started: a terminal whose environment is not active, an editor, another
program. Where ``runfolio`` is not to be found there, git would die of ``git log -p``, and leave our side of a merge without a mark of the
other. So a diff falls back on the bytes, and a merge on git's own join of lines, with its marks.
"""

from __future__ import annotations

from runfolio.gitstore.repo import Repo

_THERE = "command -v runfolio >/dev/null 2>&1"

DRIVERS = {
    "diff.runfolio.textconv": f'f() {{ if {_THERE}; then runfolio textconv "$1"; else cat "$1"; fi; }}; f',
    "merge.runfolio.name": "runfolio: records joined field by field",
    "merge.runfolio.driver": (
        f"if {_THERE}; then runfolio merge-driver %O %A %B %P; "
        "else git merge-file -L ours -L base -L theirs --marker-size=%L %A %O %B; fi"
    ),
}


def missing_drivers(repo: Repo) -> dict[str, str]:
    """Return what a clone's configuration lacks, or has otherwise."""
    return {key: value for key, value in DRIVERS.items() if repo.config(key) != value}


def install_drivers(repo: Repo) -> bool:
    """Let ``git diff`` show records in words and ``git merge`` join them by field; say whether there was anything to do."""
    missing = missing_drivers(repo)
    for key, value in missing.items():
        repo.run("config", key, value, check=False)
    return bool(missing)
