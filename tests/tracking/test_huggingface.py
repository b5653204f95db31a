"""Datasets of Hugging Face's package, made and read without any network."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas
import pytest

import runfolio
from runfolio import data
from runfolio.errors import UsageError
from runfolio.tracking.datasets import digests
from tests.gateway.versions import Version, each_version

datasets = pytest.importorskip("datasets", reason="NOT TESTED: the package datasets is not installed")
pytestmark = [pytest.mark.frameworks]
ROWS = {"text": ["good", "bad", "fine"], "label": [1, 0, 1], "score": [0.5, None, 0.25]}
MADE_THERE = """
import json, sys, datasets, mlflow
ds = datasets.Dataset.from_dict(json.loads(sys.argv[1]))
made = mlflow.data.from_huggingface(ds, path="stanfordnlp/imdb", targets="label", revision="main", name="imdb")
print("RESULT" + json.dumps(made.to_dict()))
"""


@pytest.fixture
def quiet_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def test_a_table_has_the_digest_that_pandas_gives_it() -> None:
    frame = pandas.DataFrame(ROWS)
    made = data.from_huggingface(datasets.Dataset.from_dict(ROWS))
    assert made.digest == data.from_pandas(frame).digest
    assert made.source.source_type == "code" and made.profile is not None and made.profile["num_rows"] == 3
    assert made.schema.input_names() == ["text", "label", "score"]
    assert data.from_huggingface(datasets.Dataset.from_dict({**ROWS, "label": [1, 1, 1]})).digest != made.digest


def test_of_a_long_one_rows_are_read_here_and_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "MAX_CELLS", 1000)
    frame = pandas.DataFrame({"a": range(3000)})
    made = data.from_huggingface(datasets.Dataset.from_pandas(frame))
    assert made.digest == data.from_pandas(frame).digest
    assert made.profile is not None and made.profile["digest_rows"] == 1000


@pytest.mark.parametrize("version", each_version())
def test_what_is_recorded_is_what_mlflow_records(version: Version, tmp_path: Path) -> None:
    there = version.run("-c", MADE_THERE, json.dumps(ROWS), cwd=tmp_path, MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path}/m.db")
    assert there.returncode == 0, there.stderr[-2000:]
    theirs: dict[str, Any] = json.loads(there.stdout.partition("RESULT")[2])
    made = data.from_huggingface(
        datasets.Dataset.from_dict(ROWS), path="stanfordnlp/imdb", targets="label", revision="main", name="imdb"
    )
    ours = made.to_dict()
    assert json.loads(str(theirs["profile"])) == json.loads(str(ours["profile"]))
    assert (theirs["name"], theirs["source_type"]) == (ours["name"], ours["source_type"])
    # Theirs writes the text "None" for a dataset that is no split.
    assert {**json.loads(theirs["source"]), "split": None} == json.loads(str(ours["source"]))
    columns = [{key: column[key] for key in ("name", "type")} for column in json.loads(theirs["schema"])["mlflow_colspec"]]
    mine = json.loads(str(ours["schema"]))["mlflow_colspec"]
    assert [{key: column[key] for key in ("name", "type")} for column in mine] == columns


def test_a_run_records_it_and_its_source_loads_it_again(folio_dir: Path, tmp_path: Path, quiet_hub: None) -> None:
    runfolio.set_tracking_uri(str(folio_dir))
    table = tmp_path / "reviews.csv"
    pandas.DataFrame(ROWS).to_csv(table, index=False)
    loaded = datasets.load_dataset("csv", data_files=str(table), split="train")
    with runfolio.start_run() as run:
        runfolio.log_input(data.from_huggingface(loaded, path="csv", data_files=str(table), name="reviews"), context="training")
    (found,) = runfolio.get_run(run.info.run_id).inputs.dataset_inputs
    source = data.get_source(found)
    assert found.dataset.source_type == "hugging_face" and json.loads(found.dataset.source)["split"] == "train"
    assert os.path.expanduser(source.data_files) == str(table)  # type: ignore[attr-defined]
    again = source.load()
    assert again.to_dict() == loaded.to_dict()


def test_what_is_no_dataset_is_refused_in_words() -> None:
    one = datasets.Dataset.from_dict(ROWS)
    with pytest.raises(UsageError, match=r"this is DatasetDict\. Take one split: ds\['train'\]"):
        data.from_huggingface(datasets.DatasetDict({"train": one}))
    with pytest.raises(UsageError, match="this is list"):
        data.from_huggingface([])
    with pytest.raises(UsageError, match="targets column 'y'"):
        data.from_huggingface(one, targets="y")


def test_secrets_of_addresses_are_not_recorded() -> None:
    made = data.from_huggingface(
        datasets.Dataset.from_dict(ROWS), path="csv", data_files={"train": "https://ada:secret@example.org/a.csv?token=x"}
    )
    assert made.source.to_dict()["data_files"] == {"train": "https://example.org/a.csv"}
