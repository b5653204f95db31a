"""What MLflow has and runfolio has not, by name: why, and what to use in its place.

One table for all who tell it: the error of a script that asks for such a name, however it asks, and the page *MLflow's API*.

>>> why_not("runfolio.trace")
'not planned: runfolio keeps runs and models, not traces and prompts'
"""

from __future__ import annotations

from collections.abc import Callable

_OTHER = (
    "no flavor of it here: log it with `runfolio.pyfunc.log_model(python_model=…)`, or with MLflow itself into this folio, by "
    "`MLFLOW_TRACKING_URI=runfolio:///path/to/folio`"
)
_TRACED = (
    "no flavor of language-model frameworks here, and no traces: log a model from code, "
    "`runfolio.pyfunc.log_model(python_model='chain.py')`, or with MLflow itself into this folio, by `MLFLOW_TRACKING_URI=runfolio:///path/to/folio`"
)
_SERVER = "there is no server: `runfolio gateway` serves MLflow's own API and pages over a folio"

INSTEAD = (
    (r"doctor$", "`runfolio doctor`, a command: what a folio costs and what will hit a limit"),
    (r"login$", "there is nothing to log in to: access is your git host's"),
    (r"get_dataset_source_from_json|get_registered_sources", "no plug-ins for sources; a source is read back by `get_source`"),
    (r"from_(spark|tensorflow)|load_delta", "later; meanwhile `from_pandas`, `from_numpy` or `from_file`"),
    (
        r"ChatAgent|ResponsesAgent",
        "`ChatModel`, or a `PythonModel` with a type hint: agents are told by their traces, which runfolio does not keep",
    ),
    (r"Resource|set_retriever_schema", "of Databricks: no such thing here"),
    (r"add_libraries_to_model", "`build-docker --wheels` puts all packages into the image"),
    (r"FlavorBackend", "`runfolio models serve` and `predict` serve every flavor"),
    (r"list_evaluators|ModelEvaluator", "there is one evaluator"),
    (r"load_pyfunc", "`load_model`: MLflow calls it out of date as well"),
    (r"build_model_env", "`runfolio models build-docker` makes an image of a model with its environment"),
    (r"persist_pretrained_model", "a model is always saved with its weights"),
    (
        r"trac(e|ing)|[Ss]pan|prompt|[Aa]ssessment|feedback|expectation",
        "not planned: runfolio keeps runs and models, not traces and prompts",
    ),
    (
        r"^(toxicity|flesch_kincaid_grade_level|ari_grade_level|bleu|token_count)$",
        "it needs a package or a model from elsewhere: make the metric with `runfolio.metrics.make_metric` and that package",
    ),
    (
        r"^(genai|answer_(correctness|relevance|similarity)|faithfulness|relevance)$",
        "no metric asks a language model here: make one of a function with `runfolio.metrics.make_metric`",
    ),
    (r"^shap$", "log what the explainer gives, by `log_figure`, `log_dict` or `log_artifact`"),
    (
        r"^(langchain|llama_index|dspy|openai|anthropic|groq|mistral|gemini|bedrock|litellm|autogen|ag2|crewai|smolagents|pydantic_ai|semantic_kernel|promptflow)$",
        _TRACED,
    ),
    (
        r"^(spark|pyspark|mleap|h2o|fastai|gluon|paddle|pmdarima|diviner|sentence_transformers|johnsnowlabs|mxnet|keras_core)$",
        _OTHER,
    ),
    (r"^(server|gateway|rest_utils|databricks_utils)$", _SERVER),
    (r"^recipes$", "`runfolio pipeline` runs steps that are not up to date; MLflow calls its recipes out of date"),
    (r"^environment_variables$", "runfolio's own variables stand in docs/settings.md"),
    (
        r"^(autologging_utils|model_utils|requirements_utils|async_logging|_model_registry|abstract_backend|submitted_run)$",
        "what MLflow keeps for its own use; say what you need of it in an issue",
    ),
)
"""Patterns of the last part of a name, and what is said of it."""


def why_not(name: str) -> str | None:
    """Return why there is no such name, and what is there in its place; None for a name that MLflow has not either.

    Parameters
    ----------
    name : str
        With its module: ``runfolio.pyfunc.ChatAgent``.
    """
    import re  # not needed by a process that asks for what is there

    last = name.rpartition(".")[2]
    return next((text for pattern, text in INSTEAD if re.search(pattern, last)), None)


def message(name: str) -> str | None:
    """Return the same as the sentence of an error."""
    why = why_not(name)
    return why and f"{name} is not in runfolio. {why[0].upper()}{why[1:]}."


def absent_names(module: str) -> Callable[[str], object]:
    """Return the ``__getattr__`` of a module that has not all of MLflow's names.

    Parameters
    ----------
    module : str
        Its ``__name__``.

    Examples
    --------
    >>> absent_names("runfolio.pyfunc")("load_pyfunc")
    Traceback (most recent call last):
      ...
    AttributeError: runfolio.pyfunc.load_pyfunc is not in runfolio. `load_model`: MLflow calls it out of date as well.
    """

    def refuse(name: str) -> object:
        raise AttributeError(message(f"{module}.{name}") or f"module {module!r} has no attribute {name!r}", name=name)

    return refuse
