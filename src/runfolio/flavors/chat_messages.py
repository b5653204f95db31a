"""What is said in a chat, in the form of OpenAI's API: requests, answers and their parts, with MLflow's names (``mlflow.types.llm``).

Each is made of keywords or by ``from_dict`` (which leaves out keys that it does not know), and checked when it is made: dictionaries
become the classes that their place asks for. ``to_dict`` leaves out what is None. Not here: log-probabilities of tokens, completions
without a chat, embeddings.

>>> ChatMessage.from_dict({"role": "user", "content": "Hello!", "mood": "good"}).to_dict()
{'role': 'user', 'content': 'Hello!'}
"""

from __future__ import annotations

import functools
import time
import types
import typing
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar

from runfolio.errors import UsageError
from runfolio.flavors.telling import short

T = TypeVar("T", bound="Part")


class Part:
    """A part of a chat: a dataclass whose fields are held against their types."""

    def __post_init__(self) -> None:
        kind: Any = type(self)
        hints = _hints(kind)
        for each in fields(self):  # type: ignore[arg-type] # every class below is a dataclass
            value = getattr(self, each.name)
            setattr(self, each.name, _fitting(value, hints[each.name], f"{kind.__name__}.{each.name}"))

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        said = {each.name: _plain(getattr(self, each.name)) for each in fields(self)}  # type: ignore[arg-type] # as above
        return {name: value for name, value in said.items() if value is not None}

    @classmethod
    def from_dict(cls: type[T], data: Mapping[str, Any]) -> T:
        """Make it of a dictionary.

        Raises
        ------
        UsageError
            Naming the field that is missing, or of another type.
        """
        known = {each.name for each in fields(cls)}  # type: ignore[arg-type] # as above
        try:
            return cls(**{name: value for name, value in data.items() if name in known})
        except TypeError as error:
            raise UsageError(f"{cls.__name__}: {str(error).rpartition('__init__() ')[2]}: {short(dict(data))}") from None


@dataclass
class FunctionToolCallArguments(Part):
    """The function that a tool call names, and its arguments as JSON text."""

    name: str
    arguments: str

    def to_tool_call(self, id: str | None = None) -> ToolCall:  # MLflow's name
        """Return the call of a tool."""
        return ToolCall(self, id or str(uuid.uuid4()))


@dataclass
class ToolCall(Part):
    """A call of a tool that an answer asks for."""

    function: FunctionToolCallArguments
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    type: str = "function"


@dataclass
class ChatMessage(Part):
    """One message; its content may be left out where it refuses or calls tools."""

    role: str
    content: str | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


@dataclass
class ChatChoiceDelta(Part):
    """A piece of a message that comes piece by piece."""

    role: str | None = "assistant"
    content: str | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None


@dataclass
class ParamType(Part):
    """The type of a parameter, by JSON schema's word."""

    type: Literal["string", "number", "integer", "object", "array", "boolean", "null"]


@dataclass
class ParamProperty(ParamType):
    """A parameter of a tool's function."""

    description: str | None = None
    enum: list[str] | None = None
    items: ParamType | None = None


@dataclass
class ToolParamsSchema(Part):
    """The parameters of a tool's function."""

    properties: dict[str, ParamProperty]
    type: Literal["object"] = "object"
    required: list[str] | None = None
    additionalProperties: bool | None = None  # noqa: N815 # JSON schema's name


@dataclass
class FunctionToolDefinition(Part):
    """A function that an answer may call."""

    name: str
    description: str | None = None
    parameters: ToolParamsSchema | None = None
    strict: bool = False

    def to_tool_definition(self) -> ToolDefinition:
        """Return the tool."""
        return ToolDefinition(self)


@dataclass
class ToolDefinition(Part):
    """A tool that an answer may call."""

    function: FunctionToolDefinition
    type: Literal["function"] = "function"


@dataclass
class ChatParams(Part):
    """How to answer."""

    temperature: float = 1.0
    max_tokens: int | None = None
    stop: list[str] | None = None
    n: int = 1
    stream: bool = False
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    custom_inputs: dict[str, Any] | None = None
    tools: list[ToolDefinition] | None = None

    @classmethod
    def keys(cls) -> set[str]:
        """Return the names of the parameters."""
        return {each.name for each in fields(cls)}


@dataclass
class ChatCompletionRequest(ChatParams):
    """A request: messages, and how to answer."""

    messages: list[ChatMessage] = field(default_factory=list)


@dataclass
class ChatChoice(Part):
    """One answer."""

    message: ChatMessage
    index: int = 0
    finish_reason: str = "stop"


@dataclass
class ChatChunkChoice(Part):
    """A piece of one answer."""

    delta: ChatChoiceDelta
    index: int = 0
    finish_reason: str | None = None


@dataclass
class TokenUsageStats(Part):
    """How many tokens it took."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None


@dataclass
class ChatCompletionResponse(Part):
    """What a chat model answers."""

    choices: list[ChatChoice]
    usage: TokenUsageStats | None = None
    id: str | None = None
    model: str | None = None
    object: str = "chat.completion"
    created: int = field(default_factory=lambda: int(time.time()))
    custom_outputs: dict[str, Any] | None = None


@dataclass
class ChatCompletionChunk(Part):
    """A piece of what a chat model answers."""

    choices: list[ChatChunkChoice]
    usage: TokenUsageStats | None = None
    id: str | None = None
    model: str | None = None
    object: str = "chat.completion.chunk"
    created: int = field(default_factory=lambda: int(time.time()))
    custom_outputs: dict[str, Any] | None = None


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return {key: _plain(each) for key, each in value.items()} if isinstance(value, dict) else value


def _fitting(value: Any, hint: Any, where: str) -> Any:
    """Return a value as a type wants it."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _fitting(value, inner[0], where)
    if hint is Any:
        return value
    if origin is Literal:
        if value not in inner:
            raise UsageError(f"{where}: one of {', '.join(map(repr, inner))} is expected, found {short(value)}.")
        return value
    if origin is list:
        if not isinstance(value, list):
            raise UsageError(f"{where}: a list is expected, found {short(value)}.")
        return [_fitting(each, inner[0], f"{where}[{at}]") for at, each in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise UsageError(f"{where}: a dictionary is expected, found {short(value)}.")
        return {key: _fitting(each, inner[1], f"{where}[{key!r}]") for key, each in value.items()}
    if issubclass(hint, Part) and isinstance(value, Mapping):
        return hint.from_dict(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise UsageError(f"{where}: {hint.__name__} is expected, found {short(value)}.")
    return value
