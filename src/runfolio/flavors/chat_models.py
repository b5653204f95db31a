"""Models that chat: a class whose ``predict`` takes messages and answers, MLflow's ``mlflow.pyfunc.ChatModel``.

What is saved is the model within a :class:`ChattingModel`, an ordinary Python model that makes messages of a request's dictionary or table:
so it loads and serves wherever Python models do, in MLflow too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runfolio.errors import UsageError
from runfolio.flavors.chat_messages import ChatCompletionChunk, ChatCompletionResponse, ChatMessage, ChatParams
from runfolio.flavors.python_models import PythonModel, PythonModelContext
from runfolio.flavors.schema import ColSpec, Schema
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.type_hints import takes_context
from runfolio.flavors.types import AnyType, Array, DataType, Map, Object, Property

EXAMPLE = {
    "messages": [{"role": "user", "content": "Hello!"}],
    "temperature": 1.0,
    "max_tokens": 10,
    "stop": ["\n"],
    "n": 1,
    "stream": False,
}
TASK = "agent/v1/chat"
"""What MLflow calls the form of such a model, in its metadata."""


def signature() -> ModelSignature:
    """Return the signature of every chat model, as MLflow 2.22 has it."""
    text, whole, number = DataType.string, DataType.long, DataType.double
    called = Object([Property("name", text), Property("arguments", text)])
    call = Object([Property("id", text), Property("function", called), Property("type", text)])
    message = Array(
        Object(
            [
                Property("role", text),
                *(Property(name, text, False) for name in ("content", "name", "refusal")),
                Property("tool_calls", Array(call), False),
                Property("tool_call_id", text, False),
            ]
        )
    )
    params = (
        ("temperature", number), ("max_tokens", whole), ("stop", Array(text)), ("n", whole), ("stream", DataType.boolean),
        ("top_p", number), ("top_k", whole), ("frequency_penalty", number), ("presence_penalty", number), ("tools", Array(_tool())),
        ("custom_inputs", Map(AnyType())),
    )  # fmt: skip
    choice = Object([Property("index", whole), Property("message", message.dtype), Property("finish_reason", text)])
    usage = Object([Property(f"{name}_tokens", whole) for name in ("prompt", "completion", "total")])
    return ModelSignature(
        Schema([ColSpec(message, "messages"), *(ColSpec(kind, name, required=False) for name, kind in params)]),
        Schema(
            [
                *(ColSpec(kind, name) for name, kind in (("id", text), ("object", text), ("created", whole), ("model", text))),
                ColSpec(Array(choice), "choices"),
                ColSpec(usage, "usage", required=False),
                ColSpec(Map(AnyType()), "custom_outputs", required=False),
            ]
        ),
    )


def _tool() -> Object:
    text = DataType.string
    parameter = Object(
        [
            Property("type", text),
            Property("description", text, False),
            Property("enum", Array(text), False),
            Property("items", Object([Property("type", text)]), False),
        ]
    )
    parameters = Object(
        [
            Property("properties", Map(parameter)),
            Property("type", text, False),
            Property("required", Array(text), False),
            Property("additionalProperties", DataType.boolean, False),
        ]
    )
    function = [Property("name", text), Property("description", text, False), Property("parameters", parameters)]
    return Object(
        [Property("type", text), Property("function", Object([*function, Property("strict", DataType.boolean, False)]), False)]
    )


class ChatModel(PythonModel):
    """A model of yours that chats: write ``predict``, and ``predict_stream`` if it answers piece by piece.

    Signature and input example are always the same ones; ``context`` may be left out.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super(PythonModel, cls).__init_subclass__(**kwargs)  # what `predict` is given is made here, and need not be checked

    def predict(  # type: ignore[override] # MLflow's own form
        self, context: PythonModelContext, messages: list[ChatMessage], params: ChatParams
    ) -> ChatCompletionResponse:
        """Return the answer."""
        raise NotImplementedError(f"{type(self).__name__} has no predict.")

    def predict_stream(  # type: ignore[override] # MLflow's own form
        self, context: PythonModelContext, messages: list[ChatMessage], params: ChatParams
    ) -> Iterator[ChatCompletionChunk]:
        """Yield the answer piece by piece."""
        raise NotImplementedError(f"{type(self).__name__} has no predict_stream.")

    def as_called(self) -> PythonModel:
        """Return the Python model that is saved."""
        streams = type(self).predict_stream is not ChatModel.predict_stream
        return StreamingChattingModel(self) if streams else ChattingModel(self)


class ChattingModel(PythonModel):
    """A chat model called with requests as they come: dictionaries, or tables of one row."""

    def __init__(self, chat_model: ChatModel) -> None:
        self.chat_model = chat_model

    def as_written(self) -> PythonModel:
        """Return the chat model."""
        return self.chat_model

    def load_context(self, context: PythonModelContext) -> None:
        """Let the chat model open what it needs."""
        self.chat_model.load_context(context)

    def predict(self, context: PythonModelContext, model_input: Any, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer as a dictionary."""
        answer = _asked(self.chat_model.predict, context, model_input)
        if not isinstance(answer, ChatCompletionResponse):
            raise UsageError(
                f"{type(self.chat_model).__name__}.predict returned {type(answer).__name__}, and a ChatCompletionResponse is expected. "
                "Of a dictionary: ChatCompletionResponse.from_dict(…)."
            )
        return answer.to_dict()


class StreamingChattingModel(ChattingModel):
    """One whose model also answers piece by piece."""

    def predict_stream(
        self, context: PythonModelContext, model_input: Any, params: dict[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the answer's pieces as dictionaries."""
        for piece in _asked(self.chat_model.predict_stream, context, model_input):
            yield piece.to_dict()


def _asked(method: Any, context: PythonModelContext, data: Any) -> Any:
    said = _request(data)
    messages = [ChatMessage.from_dict(each) for each in said.pop("messages", [])]
    params = ChatParams.from_dict(said)
    return method(context, messages, params) if takes_context(method) else method(messages, params)


def _request(data: Any) -> dict[str, Any]:
    """Return a request of a dictionary or a table of one row, without values that are missing."""
    if hasattr(data, "iloc"):
        if len(data) != 1:
            raise UsageError(f"A chat model answers one request at a time, and the table has {len(data)} rows.")
        data = data.to_dict(orient="records")[0]
    if not isinstance(data, dict):
        raise UsageError(f"A chat model takes a dictionary with messages, not {type(data).__name__}.")
    return {name: _lists(value) for name, value in data.items() if value is not None}


def _lists(value: Any) -> Any:
    """Return arrays, as a server makes them of ``inputs``, as lists."""
    return value.tolist() if hasattr(value, "tolist") else value
