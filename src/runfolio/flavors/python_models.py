"""Models that are plain Python: a class with ``predict``, or a function. Their names are part of the format: pickles hold them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class TypeHints(NamedTuple):
    """Of ``predict``; kept for MLflow, which asks for them. Signatures are not made of them here."""

    input: Any = None
    output: Any = None


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
    """A model of yours: write ``predict``, and ``load_context`` if there is something to open first."""

    @property
    def predict_type_hints(self) -> TypeHints:
        """None: what MLflow asks its own models for."""
        return TypeHints()

    def load_context(self, context: PythonModelContext) -> None:
        """Open what ``predict`` needs; called once, when the model is loaded."""

    def predict(self, context: PythonModelContext, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Return predictions; yours may leave out `context` and `params`."""
        raise NotImplementedError(f"{type(self).__name__} has no predict.")


class FunctionModel(PythonModel):
    """A function as a model."""

    def __init__(self, func: Callable[..., Any], signature: Any = None) -> None:
        self.func = func
        self.signature = signature

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # type: ignore[override] # MLflow's own form
        """Call the function."""
        takes = inspect.signature(self.func).parameters
        return self.func(model_input, **({"params": params} if "params" in takes else {}))


def call_predict(model: Any, context: PythonModelContext, data: Any, params: dict[str, Any]) -> Any:
    """Call ``predict`` with as much as it takes."""
    takes = inspect.signature(model.predict).parameters
    given = {"params": params or None} if "params" in takes else {}
    if "context" in takes or len([name for name in takes if name != "params"]) > 1:
        return model.predict(context, data, **given)
    return model.predict(data, **given)
