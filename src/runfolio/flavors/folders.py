"""What every flavor's ``save_model`` does around its own files: the folder made, the model described, all or nothing.

A folder is written beside its place under another name and moved there when it is whole.
"""

from __future__ import annotations

import inspect
import logging
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar

from runfolio._dataclass import dataclass
from runfolio.errors import AlreadyExistsError, NotFoundError, UsageError
from runfolio.flavors.enforcing import enforce_schema
from runfolio.flavors.examples import Example
from runfolio.flavors.imported import imports_of_sources
from runfolio.flavors.inference import infer_signature
from runfolio.flavors.model import Model
from runfolio.flavors.requirements import ENV, Requirements, distributions_of, pinned, write_environment
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.trust import remember
from runfolio.flavors.versions import warn_of_other_versions
from runfolio.formats.mlmodel import FILE

CODE = "code"
_log = logging.getLogger("runfolio")


@dataclass(frozen=True, slots=True)
class Beside:
    """What may be saved beside any model; the parameters of MLflow's ``save_model`` that all flavors have."""

    signature: ModelSignature | Literal[False] | None = None
    input_example: Any = None
    pip_requirements: Requirements | None = None
    extra_pip_requirements: Requirements | None = None
    conda_env: Mapping[str, Any] | str | os.PathLike[str] | None = None
    code_paths: Sequence[str | os.PathLike[str]] | None = None
    metadata: Mapping[str, Any] | None = None


class Options(TypedDict, total=False):
    """The same as keywords; every ``save_model`` takes them, and hands them on as ``Beside(**options)``.

    A signature is inferred from the input example by default; False leaves it out. `pip_requirements` is in place of, and
    `extra_pip_requirements` besides, the exact versions of what the model needs; `conda_env` is the whole ``conda.yaml``. `code_paths`
    are modules and packages to save with the model.
    """

    signature: ModelSignature | Literal[False] | None
    input_example: Any
    pip_requirements: Requirements | None
    extra_pip_requirements: Requirements | None
    conda_env: Mapping[str, Any] | str | os.PathLike[str] | None
    code_paths: Sequence[str | os.PathLike[str]] | None
    metadata: Mapping[str, Any] | None


Save = TypeVar("Save", bound=Callable[..., Model])


def with_options(save_model: Save) -> Save:
    """Spell the options out in the signature of a ``save_model(…, **options)``: help, editors and ``log_model`` read it there."""
    signature = inspect.signature(save_model)
    own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    more = [inspect.Parameter(each, inspect.Parameter.KEYWORD_ONLY, default=None) for each in Options.__annotations__]
    save_model.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined] # PEP 362
    return save_model


Write = Callable[[Path, Model], Sequence[str]]
"""Writes a flavor's own files, adds the flavor to the model, and returns what it needs of packages, pinned."""
Predict = Callable[[Any, dict[str, Any]], Any]


def save_folder(
    path: str | os.PathLike[str], model: Model | None, beside: Beside, write: Write, predict: Predict | None
) -> Model:
    """Write a model's folder.

    Parameters
    ----------
    path : path
        Missing, or an empty folder.
    model : Model, optional
        That already knows its run; a new one by default.
    beside : Beside
    write : callable
    predict : callable or None
        Called with the input example where no signature is given, to infer one.

    Raises
    ------
    AlreadyExistsError
        If the place is taken.
    """
    target = Path(path).expanduser()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise AlreadyExistsError(f"{str(path)!r} is there already, and not empty. Choose another place for the model.")
    made = model or Model()
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    try:
        _fill(partial, made, beside, write, predict)
        if target.exists():
            target.rmdir()
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    remember(target)
    return made


def _fill(folder: Path, model: Model, beside: Beside, write: Write, predict: Predict | None) -> None:
    _copy_code(folder, beside.code_paths or ())
    if beside.signature and not isinstance(beside.signature, ModelSignature):
        kind = type(beside.signature).__name__
        raise UsageError(
            f"signature takes a ModelSignature (runfolio.models.infer_signature makes one), or False; this is {kind}."
        )
    wanted = write(folder, model)
    model.signature = beside.signature or None
    model.metadata = dict(beside.metadata) if beside.metadata else None
    if beside.input_example is not None:
        example = Example.of(beside.input_example)
        model.saved_input_example_info = example.save(folder)
        if beside.signature is None and predict is not None:
            model.signature = _inferred(example, predict)
    needed = list(wanted)  # complete only now: predicting may import more
    if (folder / CODE).is_dir():
        own = {each.stem for each in (folder / CODE).iterdir()}
        imported = {each for each in imports_of_sources([folder / CODE]) if each.partition(".")[0] not in own}
        needed += pinned(distributions_of(imported))
    write_environment(folder, sorted(set(needed)), beside.pip_requirements, beside.extra_pip_requirements, beside.conda_env)
    model.model_size_bytes = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    model.save(folder / FILE)


def _inferred(example: Example, predict: Predict) -> ModelSignature | None:
    try:
        made = predict(example.data, example.params or {})
    except Exception as error:  # noqa: BLE001 # whatever the model raises: it is the model that must not be lost
        _log.warning("The model does not predict its input example, so that no signature is inferred: %r", error)
        return None
    signature = infer_signature(example.data, made, example.params)
    assert signature.inputs is not None
    try:
        enforce_schema(example.data, signature.inputs)
    except UsageError as error:
        # Rows that are lists, say: a signature has them as one column of lists, and would refuse what the model takes.
        _log.warning("The input example has a form that no signature describes, so that none is inferred: %s", error.message)
        return None
    return signature


def _copy_code(folder: Path, paths: Sequence[str | os.PathLike[str]]) -> None:
    if isinstance(paths, str):
        raise UsageError(f"code_paths takes a list of paths, not one path: [{paths!r}].")
    for path in map(Path, paths):
        if not path.exists():
            raise NotFoundError(f"code_paths: no such file or folder: {str(path)!r}.")
        place = folder / CODE / path.resolve().name
        place.parent.mkdir(exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, place, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        else:
            shutil.copyfile(path, place)


def add_code(folder: Path, config: Mapping[str, Any]) -> None:
    """Put the code that was saved with a model on the path where modules are looked for."""
    if config.get("code"):
        place = str(inside(folder, config["code"], "code"))
        if place not in sys.path:
            sys.path.insert(0, place)


def code_of(folder: Path) -> str | None:
    """Return what a flavor says of the code saved with it."""
    return CODE if (folder / CODE).is_dir() else None


def python_function(model: Model, folder: Path, loader: str, **said: Any) -> None:
    """Add the flavor ``python_function`` as MLflow's own flavors do: who loads it, for which Python, with which environment."""
    code = code_of(folder)
    model.add_flavor(
        "python_function",
        loader_module=loader,
        python_version=platform.python_version(),
        env=dict(ENV),
        **said,
        **({"code": code} if code else {}),
    )


def config_of(folder: Path, flavor: str, meant: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what ``MLmodel`` says of a flavor that is about to be loaded.

    Warns where it names another version of the framework than is here.

    Parameters
    ----------
    folder : path
    flavor : str
    meant : dict, optional
        What keys are about that are not called so: MLflow's ``keras_version`` of the flavor tensorflow is TensorFlow's.

    Raises
    ------
    UsageError
        If the model is of another flavor.
    """
    model = Model.load(folder)
    if flavor not in model.flavors:
        raise other_flavor(flavor, model)
    renamed = meant or {}
    warn_of_other_versions(folder, {renamed.get(key, key): value for key, value in model.flavors[flavor].items()})
    return model.flavors[flavor]


def other_flavor(flavor: str, model: Model) -> UsageError:
    """Return the error of a model that is asked for by a flavor that it has not."""
    there = ", ".join(sorted(model.flavors)) or "none"
    loaders = " or ".join(f"runfolio.{'pyfunc' if each == 'python_function' else each}" for each in sorted(model.flavors))
    return UsageError(f"The model has no flavor {flavor}; its flavors are: {there}. Load it by {loaders}.")


def opened(folder: Path, flavor: str, data: str) -> tuple[dict[str, Any], Path]:
    """Return what ``MLmodel`` says of a flavor, and the file or folder that holds the model, its code put on the path.

    Parameters
    ----------
    folder : path
    flavor : str
    data : str
        Name of the file where ``MLmodel`` gives none.
    """
    config = config_of(folder, flavor)
    add_code(folder, config)
    return config, inside(folder, config.get("data") or data, f"flavors.{flavor}.data")


def inside(folder: Path, name: Any, field: str) -> Path:
    """Return a file that ``MLmodel`` names.

    Raises
    ------
    UsageError
        If it lies outside the folder.
    """
    place = (folder / str(name)).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise UsageError(f"{folder / FILE}: {field}: {name!r} lies outside the model's folder.")
    return place
