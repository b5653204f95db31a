"""Event files, made by their real writers, taken into a folio; broken ones as far as they go."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from runfolio.errors import MissingPackageError
from runfolio.tracking.client import RunfolioClient
from runfolio.transfer.tensorboard_source import open_tensorboard

pytest.importorskip("tensorboard")
HERE = Path(__file__).parent
pytestmark = [pytest.mark.frameworks]


def take(folio: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runfolio", "import", "tensorboard", *arguments]
    return subprocess.run(command, cwd=folio, capture_output=True, text=True, timeout=300, check=False)


def taken(folio: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = take(folio, *arguments, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def runs(folio: Path) -> dict[str, Any]:
    client = RunfolioClient(str(folio))
    ids = [item.experiment_id for item in client.search_experiments()]
    return {run.info.run_name: run for run in client.search_runs(ids, max_results=1000)}


def files(folio: Path, run: Any) -> dict[str, bytes]:
    client, found, todo = RunfolioClient(str(folio)), {}, [""]
    while todo:
        for item in client.list_artifacts(run.info.run_id, todo.pop()):
            if item.is_dir:
                todo.append(item.path)
            else:
                found[item.path] = Path(client.download_artifacts(run.info.run_id, item.path)).read_bytes()
    return found


def written(writer: str, folder: Path) -> str:
    """Run a writer in a process of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / "event_writers.py"), writer, str(folder)],
        capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def scalars(folder: Path, number: int = 5, **options: Any) -> Path:
    """Write a run with tensorboardX; return its file."""
    writer_of = pytest.importorskip("tensorboardX").SummaryWriter
    with writer_of(str(folder), **options) as writer:
        for step in range(number):
            writer.add_scalar("loss", 1 / (step + 1), step, walltime=1.7e9 + step)
    [file] = folder.glob("*tfevents*")
    return file  # type: ignore[no-any-return]


def history(folio: Path, run: Any, key: str) -> list[tuple[int, float]]:
    points = RunfolioClient(str(folio)).get_metric_history(run.info.run_id, key)
    return [(point.step, point.value) for point in points]


def test_what_pytorch_writes_is_taken_whole_and_a_second_time_adds_nothing(folio_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    there = tmp_path / "runs"
    written("torch", there)
    dry = taken(folio_dir, str(there), "--dry-run")
    did = taken(folio_dir, str(there))
    assert dry["counts"]["runs"] == did["counts"]["runs"] == did["verified"] == 3
    assert dry["counts"]["artifacts"] == did["counts"]["artifacts"] and did["findings"] == []
    found = runs(folio_dir)
    assert set(found) == {"one", "two", "two/inner"}
    one = found["one"]
    # add_hparams writes into a folder of its own; it is the same run.
    assert one.data.params == {"lr": "0.1", "batch": "32", "net": "resnet", "bias": "1"}
    assert one.data.metrics["hparam/accuracy"] == 0.75
    single = [struct.unpack("f", struct.pack("f", 1 / (step + 1)))[0] for step in range(5)]
    assert history(folio_dir, one, "loss/train") == list(enumerate(single))
    points = RunfolioClient(str(folio_dir)).get_metric_history(one.info.run_id, "loss/train")
    assert [point.timestamp for point in points] == [1_700_000_000_000 + 1000 * step for step in range(5)]
    held = files(folio_dir, one)
    images = sorted(path for path in held if path.endswith(".png"))
    assert [re.sub(r"%timestamp.*", "", path) for path in images] == ["images/batch%step%0", "images/samples#digit%step%3"]
    assert all(held[path].startswith(b"\x89PNG") and path[:-4] + "%compressed.webp" in held for path in images)
    assert [json.loads(line)["text"] for line in held["text/notes/text_summary.jsonl"].splitlines()] == [
        "**first**",
        "đường second",
    ]
    buckets = json.loads(held["histograms/weights.jsonl"])["buckets"]
    assert sum(count for _, _, count in buckets) == 100 and buckets[-1][1] == 99.0
    assert held["audio/beep/1.wav"].startswith(b"RIFF") and json.loads(held["pr_curves/pr.jsonl"])["shape"] == [6, 127]
    assert held["00004/words/metadata.tsv"] == b"a\nb\nc\n" and b"words" in held["projector_config.pbtxt"]
    assert json.loads(held["hparams.json"])[0]["experiment"]["metric_infos"][0]["name"]["tag"] == "hparam/accuracy"
    assert found["two/inner"].data.tags["mlflow.parentRunId"] == found["two"].info.run_id
    assert str(found["two"].data.metrics) == "{'inf': inf, 'nan': nan}"
    moved = tmp_path / "moved"
    there.rename(moved)
    again = taken(folio_dir, str(moved), "--into", "runs")
    assert again["counts"] == {} and again["there"]["runs"] == 3


def test_what_keras_and_tensorflow_write_is_taken_without_loading_tensorflow(folio_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    there = tmp_path / "logs"
    losses = json.loads(written("keras", there).splitlines()[-1])
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "runfolio", "import", "tensorboard", str(there), "--depth", "1", "--json"],
        cwd=folio_dir, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "| tensorboard" in done.stderr.replace("|   ", "|") and not re.search(r"\|\s+(tensorflow|keras|torch)\b", done.stderr)
    found = runs(folio_dir)
    assert set(found) == {"fit", "v2"}
    fit = found["fit"]
    assert fit.data.params == {"units": "1", "optimizer": "sgd"} and fit.info.status == "FINISHED"
    assert history(folio_dir, fit, "validation/epoch_loss") == [(step, pytest.approx(loss)) for step, loss in enumerate(losses)]
    assert len(history(folio_dir, fit, "train/epoch_loss")) == 3
    held = files(folio_dir, fit)
    assert len(held["histograms/train/sequential/dense/kernel/histogram.jsonl"].splitlines()) == 3
    assert b"Sequential" in held["tensors/train/keras.jsonl"]
    held = files(folio_dir, found["v2"])
    assert len([path for path in held if path.startswith("images/grid%step%1%") and path.endswith(".png")]) == 2
    assert {"audio/tone/1-0.wav", "audio/tone/1-1.wav"} <= set(held)
    assert json.loads(held["text/words.jsonl"])["text"] == ["one", "two"]
    assert json.loads(held["tensors/raw.jsonl"])["tensor"] == [[1, 2], [3, 4]]
    assert sum(count for _, _, count in json.loads(held["histograms/values.jsonl"])["buckets"]) == 4


def test_steps_that_a_restart_writes_again_are_there_once(folio_dir: Path, tmp_path: Path) -> None:
    scalars(tmp_path / "logs" / "run", 10, filename_suffix=".a")
    writer_of = pytest.importorskip("tensorboardX").SummaryWriter
    time.sleep(1.1)  # TensorBoard orders the files by name, which holds the second
    with writer_of(str(tmp_path / "logs" / "run"), purge_step=6, filename_suffix=".b") as writer:
        for step in range(6, 9):
            writer.add_scalar("loss", -step, step)
    taken(folio_dir, str(tmp_path / "logs"))
    got = history(folio_dir, runs(folio_dir)["run"], "loss")
    assert [step for step, _ in got] == list(range(9)) and [value for _, value in got[6:]] == [-6, -7, -8]


@pytest.mark.parametrize("fault", ["cut", "data", "length", "no event", "empty", "unreadable"])
def test_a_broken_file_is_taken_as_far_as_it_goes_and_named(folio_dir: Path, tmp_path: Path, fault: str) -> None:
    there = tmp_path / "logs"
    scalars(there / "good")
    file = scalars(there / "bad", 20)
    data = bytearray(file.read_bytes())
    if fault == "cut":
        data = data[:-10]
    elif fault == "data":
        data[-8] ^= 1
    elif fault == "length":
        data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    elif fault == "no event":
        data[:] = b"not an event file at all, but long enough to be one"
    elif fault == "empty":
        data.clear()
    file.write_bytes(data)
    if fault == "unreadable":
        file.unlink()
        file.symlink_to(tmp_path / "gone")
    did = taken(folio_dir, str(there), code=1)
    assert {item["where"] for item in did["findings"]} == {f"bad/{file.name}"}
    expected, number = {
        "cut": ("ends within a record", 19), "data": ("was passed over", 19), "length": ("cannot be read", None),
        "no event": ("", 0), "empty": ("it is empty", 0), "unreadable": ("No such file", 0),
    }[fault]  # fmt: skip
    assert expected in did["findings"][-1]["what"]
    found = runs(folio_dir)
    assert len(history(folio_dir, found["good"], "loss")) == 5
    if number == 0:
        assert set(found) == {"good"}
    else:
        points = history(folio_dir, found["bad"], "loss")
        assert 0 < len(points) < 20 and (number is None or len(points) == number)


def test_what_holds_nothing_and_what_is_a_copy_is_named(folio_dir: Path, tmp_path: Path) -> None:
    there = tmp_path / "logs"
    scalars(there / "one")
    shutil.copytree(there / "one", there / "two")
    scalars(there / "zero", 0)
    did = taken(folio_dir, str(there), code=1)
    said = {item["where"]: item["what"] for item in did["findings"]}
    assert "nothing was logged" in said["zero"] and "a copy" in said["two"] and set(runs(folio_dir)) == {"one"}


def test_a_tag_that_a_folio_cannot_hold_is_spelled_otherwise_and_told(folio_dir: Path, tmp_path: Path) -> None:
    with pytest.importorskip("torch.utils.tensorboard").SummaryWriter(str(tmp_path / "logs" / "one")) as writer:
        writer.add_scalar("acc@5", 0.5, 1)
    did = taken(folio_dir, str(tmp_path / "logs"), code=1)
    run = runs(folio_dir)["one"]
    [key] = run.data.metrics
    assert json.loads(run.data.tags["runfolio.imported_names"])["metrics"] == {key: "acc@5"}
    assert [item["where"] for item in did["findings"]] == ["metric acc@5"]


def test_only_newer_runs_of_the_named_experiment_are_taken(folio_dir: Path, tmp_path: Path) -> None:
    scalars(tmp_path / "logs" / "one")
    assert taken(folio_dir, str(tmp_path / "logs"), "--since", "2199-01-01")["counts"].get("runs", 0) == 0
    assert "no experiment named 'no such'" in take(folio_dir, str(tmp_path / "logs"), "--experiment", "no such").stderr
    assert taken(folio_dir, str(tmp_path / "logs"), "--into", "mine", "--experiment", "mine")["counts"]["runs"] == 1
    assert [item.name for item in RunfolioClient(str(folio_dir)).search_experiments() if item.name == "mine"] == ["mine"]


@pytest.mark.parametrize(("place", "code", "said"), [("nowhere", 11, "no such folder"), ("bare", 11, "no event files")])
def test_a_folder_without_event_files_is_said_in_words(folio_dir: Path, tmp_path: Path, place: str, code: int, said: str) -> None:
    (tmp_path / "bare").mkdir()
    done = take(folio_dir, str(tmp_path / place))
    assert done.returncode == code and said in done.stderr


def test_a_link_to_a_folder_is_named_unless_it_is_gone_through_anyway(folio_dir: Path, tmp_path: Path) -> None:
    scalars(tmp_path / "logs" / "one")
    scalars(tmp_path / "elsewhere" / "two")
    (tmp_path / "logs" / "latest").symlink_to(tmp_path / "logs" / "one")
    assert taken(folio_dir, str(tmp_path / "logs"))["counts"]["runs"] == 1
    (tmp_path / "logs" / "more").symlink_to(tmp_path / "elsewhere")
    [named] = taken(folio_dir, str(tmp_path / "logs"), code=1)["findings"]
    assert named["where"] == "more" and "is not followed" in named["what"]


def test_without_the_package_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto", None)
    with pytest.raises(MissingPackageError, match=r"runfolio\[tensorboard\]"):
        open_tensorboard(str(tmp_path))


def test_an_import_that_is_killed_takes_each_run_once(folio_dir: Path, tmp_path: Path) -> None:
    for number in range(25):
        scalars(tmp_path / "logs" / f"r{number}", 40)
    journals = folio_dir / ".git" / "runfolio" / "journal"
    command = [sys.executable, "-m", "runfolio", "import", "tensorboard", str(tmp_path / "logs")]
    process = subprocess.Popen(command, cwd=folio_dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and (len(list(journals.glob("*"))) if journals.exists() else 0) < 5:
        time.sleep(0.005)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
    did = taken(folio_dir, str(tmp_path / "logs"))
    assert did["findings"] == []
    found = runs(folio_dir)
    assert set(found) == {f"r{number}" for number in range(25)}
    assert all(len(history(folio_dir, run, "loss")) == 40 for run in found.values())
