"""Prompts in templates, and pipelines that answer as OpenAI's API does; the answers were compared with MLflow 2.22 and 3.17 by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import UsageError
from runfolio.models import Model

os.environ["HF_HUB_OFFLINE"] = "1"
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.xdist_group("transformers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),  # among Transformers' own modules
]
pytest.importorskip("transformers")
torch = pytest.importorskip("torch")
import pandas  # noqa: E402

from tests.flavors import tiny_transformers as tiny  # noqa: E402

torch.set_num_threads(1)
SHORT = {"max_new_tokens": 3, "do_sample": False}


def saved(folder: Path, given: Any, **options: Any) -> Any:
    runfolio.transformers.save_model(given, folder, **options)
    return runfolio.pyfunc.load_model(folder, trust=False)


def chatty() -> Any:
    pipeline = tiny.pipeline("text-generation")
    pipeline.tokenizer.chat_template = "{% for each in messages %}{{ each['content'] }} {% endfor %}"
    return pipeline


def test_texts_are_put_into_the_template(tmp_path: Path) -> None:
    pipeline = tiny.pipeline("text-generation")
    called = saved(tmp_path / "m", pipeline, prompt_template="good {prompt} food", model_config=SHORT)
    wanted = [
        pipeline(f"good {text} food", return_full_text=False, **SHORT)[0]["generated_text"].strip() for text in ("bad", "fine")
    ]
    assert called.predict(["bad", "fine"]) == called.predict(pandas.DataFrame({"text": ["bad", "fine"]})) == wanted
    assert called.predict("bad") == wanted[:1]


def test_the_template_stands_where_mlflow_looks_for_it(tmp_path: Path) -> None:
    saved(tmp_path / "m", tiny.pipeline("text-generation"), prompt_template="Q: {prompt}", metadata={"team": "mood"})
    said = Model.load(tmp_path / "m")
    assert said.metadata == {"team": "mood", "prompt_template": "Q: {prompt}"}
    assert said.flavors["python_function"]["config"] == {"return_full_text": False}
    saved(tmp_path / "n", tiny.pipeline("fill-mask"), prompt_template="{prompt} [MASK]")
    assert "config" not in Model.load(tmp_path / "n").flavors["python_function"]


def test_return_full_text_may_be_asked_for(tmp_path: Path) -> None:
    config = {**SHORT, "return_full_text": True}
    [text] = saved(
        tmp_path / "m", tiny.pipeline("text-generation"), prompt_template="good {prompt} food", model_config=config
    ).predict("bad")
    assert text.startswith("good bad food")


@pytest.mark.parametrize(
    "template", ["no field", "{prompt} {more}", "{}", "{prompt", "{prompt} {prompt}", "{prompt.x}", "{prompt:d}", 3]
)
def test_what_is_no_template_is_refused(tmp_path: Path, template: Any) -> None:
    with pytest.raises(UsageError, match="prompt_template"):
        runfolio.transformers.save_model(tiny.pipeline("text-generation"), tmp_path / "m", prompt_template=template)
    assert not (tmp_path / "m").exists()


def test_tasks_without_a_prompt_take_no_template(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'text-classification' take none"):
        runfolio.transformers.save_model(tiny.pipeline(), tmp_path / "m", prompt_template="{prompt}")


def test_completions_are_answered(tmp_path: Path) -> None:
    parts = {"model": tiny.gpt(), "tokenizer": tiny.tokenizer()}
    called = saved(tmp_path / "m", parts, task="llm/v1/completions", model_config=SHORT)
    [answer] = called.predict({"prompt": "good food"})
    assert answer["object"] == "text_completion"
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    assert answer["choices"] == [{"index": 0, "finish_reason": "length", "text": "food food"}]
    rows = called.predict(pandas.DataFrame({"prompt": ["good", "bad food"], "max_tokens": [2, 2]}))
    assert [each["usage"]["completion_tokens"] for each in rows] == [2, 2]
    said = Model.load(tmp_path / "m")
    assert said.metadata == {"task": "llm/v1/completions"}
    assert said.flavors["transformers"]["inference_task"] == "llm/v1/completions"
    assert said.flavors["transformers"]["task"] == "text-generation"


def test_chats_are_answered(tmp_path: Path) -> None:
    called = saved(tmp_path / "m", chatty(), task="llm/v1/chat", prompt_template="bad {prompt}")
    asked = {"messages": [{"role": "user", "content": "good food"}], "max_tokens": 2, "temperature": 0, "n": 1, "stream": False}
    [answer] = called.predict(asked)
    assert answer["object"] == "chat.completion"
    assert answer["usage"]["prompt_tokens"] == 3  # with the template's word
    assert answer["choices"][0]["message"]["role"] == "assistant"


def test_generation_ends_with_what_stops_it(tmp_path: Path) -> None:
    called = saved(tmp_path / "m", tiny.pipeline("text-generation"), task="llm/v1/completions", model_config=SHORT)
    asked = {"prompt": "good food", "max_tokens": 2}
    assert called.predict(asked)[0]["choices"] == [{"index": 0, "finish_reason": "length", "text": "food food"}]
    [answer] = called.predict({**asked, "stop": ["food"]})
    assert answer["choices"] == [{"index": 0, "finish_reason": "stop", "text": "food"}]
    # Each row begins anew.
    both = called.predict(pandas.DataFrame({"prompt": ["good food"] * 2, "max_tokens": [2, 2], "stop": [["food"], ["food"]]}))
    assert [each["usage"]["completion_tokens"] for each in both] == [1, 1]


def test_embeddings_are_answered(tmp_path: Path) -> None:
    pipeline = tiny.pipeline("feature-extraction")
    called = saved(tmp_path / "m", pipeline, task="llm/v1/embeddings")
    answer = called.predict({"input": ["good", "bad food"]})
    assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert [each["index"] for each in answer["data"]] == [0, 1]
    assert answer["data"][1]["embedding"] == pipeline("bad food")[0][0]
    assert called.predict({"input": "good"})["data"] == answer["data"][:1]


@pytest.mark.parametrize("given", [[], "", ["good", 3], "\ud800", {"a": "good"}])
def test_what_is_no_text_is_refused(tmp_path: Path, given: Any) -> None:
    runfolio.transformers.save_model(tiny.pipeline("feature-extraction"), tmp_path / "m", task="llm/v1/embeddings")
    called = runfolio.pyfunc.load_model(tmp_path / "m")
    with pytest.raises(UsageError, match="input"):
        called.call({"input": given}, {})
    if not isinstance(given, dict):  # which is a table with one row named a
        with pytest.raises(UsageError):
            called.predict({"input": given})


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"stream": True}, "stream"),
        ({"n": 2}, "by n"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"messages": []}, "chat_template refuses"),
    ],
)
def test_what_no_pipeline_does_is_refused_by_name(tmp_path: Path, more: dict[str, Any], match: str) -> None:
    called = saved(tmp_path / "m", chatty(), task="llm/v1/chat", model_config=SHORT)
    with pytest.raises(UsageError, match=match):
        called.predict({"messages": [{"role": "user", "content": "good"}], **more})


def test_tasks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    text = tiny.pipeline("text-generation")
    for given, options, match in (
        (tiny.pipeline(), {"task": "llm/v1/chat"}, "'text-generation' alone"),
        (text, {"task": "llm/v1/soup"}, "There are: llm/v1/chat"),
        (text, {"task": "llm/v1/chat", "signature": runfolio.models.infer_signature(["a"])}, "signature"),
        (text, {"task": "llm/v1/chat", "metadata": {"task": "llm/v1/completions"}}, "Say the same"),
    ):
        with pytest.raises(UsageError, match=match):
            runfolio.transformers.save_model(given, tmp_path / "m", **options)
    runfolio.transformers.save_model(text, tmp_path / "m", task="llm/v1/chat")
    with pytest.raises(UsageError, match="no chat_template"):
        runfolio.pyfunc.load_model(tmp_path / "m").predict({"messages": [{"role": "user", "content": "good"}]})
