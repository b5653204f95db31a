"""Experiments of DVC and folders of dvclive, read from git's objects and from files: the package ``dvc`` is not needed."""

from runfolio.transfer.dvc.source import open_dvc

__all__ = ["open_dvc"]
