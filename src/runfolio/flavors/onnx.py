"""ONNX graphs, in the layout of ``mlflow.onnx``: data, run by onnxruntime. Large tensors lie in a file of their own.

That file has a fixed name: ONNX would choose another each time, and equal models would no longer be equal bytes.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors.catalogue import Predict
from runfolio.flavors.folders import Beside, Options, code_of, opened, python_function, save_folder, with_options
from runfolio.flavors.model import Model
from runfolio.flavors.onnx_sessions import CPU, check_options, feeds_of, framed, session_options
from runfolio.flavors.requirements import pinned

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR = "onnx"
LOADER = "mlflow.onnx"
ONNX_EXECUTION_PROVIDERS = ["CUDAExecutionProvider", CPU]
_FILE, _TENSORS = "model.onnx", "model.onnx.data"
_log = logging.getLogger("runfolio")


@with_options
def save_model(
    onnx_model: Any,
    path: str | os.PathLike[str],
    mlflow_model: Model | None = None,
    onnx_execution_providers: Sequence[Any] | None = None,
    onnx_session_options: Mapping[str, Any] | None = None,
    save_as_external_data: bool = True,
    **options: Unpack[Options],
) -> Model:
    """Write an ONNX graph into a folder; MLflow loads it too.

    Parameters
    ----------
    onnx_model : onnx.ModelProto
    path : path
        Missing, or an empty folder.
    mlflow_model : Model, optional
        To add the flavor to.
    onnx_execution_providers : sequence of str, or of pairs of one and its options, optional
        Which of onnxruntime's engines ``predict`` uses, the first choice first; those that are not there are passed over.
    onnx_session_options : dict, optional
        Of onnxruntime: ``intra_op_num_threads``, ``inter_op_num_threads``, ``execution_mode`` ("sequential" or "parallel"),
        ``graph_optimization_level`` (0, 1, 2 or 99), ``extra_session_config`` (a dict).
    save_as_external_data : bool
        Keep tensors of 1 kB and more in a file of their own; a graph beyond 2 GB needs it.
    **options
        See :class:`~runfolio.flavors.folders.Options`. No signature is inferred, as in MLflow: give one.

    Raises
    ------
    UsageError
        If it is no graph, or an option is not onnxruntime's.
    """
    onnx = _onnx()
    if not isinstance(onnx_model, onnx.ModelProto):
        raise UsageError(f"onnx_model takes an onnx.ModelProto, not {type(onnx_model).__name__}. Read a file: onnx.load(path).")
    check_options(onnx_session_options)

    def write(folder: Path, model: Model) -> list[str]:
        if save_as_external_data:
            # ONNX takes the tensors out of the graph that it is given.
            held = onnx.ModelProto()
            held.CopyFrom(onnx_model)
            onnx.save_model(held, str(folder / _FILE), save_as_external_data=True, location=_TENSORS)
        else:
            onnx.save_model(onnx_model, str(folder / _FILE))
        python_function(model, folder, LOADER, data=_FILE)
        model.add_flavor(
            FLAVOR,
            onnx_version=str(onnx.__version__),
            data=_FILE,
            providers=[
                list(each) if isinstance(each, tuple) else each for each in onnx_execution_providers or ONNX_EXECUTION_PROVIDERS
            ],
            onnx_session_options=dict(onnx_session_options) if onnx_session_options else None,
            code=code_of(folder),
        )
        return pinned(["numpy", "onnx", "onnxruntime", "pandas"])

    return save_folder(path, mlflow_model, Beside(**options), write, None)


def load_folder(folder: Path) -> Any:
    """Load the graph from a folder.

    Raises
    ------
    UsageError
        If the model is of another flavor.
    DamagedError
        If its file cannot be read, or is no valid graph.
    """
    onnx = _onnx()
    _, place = opened(folder, FLAVOR, _FILE)
    from google.protobuf.message import DecodeError

    try:
        onnx.checker.check_model(str(place))
        return onnx.load(str(place))
    except (OSError, ValueError, DecodeError, onnx.checker.ValidationError) as error:
        raise DamagedError(f"{place}: no valid graph: {str(error).strip().splitlines()[0]} Fetch the model again.") from error


def for_predict(folder: Path) -> Any:
    """Return onnxruntime's session of the graph, with the providers and options that ``MLmodel`` names.

    Raises
    ------
    DamagedError
        If its file cannot be read.
    """
    runtime = _runtime()
    config, place = opened(folder, FLAVOR, _FILE)
    wanted = config.get("providers") or ONNX_EXECUTION_PROVIDERS
    listed = [tuple(each) if isinstance(each, list) else each for each in ([wanted] if isinstance(wanted, str) else wanted)]
    there = set(runtime.get_available_providers())
    usable = [each for each in listed if (each[0] if isinstance(each, tuple) else each) in there]
    if len(usable) < len(listed) and listed != ONNX_EXECUTION_PROVIDERS:
        _log.warning("onnxruntime has not all of %s here; the model runs with %s.", listed, usable or [CPU])
    try:
        options = session_options(config.get("onnx_session_options") or {})
        return runtime.InferenceSession(str(place), sess_options=options, providers=usable or [CPU])
    except Exception as error:
        # Its errors have no class in common but Exception; what is not its own passes.
        if type(error).__module__.partition(".")[0] != "onnxruntime":
            raise
        raise DamagedError(f"{place}: onnxruntime cannot open it: {str(error).strip().splitlines()[0]}") from error


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the session predicts: a frame gives a frame, arrays give arrays by name."""
    import pandas

    names = [each.name for each in held.get_outputs()]

    def run(data: Any, _: dict[str, Any]) -> Any:
        made = dict(zip(names, held.run(names, feeds_of(data, held.get_inputs())), strict=True))
        return framed(made) if isinstance(data, pandas.DataFrame) else made

    return run


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return none: a graph is data."""
    return ()


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise missing_package("onnx", "onnx", "save and load ONNX graphs") from error
    return onnx


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise missing_package("onnxruntime", "onnx", "predict with an ONNX graph") from error
    return onnxruntime
