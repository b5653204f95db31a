"""A model over data beyond one machine: as a Spark UDF, and mapped over the parts of a Dask frame or a Ray dataset.

Thin: the engine splits, sends and gathers; here a part is a table, predicted by a model that each process fetches and loads once.
The folio (or the folder) must be reachable from the engine's workers under the same path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from runfolio.errors import UsageError, missing_package

_loaded: dict[tuple[str, str | None], Any] = {}


class MappedModel:
    """A model by URI, called with a table; small to send, and loaded where it is called, once a process.

    Parameters
    ----------
    model_uri : str
    folio : str, optional
        Path of the folio, as workers see it.
    trust : bool, optional
        As for ``load_model``.
    """

    def __init__(self, model_uri: str, folio: str | None = None, trust: bool | None = None) -> None:
        self.model_uri, self.folio, self.trust = model_uri, folio, trust

    def predict(self, frame: Any) -> Any:
        """Return what the model predicts for a table: a Series, or a DataFrame where it predicts several columns."""
        import pandas

        made = self._model().predict(frame)
        if isinstance(made, (pandas.Series, pandas.DataFrame)):
            return made.set_axis(frame.index, axis=0)
        if len(getattr(made, "shape", (0,))) == 2:
            return pandas.DataFrame(made, index=frame.index, columns=[f"prediction_{at}" for at in range(made.shape[1])])
        return pandas.Series(made, index=frame.index, name="prediction")

    def __call__(self, frame: Any) -> Any:
        """Return a DataFrame of predictions: what Ray's batches ask for."""
        made = self.predict(frame)
        return made.to_frame() if hasattr(made, "to_frame") else made

    def _model(self) -> Any:
        key = (self.model_uri, self.folio)
        if key not in _loaded:
            from runfolio.tracking.pyfunc_models import load_model
            from runfolio.tracking.session import set_tracking_uri

            if self.folio is not None:
                set_tracking_uri(self.folio)
            _loaded[key] = load_model(self.model_uri, trust=self.trust)
        return _loaded[key]


def dask_predict(frame: Any, model_uri: str, *, folio: str | None = None, trust: bool | None = None, meta: Any = None) -> Any:
    """Return the predictions for a Dask DataFrame, as a Dask Series (or DataFrame), not computed yet.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame
    model_uri, folio, trust
        As for :class:`MappedModel`.
    meta : optional
        What Dask asks for: an empty Series or DataFrame like the predictions. By default two rows are predicted here to see.
    """
    mapped = MappedModel(model_uri, folio, trust)
    if meta is None:
        head = frame.head(2, npartitions=-1, compute=True)
        if not len(head):
            raise UsageError("dask_predict: the frame is empty, so meta=… must say what predictions are like.")
        meta = mapped.predict(head).iloc[:0]
    return frame.map_partitions(mapped.predict, meta=meta)


def ray_predict(dataset: Any, model_uri: str, *, folio: str | None = None, trust: bool | None = None, **more: Any) -> Any:
    """Return the predictions for a Ray dataset, as a dataset; `more` goes to ``map_batches``."""
    return dataset.map_batches(MappedModel(model_uri, folio, trust), **{"batch_format": "pandas", **more})


def spark_udf(
    spark: Any,
    model_uri: str,
    result_type: Any = "double",
    env_manager: str | None = None,
    params: dict[str, Any] | None = None,
    *,
    folio: str | None = None,
    trust: bool | None = None,
) -> Any:
    """Return a Spark UDF of a model: called with its columns in the order of its signature, or with a ``struct`` of them.

    Parameters
    ----------
    spark : SparkSession
    model_uri, folio, trust
        As for :class:`MappedModel`.
    result_type : str or DataType
        Of a prediction.
    env_manager : str, optional
        Only ``local``, the default: workers need the model's packages.
    params : dict, optional
        Not taken: a table's predictions have no parameters here.
    """
    if env_manager not in (None, "local") or params:
        raise UsageError("spark_udf takes env_manager='local' and no params.")
    try:
        from pyspark.sql.functions import pandas_udf
    except ImportError as error:
        raise missing_package("pyspark", "", "make a Spark UDF") from error
    mapped = MappedModel(model_uri, folio or os.environ.get("RUNFOLIO_TRACKING_URI"), trust)
    names = _names(mapped)

    @pandas_udf(result_type)  # type: ignore[untyped-decorator, unused-ignore] # pyspark need not be installed
    def predict(parts: Iterator[tuple[Any, ...]]) -> Iterator[Any]:
        for part in parts:
            yield mapped.predict(_table(part, names))

    return predict


def _names(mapped: MappedModel) -> Sequence[str] | None:
    signature = mapped._model().metadata.signature
    inputs = signature.inputs if signature else None
    return [str(name) for name in inputs.input_names()] if inputs is not None else None


def _table(part: Any, names: Sequence[str] | None) -> Any:
    import pandas

    columns = part if isinstance(part, tuple) else (part,)
    if len(columns) == 1 and isinstance(columns[0], pandas.DataFrame):
        return columns[0]
    made = pandas.concat(columns, axis=1)
    return made.set_axis((names or list(map(str, range(len(columns)))))[: len(columns)], axis=1)
