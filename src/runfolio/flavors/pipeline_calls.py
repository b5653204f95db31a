"""Pipelines of Transformers called by ``predict``, with the conversions of MLflow: frames to texts, and answers to a frame or texts."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

from runfolio.errors import UsageError
from runfolio.flavors.schema import ColSpec, Schema, TensorSpec
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.types import DataType

_TEXTS = Schema([ColSpec(DataType.string)])
_TEXT_TO_TEXT = ModelSignature(_TEXTS, _TEXTS)
_PAIR = {"text", "text_pair"}
TEMPLATE = "prompt_template"
"""What a model's metadata call the template of its prompts, in MLflow too."""
_TEMPLATED = ("feature-extraction", "fill-mask", "summarization", "text2text-generation", "text-generation")


def signature_of(task: str) -> ModelSignature | None:
    """Return the signature that MLflow gives a pipeline of a task when none is said, or None."""
    if task == "text-classification":
        return ModelSignature(_TEXTS, Schema([ColSpec(DataType.string, "label"), ColSpec(DataType.double, "score")]))
    if task == "feature-extraction":
        return ModelSignature(_TEXTS, Schema([TensorSpec("float64", (-1,), "double")]))
    if task == "zero-shot-classification":
        given = [ColSpec(DataType.string, name) for name in ("sequences", "candidate_labels", "hypothesis_template")]
        made = [ColSpec(DataType.string, "sequence"), ColSpec(DataType.string, "labels"), ColSpec(DataType.double, "scores")]
        return ModelSignature(Schema(given), Schema(made))
    return _TEXT_TO_TEXT if task in _CALLS else None


def is_called(task: str) -> bool:
    """Return whether pipelines of a task are called by ``predict`` here."""
    return task in _CALLS


def check_template(template: Any, task: str) -> None:
    """Refuse what is no template of prompts.

    Raises
    ------
    UsageError
        If it is no text with the one field ``{prompt}``, or pipelines of the task take no prompt.
    """
    if task not in _TEMPLATED:
        raise UsageError(f"{TEMPLATE}: pipelines of the task {task!r} take none; those of {', '.join(_TEMPLATED)} do.")
    if not isinstance(template, str):
        raise UsageError(f"{TEMPLATE}: a text is taken, not {type(template).__name__}.")
    why = ""
    try:
        fields = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
        if fields == ["prompt"]:
            template.format(prompt="")  # as {prompt:d} cannot be
    except ValueError as error:
        fields, why = [], f": {error}"
    if fields != ["prompt"]:
        raise UsageError(
            f"{TEMPLATE}: {template[:100]!r} has not the one field 'prompt'{why}. As in: "
            "'Answer the question in a friendly tone. Q: {prompt} A:'; braces of the text's own are doubled."
        )


def in_template(texts: Any, template: str | None) -> Any:
    """Return a text, or each of a list, within a template, if there is one."""
    if template is None:
        return texts
    return template.format(prompt=texts) if isinstance(texts, str) else [template.format(prompt=each) for each in texts]


def call(pipeline: Any, data: Any, options: Mapping[str, Any], template: str | None = None) -> Any:
    """Call a pipeline.

    Parameters
    ----------
    pipeline : transformers.Pipeline
    data : DataFrame, str, dict, or list of them
    options : dict
        For the pipeline.
    template : str, optional
        What texts are put into.

    Raises
    ------
    UsageError
        If the data is of another type, or the task none of those that are called here.
    """
    task = str(pipeline.task)
    if task not in _CALLS:
        raise UsageError(
            f"Pipelines of the task {task!r} are not called by predict. Load the pipeline: runfolio.transformers.load_model."
        )
    given = _records(data)
    if template is not None:
        given = in_template(_texts(given), template)
    return _CALLS[task](pipeline, given, dict(options))


def _records(data: Any) -> Any:
    import pandas

    if isinstance(data, pandas.DataFrame):
        return data.to_dict(orient="records")
    if isinstance(data, (str, dict)):
        return data
    if hasattr(data, "tolist"):
        data = data.tolist()
    if isinstance(data, list) and all(isinstance(each, (str, dict)) for each in data):
        return data
    raise UsageError(f"A pipeline takes a DataFrame, a text, a dictionary or a list of them, not {type(data).__name__}.")


def _texts(given: Any) -> Any:
    """Return texts alone: of a frame's rows the first column."""
    if isinstance(given, list):
        return [next(iter(each.values())) if isinstance(each, dict) else each for each in given]
    return next(iter(given.values())) if isinstance(given, dict) else given


def _classify(pipeline: Any, given: Any, options: dict[str, Any]) -> Any:
    import pandas

    rows = given if isinstance(given, list) else [given]
    dicts = [each for each in rows if isinstance(each, dict)]
    if any(set(each) - _PAIR and not all(isinstance(key, int) for key in each) for each in dicts) and len(dicts[0]) > 1:
        raise UsageError(f"Text classification takes texts, or dictionaries with {' and '.join(sorted(_PAIR))}.")
    if not any("text" in each for each in dicts):
        rows = [_pair(each) for each in _texts(rows)]
    made = pipeline(rows, **options)
    # The old shape of several answers a text is a list a text; a frame has one row a text in either.
    return pandas.DataFrame(made)


def _pair(text: str) -> Any:
    """Return the dictionary that a scoring server was sent as the text of one, or the text."""
    if not (text.startswith("{") and text.endswith("}")):
        return text
    try:
        made = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return made if isinstance(made, dict) and set(made) <= _PAIR else text


def _generate(pipeline: Any, given: Any, options: dict[str, Any]) -> Any:
    options.pop("include_prompt", None)
    collapsed = options.pop("collapse_whitespace", False)
    texts = _texts(given)
    made = pipeline(texts, **options)
    if isinstance(texts, str):
        found = [made[0]["generated_text"]]
    else:
        found = [each["generated_text"] for row in made for each in (row if isinstance(row, list) else [row])]
    return [(re.sub(r"\s+", " ", text) if collapsed else text).strip() for text in found]


def _fill(pipeline: Any, given: Any, options: dict[str, Any]) -> Any:
    made = pipeline(_texts(given), **options)
    rows = made if isinstance(made[0], list) else [made]
    return [(row[0][0] if isinstance(row[0], list) else row[0])["token_str"].strip() for row in rows]


def _tag(pipeline: Any, given: Any, options: dict[str, Any]) -> Any:
    made = pipeline(_texts(given), **options)
    rows = made if made and isinstance(made[0], list) else [made]
    return [",".join(str(each.get("entity_group", each.get("entity"))) for each in row) for row in rows]


def _embed(pipeline: Any, given: Any, options: dict[str, Any]) -> Any:
    import numpy

    made = pipeline(_texts(given), **options)
    return made if isinstance(made, numpy.ndarray) else numpy.array(made[0][0])


def _zero_shot(pipeline: Any, given: Any, options: dict[str, Any]) -> Any:
    import pandas

    made: list[Any] = []
    for each in given if isinstance(given, list) else [given]:
        if not isinstance(each, dict):
            raise UsageError("Zero-shot classification takes sequences, candidate_labels and, if wanted, hypothesis_template.")
        labels = each.get("candidate_labels")
        said = {**each, "candidate_labels": json.loads(labels) if isinstance(labels, str) and labels.startswith("[") else labels}
        answer = pipeline(**said, **options)
        made += answer if isinstance(answer, list) else [answer]
    return pandas.DataFrame(
        [
            {"sequence": each["sequence"], "labels": label, "scores": score}
            for each in made
            for label, score in zip(each["labels"], each["scores"], strict=True)
        ]
    )


_CALLS: dict[str, Callable[[Any, Any, dict[str, Any]], Any]] = {
    "text-classification": _classify,
    "text-generation": _generate,
    "fill-mask": _fill,
    "token-classification": _tag,
    "feature-extraction": _embed,
    "zero-shot-classification": _zero_shot,
}
