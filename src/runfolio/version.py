"""The version, under the name that MLflow's scripts import: ``mlflow.version``."""

from runfolio._version import __version__

VERSION = __version__

__all__ = ["VERSION"]
