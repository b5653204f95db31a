"""A model as a user-defined function of Spark: over the columns of a table, in Spark's own workers.

Thin: Spark splits, sends and gathers; a worker gets batches of columns, and predicts with a model that it fetches and loads once.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Sequence
from functools import wraps
from typing import Any

from runfolio.errors import UsageError, missing_package
from runfolio.flavors.types import DataType
from runfolio.serving.mapping import MappedModel

_NAMES = {
    DataType.boolean: "boolean", DataType.integer: "int", DataType.long: "bigint", DataType.float: "float", DataType.double: "double",
    DataType.string: "string", DataType.binary: "binary", DataType.datetime: "timestamp",
}  # fmt: skip


def spark_udf(
    spark: Any,
    model_uri: str,
    result_type: Any = None,
    env_manager: str | None = None,
    params: dict[str, Any] | None = None,
    *,
    folio: str | None = None,
    trust: bool | None = None,
) -> Any:
    """Return a Spark UDF of a model.

    It is called with the model's columns in the order of its signature, with a ``struct`` of them, or with nothing: then with the columns
    that the signature names.

    Parameters
    ----------
    spark : SparkSession
    model_uri, folio, trust
        As for :class:`~runfolio.serving.mapping.MappedModel`.
    result_type : str or pyspark.sql.types.DataType, optional
        Of a prediction; by default what the signature says, else ``double``. Of predictions with several columns a plain type takes the
        first that fits (the first number, if it is one of numbers), an array all of them, a struct all of them by name.
    env_manager : str, optional
        Only ``local``, the default: workers need the model's packages.
    params : dict, optional
        Of the model's prediction, as its signature declares them.

    Raises
    ------
    UsageError
        If another `env_manager` is asked for.
    """
    if env_manager not in (None, "local"):
        raise UsageError(
            f"spark_udf takes env_manager='local', not {env_manager!r}: Spark's workers need the model's packages. Install them there: "
            f"runfolio models prepare-env -m {model_uri}"
        )
    try:
        import pandas
        from pyspark.sql import functions, types
    except ImportError as error:
        raise missing_package("pyspark", "", "make a Spark UDF") from error
    mapped = MappedModel(model_uri, folio, trust, params)
    signature = mapped.model().metadata.signature
    names = [str(name) for name in signature.inputs.input_names()] if signature and signature.inputs is not None else None
    wanted = result_type or _type_of(signature)
    wanted = types._parse_datatype_string(wanted) if isinstance(wanted, str) else wanted
    shape = _Shape(wanted, types)

    def predict(parts: Iterator[Any]) -> Iterator[Any]:
        for part in parts:
            yield shape.of(mapped.predict(_table(part, names)))

    # Spark reads from a function's annotations how it is to be called, and knows the names of `typing` alone; here annotations are text.
    columns = typing.Union[pandas.Series, pandas.DataFrame]  # noqa: UP007
    made_of = typing.Iterator[pandas.Series] if shape.fields is None else typing.Iterator[pandas.DataFrame]
    predict.__annotations__ = {"parts": typing.Iterator[typing.Tuple[columns, ...]], "return": made_of}  # noqa: UP006
    made = functions.pandas_udf(predict, wanted)

    @wraps(made)
    def of_columns(*columns: Any) -> Any:
        if not columns and names is None:
            raise UsageError(f"{model_uri} has no signature that names its columns: call its UDF with them.")
        return made(*(columns or (functions.struct(*(f"`{name.replace('`', '``')}`" for name in names or ())),)))

    return of_columns


def _type_of(signature: Any) -> str:
    """Return Spark's name for what a model predicts."""
    outputs = signature.outputs if signature else None
    if outputs is None or outputs.is_tensor_spec():
        return "double"
    found = [_NAMES.get(kind) for kind in outputs.input_types()]
    if None in found:
        return "double"
    if len(found) == 1:
        return str(found[0])
    return "struct<" + ", ".join(f"`{name}`: {kind}" for name, kind in zip(outputs.input_names(), found, strict=True)) + ">"


class _Shape:
    """How predictions become what a UDF of some type gives; small to send to a worker, which has no Spark session.

    Parameters
    ----------
    wanted : pyspark.sql.types.DataType
    types : module
    """

    def __init__(self, wanted: Any, types: Any) -> None:
        self.fields = [field.name for field in wanted.fields] if isinstance(wanted, types.StructType) else None
        self._lists = isinstance(wanted, types.ArrayType)
        plain = wanted.elementType if self._lists else wanted
        self._text, self._numbers = isinstance(plain, types.StringType), isinstance(plain, types.NumericType)

    def of(self, made: Any) -> Any:
        """Return predictions, a Series or a DataFrame, as Spark takes them."""
        import pandas

        framed = made if isinstance(made, pandas.DataFrame) else made.to_frame()
        if self.fields is not None:
            same = set(self.fields) <= set(framed.columns)
            return framed[self.fields] if same else framed.set_axis(self.fields, axis=1)
        if self._text:
            framed = framed.astype(str)
        if self._lists:
            rows = [row if self._text else [_plain(cell) for cell in row] for row in framed.to_numpy().tolist()]
            return pandas.Series(_flat(rows), index=framed.index)
        if self._numbers:
            numbers = framed.select_dtypes("number")
            framed = numbers if len(numbers.columns) else framed
        return framed.iloc[:, 0]


def _plain(cell: Any) -> Any:
    return cell.tolist() if hasattr(cell, "tolist") else cell


def _flat(rows: list[list[Any]]) -> list[list[Any]]:
    """Return rows of one list each as those lists: what a model of sequences predicts."""
    return [row[0] if len(row) == 1 and isinstance(row[0], list) else row for row in rows]


def _table(part: Any, names: Sequence[str] | None) -> Any:
    """Return a batch as a table: the columns of a struct by their own names, others by the signature's or by their place."""
    import pandas

    columns = part if isinstance(part, tuple) else (part,)
    if len(columns) == 1 and isinstance(columns[0], pandas.DataFrame):
        return columns[0]
    made = pandas.concat(columns, axis=1)
    return made.set_axis((names or list(map(str, range(len(columns)))))[: len(columns)], axis=1)
