"""Signatures, under the name that MLflow's scripts import: ``mlflow.models.signature``."""

from runfolio.flavors.inference import infer_signature
from runfolio.flavors.signatures import ModelSignature
from runfolio.tracking.model_requests import set_signature

__all__ = ["ModelSignature", "infer_signature", "set_signature"]
