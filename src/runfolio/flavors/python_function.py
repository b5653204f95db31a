"""Models called by one verb, ``predict``, whatever made them: the flavor ``python_function``, in MLflow's layout.

Saved here: classes and functions of plain Python, and modules with a ``_load_pyfunc``. Loaded here: those, and scikit-learn's. A
signature is enforced before the model sees the data.
"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runfolio._version import __version__
from runfolio.errors import NotFoundError, UsageError
from runfolio.flavors.catalogue import PYTHON_MODEL, for_loader
from runfolio.flavors.enforcing import enforce_schema
from runfolio.flavors.folders import Beside, add_code, code_of, inside, python_function, save_folder
from runfolio.flavors.model import Model
from runfolio.flavors.params import enforce_params
from runfolio.flavors.pickled_names import modules_of
from runfolio.flavors.pickles import dump_cloudpickle, load_pickle
from runfolio.flavors.python_models import FunctionModel, PythonModel, PythonModelContext, call_predict
from runfolio.flavors.requirements import ENV, Requirements, distributions_of, pinned
from runfolio.flavors.signatures import ModelSignature

FLAVOR = "python_function"
LOADER = PYTHON_MODEL
_FILE = "python_model.pkl"


@dataclass(frozen=True, slots=True)
class PyFuncModel:
    """A loaded model, called by :meth:`predict`.

    Parameters
    ----------
    metadata : Model
        What its ``MLmodel`` says.
    implementation : Any
        What does the work: an estimator, a :class:`~runfolio.pyfunc.PythonModel`, or what ``_load_pyfunc`` returned.
    call : callable
        Of data and parameters.
    """

    metadata: Model
    implementation: Any
    call: Callable[[Any, dict[str, Any]], Any]

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Return predictions.

        Parameters
        ----------
        data : DataFrame, ndarray, dict, list or plain value
            Fitting the signature, if the model has one: columns are put in order, and extra ones left out.
        params : dict, optional
            As the signature declares them.

        Raises
        ------
        UsageError
            Naming the columns or parameters that do not fit.
        """
        signature = self.metadata.signature
        if signature is None:
            return self.call(data, dict(params or {}))
        checked = enforce_params(params, signature.params)
        if signature.inputs is not None and not self.metadata.more.get("is_signature_from_type_hint"):
            data = enforce_schema(data, signature.inputs)
        return self.call(data, checked)

    def unwrap_python_model(self) -> PythonModel:
        """Return the Python model that was saved.

        Raises
        ------
        UsageError
            If it is of another flavor.
        """
        if not isinstance(self.implementation, PythonModel):
            raise UsageError("unwrap_python_model: this is no PythonModel. Its own object: get_raw_model().")
        return self.implementation

    def get_raw_model(self) -> Any:
        """Return what does the work."""
        return self.implementation

    @property
    def loader_module(self) -> str:
        """What loads it, as ``MLmodel`` says."""
        return str(self.metadata.flavors[FLAVOR]["loader_module"])


def save_model(
    path: str | os.PathLike[str],
    loader_module: str | None = None,
    data_path: str | os.PathLike[str] | None = None,
    code_paths: Sequence[str | os.PathLike[str]] | None = None,
    conda_env: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    mlflow_model: Model | None = None,
    python_model: PythonModel | Callable[..., Any] | None = None,
    artifacts: Mapping[str, str | os.PathLike[str]] | None = None,
    signature: ModelSignature | None = None,
    input_example: Any = None,
    pip_requirements: Requirements | None = None,
    extra_pip_requirements: Requirements | None = None,
    metadata: Mapping[str, Any] | None = None,
    model_config: Mapping[str, Any] | None = None,
) -> Model:
    """Write a Python model into a folder; MLflow loads it too, where runfolio is installed beside it.

    Parameters
    ----------
    path : path
        Missing, or an empty folder.
    loader_module, data_path : str and path, optional
        A module with ``_load_pyfunc(data_path)``, and its data, in place of `python_model`.
    code_paths : sequence of paths, optional
        Modules and packages to save with the model.
    conda_env : dict or path, optional
        The whole ``conda.yaml``.
    mlflow_model : Model, optional
        To add the flavor to.
    python_model : PythonModel or callable
        A class's instance, or a function of the input (and of ``params``).
    artifacts : dict of str to path, optional
        Local files and folders that ``load_context`` finds in ``context.artifacts``.
    signature, input_example, pip_requirements, extra_pip_requirements, metadata
        As for :func:`runfolio.sklearn.save_model`.
    model_config : dict, optional
        Found in ``context.model_config``.

    Raises
    ------
    UsageError
        If it is neither a PythonModel nor a function, or cannot be pickled.
    """
    if (python_model is None) == (loader_module is None):
        raise UsageError("A model is python_model=… (an instance or a function) or loader_module=… (a module), one of the two.")
    beside = Beside(signature, input_example, pip_requirements, extra_pip_requirements, conda_env, code_paths, metadata)
    if loader_module is not None:

        def write_module(folder: Path, model: Model) -> list[str]:
            return _write_module(folder, model, str(loader_module), data_path)

        return save_folder(path, mlflow_model, beside, write_module, None)
    held = python_model if isinstance(python_model, PythonModel) else _function(python_model, signature)
    files = _files(artifacts or {})

    def write(folder: Path, model: Model) -> list[str]:
        return _write_python(folder, model, held, files, model_config)

    def predict(data: Any, params: dict[str, Any]) -> Any:
        context = PythonModelContext({name: str(place) for name, place in files.items()}, model_config)
        held.load_context(context)
        return call_predict(held, context, data, params)

    return save_folder(path, mlflow_model, beside, write, predict)


def _function(given: Any, signature: ModelSignature | None) -> PythonModel:
    if not callable(given) or isinstance(given, type):
        raise UsageError(f"python_model takes an instance of a PythonModel, or a function, not {given!r}.")
    return FunctionModel(given, signature)


def _files(artifacts: Mapping[str, str | os.PathLike[str]]) -> dict[str, Path]:
    found = {name: Path(str(place).removeprefix("file://")).expanduser() for name, place in artifacts.items()}
    missing = [f"{name}: {str(place)!r}" for name, place in found.items() if not place.exists()]
    if missing:
        raise NotFoundError(
            f"artifacts: no such file: {', '.join(missing)}. Fetch others first: runfolio.artifacts.download_artifacts."
        )
    return found


def _write_python(
    folder: Path, model: Model, held: PythonModel, files: Mapping[str, Path], config: Mapping[str, Any] | None
) -> list[str]:
    made = dump_cloudpickle(held)
    (folder / _FILE).write_bytes(made)
    said: dict[str, Any] = {}
    for name, place in files.items():
        target = folder / "artifacts" / place.name
        if target.exists():
            target = folder / "artifacts" / name / place.name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if place.is_dir() else shutil.copyfile)(place, target)
        relative = target.relative_to(folder).as_posix()
        said[name] = {"path": relative, "uri": relative}  # MLflow holds the machine's own path as uri: nobody else's business
    [cloudpickle] = pinned(["cloudpickle"])
    model.add_flavor(
        FLAVOR,
        cloudpickle_version=cloudpickle.partition("==")[2],
        code=code_of(folder),
        env=dict(ENV),
        loader_module=LOADER,
        python_model=_FILE,
        python_version=platform.python_version(),
        streamable=False,
        **({"artifacts": said} if said else {}),
        **({"config": dict(config)} if config else {}),
    )
    return sorted({cloudpickle, f"runfolio=={__version__}", *pinned(set(distributions_of(modules_of(made))) - {"runfolio"})})


def _write_module(folder: Path, model: Model, module: str, data: str | os.PathLike[str] | None) -> list[str]:
    said: dict[str, Any] = {}
    if data is not None:
        place = Path(data).expanduser()
        (folder / "data").mkdir()
        (shutil.copytree if place.is_dir() else shutil.copyfile)(place, folder / "data" / place.name)
        said["data"] = f"data/{place.name}"
    python_function(model, folder, module, **said)
    return []


def load_folder(folder: Path, model_config: Mapping[str, Any] | None = None) -> PyFuncModel:
    """Load a model from a folder whose code may run (:mod:`runfolio.flavors.trust`).

    Raises
    ------
    UsageError
        If it has no such flavor, or one that nothing here loads.
    """
    model = Model.load(folder)
    config = model.flavors.get(FLAVOR)
    if config is None or "loader_module" not in config:
        raise UsageError(f"{folder}: the model has no python_function flavor; its flavors are {', '.join(model.flavors)}.")
    add_code(folder, config)
    loader = str(config["loader_module"])
    if loader == LOADER:
        return _python(folder, model, config, model_config)
    leaf = for_loader(loader)
    if leaf is not None:
        held = getattr(leaf, "for_predict", leaf.load_folder)(folder)
        chosen = {**config, "config": {**(config.get("config") or {}), **(model_config or {})}}
        return PyFuncModel(model, held, leaf.predictor(held, chosen))
    if loader.startswith("mlflow."):
        raise UsageError(f"{folder}: runfolio does not load {loader}. MLflow does: mlflow.pyfunc.load_model.")
    held = importlib.import_module(loader)._load_pyfunc(
        str(inside(folder, config.get("data", "."), "flavors.python_function.data"))
    )
    return PyFuncModel(model, held, lambda data, params: held.predict(data, **({"params": params} if params else {})))


def _python(folder: Path, model: Model, config: Mapping[str, Any], given: Mapping[str, Any] | None) -> PyFuncModel:
    if "python_model" not in config:
        raise UsageError(f"{folder}: a model saved as a script (models from code) is not loaded here yet. Save its instance.")
    held = load_pickle(inside(folder, config["python_model"], "flavors.python_function.python_model"))
    files = {
        name: str(inside(folder, said["path"], f"flavors.python_function.artifacts.{name}.path"))
        for name, said in (config.get("artifacts") or {}).items()
    }
    context = PythonModelContext(files, {**(config.get("config") or {}), **(given or {})})
    held.load_context(context)
    return PyFuncModel(model, held, lambda data, params: call_predict(held, context, data, params))
