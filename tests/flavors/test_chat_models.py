"""Models that chat: saved with their standing signature, called by dictionary, table and request, here and by MLflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import UsageError
from runfolio.flavors.chat_models import EXAMPLE, signature
from runfolio.types.llm import (
    ChatChoice,
    ChatChoiceDelta,
    ChatChunkChoice,
    ChatCompletionChunk,
    ChatCompletionResponse,
    ChatMessage,
    ChatParams,
    ToolDefinition,
)

pytest.importorskip("pandas")
MLFLOW = os.environ.get("RUNFOLIO_MLFLOW", "")
ASKED = {
    "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}],
    "temperature": 0.5,
    "max_tokens": 3,
}


def parrot() -> Any:
    """Return a model that repeats; made in a function, so that the pickle holds its class."""

    class Parrot(runfolio.pyfunc.ChatModel):
        def load_context(self, context: Any) -> None:
            self.times = context.model_config.get("times", 1)

        def predict(  # type: ignore[override] # a PythonModel's takes other things
            self, context: Any, messages: list[ChatMessage], params: ChatParams
        ) -> ChatCompletionResponse:
            said = f"{messages[-1].content} " * self.times + f"{params.temperature} {params.max_tokens}"
            answer = ChatChoice(ChatMessage(role="assistant", content=said))
            return ChatCompletionResponse([answer], id="1", model="parrot", created=7)

        def predict_stream(  # type: ignore[override] # the same, and without the context
            self, messages: list[ChatMessage], params: ChatParams
        ) -> Iterator[ChatCompletionChunk]:
            for word in (messages[-1].content or "").split():
                yield ChatCompletionChunk([ChatChunkChoice(ChatChoiceDelta(content=word))], created=7)

    return Parrot()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chat") / "model"
    runfolio.pyfunc.save_model(folder, python_model=parrot(), model_config={"times": 2})
    return folder


ANSWER = {
    "id": "1", "model": "parrot", "object": "chat.completion", "created": 7,
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi Hi 0.5 3"}}],
}  # fmt: skip


def test_a_chat_model_answers_dictionaries_and_tables(saved: Path) -> None:
    import pandas

    loaded = runfolio.pyfunc.load_model(saved)
    assert loaded.predict(ASKED) == ANSWER
    assert loaded.predict(pandas.DataFrame([ASKED])) == ANSWER
    assert loaded.metadata.signature == signature()
    assert loaded.metadata.metadata == {"task": "agent/v1/chat"}
    assert isinstance(loaded.unwrap_python_model(), runfolio.pyfunc.ChatModel)
    assert loaded.predict(loaded.input_example)["choices"][0]["message"]["content"] == "Hello! Hello! 1.0 10"
    pieces = list(loaded.predict_stream({"messages": [{"role": "user", "content": "a b"}]}))
    assert [each["choices"][0]["delta"]["content"] for each in pieces] == ["a", "b"]


def test_its_example_is_a_request_and_so_is_one_of_arrays(saved: Path) -> None:
    import numpy

    loaded = runfolio.pyfunc.load_model(saved)
    body = json.loads((saved / "serving_input_example.json").read_text())
    assert body == loaded.input_example == EXAMPLE
    assert loaded.predict({**ASKED, "messages": numpy.array(ASKED["messages"]), "stop": numpy.array(["."])}) == ANSWER
    assert runfolio.models.validate_serving_input(saved, ASKED) == ANSWER
    convert = runfolio.models.convert_input_example_to_serving_input
    assert json.loads(convert({"prompt": "Hi"}) or "") == {"prompt": "Hi"}
    assert json.loads(convert({"words": "Hi"}) or "") == {"inputs": {"words": "Hi"}}


def test_what_is_no_request_is_told_by_field(saved: Path) -> None:
    loaded = runfolio.pyfunc.load_model(saved)
    for data, said in (
        ({"temperature": 0.5}, "lacks: 'messages'"),
        ({"messages": [{"content": "Hi"}]}, "lacks 'role'"),
        ({"messages": "Hi"}, "expected a list"),
        ({"messages": [{"role": "user"}], "max_tokens": "many"}, "max_tokens"),
    ):
        with pytest.raises(UsageError, match=said):
            loaded.predict(data)
    with pytest.raises(UsageError, match=r"ChatMessage.content: str is expected, found 3"):
        ChatMessage(role="user", content=3)  # type: ignore[arg-type] # that is the test
    with pytest.raises(UsageError, match="role"):
        ChatMessage.from_dict({"content": "Hi"})
    with pytest.raises(UsageError, match=r"ParamProperty.type: one of 'string', "):
        tool = {"function": {"name": "f", "parameters": {"properties": {"x": {"type": "text"}}}}}
        ToolDefinition.from_dict(tool)


def test_a_chat_model_that_gives_no_answer_is_not_saved(tmp_path: Path) -> None:
    class Wrong(runfolio.pyfunc.ChatModel):
        def predict(self, messages: Any, params: Any) -> Any:  # type: ignore[override] # without the context
            return {"choices": []}

    with pytest.raises(UsageError, match=r"Wrong.predict returned dict, .* ChatCompletionResponse.from_dict"):
        runfolio.pyfunc.save_model(tmp_path / "m", python_model=Wrong())
    with pytest.raises(UsageError, match="always the same one"):
        runfolio.pyfunc.save_model(tmp_path / "n", python_model=parrot(), signature=signature())
    assert not (tmp_path / "m").exists() and not (tmp_path / "n").exists()


@pytest.mark.slow
@pytest.mark.skipif(not Path(MLFLOW or "-", "mlflow").is_dir(), reason="RUNFOLIO_MLFLOW names no folder with MLflow in it")
def test_mlflow_has_the_same_signature_and_loads_the_model(saved: Path) -> None:
    script = (
        "import json, sys, mlflow, pandas\n"
        "pandas.options.future.infer_string = False  # MLflow 2.22 does not know the text type of pandas 3\n"
        "from mlflow.types.llm import CHAT_MODEL_INPUT_SCHEMA as one, CHAT_MODEL_OUTPUT_SCHEMA as other\n"
        "model = mlflow.pyfunc.load_model(sys.argv[1])\n"
        "print(json.dumps([one.to_dict(), other.to_dict(), model.predict(json.loads(sys.argv[2]))]))\n"
    )
    source = str(Path(runfolio.__file__).parents[1])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([source, MLFLOW])}
    command = [sys.executable, "-c", script, str(saved), json.dumps(ASKED)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    one, other, answer = json.loads(done.stdout.splitlines()[-1])
    ours = signature()
    assert ours.inputs is not None and ours.outputs is not None
    assert (one, other) == (ours.inputs.to_dict(), ours.outputs.to_dict())
    assert answer == ANSWER
