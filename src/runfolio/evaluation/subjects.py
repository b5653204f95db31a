"""What is evaluated: a model by its URI, a loaded one, an estimator, a function, or answers that are in the data already.

Whatever it is, here it has a ``predict`` of named columns and, where it knows probabilities, a ``predict_proba`` with the classes of its
columns. A signature is enforced before either. What the model itself raises is told as its fault, with its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, RunfolioError, UsageError
from runfolio.evaluation.rows import Rows
from runfolio.flavors.enforcing import enforce_schema
from runfolio.flavors.python_function import PyFuncModel


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evaluated.

    Parameters
    ----------
    predict : callable
        Of rows.
    probabilities : callable or None
        Of rows: ndarray, shape (n, k).
    score : callable or None
        scikit-learn's own score, of rows, targets and weights.
    classes : ndarray or None
        Labels of the columns of the probabilities.
    facts : Mapping of str to str
        Which model it is: ``uri``, ``digest``, ``run``, ``name``, ``version``, as far as they are known.
    """

    predict: Callable[[Rows], Any]
    probabilities: Callable[[Rows], Any] | None = None
    score: Callable[[Rows, Any, Any], float] | None = None
    classes: Any = None
    facts: Mapping[str, str] = field(default_factory=dict)


def subject_of(model: Any, model_config: Mapping[str, Any] | None = None) -> Subject | None:
    """Return what ``evaluate`` was given as a model; None where there is none.

    Parameters
    ----------
    model : str, PyFuncModel, estimator, callable or None
    model_config : Mapping, optional
        For a model that is loaded here.

    Raises
    ------
    UsageError
        If it is none of these.
    """
    if model is None:
        return None
    if isinstance(model, str):
        if model.startswith("endpoints:"):
            raise UsageError(
                f"evaluate: {model!r}: endpoints of MLflow Deployments are not called from here. Give a function that asks the endpoint."
            )
        from runfolio.tracking.pyfunc_models import load_model

        return _of_pyfunc(load_model(model, model_config=model_config), facts_of(model))
    if model_config:
        raise UsageError("model_config is for a model given by its URI; a loaded one has its configuration already.")
    if isinstance(model, PyFuncModel):
        logged = model.metadata
        uri = f"runs:/{logged.run_id}/{logged.artifact_path}" if logged.run_id and logged.artifact_path else ""
        return _of_pyfunc(model, facts_of(uri) if uri else {})
    if hasattr(model, "predict"):
        return _of_estimator(model, None, {"name": type(model).__name__})
    if callable(model):
        return Subject(lambda rows: _called("the function", model, rows.features.copy()), facts={"name": _name(model)})
    raise UsageError(
        "The model argument must be a string URI referring to a model, an instance of runfolio.pyfunc.PyFuncModel, an estimator, a "
        f"function, or None; this is {type(model).__name__}."
    )


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _of_pyfunc(model: PyFuncModel, facts: Mapping[str, str]) -> Subject:
    held, loader = model.implementation, model.loader_module
    told = dict(facts)
    if hasattr(held, "predict_proba") and hasattr(held, "predict"):
        return _of_estimator(held, model, told, scored=loader == "mlflow.sklearn")
    if loader == "mlflow.sklearn" and hasattr(held, "predict"):
        return _of_estimator(held, model, told, scored=True)
    return Subject(lambda rows: _called("the model", model.predict, _taken(rows.features, model).copy()), facts=told)


def _taken(features: Any, model: PyFuncModel | None) -> Any:
    """Leave out columns that the signature does not name, as slices have: the model is asked several times, and would warn each time."""
    schema = model.metadata.get_input_schema() if model is not None else None
    if schema is None or not schema.has_input_names() or schema.is_tensor_spec() or not hasattr(features, "columns"):
        return features
    names = set(schema.input_names())
    if set(schema.required_input_names()) - set(features.columns):
        return features  # the refusal names what is missing, and what came in its place
    return features[[name for name in features.columns if name in names]]


def _of_estimator(held: Any, model: PyFuncModel | None, facts: Mapping[str, str], *, scored: bool | None = None) -> Subject:
    signature = model.metadata.signature if model is not None else None

    def given(rows: Rows) -> Any:
        data = _taken(rows.features, model).copy()
        if signature is not None and signature.inputs is not None:
            return enforce_schema(data, signature.inputs)
        # An array's columns got their names here: what was fitted on an array is not to be told other ones.
        return data.to_numpy() if rows.unnamed and not hasattr(held, "feature_names_in_") else data

    def score(rows: Rows, targets: Any, weights: Any) -> float:
        return float(_called("the model's score", held.score, given(rows), targets, sample_weight=weights))

    has_score = hasattr(held, "score") if scored is None else scored and hasattr(held, "score")
    return Subject(
        lambda rows: _called("the model", held.predict, given(rows)),
        (lambda rows: _called("predict_proba", held.predict_proba, given(rows))) if hasattr(held, "predict_proba") else None,
        score if has_score else None,
        getattr(held, "classes_", None),
        facts,
    )


def _called(what: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with faults_of(what):
        return function(*args, **kwargs)


@contextmanager
def faults_of(what: str) -> Iterator[None]:
    """Tell what code of the user raises as its fault; an error of ours passes.

    Parameters
    ----------
    what : str
        Whose code it is.
    """
    try:
        yield
    except RunfolioError:
        raise
    except Exception as error:
        said = " ".join(str(error).split())
        raise UsageError(f"evaluate: {what} failed on the data: {type(error).__name__}: {said[:500]}") from error


def facts_of(uri: str) -> dict[str, str]:
    """Return which model a URI means now: its digest, the run that made it, and its name and version where it is registered.

    The digest is that of the manifest of its files, which a version's record names, too.
    """
    if uri.startswith("models:/"):
        from runfolio.registry import resolve
        from runfolio.tracking.client import RunfolioClient

        model, version = resolve(RunfolioClient()._registry(), uri)
        found = {"uri": uri, "name": model.name, "version": str(version.version), "run": version.run_id, "digest": version.digest}
        return {key: str(value) for key, value in found.items() if value}
    if uri.startswith("runs:/"):
        run_id, _, path = uri.removeprefix("runs:/").lstrip("/").partition("/")
        made = {"uri": uri, "run": run_id}
        digest = _manifest_digest(run_id, path.strip("/"))
        return made | ({"digest": digest} if digest else {})
    return {"name": uri.rstrip("/").rsplit("/", 1)[-1]}


def _manifest_digest(run_id: str, path: str) -> str | None:
    """Return what `runfolio.registry.register` would name the files of a model that a run logged."""
    import hashlib

    from runfolio.objects import encode_manifest
    from runfolio.tracking.session import session

    runs = session().folio.runs
    try:
        listed = runs.artifacts(runs.get(run_id))
    except NotFoundError:
        return None
    start = f"{path}/" if path else ""
    files = {name[len(start) :]: entry for name, entry in listed.items() if name.startswith(start)}
    return f"sha256:{hashlib.sha256(encode_manifest(files)).hexdigest()}" if files else None
