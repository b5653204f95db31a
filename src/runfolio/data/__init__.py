"""Datasets for ``log_input`` (``runfolio.data.from_pandas(frame, source=…)``), and datasets recorded by digest (``add``, ``load``).

See :mod:`runfolio.tracking.datasets` and :mod:`runfolio.tracking.recorded_data`.
"""

from runfolio._absent import absent_names as _absent_names
from runfolio.tracking import datasets
from runfolio.tracking.datasets import *  # noqa: F403
from runfolio.tracking.recorded_data import add, from_folio, load, path

__all__ = [*list(datasets.__all__), "add", "from_folio", "load", "path"]  # noqa: PLE0604 (a list of strings)

__getattr__ = _absent_names(__name__)
