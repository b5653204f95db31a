"""A full or failing disk at any write loses nothing that was acknowledged; the whole: ``python -m tests.faults.disk``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.disk import SCENES, Scene, may_trace, sample
from tests.faults.repositories import FULL

pytestmark = pytest.mark.strace


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_call_that_the_disk_refuses_loses_nothing(tmp_path: Path, scene: Scene) -> None:
    if not may_trace():
        pytest.skip("strace is missing or may not trace here: no system call was made to fail")
    assert sample(scene, tmp_path / scene.name, None if FULL else 6, seed=len(scene.name)) == []
