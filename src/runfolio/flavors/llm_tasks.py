"""Pipelines that answer as OpenAI's API does: the tasks ``llm/v1/completions``, ``llm/v1/chat`` and ``llm/v1/embeddings`` of MLflow.

The model is an ordinary pipeline of Transformers; requests are taken apart before it is called, and its tokens counted after. What a
request may ask for beyond what a pipeline can do (``stream``, ``tools``, penalties) is refused by name.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.flavors.chat_models import signature as chat_signature
from runfolio.flavors.schema import ColSpec, Schema
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.types import Array, DataType, Object, Property

PREFIX = "llm/v1"
COMPLETIONS, CHAT, EMBEDDINGS = f"{PREFIX}/completions", f"{PREFIX}/chat", f"{PREFIX}/embeddings"
KEY = "inference_task"
"""Of the flavor in ``MLmodel``; the metadata say it too, as ``task``."""
METADATA_KEY = "task"
_PIPELINES = {COMPLETIONS: "text-generation", CHAT: "text-generation", EMBEDDINGS: "feature-extraction"}
_FIELDS = {COMPLETIONS: "prompt", CHAT: "messages", EMBEDDINGS: "input"}
_OBJECTS = {COMPLETIONS: "text_completion", CHAT: "chat.completion"}
_NOT_HERE = ("stream", "tools", "frequency_penalty", "presence_penalty", "custom_inputs")


@dataclass(frozen=True, slots=True)
class Task:
    """What a pipeline is asked for.

    Parameters
    ----------
    name : str
        One of the three.
    model : str
        What answers say of the model.
    """

    name: str
    model: str


def is_one(task: str | None) -> bool:
    """Return whether a task is one of OpenAI's, and none of Transformers'."""
    return task is not None and task.startswith(PREFIX)


def pipeline_task(task: str) -> str:
    """Return the task of Transformers that does the work.

    Raises
    ------
    UsageError
        If there is no such task.
    """
    if task not in _PIPELINES:
        raise UsageError(f"task: {task!r} is none. There are: {', '.join(sorted(_PIPELINES))}, and those of Transformers.")
    return _PIPELINES[task]


def signature_of(task: str) -> ModelSignature:
    """Return the signature of every such model, as MLflow 2.22 has it."""
    text, whole, number = DataType.string, DataType.long, DataType.double
    if task == CHAT:
        return chat_signature()
    if task == EMBEDDINGS:
        item = Object([Property("index", whole), Property("object", text), Property("embedding", Array(number))])
        usage = Object([Property("prompt_tokens", whole), Property("total_tokens", whole)])
        made = [ColSpec(text, "object"), ColSpec(Array(item), "data"), ColSpec(usage, "usage")]
        return ModelSignature(Schema([ColSpec(text, "input")]), Schema(made))
    params = (("temperature", number), ("max_tokens", whole), ("stop", Array(text)), ("n", whole), ("stream", DataType.boolean))
    choice = Object([Property("index", whole), Property("text", text), Property("finish_reason", text)])
    usage = Object([Property(f"{name}_tokens", whole) for name in ("prompt", "completion", "total")])
    return ModelSignature(
        Schema([ColSpec(text, "prompt"), *(ColSpec(kind, name, required=False) for name, kind in params)]),
        Schema(
            [
                *(ColSpec(kind, name) for name, kind in (("id", text), ("object", text), ("created", whole), ("model", text))),
                ColSpec(Array(choice), "choices"),
                ColSpec(usage, "usage"),
            ]
        ),
    )


def answer(pipeline: Any, task: Task, data: Any, options: Mapping[str, Any], templated: Callable[[Any], Any]) -> Any:
    """Answer a request.

    Parameters
    ----------
    pipeline : transformers.Pipeline
    task : Task
    data : DataFrame or dict
        A row a request; what the first asks for besides its text holds for all.
    options : dict
        For the pipeline; the request's own come before them.
    templated : callable
        Puts prompts into the template that the model was saved with.

    Returns
    -------
    list of dict, or dict
        An answer a request; of embeddings one with all of them.

    Raises
    ------
    UsageError
        If the request lacks its text, or asks for what no pipeline does.
    """
    rows = _rows(data)
    field = _FIELDS[task.name]
    lacking = next((at for at, row in enumerate(rows) if row.get(field) is None), None)
    if not rows or lacking is not None:
        raise UsageError(f"A model of the task {task.name} takes {field!r}, and {_place(rows, lacking)} has none.")
    asked = {**options, **{name: value for name, value in rows[0].items() if name != field}}
    if task.name == EMBEDDINGS:
        texts = _flat([row[field] for row in rows])
        _check(texts, field)
        return _embeddings(pipeline, templated(texts), asked)
    prompts = [_prompt(pipeline.tokenizer, row[field]) for row in rows] if task.name == CHAT else [row[field] for row in rows]
    _check(prompts, field)
    return _generated(pipeline, task, templated(prompts), _generation(asked))


def _place(rows: Sequence[Any], at: int | None) -> str:
    return "the request" if at is None or len(rows) == 1 else f"row {at}"


def _rows(data: Any) -> list[dict[str, Any]]:
    if hasattr(data, "iloc"):
        data = data.to_dict(orient="records")
    rows = data if isinstance(data, list) else [data]
    if not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"The model takes a dictionary or a DataFrame, as its signature says, not {type(data).__name__}.")
    plain = [{name: value.tolist() if hasattr(value, "tolist") else value for name, value in row.items()} for row in rows]
    # A value that one row lacks is NaN in a frame.
    return [{name: value for name, value in row.items() if value is not None and value == value} for row in plain]


def _flat(texts: list[Any]) -> list[str]:
    return [text for each in texts for text in (each if isinstance(each, list) else [each])]


def _check(texts: Sequence[Any], field: str) -> None:
    """Refuse what is no text: also a list of none, and letters that are none, which JSON can spell."""
    if not texts or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"{field}: a text, or a list of texts, is taken.")
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{field}: not a text of Unicode: {error.reason}.") from None


def _prompt(tokenizer: Any, messages: Any) -> str:
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise UsageError("messages: a list of dictionaries with role and content is taken.")
    if not getattr(tokenizer, "chat_template", None):
        raise UsageError(
            "The model's tokenizer has no chat_template, so that messages make no prompt: set one, and save the model again."
        )
    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    except Exception as error:  # a template is a program of its own, which refuses roles by its own errors
        raise UsageError(f"messages: the tokenizer's chat_template refuses them: {error}") from error


def _generation(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's options as a pipeline takes them."""
    refused = [name for name in _NOT_HERE if asked.get(name)]
    if asked.get("n", 1) != 1:
        refused.append("n")
    if refused:
        raise UsageError(f"A pipeline of Transformers does not do what is asked for by {', '.join(refused)}: leave it out.")
    options = {
        name: value for name, value in asked.items() if name not in (*_NOT_HERE, "n", "return_full_text", "include_prompt")
    }
    options.pop("collapse_whitespace", None)
    if (most := options.pop("max_tokens", None)) is not None:
        options["max_new_tokens"] = int(most)
    if options.get("temperature") == 0:  # OpenAI's word for no chance at all, which Transformers refuses
        del options["temperature"]
        options["do_sample"] = False
    return options


def _generated(pipeline: Any, task: Task, prompts: list[str], options: dict[str, Any]) -> list[dict[str, Any]]:
    stops = options.pop("stop", None) or []
    stops = [stops] if isinstance(stops, str) else list(stops)
    if stops:
        made = [
            pipeline(each, return_tensors=True, stopping_criteria=_stopping(pipeline.tokenizer, stops), **options)
            for each in prompts
        ]
    else:
        made = pipeline(prompts, return_tensors=True, **options)
    first = [each[0] if isinstance(each, list) else each for each in made]
    tokens = [_listed(each["generated_token_ids"]) for each in first]
    return [_completion(pipeline.tokenizer, task, *each, options) for each in zip(prompts, tokens, strict=True)]


def _stopping(tokenizer: Any, stops: Sequence[str]) -> list[Any]:
    """Return what ends one generation when its new text holds any of some texts.

    Transformers' own ``stop_strings`` fail with tokenizers of whole words, and MLflow asks a hub for the tokenizer.
    """
    start: list[int] = []

    def ends(tokens: Any, scores: Any, **_: Any) -> Any:
        if not start:
            start.append(tokens.shape[1] - 1)
        told = [tokenizer.decode(row[start[0] :], skip_special_tokens=True) for row in tokens]
        return tokens.new_tensor([any(stop in text for stop in stops) for text in told]).bool()

    return [ends]


def _completion(tokenizer: Any, task: Task, prompt: str, tokens: list[int], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to one prompt; `tokens` begin with those of the prompt. The counts are MLflow's."""
    asked = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    told, before = (
        tokenizer.decode(each, skip_special_tokens=True, clean_up_tokenization_spaces=True) for each in (tokens, asked)
    )
    text = told[len(before) :].lstrip()
    new = len(tokens) - len(asked)
    cut = new == options.get("max_new_tokens") or len(tokens) > options.get("max_length", float("inf"))
    said = {"text": text} if task.name == COMPLETIONS else {"message": {"role": "assistant", "content": text}}
    return {
        "id": str(uuid.uuid4()),
        "object": _OBJECTS[task.name],
        "created": int(time.time()),
        "model": task.model,
        "usage": {"prompt_tokens": len(asked), "completion_tokens": new, "total_tokens": len(tokens)},
        "choices": [{"index": 0, "finish_reason": "length" if cut else "stop", **said}],
    }


def _embeddings(pipeline: Any, texts: list[str], options: dict[str, Any]) -> dict[str, Any]:
    counts = [len(pipeline.tokenizer(text)["input_ids"]) for text in texts]
    if 0 in counts:
        raise UsageError(f"input: text {counts.index(0)} has no token for the model.")
    made, count = pipeline(texts, **options), sum(counts)
    return {
        "object": "list",
        # Of each text the first token's, as in MLflow.
        "data": [{"object": "embedding", "index": at, "embedding": _listed(each[0][0])} for at, each in enumerate(made)],
        "usage": {"prompt_tokens": count, "total_tokens": count},
    }


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
