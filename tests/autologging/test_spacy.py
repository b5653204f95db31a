"""spaCy logs its trainings: by the logger that its config names, by ``autolog``, and loops over ``nlp.update``."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.autologging.guarding import TAG
from tests.autologging.reading import artifacts, points, runs, text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.frameworks
spacy = pytest.importorskip("spacy")
from spacy.language import Language  # noqa: E402
from spacy.tokens import DocBin  # noqa: E402
from spacy.training import Example, loop  # noqa: E402
from spacy.training.initialize import init_nlp  # noqa: E402

NAME = "runfolio.SpacyLogger.v1"
SAID = [("good great", 1.0), ("bad awful", 0.0), ("great fine", 1.0), ("awful poor", 0.0)]
CONFIG = """
[paths]
data = "{data}"
[nlp]
lang = "en"
pipeline = ["textcat"]
[components]
[components.textcat]
factory = "textcat"
[components.textcat.model]
@architectures = "spacy.TextCatBOW.v3"
exclusive_classes = true
ngram_size = 1
no_output_layer = false
length = 64
[corpora]
[corpora.train]
@readers = "spacy.Corpus.v1"
path = ${{paths.data}}
[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${{paths.data}}
[training]
seed = 0
gpu_allocator = null
max_steps = 6
eval_frequency = 2
[training.optimizer]
@optimizers = "Adam.v1"
[training.logger]
{logger}
"""
OURS = f'@loggers = "{NAME}"\nregistered_model_name = "tickets"'
QUIET = '@loggers = "spacy.ConsoleLogger.v1"'


def examples(nlp: Any) -> list[Any]:
    return [Example.from_dict(nlp.make_doc(told), {"cats": {"POS": good, "NEG": 1.0 - good}}) for told, good in SAID]


@pytest.fixture
def config(tmp_path: Path) -> Any:
    """Return a function: of the logger's section the path of a config."""
    nlp = spacy.blank("en")
    DocBin(docs=[each.reference for each in examples(nlp)]).to_disk(tmp_path / "told.spacy")

    def write(logger: str) -> Path:
        place = tmp_path / "config.cfg"
        place.write_text(CONFIG.format(data=tmp_path / "told.spacy", logger=logger))
        return place

    return write


@pytest.fixture
def registered() -> None:
    """Register the logger by hand: this process may have read the entry points before runfolio had one."""
    from runfolio.autologging.spacy_logger import spacy_logger

    spacy.registry.loggers.register(NAME, func=spacy_logger)


def train(place: Path) -> Any:
    return loop.train(init_nlp(spacy.util.load_config(place)), None, stdout=io.StringIO(), stderr=io.StringIO())


def test_spacy_train_finds_the_logger_by_its_entry_point(folio: Path, config: Any, tmp_path: Path) -> None:
    """The entry point of pyproject.toml, as an installed distribution has it."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    held = tmp_path / "site/told-1.0.dist-info"
    held.mkdir(parents=True)
    (held / "METADATA").write_text("Metadata-Version: 2.1\nName: told\nVersion: 1.0\n")
    lines = [f"{name} = {place}" for name, place in project["entry-points"]["spacy_loggers"].items()]
    (held / "entry_points.txt").write_text("\n".join(["[spacy_loggers]", *lines, ""]))
    paths = os.pathsep.join([str(held.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "spacy", "train", str(config(OURS)), "--output", str(tmp_path / "out")],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    assert "CATS_SCORE" in done.stdout
    (run,) = runs()
    assert (run.info.status, run.data.params["training.max_steps"]) == ("FINISHED", "6")
    assert [step for step, _ in points(run, "score")] == [0, 2, 4, 6]
    assert len(points(run, "loss_textcat")) == len(points(run, "cats_f_per_type.POS.f")) == 4
    assert run.data.metrics["best_score"] == max(value for _, value in points(run, "score"))
    assert "[training.logger]" in text(run, "config.cfg")
    best = spacy.load(tmp_path / "out/model-best")
    assert runfolio.spacy.load_model("models:/tickets/1")("good").cats == best("good").cats
    assert TAG not in run.data.tags


def test_logger_writes_to_the_active_run_and_leaves_it_open(folio: Path, config: Any, registered: None) -> None:
    runfolio.autolog()
    with runfolio.start_run() as mine:
        train(config(f'@loggers = "{NAME}"\nlog_models = false'))
        assert runfolio.active_run() is not None
    (run,) = runs()
    assert run.info.run_id == mine.info.run_id and len(points(run, "score")) == 4
    assert artifacts(run) == ["config.cfg"]


def test_training_that_raises_leaves_a_failed_run_without_a_model(folio: Path, config: Any, registered: None) -> None:
    nlp = init_nlp(spacy.util.load_config(config(OURS)))
    calls: list[int] = []

    @spacy.registry.callbacks("tests.dies.v1")
    def made() -> Any:
        def before_update(nlp: Any, info: Any) -> None:
            calls.append(info["step"])
            if info["step"] == 3:
                raise RuntimeError("no more")

        return before_update

    nlp.config["training"]["before_update"] = {"@callbacks": "tests.dies.v1"}
    with pytest.raises(RuntimeError, match="no more"):
        loop.train(nlp, None, stdout=io.StringIO(), stderr=io.StringIO())
    (run,) = runs()
    assert (run.info.status, artifacts(run), calls) == ("FAILED", ["config.cfg"], [0, 1, 2, 3])


def test_autolog_needs_no_logger_in_the_config(folio: Path, config: Any, tmp_path: Path) -> None:
    runfolio.autolog()
    spacy.cli.train.train(config(QUIET), tmp_path / "out")
    (run,) = runs()
    assert [step for step, _ in points(run, "loss_textcat")] == [0, 2, 4, 6]
    assert run.data.params["components.textcat.model._at_architectures"] == "spacy.TextCatBOW.v3"
    loaded = runfolio.spacy.load_model(f"runs:/{run.info.run_id}/model")
    assert loaded("good").cats == spacy.load(tmp_path / "out/model-best")("good").cats
    assert (run.info.status, TAG in run.data.tags) == ("FINISHED", False)


def test_own_loop_logs_to_the_active_run_only(folio: Path) -> None:
    runfolio.spacy.autolog()
    nlp = spacy.blank("en")
    nlp.add_pipe("textcat")
    shown = examples(nlp)
    nlp.initialize(lambda: shown)
    nlp.update(shown)
    assert runs() == []
    losses: dict[str, float] = {}
    told = []
    with runfolio.start_run():
        for _ in range(3):
            nlp.update(shown, losses=losses)
            told.append(losses["textcat"])
        nlp.update(shown)
    (run,) = runs()
    made = points(run, "loss_textcat")
    assert [step for step, _ in made] == [0, 1, 2, 3]
    assert [value for _, value in made[:3]] == pytest.approx([told[0], told[1] - told[0], told[2] - told[1]])
    assert run.data.params["nlp.lang"] == "en" and not any(key.startswith("training.") for key in run.data.params)


def test_disable_puts_every_function_back() -> None:
    def functions() -> list[Any]:
        return [Language.update, loop.train, loop.train_while_improving, spacy.cli.train.train_nlp]

    before = functions()
    runfolio.spacy.autolog()
    assert not any(one is other for one, other in zip(before, functions(), strict=True))
    runfolio.spacy.autolog(disable=True)
    assert functions() == before
