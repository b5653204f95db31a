"""What a user sets for one clone, or for all, in git's own configuration: ``git config runfolio.artifacts PLACE``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from runfolio._pattern import pattern
from runfolio.gitstore.config import config_files
from runfolio.gitstore.repo import Repo

_MAY_SAY = pattern(rb"^\s*\[\s*(runfolio|include)", re.IGNORECASE | re.MULTILINE)


def user_setting(repo: Repo, name: str) -> str | None:
    """Return ``runfolio.<name>`` of git's configuration, or None.

    Git is only asked where one of its files has such a section: a process costs more than reading two small files.
    """
    if "GIT_CONFIG_COUNT" not in os.environ and not any(
        _MAY_SAY.search(_bytes(file)) for file in config_files(repo.common_dir, repo.git_dir)
    ):
        return None
    return repo.config(f"runfolio.{name}")


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
