"""What MLflow's ``mlflow.models`` has beside signatures: examples as requests, a signature set later, requirements asked for."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runfolio.errors import StateError, UsageError
from runfolio.flavors.enforcing import enforce_schema
from runfolio.flavors.examples import decoded_body, serving_body
from runfolio.flavors.imported import imports_of_sources
from runfolio.flavors.model import Model
from runfolio.flavors.pickled_names import modules_of
from runfolio.flavors.requirements import distributions_of, pinned
from runfolio.flavors.schema import Schema
from runfolio.flavors.signatures import ModelSignature
from runfolio.flavors.versions import distributions_named
from runfolio.formats.mlmodel import FILE
from runfolio.tracking.fetching import MODELS, download_artifacts
from runfolio.tracking.loaded_folders import fetch_to_load
from runfolio.tracking.model_logging import RECORDED
from runfolio.tracking.pyfunc_models import load_model

_PICKLES = (".pkl", ".pickle", ".statsmodels")


def convert_input_example_to_serving_input(input_example: Any) -> str | None:
    """Return an input example as the body of a request to a scoring server, JSON text; None for None."""
    return None if input_example is None else serving_body(input_example)


def validate_serving_input(model_uri: str | os.PathLike[str], serving_input: str | Mapping[str, Any]) -> Any:
    """Predict what the body of a request asks for, as a scoring server would; returns the prediction.

    Parameters
    ----------
    model_uri : str or path
        As for ``load_model``.
    serving_input : str or dict
        JSON with ``dataframe_split``, ``dataframe_records``, ``instances`` or ``inputs``, and ``params`` if you like.

    Raises
    ------
    UsageError
        If the body is not of that form, or does not fit the model's signature.
    """
    try:
        body = json.loads(serving_input) if isinstance(serving_input, (str, bytes)) else dict(serving_input)
    except ValueError as error:
        raise UsageError(f"serving_input is not JSON: {error}.") from None
    loaded = load_model(model_uri)
    return loaded.predict(decoded_body(body, loaded.metadata.get_input_schema()), params=body.get("params"))


def validate_schema(data: Any, expected_schema: Schema) -> None:
    """Do nothing if data fits a schema.

    Raises
    ------
    UsageError
        Naming what does not.
    """
    enforce_schema(data, expected_schema)


def set_signature(model_uri: str | os.PathLike[str], signature: ModelSignature) -> None:
    """Set the signature of a model that has none, or another: in a local folder, or in the run that is active.

    Raises
    ------
    UsageError
        For a version of a registered model: it is what its digest says.
    StateError
        For a run that has ended: its record stands.
    """
    from runfolio.tracking import fluent, fluent_logging

    uri = os.fspath(model_uri)
    if not isinstance(signature, ModelSignature):
        raise UsageError(f"signature takes a ModelSignature, not {type(signature).__name__}: runfolio.models.infer_signature(…).")
    if uri.startswith(MODELS):
        raise UsageError(f"{uri}: a version is what its digest says. Log the model again with the signature, and register that.")
    if not uri.startswith(RECORDED):
        _sign(Path(download_artifacts(uri)) / FILE, signature)
        return
    run_id, _, path = uri.removeprefix("runs:/").lstrip("/").partition("/")
    active = fluent.active_run()
    if active is None or active.info.run_id != run_id:
        raise StateError(f"{uri}: the run has ended, and its record stands. Log the model again with signature=….")
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        fetched = Path(download_artifacts(f"{uri.rstrip('/')}/{FILE}", dst_path=folder))
        _sign(fetched, signature)
        fluent_logging.log_artifact(str(fetched), path.rstrip("/") or None)


def _sign(file: Path, signature: ModelSignature) -> None:
    model = Model.load(file)
    model.signature = signature
    for told in ("is_signature_from_type_hint", "type_hint_from_example"):
        model.more.pop(told, None)
    model.save(file)


def infer_pip_requirements(
    model_uri: str | os.PathLike[str],
    flavor: str,
    fallback: Sequence[str] | None = None,
    timeout: float | None = None,
    extra_env_vars: Mapping[str, str] | None = None,
) -> list[str]:
    """Return what a model needs, pinned to what is installed: read off its pickles and code, which are not run.

    Parameters
    ----------
    model_uri : str or path
    flavor : str
        Whose framework is needed in any case.
    fallback : sequence of str, optional
        Returned where nothing is found.
    timeout, extra_env_vars
        Taken for MLflow's sake, which loads the model in another process.
    """
    uri = os.fspath(model_uri)
    folder = fetch_to_load(uri) if uri.startswith(RECORDED) else Path(download_artifacts(uri))
    model = Model.load(folder)
    files = [each for each in folder.rglob("*") if each.is_file()]
    modules = {name for each in files if each.suffix in _PICKLES for name in modules_of(each.read_bytes())}
    modules |= imports_of_sources([each for each in files if each.suffix == ".py"])
    own = {each.stem for each in (folder / "code").glob("*")}
    needed = distributions_of({each for each in modules if each.partition(".")[0] not in own})
    return pinned([*needed, *distributions_named(model.flavors.get(flavor, {}))]) or list(fallback or ())
