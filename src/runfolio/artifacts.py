"""Fetch and list artifacts of runs: MLflow's ``mlflow.artifacts``.

>>> import runfolio                                                          # doctest: +SKIP
>>> runfolio.artifacts.download_artifacts("runs:/<run id>/model")            # doctest: +SKIP

The object store itself is the room :mod:`runfolio.objects`.
"""

from runfolio.tracking.fetching import download_artifacts, list_artifacts, load_dict, load_image, load_text

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]
