"""The Python that a model runs in: ours, or one of an environment made of the model's own requirements."""

from __future__ import annotations

import sys
from pathlib import Path


def python_for(folder: Path, manager: str) -> str:
    """Return the path of the Python that runs a model.

    Parameters
    ----------
    folder : path
        Of the model.
    manager : {"local", "virtualenv", "uv"}
    """
    return sys.executable
