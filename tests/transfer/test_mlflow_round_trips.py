"""MLflow, folio, MLflow: of stores that hypothesis makes, MLflow says field by field the same before and after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gateway.versions import Version, each_version

pytestmark = [pytest.mark.frameworks]
EXAMPLES = 10


@pytest.mark.parametrize("version", each_version())
def test_generated_stores_come_back_as_they_were(version: Version, tmp_path: Path) -> None:
    script = Path(__file__).parent / "round_trips.py"
    done = version.run(str(script), str(tmp_path), str(EXAMPLES), cwd=tmp_path, timeout_s=900)
    assert done.returncode == 0, done.stderr[-6000:]
    compared = json.loads(done.stdout.splitlines()[-1])
    assert compared["stores"] == EXAMPLES and min(compared[what] for what in ("runs", "points", "versions")) >= 5, compared
