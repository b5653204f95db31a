"""How data goes into a session of onnxruntime and comes out, and a session's options: MLflow's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.errors import UsageError

CPU = "CPUExecutionProvider"
_MODES = {"SEQUENTIAL": "ORT_SEQUENTIAL", "PARALLEL": "ORT_PARALLEL"}
_LEVELS = (0, 1, 2, 99)
_THREADS = ("inter_op_num_threads", "intra_op_num_threads")
_KNOWN = (*_THREADS, "execution_mode", "graph_optimization_level", "extra_session_config")


def check_options(options: Mapping[str, Any] | None) -> None:
    """Do nothing if a session can be made with these.

    Raises
    ------
    UsageError
        Naming every option that it cannot.
    """
    faults = []
    for name, value in (options or {}).items():
        if name not in _KNOWN:
            faults.append(f"{name} is none; there are {', '.join(_KNOWN)}")
        elif name in _THREADS and (not isinstance(value, int) or value < 0):
            faults.append(f"{name} is a whole number from 0 up, not {value!r}")
        elif name == "execution_mode" and str(value).upper() not in _MODES:
            faults.append(f"execution_mode is 'sequential' or 'parallel', not {value!r}")
        elif name == "graph_optimization_level" and value not in _LEVELS:
            faults.append(f"graph_optimization_level is one of {_LEVELS}, not {value!r}")
        elif name == "extra_session_config" and not isinstance(value, Mapping):
            faults.append(f"extra_session_config is a dictionary, not {value!r}")
    if faults:
        raise UsageError("onnx_session_options: " + "; ".join(faults) + ".")


def session_options(options: Mapping[str, Any]) -> Any:
    """Return onnxruntime's own object for the options that ``MLmodel`` names."""
    import onnxruntime

    check_options(options)
    made = onnxruntime.SessionOptions()
    for name in _THREADS:
        if options.get(name):
            setattr(made, name, options[name])
    if options.get("execution_mode"):
        made.execution_mode = getattr(onnxruntime.ExecutionMode, _MODES[str(options["execution_mode"]).upper()])
    if options.get("graph_optimization_level") is not None:
        made.graph_optimization_level = onnxruntime.GraphOptimizationLevel(options["graph_optimization_level"])
    for key, value in (options.get("extra_session_config") or {}).items():
        made.add_session_config_entry(key, str(value))
    return made


def feeds_of(data: Any, inputs: Sequence[Any]) -> dict[str, Any]:
    """Return what a session is fed: by the names of its inputs, doubles as floats where it takes those.

    Parameters
    ----------
    data : dict of str to ndarray, ndarray or DataFrame
        An array for a graph of one input; a frame's columns for the inputs of one of several.
    inputs : sequence
        Of the session.

    Raises
    ------
    UsageError
        Naming the inputs, if the data is not of these kinds.
    """
    import numpy
    import pandas

    names = [each.name for each in inputs]
    if isinstance(data, Mapping):
        fed = dict(data)
    elif isinstance(data, pandas.DataFrame) and len(names) > 1:
        lacking = [name for name in names if name not in data]
        if lacking:
            raise UsageError(f"The graph takes the inputs {', '.join(names)}; the data lacks the columns {', '.join(lacking)}.")
        fed = {name: data[name].to_numpy() for name in names}
    elif isinstance(data, (numpy.ndarray, pandas.DataFrame)) and len(names) == 1:
        fed = {names[0]: data if isinstance(data, numpy.ndarray) else data.to_numpy()}
    else:
        raise UsageError(
            f"A graph takes a dictionary of arrays or a DataFrame, one of a single input an array, too; this one has the inputs "
            f"{', '.join(names)}, and the data is {type(data).__name__}."
        )
    for each in inputs:
        array = fed.get(each.name)
        if each.type == "tensor(float)" and array is not None and array.dtype == numpy.float64:
            fed[each.name] = array.astype(numpy.float32)
    return fed


def framed(made: Mapping[str, Any]) -> Any:
    """Return outputs as a frame, each flat, as MLflow does; a list of dictionaries (a classifier's zipmap) row by row."""
    import numpy
    import pandas

    return pandas.DataFrame({name: numpy.asarray(values).reshape(-1) for name, values in made.items()})
