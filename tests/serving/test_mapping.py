"""A model mapped over a Dask frame, in processes of Dask's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from tests.serving.conftest import DEADLINE_S, Models

pytestmark = pytest.mark.frameworks


SCRIPT = """
import sys
import dask.dataframe, pandas
import runfolio

if __name__ == "__main__":
    frame = pandas.read_csv(sys.argv[2])
    parts = dask.dataframe.from_pandas(frame, npartitions=4)
    made = runfolio.pyfunc.dask_predict(parts, sys.argv[1], trust=True).compute(scheduler="processes", num_workers=2)
    assert made.index.equals(frame.index)
    print(made.tolist())
"""


def test_a_dask_frame_is_predicted_part_by_part(models: Models, tmp_path: Path) -> None:
    pytest.importorskip("dask.dataframe", reason="NOT TESTED: Dask is not installed: pip install 'dask[dataframe]'")
    (tmp_path / "map.py").write_text(SCRIPT)
    models.frame.to_csv(tmp_path / "rows.csv", index=False)
    command = [sys.executable, "map.py", str(models["forest"]), "rows.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 0, done.stderr
    wanted = runfolio.pyfunc.load_model(models["forest"], trust=True).predict(models.frame)
    assert done.stdout.strip() == str(wanted.tolist())
