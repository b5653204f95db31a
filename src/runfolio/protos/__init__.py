"""Codes of errors, under the name that MLflow's scripts import: ``mlflow.protos``."""

from runfolio.protos import databricks_pb2

__all__ = ["databricks_pb2"]
