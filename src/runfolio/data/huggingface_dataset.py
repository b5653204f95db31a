"""Datasets of Hugging Face, under the name that MLflow's scripts import: ``mlflow.data.huggingface_dataset``."""

from runfolio.tracking.datasets.huggingface import HuggingFaceDataset, from_huggingface

__all__ = ["HuggingFaceDataset", "from_huggingface"]
