"""Datasets that a run read: what they are called, where they came from, and a digest that says which bytes they were.

``log_input(from_pandas(frame, source="data/wine.csv"), context="training")`` records name, digest, source, schema and profile,
with MLflow's names and JSON forms. The data itself is not stored by that, and no source is ever fetched; what keeps it is
``runfolio data add`` (:mod:`runfolio.tracking.recorded_data`).

Invariants: the same values give the same digest in every process, on every platform, with every version of pandas;
no credential, signed query or home folder gets into a record.
"""

from runfolio.tracking.datasets.arrays import NumpyDataset, from_numpy
from runfolio.tracking.datasets.dataset import Dataset
from runfolio.tracking.datasets.files import FileDataset, from_file
from runfolio.tracking.datasets.frames import PandasDataset, PolarsDataset, from_pandas, from_polars
from runfolio.tracking.datasets.huggingface import HuggingFaceDataset, from_huggingface
from runfolio.tracking.datasets.inputs import get_source, stored_input, to_input
from runfolio.tracking.datasets.recorded import RecordedDataset
from runfolio.tracking.datasets.schemas import ColumnSpec, Schema, TensorSchema, TensorSpec
from runfolio.tracking.datasets.sources import (
    CodeDatasetSource,
    DatasetSource,
    HTTPDatasetSource,
    HuggingFaceDatasetSource,
    LocalDatasetSource,
    RecordedDatasetSource,
    RemoteDatasetSource,
)

__all__ = [
    "CodeDatasetSource",
    "ColumnSpec",
    "Dataset",
    "DatasetSource",
    "FileDataset",
    "HTTPDatasetSource",
    "HuggingFaceDataset",
    "HuggingFaceDatasetSource",
    "LocalDatasetSource",
    "NumpyDataset",
    "PandasDataset",
    "PolarsDataset",
    "RecordedDataset",
    "RecordedDatasetSource",
    "RemoteDatasetSource",
    "Schema",
    "TensorSchema",
    "TensorSpec",
    "from_file",
    "from_huggingface",
    "from_numpy",
    "from_pandas",
    "from_polars",
    "get_source",
    "stored_input",
    "to_input",
]
