"""Estimators of scikit-learn's interface as one file: a pickle by default, and what MLflow 3 writes, skops, read too.

skops names the types that it builds. MLflow keeps the list of those it may build beside the model, where whoever made the model made
the list; nothing is believed of it here. A file of skops needs the same trust as a pickle, and then builds what it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors.pickles import load_pickle, write_cloudpickle, write_plain

PICKLE, CLOUDPICKLE, SKOPS = "pickle", "cloudpickle", "skops"


def write_estimator(model: Any, place: Path, wanted: str | None = None) -> tuple[str, set[str]]:
    """Write an estimator's pickle: plain, and cloudpickle where a plain one would not load elsewhere.

    Returns
    -------
    (str, set of str)
        Its format, and the modules that it refers to.

    Raises
    ------
    UsageError
        If a plain one is asked for, and would not load.
    """
    if wanted != CLOUDPICKLE:
        modules = write_plain(model, place)
        if modules is not None:
            return PICKLE, modules
        if wanted == PICKLE:
            raise UsageError(
                "The model holds functions or classes that a plain pickle cannot carry to another process. Move them into a module "
                "and name it in code_paths, or leave serialization_format out."
            )
    return CLOUDPICKLE, write_cloudpickle(model, place)


def load_estimator(place: Path, config: Mapping[str, Any]) -> Any:
    """Load an estimator whose code may run; `config` is the flavor's part of ``MLmodel``.

    Raises
    ------
    DamagedError
        If the file is not what it should be.
    UsageError
        If its format is one that is not known here.
    """
    form = config.get("serialization_format", CLOUDPICKLE)
    if form in (PICKLE, CLOUDPICKLE):
        return load_pickle(place)
    if form != SKOPS:
        raise UsageError(
            f"{place}: the serialization format {form!r} is not known here ({PICKLE}, {CLOUDPICKLE} and {SKOPS} are): a newer MLflow "
            "wrote it. Save the model with one of these, or update runfolio."
        )
    return _skops(place)


def _skops(place: Path) -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise missing_package("skops", "", "load a model that MLflow 3 saved with skops") from error
    try:
        return skops.io.load(place, trusted=skops.io.get_untrusted_types(file=place))
    except (OSError, ValueError, KeyError) as error:
        raise DamagedError(f"{place}: skops cannot read it: {error}. Fetch the model again.") from error
