"""A model over data beyond one machine: mapped over the parts of a Dask frame or a Ray dataset (Spark: :mod:`runfolio.serving.spark`).

Thin: the engine splits, sends and gathers; here a part is a table, predicted by a model that each process fetches and loads once.
The folio (or the folder) must be reachable from the engine's workers under the same path.
"""

from __future__ import annotations

from typing import Any

from runfolio.errors import NotAFolioError, UsageError

_loaded: dict[tuple[str, str | None], Any] = {}


class MappedModel:
    """A model by URI, called with a table; small to send, and loaded where it is called, once a process.

    Parameters
    ----------
    model_uri : str
    folio : str, optional
        Path of the folio, as workers see it; by default that of the folio here.
    trust : bool, optional
        As for ``load_model``.
    params : dict, optional
        Of each prediction, as the model's signature declares them.
    """

    def __init__(
        self, model_uri: str, folio: str | None = None, trust: bool | None = None, params: dict[str, Any] | None = None
    ) -> None:
        self.model_uri, self.trust, self.params = model_uri, trust, params
        self.folio = _folio_here() if folio is None else folio

    def predict(self, frame: Any) -> Any:
        """Return what the model predicts for a table: a Series, or a DataFrame where it predicts several columns."""
        import pandas

        made = self.model().predict(frame, self.params) if self.params else self.model().predict(frame)
        if isinstance(made, (pandas.Series, pandas.DataFrame)):
            return made.set_axis(frame.index, axis=0)
        if len(getattr(made, "shape", (0,))) == 2:
            return pandas.DataFrame(made, index=frame.index, columns=[f"prediction_{at}" for at in range(made.shape[1])])
        return pandas.Series(made, index=frame.index, name="prediction")

    def __call__(self, frame: Any) -> Any:
        """Return a DataFrame of predictions: what Ray's batches ask for."""
        made = self.predict(frame)
        return made.to_frame() if hasattr(made, "to_frame") else made

    def model(self) -> Any:
        """Return the model, loaded in this process if it is not yet."""
        key = (self.model_uri, self.folio)
        if key not in _loaded:
            from runfolio.tracking.pyfunc_models import load_model
            from runfolio.tracking.session import set_tracking_uri

            if self.folio is not None:
                set_tracking_uri(self.folio)
            _loaded[key] = load_model(self.model_uri, trust=self.trust)
        return _loaded[key]


def _folio_here() -> str | None:
    """Return the path of the folio that this process logs to; None outside of any, where a model is named by its own path."""
    from runfolio.tracking.session import session

    try:
        return session().location
    except NotAFolioError:
        return None


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
