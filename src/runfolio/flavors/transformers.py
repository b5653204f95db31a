"""Pipelines and models of Hugging Face Transformers, in the layout of ``mlflow.transformers``: weights in safetensors, the rest JSON.

Nothing is asked of a hub, neither when a model is saved nor when it is loaded: what a record names lies in the folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors import llm_tasks
from runfolio.flavors.catalogue import Predict
from runfolio.flavors.folders import (
    Beside,
    Options,
    add_code,
    code_of,
    config_of,
    inside,
    python_function,
    save_folder,
    with_options,
)
from runfolio.flavors.model import Model
from runfolio.flavors.pipeline_calls import TEMPLATE, call, check_template, in_template, is_called, signature_of
from runfolio.flavors.requirements import pinned
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.trust import vouched

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR = "transformers"
LOADER = "mlflow.transformers"
DEVICE_VARIABLE = "MLFLOW_DEFAULT_PREDICTION_DEVICE"
_MODEL = "model"
_COMPONENTS = "components"
_KINDS = ("feature_extractor", "tokenizer", "image_processor")
_KEYS = {"model", "torch_dtype", *_KINDS}
_RUNS_CODE = (".py", ".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


@with_options
def save_model(
    transformers_model: Any,
    path: str | os.PathLike[str],
    processor: Any = None,
    task: str | None = None,
    torch_dtype: Any = None,
    model_card: Any = None,
    mlflow_model: Model | None = None,
    model_config: Mapping[str, Any] | None = None,
    prompt_template: str | None = None,
    **options: Unpack[Options],
) -> Model:
    """Write a pipeline, or the parts of one, into a folder; MLflow loads it too.

    Parameters
    ----------
    transformers_model : transformers.Pipeline, dict, or path
        A dictionary has ``model`` and any of ``tokenizer``, ``feature_extractor``, ``image_processor``; a path is that of a folder that
        ``save_pretrained`` wrote.
    path : path
        Missing, or an empty folder.
    processor : transformers.ProcessorMixin, optional
        Saved beside the model; such a model is loaded as parts only.
    task : str, optional
        As in ``"text-classification"``; needed unless a pipeline says it. ``"llm/v1/chat"``, ``"llm/v1/completions"`` and
        ``"llm/v1/embeddings"`` make ``predict`` take and give what OpenAI's API does.
    torch_dtype : torch.dtype, optional
        To load the weights as; the model's own by default.
    model_card : str or huggingface_hub.ModelCard, optional
        Written beside the model. None is fetched.
    mlflow_model : Model, optional
        To add the flavor to.
    model_config : dict, optional
        What ``predict`` gives the pipeline, as ``{"max_new_tokens": 20}``.
    prompt_template : str, optional
        What ``predict`` puts each text into, as ``"Answer kindly. Q: {prompt} A:"``; of the tasks that take a prompt. Text
        generation then gives only the new text, unless `model_config` has ``return_full_text``.
    **options
        See :class:`~runfolio.flavors.folders.Options`. The signature is that of the task by default.

    Raises
    ------
    UsageError
        If it is none of these, or makes no pipeline; if the template is none, or the task takes none.
    """
    transformers = _transformers()
    pipeline = _pipeline(transformers_model, task)
    called = processor is None and is_called(str(pipeline.task))
    answered = task if llm_tasks.is_one(task) else None
    if answered is not None:
        options["signature"] = _fixed_signature(answered, pipeline, processor, options.get("signature"))
    elif called and options.get("input_example") is None and options.get("signature") is None:
        options["signature"] = signature_of(str(pipeline.task))
    options["metadata"] = _metadata(options.get("metadata"), task, answered, prompt_template)
    if prompt_template is not None:
        check_template(prompt_template, str(pipeline.task))
        if pipeline.task == "text-generation":
            model_config = {"return_full_text": False, **(model_config or {})}

    def write(folder: Path, described: Model) -> list[str]:
        said = _describe(pipeline, processor, torch_dtype)
        if answered is not None:
            said[llm_tasks.KEY] = answered
        with _without_bars():
            pipeline.model.save_pretrained(str(folder / _MODEL))
            for name in said["components"]:
                getattr(pipeline, name).save_pretrained(str(folder / _COMPONENTS / name))
            if processor is not None:
                processor.save_pretrained(str(folder / _COMPONENTS / "processor"))
        if model_card is not None:
            (folder / "model_card.md").write_text(str(getattr(model_card, "content", model_card)))
        if called:
            python_function(described, folder, LOADER, **({"config": dict(model_config)} if model_config else {}))
        described.add_flavor(FLAVOR, transformers_version=str(transformers.__version__), code=code_of(folder), **said)
        return pinned(["transformers", "torch", "tokenizers", "safetensors", "numpy", "torchvision", "accelerate"])

    predict = predictor(pipeline, {"config": model_config, "metadata": options["metadata"]}) if called else None
    return save_folder(path, mlflow_model, Beside(**options), write, predict)


def _fixed_signature(task: str, pipeline: Any, processor: Any, given: Any) -> ModelSignature:
    if processor is not None or str(pipeline.task) != llm_tasks.pipeline_task(task):
        found = "a processor is given" if processor is not None else f"this one is of {str(pipeline.task)!r}"
        raise UsageError(f"task: {task!r} is done by a pipeline of {llm_tasks.pipeline_task(task)!r} alone, and {found}.")
    made = llm_tasks.signature_of(task)
    if given is not None and given != made:
        raise UsageError(f"signature: that of the task {task!r} is always the same one. Leave it out.")
    return made


def _metadata(
    given: Mapping[str, Any] | None, task: str | None, answered: str | None, template: str | None
) -> dict[str, Any] | None:
    """Return a model's metadata, which hold its template and OpenAI's task, as MLflow's do."""
    made = dict(given or {})
    if (said := made.get(llm_tasks.METADATA_KEY)) and said != task:
        raise UsageError(f"metadata: 'task' is {said!r}, and the argument task is {task!r}. Say the same in both.")
    if template is not None:
        made[TEMPLATE] = template
    if answered is not None:
        made[llm_tasks.METADATA_KEY] = answered
    return made or None


def _pipeline(given: Any, task: str | None) -> Any:
    transformers = _transformers()
    if isinstance(given, transformers.Pipeline):
        return given
    if isinstance(given, (str, os.PathLike)):
        given = _from_checkpoint(Path(given))
    if not isinstance(given, Mapping):
        raise UsageError(
            f"transformers_model takes a Pipeline, its parts as a dictionary, or a folder, not {type(given).__name__}."
        )
    unknown = sorted(set(given) - _KEYS)
    if unknown or "model" not in given:
        raise UsageError(
            f"transformers_model: a dictionary has 'model' and any of {', '.join(sorted(_KEYS))}; it has {sorted(given)}."
        )
    if task is None:
        raise UsageError("Parts make a pipeline of a task: name it, as in task='text-classification'.")
    if llm_tasks.is_one(task):
        task = llm_tasks.pipeline_task(task)
    try:
        return transformers.pipeline(task=task, **given)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise UsageError(f"The parts make no pipeline of the task {task!r}: {error}") from error


def _from_checkpoint(folder: Path) -> dict[str, Any]:
    transformers = _transformers()
    if not (folder / "config.json").is_file():
        raise UsageError(f"{str(folder)!r} holds no config.json: name a folder that save_pretrained wrote.")
    config = transformers.AutoConfig.from_pretrained(str(folder))
    kind = getattr(transformers, (config.architectures or ["?"])[0], None)
    if kind is None:
        raise UsageError(f"{folder}/config.json: architectures: {config.architectures!r} is no model of Transformers.")
    return {"model": kind.from_pretrained(str(folder)), "tokenizer": transformers.AutoTokenizer.from_pretrained(str(folder))}


def _describe(pipeline: Any, processor: Any, torch_dtype: Any) -> dict[str, Any]:
    model = pipeline.model
    name = str(getattr(model, "name_or_path", ""))
    said: dict[str, Any] = {
        "task": str(pipeline.task),
        "instance_type": type(pipeline).__name__,
        "pipeline_model_type": type(model).__name__,
        # Where it lay on this machine is nobody else's business.
        "source_model_name": Path(name).name if os.path.exists(name) else name,
        "model_binary": _MODEL,
    }
    framework, dtype = getattr(pipeline, "framework", None), torch_dtype or getattr(model, "dtype", None)
    said |= {key: str(value) for key, value in (("framework", framework), ("torch_dtype", dtype)) if value is not None}
    parts = {name: getattr(pipeline, name, None) for name in _KINDS}
    said["components"] = [name for name, part in parts.items() if part is not None]
    for name, part in {**parts, "processor": processor}.items():
        if part is not None:
            said[f"{name}_type"] = type(part).__name__
    return said


@contextmanager
def _without_bars() -> Iterator[None]:
    logging = _transformers().utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def load_folder(folder: Path, return_type: str = "pipeline", device: Any = None, **options: Any) -> Any:
    """Load the pipeline, or its parts, from a folder whose code may run (:mod:`runfolio.flavors.trust`).

    Parameters
    ----------
    folder : path
    return_type : {"pipeline", "components"}
        "components" gives a dictionary of the task, the model and its parts.
    device : int or str, optional
        As for ``transformers.pipeline``.
    **options
        Of ``transformers.pipeline``; ``torch_dtype`` to load the weights as.

    Raises
    ------
    UsageError
        If the model is of another flavor, or its weights lie on a hub.
    DamagedError
        If its files cannot be read.
    """
    transformers = _transformers()
    if return_type not in ("pipeline", "components"):
        raise UsageError(f"return_type: {return_type!r} is none. There are: pipeline, components.")
    config = config_of(folder, FLAVOR)
    if return_type == "pipeline" and "processor_type" in config:
        raise UsageError("The model was saved with a processor, which no pipeline takes: return_type='components'.")
    if "model_binary" not in config:
        raise UsageError(
            f"{folder}: the weights are not in the folder but on a hub, where they may change. With MLflow: "
            "mlflow.transformers.persist_pretrained_model, then log it again."
        )
    add_code(folder, config)
    dtype = options.pop("torch_dtype", None) or config.get("torch_dtype")
    with _without_bars():
        parts = {"model": _model(folder, config, dtype)}
        names = [*config.get("components", ()), *(["processor"] if "processor_type" in config else [])]
        parts |= {name: _part(folder, config, name) for name in names}
    made = {"task": str(config.get("task")), **({"device": _device(device)} if _device(device) is not None else {}), **parts}
    return transformers.pipeline(**made, **options) if return_type == "pipeline" else made


def _device(device: Any) -> Any:
    if device is None and (wanted := os.environ.get(DEVICE_VARIABLE)):
        return int(wanted) if wanted.lstrip("-").isdigit() else wanted
    return device


def _model(folder: Path, config: Mapping[str, Any], dtype: Any) -> Any:
    place = inside(folder, config["model_binary"], "flavors.transformers.model_binary")
    kind, remote = _kind(str(config.get("pipeline_model_type")), "AutoModel", folder)
    said = {_dtype_word(): str(dtype).removeprefix("torch.")} if dtype is not None else {}
    return _from_pretrained(kind, place, **said, **({"trust_remote_code": True} if remote else {}))


def _part(folder: Path, config: Mapping[str, Any], name: str) -> Any:
    auto = {"tokenizer": "AutoTokenizer", "feature_extractor": "AutoFeatureExtractor", "processor": "AutoProcessor"}
    kind, remote = _kind(str(config.get(f"{name}_type")), auto.get(name, "AutoImageProcessor"), folder)
    place = inside(folder, f"{_COMPONENTS}/{name}", "flavors.transformers.components")
    return _from_pretrained(kind, place, **({"trust_remote_code": True} if remote else {}))


def _kind(name: str, auto: str, folder: Path) -> tuple[Any, bool]:
    """Return a class of Transformers, or its finder of classes whose code lies in the folder."""
    transformers = _transformers()
    kind = getattr(transformers, name, None)
    if isinstance(kind, type) and hasattr(kind, "from_pretrained"):
        return kind, False
    if vouched(folder) and any(folder.rglob("*.py")):
        return getattr(transformers, auto), True
    raise UsageError(
        f"{folder}: {name!r} is no class of Transformers {transformers.__version__}. Install the version it was saved with."
    )


def _from_pretrained(kind: Any, place: Path, **options: Any) -> Any:
    if not place.is_dir():
        raise DamagedError(f"{place}: MLmodel names this folder, and it is missing. Fetch the model again.")
    try:
        return kind.from_pretrained(str(place), local_files_only=True, **options)
    except Exception as error:  # safetensors' and tokenizers' own errors are plain Exceptions
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DamagedError(f"{place}: {kind.__name__} cannot read it: {first}. Fetch the model again.") from error


def _dtype_word() -> str:
    return "dtype" if int(_transformers().__version__.partition(".")[0]) >= 5 else "torch_dtype"


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the pipeline is called; parameters of a call come before those of ``model_config``."""
    chosen = dict(config.get("config") or {})
    template = (config.get("metadata") or {}).get(TEMPLATE)
    if template is not None:
        check_template(template, str(held.task))  # the file may be of another hand
    said = (config.get("flavors") or {}).get(FLAVOR) or {}
    if llm_tasks.KEY not in said:
        return lambda data, params: call(held, data, {**chosen, **params}, template)
    asked = llm_tasks.Task(str(said[llm_tasks.KEY]), str(said.get("source_model_name") or ""))
    llm_tasks.pipeline_task(asked.name)
    return lambda data, params: llm_tasks.answer(
        held, asked, data, {**chosen, **params}, lambda texts: in_template(texts, template)
    )


def generate_signature_output(
    pipeline: Any,
    data: Any,
    model_config: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    flavor_config: Mapping[str, Any] | None = None,
) -> Any:
    """Return what ``predict`` of the saved pipeline would answer, for ``infer_signature``; nothing is written.

    Parameters
    ----------
    pipeline : transformers.Pipeline
    data : DataFrame, str, dict, or list of them
    model_config, params : dict, optional
        For the pipeline; `params` come first.
    flavor_config : dict, optional
        Taken for MLflow's sake, and not used.

    Raises
    ------
    UsageError
        If it is no pipeline, or the data is of another type.
    """
    del flavor_config
    if not isinstance(pipeline, _transformers().Pipeline):
        raise UsageError(f"A pipeline of Transformers is taken, not {type(pipeline).__name__}.")
    return call(pipeline, data, {**(model_config or {}), **(params or {})})


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return Python files and pickled weights; safetensors and JSON are data."""
    found = [each for top in (_MODEL, _COMPONENTS) for each in (folder / top).rglob("*") if each.suffix in _RUNS_CODE]
    return tuple(sorted(str(each.relative_to(folder)) for each in found))


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise missing_package("transformers", "transformers", "save and load models of Transformers") from error
    return transformers
