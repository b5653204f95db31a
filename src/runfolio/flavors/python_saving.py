"""Models of plain Python saved: an instance, a function or a script, or a module with a ``_load_pyfunc``; in MLflow's layout.

Where ``predict`` has type hints, the signature is read off them. Requirements are what the pickle refers to, what the code imports, and
what is imported while the model predicts its input example.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from runfolio._version import __version__
from runfolio.errors import NotFoundError, UsageError
from runfolio.flavors.catalogue import PYTHON_FUNCTION, PYTHON_MODEL, PYTHON_SCRIPT
from runfolio.flavors.chat_messages import ChatMessage
from runfolio.flavors.chat_models import EXAMPLE, TASK, ChattingModel
from runfolio.flavors.chat_models import signature as chat_signature
from runfolio.flavors.examples import Example
from runfolio.flavors.folders import Beside, code_of, python_function, save_folder
from runfolio.flavors.hashed_files import write_hashed
from runfolio.flavors.imported import imports_of, imports_of_sources, own_sources
from runfolio.flavors.inference import infer_signature
from runfolio.flavors.model import Model
from runfolio.flavors.model_scripts import read_config, run_script
from runfolio.flavors.pickled_names import modules_of
from runfolio.flavors.pickles import dump_cloudpickle
from runfolio.flavors.python_models import PythonModel, PythonModelContext, as_model, call_predict, streams
from runfolio.flavors.requirements import ENV, Requirements, distributions_of, pinned
from runfolio.flavors.schema import ColSpec, Schema
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.type_hints import TypeFromExample, is_checked, says_nothing, schema_of
from runfolio.flavors.types import AnyType

_FILE = "python_model.pkl"
_log = logging.getLogger("runfolio")
Given = PythonModel | Callable[..., Any] | str | os.PathLike[str]


def save_model(
    path: str | os.PathLike[str],
    loader_module: str | None = None,
    data_path: str | os.PathLike[str] | None = None,
    code_path: Sequence[str | os.PathLike[str]] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    infer_code_paths: bool = False,
    conda_env: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    mlflow_model: Model | None = None,
    python_model: Given | None = None,
    artifacts: Mapping[str, str | os.PathLike[str]] | None = None,
    signature: ModelSignature | Literal[False] | None = None,
    input_example: Any = None,
    pip_requirements: Requirements | None = None,
    extra_pip_requirements: Requirements | None = None,
    metadata: Mapping[str, Any] | None = None,
    model_config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    streamable: bool | None = None,
) -> Model:
    """Write a Python model into a folder; MLflow loads it too, where runfolio is installed beside it.

    Parameters
    ----------
    path : path
        Missing, or an empty folder.
    loader_module, data_path : str and path, optional
        A module with ``_load_pyfunc(data_path)``, and its data, in place of `python_model`.
    code_path : sequence of paths, optional
        An older name of `code_paths`.
    code_paths : sequence of paths, optional
        Modules and packages to save with the model.
    infer_code_paths : bool
        Save the modules of your own that the model's class, function or script imports.
    conda_env : dict or path, optional
        The whole ``conda.yaml``.
    mlflow_model : Model, optional
        To add the flavor to.
    python_model : PythonModel, callable or path
        A class's instance, a function of the input (and of ``params``), or a script that calls ``runfolio.models.set_model``.
    artifacts : dict of str to path, optional
        Local files and folders that ``load_context`` finds in ``context.artifacts``.
    signature : ModelSignature or False, optional
        Read off the type hints of ``predict``, or else inferred from the input example; False leaves it out.
    input_example, pip_requirements, extra_pip_requirements, metadata
        As for :func:`runfolio.sklearn.save_model`.
    model_config : dict or path of a YAML file, optional
        Found in ``context.model_config``, and in a script by ``runfolio.models.ModelConfig``.
    streamable : bool, optional
        Whether ``predict_stream`` is there; looked at by default.

    Raises
    ------
    UsageError
        If it is neither a PythonModel nor a function nor a script, or cannot be pickled; or if `code_path` and `code_paths` are given.
    """
    if code_path is not None:
        if code_paths is not None:
            raise UsageError("code_path is an older name of code_paths: give one of the two.")
        code_paths = code_path
    if (python_model is None) == (loader_module is None):
        raise UsageError(
            "A model is python_model=… (an instance, a function or a script) or loader_module=… (a module), one of the two."
        )
    if loader_module is not None and artifacts:
        raise UsageError("artifacts go with python_model; a loader_module has data_path.")
    beside = Beside(signature, input_example, pip_requirements, extra_pip_requirements, conda_env, code_paths, metadata)
    if loader_module is not None:
        module = loader_module

        def write_module(folder: Path, model: Model) -> list[str]:
            return _write_module(folder, model, module, data_path)

        return save_folder(path, mlflow_model, beside, write_module, None)
    return _Saving(
        python_model, beside, _files(artifacts or {}), read_config(_path(model_config)), streamable, infer_code_paths
    ).to(path, mlflow_model)


def _path(given: Mapping[str, Any] | str | os.PathLike[str] | None) -> Mapping[str, Any] | Path | None:
    return given if given is None or isinstance(given, Mapping) else Path(given)


class _Saving:
    """One Python model on its way into a folder."""

    def __init__(
        self,
        given: Given | None,
        beside: Beside,
        files: Mapping[str, Path],
        config: Mapping[str, Any],
        streamable: bool | None,
        infer_code: bool,
    ) -> None:
        self.script = Path(given).expanduser() if isinstance(given, (str, os.PathLike)) else None
        self.held = as_model(run_script(self.script, config) if self.script else given, beside.signature or None)
        self.files, self.config = files, config
        self.streamable = streams(self.held) if streamable is None else streamable
        self.pickled = b"" if self.script else dump_cloudpickle(self.held)
        self.imports = self._imports()
        self.beside = self._with_code(beside) if infer_code else beside
        self.needed: list[str] = []

    def _imports(self) -> set[str]:
        read = imports_of_sources([self.script]) if self.script else modules_of(self.pickled)
        return read | imports_of(self.held.as_written())

    def _with_code(self, beside: Beside) -> Beside:
        given = [Path(each).resolve() for each in beside.code_paths or ()]
        found = [place for _, place in sorted(own_sources(self.imports).items()) if place not in given and place != self.script]
        return replace(beside, code_paths=[*given, *found])

    def to(self, path: str | os.PathLike[str], model: Model | None) -> Model:
        """Write the folder."""
        made = model or Model()
        beside = self._chatting(self.held) if isinstance(self.held, ChattingModel) else self._signed(made)
        return save_folder(path, made, beside, self._write, self._predict)

    def _chatting(self, held: ChattingModel) -> Beside:
        """Give a chat model the signature that they all have, and call it once: what it answers must be an answer."""
        beside = self.beside
        if beside.signature:
            raise UsageError("signature: that of a ChatModel is always the same one; leave it out.")
        given = EXAMPLE if beside.input_example is None else beside.input_example
        if isinstance(given, list):
            given = {"messages": [each.to_dict() if isinstance(each, ChatMessage) else each for each in given]}
        self._predict(given, {})
        return replace(
            beside, signature=chat_signature(), input_example=given, metadata={"task": TASK, **(beside.metadata or {})}
        )

    def _signed(self, model: Model) -> Beside:
        """Read the signature off the type hints, which go before what is given."""
        beside, hints = self.beside, self.held.predict_type_hints
        if hints.input is TypeFromExample:
            if beside.input_example is None:
                _log.warning("The type hint TypeFromExample needs an input example; the data is not converted without one.")
            elif beside.signature is not False:
                model.more["type_hint_from_example"] = True
            return beside
        if beside.signature is False:
            return beside
        if not is_checked(hints.input):
            if says_nothing(hints.input):
                _log.warning(
                    "The type hint %s of predict's input tells no signature, and data is not held against it: checked is list[…] of "
                    "what each row is, such as list[str].",
                    hints.input.__name__ if isinstance(hints.input, type) else hints.input,
                )
            return beside
        example = Example.of(beside.input_example) if beside.input_example is not None else None
        params = infer_signature(params=example.params).params if example and example.params else None
        found = ModelSignature(schema_of(hints.input), self._outputs(hints.output, example), params)
        if beside.signature is not None and beside.signature != found:
            _log.warning("The signature given differs from what the type hints of predict say, which is taken: %r", found)
        model.more["is_signature_from_type_hint"] = True
        return replace(beside, signature=found)

    def _outputs(self, hint: Any, example: Example | None) -> Schema:
        anything = Schema([ColSpec(AnyType())])
        if example is not None:
            try:
                self._predict(example.data, example.params or {})
            except Exception as error:  # noqa: BLE001 # whatever the model raises: it is the model that must not be lost
                _log.warning("The model does not predict its input example: %r", error)
        if hint is None:
            return anything
        try:
            return schema_of(hint)
        except UsageError:
            return anything

    def _predict(self, data: Any, params: dict[str, Any]) -> Any:
        before = set(sys.modules)
        context = PythonModelContext({name: str(place) for name, place in self.files.items()}, self.config)
        self.held.load_context(context)
        try:
            return call_predict(self.held, context, data, params)
        finally:
            # The folder's writer holds this very list until the environment is written.
            self.needed += pinned(distributions_of({each.partition(".")[0] for each in set(sys.modules) - before}))

    def _write(self, folder: Path, model: Model) -> list[str]:
        said: dict[str, Any] = {}
        if self.script:
            shutil.copyfile(self.script, folder / self.script.name)
            said["model_code_path"] = self.script.name
        else:
            write_hashed(folder / _FILE, self.pickled)
            said["python_model"] = _FILE
        if self.files:
            said["artifacts"] = _copied(self.files, folder)
        if self.config:
            said["config"] = dict(self.config)
        [cloudpickle] = pinned(["cloudpickle"])
        model.add_flavor(
            PYTHON_FUNCTION,
            cloudpickle_version=cloudpickle.partition("==")[2],
            code=code_of(folder),
            env=dict(ENV),
            loader_module=PYTHON_SCRIPT if self.script else PYTHON_MODEL,
            python_version=platform.python_version(),
            streamable=self.streamable,
            **said,
        )
        found = set(distributions_of(self.imports)) - {"runfolio"}
        self.needed += [cloudpickle, f"runfolio=={__version__}", *pinned(found)]
        return self.needed


def _files(artifacts: Mapping[str, str | os.PathLike[str]]) -> dict[str, Path]:
    found = {name: Path(str(place).removeprefix("file://")).expanduser() for name, place in artifacts.items()}
    missing = [f"{name}: {str(artifacts[name])!r}" for name, place in found.items() if not place.exists()]
    if missing:
        raise NotFoundError(
            f"artifacts: no such file: {', '.join(missing)}. Fetch others first: runfolio.artifacts.download_artifacts."
        )
    return found


def _copied(files: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    said = {}
    for name, place in files.items():
        target = folder / "artifacts" / place.name
        if target.exists():
            target = folder / "artifacts" / name / place.name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if place.is_dir() else shutil.copyfile)(place, target)
        relative = target.relative_to(folder).as_posix()
        said[name] = {"path": relative, "uri": relative}  # MLflow holds the machine's own path as uri: nobody else's business
    return said


def _write_module(folder: Path, model: Model, module: str, data: str | os.PathLike[str] | None) -> list[str]:
    said: dict[str, Any] = {}
    if data is not None:
        place = Path(data).expanduser()
        if not place.exists():
            raise NotFoundError(f"data_path: no such file or folder: {str(data)!r}.")
        (folder / "data").mkdir()
        (shutil.copytree if place.is_dir() else shutil.copyfile)(place, folder / "data" / place.name)
        said["data"] = f"data/{place.name}"
    python_function(model, folder, module, **said)
    return pinned(distributions_of([module]))


def add_to_model(
    model: Model,
    loader_module: str,
    data: str | None = None,
    code: str | None = None,
    conda_env: str | None = None,
    python_env: str | None = None,
    model_config: Mapping[str, Any] | None = None,
    model_code_path: str | None = None,
    **kwargs: Any,
) -> Model:
    """Add the flavor ``python_function`` to a description of a model, so that a folder of another making is called by ``predict``.

    Parameters
    ----------
    model : Model
    loader_module : str
        Module with ``_load_pyfunc``.
    data, code, conda_env, python_env, model_code_path : str, optional
        Paths in the folder.
    model_config : dict, optional
    **kwargs
        More entries.
    """
    env = {name: place for name, place in (("conda", conda_env), ("virtualenv", python_env)) if place}
    more = {
        "code": code,
        "data": data,
        "env": env,
        "config": model_config and dict(model_config),
        "model_code_path": model_code_path,
    }
    said = {name: value for name, value in more.items() if value}
    return model.add_flavor(
        PYTHON_FUNCTION, **kwargs, loader_module=loader_module, python_version=platform.python_version(), **said
    )
