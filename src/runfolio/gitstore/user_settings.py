"""What a user sets for one clone, or for all, in git's own configuration: ``git config runfolio.artifacts PLACE``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from runfolio.gitstore.repo import Repo

_MAY_SAY = re.compile(rb"^\s*\[\s*(runfolio|include)", re.IGNORECASE | re.MULTILINE)


def user_setting(repo: Repo, name: str) -> str | None:
    """Return ``runfolio.<name>`` of git's configuration, or None.

    Git is only asked where one of its files has such a section: a process costs more than reading two small files.
    """
    if "GIT_CONFIG_COUNT" not in os.environ and not any(_MAY_SAY.search(_bytes(file)) for file in _files(repo)):
        return None
    return repo.config(f"runfolio.{name}")


def _files(repo: Repo) -> list[Path]:
    home = Path.home()
    named = os.environ.get("GIT_CONFIG_GLOBAL")
    base = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    mine = [Path(named)] if named is not None else [home / ".gitconfig", base / "git" / "config"]
    system = os.environ.get("GIT_CONFIG_SYSTEM", "/etc/gitconfig")
    return [repo.common_dir / "config", repo.git_dir / "config.worktree", *mine, Path(system)]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
