"""The folder in which a run is made again goes, and nothing around it is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runfolio.reproduction.scratch import remove


@pytest.mark.parametrize("gone", [True, False])
def test_the_folder_around_it_keeps_its_mode(tmp_path: Path, gone: bool) -> None:
    around, base = tmp_path / "tmp", tmp_path / "tmp" / "scratch"
    around.mkdir()
    around.chmod(0o1777)
    if not gone:
        (base / "closed").mkdir(parents=True)
        (base / "closed" / "file").write_text("x")
        os.chmod(base / "closed", 0o000)
    remove(base)
    assert not base.exists() and around.stat().st_mode & 0o7777 == 0o1777
