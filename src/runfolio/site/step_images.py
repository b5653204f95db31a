"""Pictures that ``log_image(image, key=…, step=…)`` logged: their names say the key and the step.

The names are MLflow's, ``images/KEY%step%N%timestamp%MS%ID.png`` with ``#`` for ``/`` in the key, and beside each file lies a small copy,
``…%compressed.webp``. The pages' scripts read them in the same way: assets/js/64-images.js.

>>> logged_image("images/samples#digit%step%3%timestamp%1795725132242%zbb03b28.png")
LoggedImage(key='samples/digit', step=3, small=False)
>>> artifact_name("images/samples#digit%step%3%timestamp%1795725132242%zbb03b28.png")
'samples/digit, step 3'
"""

from __future__ import annotations

import re
from collections.abc import Collection

from runfolio._pattern import pattern
from runfolio._typing import NamedTuple

_NAME = pattern(r"images/(?P<key>.+?)%step%(?P<step>\d{1,18})%timestamp%\d+%[\w-]+?(?P<small>%compressed)?\.\w+\Z", re.ASCII)


class LoggedImage(NamedTuple):
    """What the name of a picture says.

    Attributes
    ----------
    key : str
    step : int
    small : bool
        Whether it is the small copy of another file.
    """

    key: str
    step: int
    small: bool


def logged_image(path: str) -> LoggedImage | None:
    """Return what the name of a picture says; None where it is another artifact's."""
    found = _NAME.match(path)
    return LoggedImage(found["key"].replace("#", "/"), int(found["step"]), found["small"] is not None) if found else None


def artifact_name(path: str) -> str:
    """Return what pages call an artifact: its path, or for a logged picture key and step."""
    found = logged_image(path)
    return f"{found.key}, step {found.step}" if found else path


def is_small_copy(path: str, others: Collection[str]) -> bool:
    """Tell whether an artifact is the small copy of another one of the same run."""
    return path.endswith("%compressed.webp") and path.removesuffix("%compressed.webp") + ".png" in others
