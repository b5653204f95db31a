"""Models that are plain Python: a class with ``predict``, or a function. Their names are part of the format: pickles hold them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runfolio.errors import UsageError
from runfolio.flavors.type_hints import TypeHints, hints_of, pyfunc, takes_context

_log = logging.getLogger("runfolio")


class PythonModelContext:
    """What a Python model finds at loading: its files by name, and its configuration.

    Parameters
    ----------
    artifacts : dict of str to str
        Paths on this machine.
    model_config : dict, optional
    """

    def __init__(self, artifacts: Mapping[str, str], model_config: Mapping[str, Any] | None = None) -> None:
        self._artifacts = dict(artifacts)
        self._model_config = dict(model_config or {})

    @property
    def artifacts(self) -> dict[str, str]:
        """Paths of the model's files, by name."""
        return self._artifacts

    @property
    def model_config(self) -> dict[str, Any]:
        """The model's configuration."""
        return self._model_config


class PythonModel:
    """A model of yours: write ``predict``, and ``load_context`` if there is something to open first.

    Where ``predict`` says in a type hint what it takes (``model_input: list[str]``), its data is held against that, and the signature is
    read off it: :mod:`runfolio.flavors.type_hints`.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("predict")
        if inspect.isfunction(own):
            cls.predict = pyfunc(own)  # type: ignore[method-assign] # as MLflow does, so that a direct call is checked, too

    @property
    def predict_type_hints(self) -> TypeHints:
        """What ``predict`` says of what it takes and gives."""
        return hints_of(self.predict)[1]

    def load_context(self, context: PythonModelContext) -> None:
        """Open what ``predict`` needs; called once, when the model is loaded."""

    def predict(self, context: PythonModelContext, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Return predictions; yours may leave out `context` and `params`."""
        raise NotImplementedError(f"{type(self).__name__} has no predict.")

    def predict_stream(
        self, context: PythonModelContext, model_input: Any, params: dict[str, Any] | None = None
    ) -> Iterator[Any]:
        """Yield the prediction piece by piece; yours may leave out `context` and `params`."""
        raise NotImplementedError(f"{type(self).__name__} has no predict_stream.")

    def as_called(self) -> PythonModel:
        """Return what is saved, and called with data as it comes: the model itself, but for those that chat."""
        return self

    def as_written(self) -> PythonModel:
        """Return the model that its author wrote, of what was saved."""
        return self


class FunctionModel(PythonModel):
    """A function as a model."""

    def __init__(self, func: Callable[..., Any], signature: Any = None) -> None:
        self.func = pyfunc(func)
        self.signature = signature

    @property
    def predict_type_hints(self) -> TypeHints:
        """What the function says of what it takes and gives."""
        return hints_of(self.func)[1]

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # type: ignore[override] # MLflow's own form
        """Call the function."""
        takes = inspect.signature(self.func).parameters
        return self.func(model_input, **({"params": params} if "params" in takes else {}))


def as_model(given: Any, signature: Any = None) -> PythonModel:
    """Return a Python model, made of a function where that is given.

    Raises
    ------
    UsageError
        If it is neither, or a function of other than one input (and ``params``).
    """
    if isinstance(given, PythonModel):
        return given.as_called()
    if not callable(given) or isinstance(given, type):
        raise UsageError(f"python_model takes an instance of a PythonModel, a function or a script's path, not {given!r}.")
    try:
        names = [name for name in inspect.signature(given).parameters if name != "params"]
    except (ValueError, TypeError):
        names = ["model_input"]  # a function of C says nothing
    if len(names) != 1:
        raise UsageError(f"A function as python_model takes one input (and params if you like); this one takes {names}.")
    return FunctionModel(given, signature)


def streams(model: Any) -> bool:
    """Return whether a model yields its prediction piece by piece."""
    return getattr(type(model), "predict_stream", PythonModel.predict_stream) is not PythonModel.predict_stream


def call_predict(model: Any, context: PythonModelContext | None, data: Any, params: dict[str, Any]) -> Any:
    """Call ``predict`` with as much as it takes."""
    return _called(model.predict, context, data, params)


def call_stream(model: Any, context: PythonModelContext | None, data: Any, params: dict[str, Any]) -> Iterator[Any]:
    """Call ``predict_stream`` with as much as it takes."""
    made: Iterator[Any] = _called(model.predict_stream, context, data, params)
    return made


def _called(method: Callable[..., Any], context: PythonModelContext | None, data: Any, params: dict[str, Any]) -> Any:
    given = {"params": params or None} if "params" in inspect.signature(method).parameters else {}
    if params and not given:
        _log.warning("The model takes no params; they are ignored: %s.", ", ".join(params))
    return method(context, data, **given) if takes_context(method) else method(data, **given)
