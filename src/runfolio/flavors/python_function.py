"""Models called by one verb, ``predict``, whatever made them: the flavor ``python_function`` loaded, in MLflow's layout.

Loaded here: classes and functions of plain Python, scripts, modules with a ``_load_pyfunc``, and the models of every framework in the
catalogue. A signature is enforced before the model sees the data. Saving is in :mod:`runfolio.flavors.python_saving`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import MissingPackageError, UsageError
from runfolio.flavors.catalogue import PYTHON_MODEL, PYTHON_SCRIPT, for_loader
from runfolio.flavors.enforcing import enforce_schema
from runfolio.flavors.folders import add_code, inside, other_flavor
from runfolio.flavors.model import Model, newer
from runfolio.flavors.model_scripts import run_script
from runfolio.flavors.params import enforce_params
from runfolio.flavors.pickles import load_pickle
from runfolio.flavors.python_models import PythonModel, PythonModelContext, as_model, call_predict, call_stream, streams
from runfolio.flavors.type_hints import as_example
from runfolio.flavors.versions import warn_of_other_versions

FLAVOR = "python_function"
LOADER = PYTHON_MODEL


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
    stream : callable, optional
        The same, yielding the prediction piece by piece.
    folder : path, optional
        Where its files lie.
    model_config : dict, optional
        Of a Python model.
    """

    metadata: Model
    implementation: Any
    call: Callable[[Any, dict[str, Any]], Any]
    stream: Callable[[Any, dict[str, Any]], Iterator[Any]] | None = None
    folder: Path | None = None
    model_config: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        said = {"artifact_path": self.metadata.artifact_path, "flavor": self.loader_module, "run_id": self.metadata.run_id}
        return (
            "\n".join(["runfolio.pyfunc.loaded_model:", *(f"  {name}: {value}" for name, value in said.items() if value)]) + "\n"
        )

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
        return self.call(*self._fitting(data, params))

    def predict_stream(self, data: Any, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Yield the prediction of one input piece by piece.

        Parameters
        ----------
        data : dict, str or another plain value
        params : dict, optional
            As the signature declares them.

        Raises
        ------
        UsageError
            If the model does not stream, or the data does not fit.
        """
        if self.stream is None:
            raise UsageError("This model does not stream: its class has no predict_stream.")
        fitting, checked = self._fitting(data, params)
        return self.stream(_one(fitting), checked)

    def _fitting(self, data: Any, params: Mapping[str, Any] | None) -> tuple[Any, dict[str, Any]]:
        signature = self.metadata.signature
        if signature is None:
            return data, dict(params or {})
        checked = enforce_params(params, signature.params)
        if signature.inputs is not None and not self.metadata.more.get("is_signature_from_type_hint"):
            data = enforce_schema(data, signature.inputs)
            if self.metadata.more.get("type_hint_from_example"):
                data = as_example(data, self.input_example)
        return data, checked

    @property
    def input_example(self) -> Any:
        """The input example that was saved with it, or None."""
        return None if self.folder is None else self.metadata.load_input_example(self.folder)

    def unwrap_python_model(self) -> PythonModel:
        """Return the Python model that was saved.

        Raises
        ------
        UsageError
            If it is of another flavor.
        """
        if not isinstance(self.implementation, PythonModel):
            raise UsageError("unwrap_python_model: this is no PythonModel. Its own object: get_raw_model().")
        return self.implementation.as_written()

    def get_raw_model(self) -> Any:
        """Return what does the work."""
        return self.implementation

    @property
    def loader_module(self) -> str:
        """What loads it, as ``MLmodel`` says."""
        return str(self.metadata.flavors[FLAVOR]["loader_module"])


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
        raise other_flavor(FLAVOR, model)
    add_code(folder, config)
    warn_of_other_versions(folder, config)
    loader = str(config["loader_module"])
    if loader in (PYTHON_MODEL, PYTHON_SCRIPT):
        return _python(folder, model, config, model_config)
    leaf = for_loader(loader)
    if leaf is not None:
        held = getattr(leaf, "for_predict", leaf.load_folder)(folder)
        chosen = {
            **config,
            "config": {**(config.get("config") or {}), **(model_config or {})},
            "metadata": model.metadata or {},
            "flavors": model.flavors,
        }
        return PyFuncModel(model, held, leaf.predictor(held, chosen), folder=folder)
    if loader.startswith("mlflow."):
        raise UsageError(
            f"{folder}: runfolio does not load {loader}. MLflow does: mlflow.pyfunc.load_model.{newer(model.mlflow_version)}"
        )
    held = _module(loader)._load_pyfunc(str(inside(folder, config.get("data", "."), "flavors.python_function.data")))
    return PyFuncModel(
        model, held, lambda data, params: held.predict(data, **({"params": params} if params else {})), folder=folder
    )


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"The model is loaded by the module {name!r}, and {error.name!r} is not installed. Install the package that brings it (its "
            "requirements.txt may name it), or, if it is code of yours, make it importable.",
            name=(error.name or name).partition(".")[0],
        ) from error


def _python(folder: Path, model: Model, config: Mapping[str, Any], given: Mapping[str, Any] | None) -> PyFuncModel:
    files = {
        name: str(inside(folder, said["path"], f"flavors.python_function.artifacts.{name}.path"))
        for name, said in (config.get("artifacts") or {}).items()
    }
    settings = {**(config.get("config") or {}), **(given or {})}
    if config.get("model_code_path"):
        # MLflow holds the path as it was on the machine that saved it; the file lies in the folder.
        script = str(config["model_code_path"]).replace("\\", "/").rpartition("/")[2]
        held = as_model(run_script(inside(folder, script, "flavors.python_function.model_code_path"), settings), model.signature)
    else:
        held = load_pickle(inside(folder, config.get("python_model"), "flavors.python_function.python_model"))
    context = PythonModelContext(files, settings)
    held.load_context(context)

    def stream(data: Any, params: dict[str, Any]) -> Iterator[Any]:
        return call_stream(held, context, data, params)

    return PyFuncModel(
        model,
        held,
        lambda data, params: call_predict(held, context, data, params),
        stream if streams(held) else None,
        folder,
        settings or None,
    )


def _one(data: Any) -> Any:
    """Return the one input of a stream: enforcing a schema makes a frame or a list of it."""
    made = data.to_dict(orient="records") if hasattr(data, "iloc") else data
    if not isinstance(made, list):
        return made
    if len(made) != 1:
        raise UsageError(f"predict_stream takes one input, and this is {len(made)}.")
    return next(iter(made[0].values())) if isinstance(made[0], dict) and list(made[0]) == [0] else made[0]
