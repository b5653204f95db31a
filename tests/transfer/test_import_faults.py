"""An import that is killed after any commit, interrupted, or stopped by the disk, is gone on with by the next one; nothing is lost or doubled."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runfolio.tracking.client import RunfolioClient
from tests.transfer.test_mlruns import EXPERIMENT, RUN, document, run_of, runs_in, take

HEX = "0123456789abcdef"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a folder of two experiments, twelve runs, and a registered model with three versions, two stages and two aliases."""
    place = tmp_path / "mlruns"
    document(place / "3", **EXPERIMENT)
    document(place / "4", **{**EXPERIMENT, "experiment_id": "4", "name": "empty"})
    for number in range(12):
        run_of(place, HEX[number])
    model = place / "models" / "scorer"
    document(model, name="scorer", creation_timestamp=5, last_updated_timestamp=6, description="")
    for number, stage in ((1, "Archived"), (2, "Production"), (3, "None")):
        run = place / "3" / RUN.format(HEX[number])
        document(
            model / f"version-{number}", name="scorer", version=number, creation_timestamp=7, current_stage=stage, run_id=run.name,
            source=f"{run}/artifacts/notes",
        )  # fmt: skip
    (model / "aliases").mkdir()
    (model / "aliases" / "best").write_text("2")
    (model / "aliases" / "next").write_text("3")
    return place


def start(folio: Path, store: Path, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-m", "runfolio", "import", "mlflow", str(store)]
    return subprocess.Popen(command, cwd=folio, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def tip(folio: Path) -> str:
    return (folio / ".git" / "refs" / "heads" / "main").read_text()


def assert_whole(folio: Path) -> None:
    client, found = RunfolioClient(str(folio)), runs_in(folio)
    assert sorted(found) == [RUN.format(HEX[number]) for number in range(12)]
    for run_id, run in found.items():
        assert len(client.get_metric_history(run_id, "loss")) == 3 and run.data.params == {"depth": "3"}
        assert [item.path for item in client.list_artifacts(run_id, "notes")] == ["notes/a.txt"]
    versions = {str(item.version): item.current_stage for item in client.search_model_versions("name='scorer'")}
    assert versions == {"1": "Archived", "2": "Production", "3": "None"}
    model = client.get_registered_model("scorer")
    assert {alias: str(number) for alias, number in model.aliases.items()} == {"best": "2", "next": "3"}
    assert model.tags == {"runfolio.mlflow": '{"updated":6}'}  # when it was changed last, and no mark that it is unfinished


@pytest.mark.slow
def test_an_import_that_is_killed_after_each_commit_loses_nothing(folio_dir: Path, store: Path) -> None:
    killed = 0
    while True:
        before, process = tip(folio_dir), start(folio_dir, store)
        while process.poll() is None and tip(folio_dir) == before:
            pass
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL and killed < 30
    assert killed >= 4
    assert_whole(folio_dir)


def test_an_import_that_is_interrupted_is_gone_on_with(folio_dir: Path, store: Path) -> None:
    process = start(folio_dir, store)
    before = tip(folio_dir)
    while process.poll() is None and tip(folio_dir) == before:
        pass
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert "Traceback" not in said and process.returncode in (0, 130), said
    assert not (folio_dir / ".git" / "runfolio" / "import").exists()
    assert take(folio_dir, store).returncode == 0
    assert_whole(folio_dir)


def test_a_disk_that_takes_no_more_ends_the_import_and_no_file_is_left_out(folio_dir: Path, store: Path) -> None:
    large = store / "3" / RUN.format(HEX[5]) / "artifacts" / "large.bin"
    large.write_bytes(os.urandom(4 << 20))
    limit = 1 << 20  # of any file: the kernel refuses to write on, as a full disk does
    process = start(folio_dir, store, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 16 and "Traceback" not in said, said
    assert RUN.format(HEX[5]) not in runs_in(folio_dir)
    done = take(folio_dir, store)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_whole(folio_dir)
    client = RunfolioClient(str(folio_dir))
    assert {item.path: item.file_size for item in client.list_artifacts(RUN.format(HEX[5]))}["large.bin"] == 4 << 20
