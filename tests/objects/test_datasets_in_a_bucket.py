"""Contents of datasets in a bucket: recorded there, looked at, and fetched into another clone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import git


def data(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "runfolio", *args], cwd=folder, capture_output=True, text=True, check=False)


def test_a_content_goes_to_the_bucket_and_comes_into_another_clone(
    folio_dir: Path, tmp_path: Path, s3_endpoint: str, s3_bucket: str
) -> None:
    settings = folio_dir / "runfolio.yaml"
    settings.write_text(f'schema: 1\nartifacts: "s3://{s3_bucket}/wine?endpoint={s3_endpoint}"\n')
    git(folio_dir, "commit", "-qam", "a bucket")
    folder = folio_dir / "img"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.txt").write_text(str(number))
    (folio_dir / "wine.csv").write_text("alcohol\n12.5\n")
    done = data(folio_dir, "data", "add", "img", "wine.csv")
    assert done.returncode == 0, done.stderr
    other = tmp_path / "other"
    git(folio_dir, "clone", "-q", ".", str(other))
    status = data(other, "data", "status")
    assert status.returncode == 1 and status.stdout.count("missing") == 2, status.stdout + status.stderr
    for name in ("img", "wine"):
        done = data(other, "data", "get", name)
        assert done.returncode == 0, done.stderr
    assert (other / "img" / "3.txt").read_text() == "3"
    assert data(other, "data", "status").returncode == 0
    assert data(other, "check").returncode == 0
