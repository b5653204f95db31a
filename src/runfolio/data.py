"""Datasets for ``log_input``: ``runfolio.data.from_pandas(frame, source=…)``; see :mod:`runfolio.tracking.datasets`."""

from runfolio.tracking import datasets
from runfolio.tracking.datasets import *  # noqa: F403

__all__ = list(datasets.__all__)
