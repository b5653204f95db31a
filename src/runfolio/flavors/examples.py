"""Input examples: ``input_example.json`` as MLflow writes it, and the same as the body of a request to a scoring server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.flavors.frames import of_polars, twice
from runfolio.flavors.schema import ColSpec, Schema, TensorSpec
from runfolio.flavors.telling import listed
from runfolio.flavors.types import DataType

FILE = "input_example.json"
SERVING_FILE = "serving_input_example.json"
_SPARSE = ("csr", "csc")
_CAST = (DataType.integer, DataType.float, DataType.datetime)
"""Types of columns that JSON does not tell from wider ones, or from text."""


@dataclass(frozen=True, slots=True)
class Example:
    """An input example.

    Parameters
    ----------
    data : Any
        What ``predict`` is given.
    params : dict or None
        Its parameters, if the example is a pair.
    """

    data: Any
    params: dict[str, Any] | None

    @classmethod
    def of(cls, given: Any) -> Example:
        """Take an example, or a pair of one and the parameters."""
        if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict):
            return cls(given[0], given[1])
        return cls(given, None)

    def save(self, folder: Path) -> dict[str, Any]:
        """Write both files, and return what ``MLmodel`` says of them."""
        said, info, serving = _described(self.data)
        if self.params is not None:
            said = {"inputs": said, "params": self.params}
            serving["params"] = self.params
            info["params"] = "true"
        (folder / FILE).write_text(json.dumps(said, default=_plain))
        (folder / SERVING_FILE).write_text(json.dumps(serving, default=_plain, indent=2))
        return {"artifact_path": FILE, **info, "serving_input_path": SERVING_FILE}


BARE = frozenset({"messages", "prompt", "input"})
"""Keys of payloads of language models, which are a request's body as they are."""


def _described(data: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    data = of_polars(data)
    if getattr(data, "format", None) in _SPARSE and hasattr(data, "indptr"):
        parts = {name: getattr(data, name).tolist() for name in ("data", "indices", "indptr")}
        # A request has no form for it: a server is sent the array that it stands for.
        return {**parts, "shape": list(data.shape)}, {"type": f"sparse_matrix_{data.format}"}, {"inputs": data.toarray().tolist()}
    said, info, key = _dense(data)
    if info["type"] == "json_object" and isinstance(said, dict) and not BARE.isdisjoint(said):
        return said, info, dict(said)
    return said, info, {key: said}


def _dense(data: Any) -> tuple[Any, dict[str, Any], str]:
    if hasattr(data, "columns") and hasattr(data, "to_dict"):
        if again := twice(data.columns):
            raise UsageError(f"input_example: several columns have the name {listed(again)}; an example has one of each.")
        said = data.to_dict(orient="split")
        columns = [list(each) if isinstance(each, tuple) else str(each) for each in said["columns"]]
        numbered = list(data.columns) == list(range(len(data.columns)))
        rows = {"data": _without_gaps(said["data"])}
        orient = "values" if numbered else "split"
        return (
            (rows if numbered else {"columns": columns, **rows}),
            {"type": "dataframe", "pandas_orient": orient},
            "dataframe_split",
        )
    if hasattr(data, "dtype") and hasattr(data, "tolist") and len(getattr(data, "shape", ())) > 0:
        return data.tolist(), {"type": "ndarray"}, "inputs"
    if isinstance(data, dict) and data and all(hasattr(each, "tolist") for each in data.values()):
        return {name: each.tolist() for name, each in data.items()}, {"type": "ndarray"}, "inputs"
    if (
        data is None
        or isinstance(data, (dict, list, str, bytes, bool, int, float))
        or hasattr(data, "isoformat")
        or hasattr(data, "item")
    ):
        return data, {"type": "json_object"}, "inputs"
    raise UsageError(
        "input_example takes a DataFrame, an array, a sparse matrix (csr, csc), a dictionary, a list or a plain value, "
        f"not {type(data).__name__}."
    )


def _without_gaps(rows: list[list[Any]]) -> list[list[Any]]:
    return [[None if isinstance(value, float) and value != value else value for value in row] for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        import base64

        return base64.encodebytes(value).decode("ascii")
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise UsageError(f"input_example holds a {type(value).__name__}, which JSON has no form for.")


def load_example(folder: Path, info: Mapping[str, Any] | None, schema: Schema | None = None) -> Any:
    """Return the input example that was saved with a model, without its parameters; None if there is none.

    Parameters
    ----------
    folder : path
    info : dict, optional
        What ``MLmodel`` says of it.
    schema : Schema, optional
        Of the model's inputs: whose types the example gets, which JSON does not tell.
    """
    if not info:
        return None
    said = _read(folder, info)
    kind = str(info.get("type"))
    if kind == "dataframe":
        import pandas

        return _typed(pandas.DataFrame(said["data"], columns=_names(said.get("columns"))), schema)
    if kind == "ndarray":
        return _arrays(said, schema)
    if kind.startswith("sparse_matrix_"):
        import scipy.sparse

        made = getattr(scipy.sparse, f"{kind.rpartition('_')[2]}_matrix")
        parts = (_arrays(said["data"], schema), said["indices"], said["indptr"])
        return made(parts, shape=said["shape"])
    return said


def _names(columns: Any) -> Any:
    return [tuple(each) if isinstance(each, list) else each for each in columns] if columns else columns


def _typed(frame: Any, schema: Schema | None) -> Any:
    for spec in schema or ():
        if isinstance(spec, ColSpec) and spec.type in _CAST and spec.name in frame and not frame[spec.name].hasnans:
            assert isinstance(spec.type, DataType)
            frame[spec.name] = frame[spec.name].astype(spec.type.value)
    return frame


def _arrays(said: Any, schema: Schema | None) -> Any:
    import numpy

    tensors = [spec for spec in schema or () if isinstance(spec, TensorSpec)]
    dtypes = {spec.name: spec.dtype for spec in tensors if spec.dtype not in ("bytes", "object")}
    if isinstance(said, dict):
        return {name: numpy.array(each, dtype=dtypes.get(name)) for name, each in said.items()}
    return numpy.array(said, dtype=dtypes.get(None))


def load_example_params(folder: Path, info: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the parameters that were saved with the input example."""
    if not info or not info.get("params"):
        return None
    made: dict[str, Any] = json.loads((folder / str(info["artifact_path"])).read_text())["params"]
    return made


def _read(folder: Path, info: Mapping[str, Any]) -> Any:
    said = json.loads((folder / str(info["artifact_path"])).read_text())
    return said["inputs"] if info.get("params") else said


def serving_body(example: Any) -> str:
    """Return an input example as the body of a request to a scoring server."""
    given = Example.of(example)
    _, _, said = _described(given.data)
    return json.dumps({**said, **({"params": given.params} if given.params is not None else {})}, default=_plain)


def decoded_body(body: Any, schema: Schema | None) -> Any:
    """Return the data of such a body, without its parameters: a frame, arrays where the schema says tensors, or what JSON has.

    Raises
    ------
    UsageError
        If it is of no known form.
    """
    forms = ("dataframe_split", "dataframe_records", "instances", "inputs")
    found = [name for name in forms if isinstance(body, dict) and name in body]
    if isinstance(body, dict) and not found and not BARE.isdisjoint(body):
        return {name: value for name, value in body.items() if name != "params"}
    if len(found) != 1:
        raise UsageError(f"serving_input has one of {', '.join(forms)}; this one has {', '.join(found) or 'none'}.")
    said = body[found[0]]
    if found[0].startswith("dataframe"):
        import pandas

        split = found[0] == "dataframe_split"
        return pandas.DataFrame(said["data"], columns=said.get("columns")) if split else pandas.DataFrame.from_records(said)
    if schema is None or not schema.is_tensor_spec():
        return said
    import numpy

    dtypes = [str(each) for each in schema.input_types()]
    if isinstance(said, dict):
        named = dict(zip(schema.input_names(), dtypes, strict=True))
        return {name: numpy.array(value, dtype=named.get(name)) for name, value in said.items()}
    return numpy.array(said, dtype=dtypes[0])
