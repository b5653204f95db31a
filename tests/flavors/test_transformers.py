"""Pipelines of Transformers, saved, logged and loaded: tiny ones of random weights, without a network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import DamagedError, StateError, UsageError
from runfolio.models import Model

os.environ["HF_HUB_OFFLINE"] = "1"
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.xdist_group("transformers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),  # among Transformers' own modules
]
transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
import numpy  # noqa: E402
import pandas  # noqa: E402

from tests.flavors import tiny_transformers as tiny  # noqa: E402

torch.set_num_threads(1)
TEXTS = ["good food", "awful"]


def test_pipeline_comes_back_without_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = tiny.pipeline()
    runfolio.transformers.save_model(pipeline, tmp_path / "m")
    monkeypatch.setattr("runfolio.flavors.trust._saved", set())
    loaded = runfolio.transformers.load_model(tmp_path / "m", trust=False)
    assert loaded(TEXTS) == pipeline(TEXTS)
    called = runfolio.pyfunc.load_model(tmp_path / "m", trust=False)
    for given in (TEXTS, pandas.DataFrame({"text": TEXTS})):
        frame = called.predict(given)
        assert list(frame.columns) == ["label", "score"]
        assert frame.to_dict("records") == pipeline(TEXTS)
    assert len(called.predict("good")) == 1


def test_output_for_a_signature_is_that_of_predict(tmp_path: Path) -> None:
    pipeline = tiny.pipeline()
    made = runfolio.transformers.generate_signature_output(pipeline, TEXTS)
    runfolio.transformers.save_model(pipeline, tmp_path / "m")
    assert made.to_dict("records") == runfolio.pyfunc.load_model(tmp_path / "m").predict(TEXTS).to_dict("records")
    assert [spec.name for spec in runfolio.models.infer_signature(TEXTS, made).outputs] == ["label", "score"]
    with pytest.raises(UsageError, match="A pipeline of Transformers is taken, not dict"):
        runfolio.transformers.generate_signature_output({"model": 1}, TEXTS)


def test_folder_is_laid_out_as_that_of_mlflow(tmp_path: Path) -> None:
    runfolio.transformers.save_model(tiny.pipeline(), tmp_path / "m", model_card="# Mood")
    names = {str(each.relative_to(tmp_path / "m")) for each in (tmp_path / "m").rglob("*") if each.is_file()}
    assert names >= {"model/model.safetensors", "model/config.json", "components/tokenizer/tokenizer.json", "model_card.md"}
    said = Model.load(tmp_path / "m")
    wanted = {
        "task": "text-classification",
        "instance_type": "TextClassificationPipeline",
        "pipeline_model_type": "BertForSequenceClassification",
        "model_binary": "model",
        "components": ["tokenizer"],
        "torch_dtype": "torch.float32",
    }
    assert wanted.items() <= said.flavors["transformers"].items()
    assert said.signature.outputs.input_names() == ["label", "score"]
    needs = (tmp_path / "m/requirements.txt").read_text()
    assert "transformers==" in needs and "torch==" in needs


def test_parts_are_saved_and_loaded_as_a_dictionary(tmp_path: Path) -> None:
    parts = {"model": tiny.bert(), "tokenizer": tiny.tokenizer()}
    with pytest.raises(UsageError, match="task"):
        runfolio.transformers.save_model(parts, tmp_path / "m")
    runfolio.transformers.save_model(parts, tmp_path / "m", task="text-classification")
    loaded = runfolio.transformers.load_model(tmp_path / "m", return_type="components")
    assert set(loaded) == {"task", "model", "tokenizer"}
    assert type(loaded["model"]) is transformers.BertForSequenceClassification
    assert loaded["tokenizer"]("good food")["input_ids"] == parts["tokenizer"]("good food")["input_ids"]


def test_checkpoint_folder_is_saved(tmp_path: Path) -> None:
    pipeline = tiny.pipeline()
    pipeline.save_pretrained(tmp_path / "checkpoint")
    runfolio.transformers.save_model(str(tmp_path / "checkpoint"), tmp_path / "m", task="text-classification")
    assert runfolio.transformers.load_model(tmp_path / "m")(TEXTS) == pipeline(TEXTS)
    assert str(tmp_path) not in (tmp_path / "m/MLmodel").read_text()
    with pytest.raises(UsageError, match=r"config\.json"):
        runfolio.transformers.save_model(str(tmp_path), tmp_path / "n", task="text-classification")


@pytest.mark.parametrize(
    ("task", "given", "options"),
    [
        ("token-classification", TEXTS, {}),
        ("fill-mask", ["good [MASK]", "bad [MASK]"], {}),
        ("text-generation", TEXTS, {"max_new_tokens": 2, "do_sample": False}),
        ("feature-extraction", TEXTS, {}),
    ],
)
def test_other_tasks_are_called_with_texts_and_frames(
    tmp_path: Path, task: str, given: list[str], options: dict[str, Any]
) -> None:
    runfolio.transformers.save_model(tiny.pipeline(task), tmp_path / "m", model_config=options)
    called = runfolio.pyfunc.load_model(tmp_path / "m")
    made = called.predict(given)
    framed = called.predict(pandas.DataFrame({"text": given}))
    if task == "feature-extraction":
        assert made.shape == framed.shape == (2, 8)  # of the first text, as in MLflow: a row a token
    else:
        assert made == framed and len(made) == 2 and all(isinstance(each, str) for each in made)
        assert called.predict(given[0]) == made[:1]


def test_zero_shot_gives_a_row_a_label(tmp_path: Path) -> None:
    runfolio.transformers.save_model(tiny.pipeline("zero-shot-classification"), tmp_path / "m")
    given = {"sequences": "good food", "candidate_labels": '["fine", "bad"]', "hypothesis_template": "{}"}
    made = runfolio.pyfunc.load_model(tmp_path / "m").predict(given)
    assert sorted(made["labels"]) == ["bad", "fine"] and numpy.isclose(made["scores"].sum(), 1)


def test_logged_pipeline_is_a_version_with_an_example(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folio_dir)
    pipeline = tiny.pipeline()
    with runfolio.start_run():
        info = runfolio.transformers.log_model(pipeline, "model", registered_model_name="mood", input_example=TEXTS)
    assert info.registered_model_version == 1
    assert runfolio.pyfunc.load_model("models:/mood/1").predict(TEXTS).to_dict("records") == pipeline(TEXTS)


def test_pickled_weights_and_python_files_need_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runfolio.transformers.save_model(tiny.pipeline(), tmp_path / "m")
    (tmp_path / "m/model/modeling_own.py").write_text("raise SystemExit\n")
    monkeypatch.setattr("runfolio.flavors.trust._saved", set())
    with pytest.raises(StateError, match=r"model/modeling_own\.py"):
        runfolio.transformers.load_model(tmp_path / "m")


def test_what_makes_no_pipeline_is_refused(tmp_path: Path) -> None:
    for given in (3, {"tokenizer": tiny.tokenizer()}, {"model": tiny.bert(), "brain": 1}):
        with pytest.raises(UsageError, match="transformers_model"):
            runfolio.transformers.save_model(given, tmp_path / "m", task="text-classification")
    with pytest.raises(UsageError, match="no pipeline"):
        runfolio.transformers.save_model({"model": tiny.bert(), "tokenizer": tiny.tokenizer()}, tmp_path / "m", task="juggling")
    runfolio.transformers.save_model(tiny.pipeline(), tmp_path / "m")
    with pytest.raises(UsageError, match="not int"):
        runfolio.pyfunc.load_model(tmp_path / "m").call(3, {})
    with pytest.raises(UsageError, match="return_type"):
        runfolio.transformers.load_model(tmp_path / "m", return_type="soup")


def test_weights_on_a_hub_are_not_fetched(tmp_path: Path) -> None:
    runfolio.transformers.save_model(tiny.pipeline(), tmp_path / "m")
    file = tmp_path / "m/MLmodel"
    file.write_text(file.read_text().replace("model_binary: model", "source_model_revision: 0123"))
    with pytest.raises(UsageError, match="hub"):
        runfolio.transformers.load_model(tmp_path / "m", trust=True)


def test_weights_cut_off_or_missing_are_named(tmp_path: Path) -> None:
    runfolio.transformers.save_model(tiny.pipeline(), tmp_path / "m")
    place = tmp_path / "m/model/model.safetensors"
    place.write_bytes(place.read_bytes()[:100])
    with pytest.raises(DamagedError, match="BertForSequenceClassification cannot read"):
        runfolio.transformers.load_model(tmp_path / "m", trust=True)
    place.unlink()
    with pytest.raises(DamagedError, match="cannot read"):
        runfolio.transformers.load_model(tmp_path / "m", trust=True)


THERE = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, mlflow.transformers
from tests.flavors import tiny_transformers as tiny

texts = ["good food", "awful"]
ours = mlflow.transformers.load_model("ours")(texts)
kinds = mlflow.pyfunc.load_model("ours").metadata.signature.to_dict()
mlflow.transformers.save_model(tiny.pipeline(), "theirs", pip_requirements=["transformers"])
print("\\n" + json.dumps([ours, kinds, mlflow.transformers.load_model("theirs")(texts)]))
"""


@pytest.mark.parametrize("variable", ["RUNFOLIO_MLFLOW", "RUNFOLIO_MLFLOW3"])
def test_pipelines_go_both_ways_with_mlflow(tmp_path: Path, variable: str) -> None:
    """Natively: the `predict` of MLflow 2.22 asks Transformers 5 for pipelines that it has no more."""
    there = os.environ.get(variable, "")
    if not Path(there or "-", "mlflow").is_dir():
        pytest.skip(f"{variable} names no folder with MLflow in it")
    pipeline = tiny.pipeline()
    made = runfolio.transformers.save_model(pipeline, tmp_path / "ours")
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((there, str(Path(__file__).parents[2]))),
        "MLFLOW_TRACKING_URI": "file:./mlruns",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true",
    }
    done = subprocess.run(
        [sys.executable, "-c", THERE], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ours, signature, theirs = json.loads(done.stdout.splitlines()[-1])
    assert ours == pipeline(TEXTS)
    assert made.signature is not None and signature == made.signature.to_dict()
    assert runfolio.transformers.load_model(tmp_path / "theirs", trust=False)(TEXTS) == theirs
    called = runfolio.pyfunc.load_model(tmp_path / "theirs", trust=False).predict(TEXTS)
    assert called.to_dict("records") == theirs
