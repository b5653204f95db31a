"""Pickles written byte-stably, and read with the names that MLflow's own hold.

Protocol 5 always. Names of MLflow that its pickles of Python models refer to are our own classes here, so that MLflow need not be
installed. Loading runs code: :mod:`runfolio.flavors.trust` comes first.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from runfolio.errors import DamagedError, MissingPackageError, RunfolioError, StateError, UsageError, missing_package
from runfolio.flavors.hashed_files import HashedFile
from runfolio.flavors.pickled_names import modules_of
from runfolio.flavors.python_models import FunctionModel, PythonModel, PythonModelContext
from runfolio.flavors.type_hints import FuncInfo, TypeFromExample, TypeHints, checked_call

PROTOCOL = 5


_OURS: dict[tuple[str, str], Any] = {
    ("mlflow.pyfunc.model", "PythonModel"): PythonModel,
    ("mlflow.pyfunc.model", "PythonModelContext"): PythonModelContext,
    ("mlflow.pyfunc.model", "_FunctionPythonModel"): FunctionModel,
    ("mlflow.models.signature", "_TypeHints"): TypeHints,
    ("mlflow.pyfunc.utils.data_validation", "FuncInfo"): FuncInfo,
    ("mlflow.pyfunc.utils.data_validation", "_validate_model_input"): checked_call,
    ("mlflow.types.type_hints", "TypeFromExample"): TypeFromExample,
    ("mlflow.exceptions", "MlflowException"): RunfolioError,
}


class ModelUnpickler(pickle.Unpickler):
    """Knows MLflow's names, and tells which module is missing."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names."""
        if (module, name) in _OURS:
            return _OURS[module, name]
        try:
            return super().find_class(module, name)
        except ModuleNotFoundError as error:
            missing = (error.name or module).partition(".")[0]
            raise MissingPackageError(
                f"The model needs the module {error.name!r}, which is not installed. Install what its requirements.txt names, or, if "
                f"it is code of yours, make it importable (code_paths=… of save_model packs it with the model).",
                name=missing,
            ) from error
        except AttributeError:
            raise StateError(
                f"The model needs {module}.{name}, and what is installed as {module} has nothing of that name. Install the versions that "
                "the model's requirements.txt names (runfolio models prepare-env), or put the class back as it was."
            ) from None


def load_pickle(path: Path) -> Any:
    """Load a pickle.

    Raises
    ------
    DamagedError
        If it is none, or cut off.
    MissingPackageError
        If it needs a module that is not there.
    """
    try:
        with path.open("rb") as file:
            return ModelUnpickler(file).load()
    except (pickle.UnpicklingError, EOFError) as error:
        raise DamagedError(f"{path}: not a whole pickle: {str(error).rstrip('.')}. Fetch the model again.") from error
    except FileNotFoundError:
        raise DamagedError(f"{path}: MLmodel names this file, and it is missing. Fetch the model again.") from None


class _NamingPickler(pickle.Pickler):
    """Remembers the modules of what it pickles: to read them off the pickle of a forest takes as long as to write it.

    The bytes are those of any pickler. All that is pickled by name passes through `reducer_override`, and so do instances, whose class
    (or what makes them again) is pickled by name too.
    """

    def __init__(self, file: HashedFile, *, protocol: int) -> None:
        super().__init__(file, protocol=protocol)
        self.modules: set[str] = set()

    def reducer_override(self, value: Any) -> Any:
        """Look at a value, and leave it to the pickler."""
        module = getattr(value, "__module__", None)
        if type(module) is str:
            self.modules.add(module)
            if type(value) is FunctionType and _is_replaced(value):
                return getattr, (sys.modules[module], value.__name__)
        elif type(value) is ModuleType:
            return import_module, (value.__name__,)
        return NotImplemented


def _is_replaced(function: FunctionType) -> bool:
    """Return whether autologging stands where a function is looked up, as for the metric that a scorer was made of before.

    Pickle refuses such a one (it is "not the same object"), and cloudpickle writes its code, which another version of Python cannot read.
    """
    there = getattr(sys.modules.get(function.__module__), function.__name__, None)
    return getattr(there, "__wrapped__", None) is function and hasattr(there, "__runfolio_autolog__")


def write_plain(value: Any, place: Path) -> set[str] | None:
    """Write a plain pickle; None, and no file, where only cloudpickle makes one that other processes can load.

    Returns
    -------
    set of str
        The modules that it refers to.
    """
    try:
        with HashedFile(place) as file:
            pickler = _NamingPickler(file, protocol=PROTOCOL)
            pickler.dump(value)
        modules = pickler.modules
    except (pickle.PicklingError, AttributeError, TypeError):
        modules = {"__main__"}
    if "__main__" in modules:
        place.unlink()
        return None
    return modules


def write_cloudpickle(value: Any, place: Path) -> set[str]:
    """Write a pickle that holds the code of functions and classes which no other process can import; return the modules it refers to."""
    cloudpickle = _cloudpickle()
    with HashedFile(place, pieces=True) as file, _told():
        cloudpickle.Pickler(file, protocol=PROTOCOL).dump(value)
    return modules_of(file.pieces)


def dump_cloudpickle(value: Any) -> bytes:
    """Return such a pickle."""
    with _told():
        made: bytes = _cloudpickle().dumps(value, protocol=PROTOCOL)
    return made


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (pickle.PicklingError, TypeError) as error:
        raise UsageError(
            f"The model cannot be pickled: {error}. Open files, locks and connections belong in load_context."
        ) from error


def _cloudpickle() -> Any:
    try:
        import cloudpickle  # type: ignore[import-untyped] # it ships no types
    except ImportError as error:
        raise missing_package("cloudpickle", "models", "save Python functions and classes") from error
    return cloudpickle
