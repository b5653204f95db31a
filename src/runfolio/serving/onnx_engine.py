"""``--engine onnx``: a scikit-learn model predicted by its ONNX twin, once that is shown to predict the same.

The twin is made by skl2onnx and run by onnxruntime. Before it serves, both predict the model's input example, varied, and rows at
random: labels must be equal, numbers within 1e-5 (ONNX computes trees in single precision); otherwise the model is refused. A twin
that passed is kept in the user's cache, under the digest of the model and the versions of all that made it: the next start loads
neither scikit-learn nor the model.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runfolio.errors import UsageError, missing_package, storage_errors
from runfolio.flavors.model import Model
from runfolio.flavors.python_function import PyFuncModel, load_folder
from runfolio.serving.arrays import Decoder, compiled
from runfolio.serving.installed import installed
from runfolio.serving.rowwise import ArrayWay, joined_alike, sample_rows

_log = logging.getLogger("runfolio.serving")
_METHODS = {"predict": 0, "predict_proba": 1}
_ROWS = 256
_CLOSE = 1e-5
_PACKAGES = ("skl2onnx", "onnxruntime", "scikit-learn")


def onnx_model(folder: Path) -> tuple[PyFuncModel, ArrayWay]:
    """Return the model in a folder, predicted by its twin.

    Raises
    ------
    UsageError
        If the model has no twin, or one that predicts otherwise.
    MissingPackageError
    """
    described = Model.load(folder)
    decoder = _decoder(described)
    method = described.flavors["python_function"].get("predict_fn", "predict")
    if method not in _METHODS:
        raise UsageError(f"--engine onnx predicts by {' or '.join(_METHODS)}, and the model by {method}.")
    place = cache_folder() / f"{_key(folder, described, method)}.onnx"
    if not place.is_file():
        _make(folder, described, decoder, method, place)
    said = json.loads(place.with_suffix(".json").read_text("utf-8"))
    call = _session(place.read_bytes(), said)
    model = PyFuncModel(described, None, lambda data, _: call(data.to_numpy() if hasattr(data, "to_numpy") else data))
    rows = sample_rows(decoder, folder)
    return model, ArrayWay(decoder, call, joined_alike(call, rows, call(rows)))


def cache_folder() -> Path:
    """Return where twins are kept."""
    chosen = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(chosen) / "runfolio" / "onnx"


def _decoder(described: Model) -> Decoder:
    if "sklearn" not in described.flavors or "python_function" not in described.flavors:
        raise UsageError(f"--engine onnx serves scikit-learn models; this one's flavors are {', '.join(described.flavors)}.")
    decoder = compiled(described.signature.inputs if described.signature else None)
    if decoder is None:
        raise UsageError("--engine onnx serves models whose signature names columns of numbers, or one array. Serve it without.")
    return decoder


def _key(folder: Path, described: Model, method: str) -> str:
    made = hashlib.sha256()
    for name in sorted(str(path.relative_to(folder)) for path in folder.rglob("*.pkl")):
        made.update((folder / name).read_bytes())
    signature = described.signature.to_dict() if described.signature else {}
    made.update(json.dumps([method, signature, [installed(each) for each in _PACKAGES]]).encode())
    return made.hexdigest()


def _make(folder: Path, described: Model, decoder: Decoder, method: str, place: Path) -> None:
    try:
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
    except ImportError as error:
        raise missing_package("skl2onnx", "onnx", "convert models to ONNX") from error
    native = load_folder(folder)
    estimator = native.implementation
    rows = sample_rows(decoder, folder, _ROWS)
    wanted = getattr(estimator, method)(_table(native, decoder, rows))
    told = ""
    for kind, numbers in ((FloatTensorType, "float32"), (DoubleTensorType, "float64")):
        try:
            made = to_onnx(
                estimator,
                initial_types=[("X", kind([None, *rows.shape[1:]]))],
                options={"zipmap": False} if hasattr(estimator, "classes_") else None,
            )
        except (RuntimeError, ValueError, TypeError, NotImplementedError, KeyError, AttributeError) as error:
            raise UsageError(f"--engine onnx: skl2onnx has no twin of the model: {str(error).splitlines()[0][:300]}") from error
        said = {
            "input": numbers,
            "output": _METHODS[method],
            "labels": wanted.dtype.kind != "f",
            "shape": list(wanted.shape[1:]),
        }
        data = made.SerializeToString()
        fault = _difference(wanted, _session(data, {**said, "dtype": str(wanted.dtype)})(rows))
        if fault is None:
            _keep(place, data, {**said, "dtype": str(wanted.dtype)})
            _log.info("the ONNX twin predicts the same on %d rows", len(rows))
            return
        told = fault
    raise UsageError(f"--engine onnx: the twin predicts otherwise than the model: {told}. Serve it without --engine onnx.")


def _table(native: PyFuncModel, decoder: Decoder, rows: Any) -> Any:
    names = getattr(decoder, "names", None)
    if names is None or not hasattr(native.implementation, "feature_names_in_"):
        return rows
    import pandas

    return pandas.DataFrame(rows, columns=list(names))


def _session(data: bytes, said: dict[str, Any]) -> Callable[[Any], Any]:
    try:
        import onnxruntime
    except ImportError as error:
        raise missing_package("onnxruntime", "onnx", "predict with ONNX") from error
    import numpy

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a row is too little to share; requests run beside each other
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    name, output = session.get_inputs()[0].name, session.get_outputs()[said["output"]].name
    kind, dtype, shape = numpy.dtype(said["input"]), said["dtype"], tuple(said["shape"])

    def call(rows: Any) -> Any:
        [made] = session.run([output], {name: numpy.ascontiguousarray(rows, dtype=kind)})
        return made.reshape(len(rows), *shape).astype(dtype, copy=False)

    return call


def _difference(wanted: Any, got: Any) -> str | None:
    import numpy

    if wanted.dtype.kind != "f":
        count = int((wanted != got).sum())
        return f"{count} of {len(wanted)} rows have another label" if count else None
    scale = max(1.0, float(numpy.abs(wanted).max()))
    worst = float(numpy.abs(wanted - got).max())
    return None if worst <= _CLOSE * scale else f"numbers differ by up to {worst:.3g}"


def _keep(place: Path, data: bytes, said: dict[str, Any]) -> None:
    with storage_errors(f"keep the ONNX twin in {place.parent}"):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, content in ((place.with_suffix(".json"), json.dumps(said).encode()), (place, data)):
            descriptor, name = tempfile.mkstemp(dir=place.parent)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.replace(name, path)
