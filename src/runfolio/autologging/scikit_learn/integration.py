"""scikit-learn's functions that are patched, and the options of ``runfolio.sklearn.autolog``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from runfolio.autologging.patching import Patches
from runfolio.autologging.scikit_learn.after_fit import measuring, predicting, scoring
from runfolio.autologging.scikit_learn.fitting import record_fit
from runfolio.autologging.scikit_learn.growing import GROWS, telling
from runfolio.autologging.scikit_learn.search import checked_number
from runfolio.autologging.sessions import session
from runfolio.autologging.switches import switch
from runfolio.autologging.training import logged
from runfolio.flavors.scikit_learn import check_format

_FITS = ("fit", "fit_transform", "fit_predict")
_PREDICTS = ("predict", "predict_proba", "transform", "predict_log_proba")
_PREPARING = ("sklearn.preprocessing", "sklearn.impute", "sklearn.feature_extraction", "sklearn.feature_selection")
"""Packages whose estimators only make data ready: as in MLflow, their fits are no trainings."""
_NO_METRICS = ("check_scoring", "get_scorer", "make_scorer", "get_scorer_names")
_NOT_LOGGED = (
    "cross_validate", "cross_val_predict", "cross_val_score", "learning_curve", "permutation_test_score", "validation_curve",
)  # fmt: skip
"""Functions whose many fits are none of the user's own."""


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    max_tuning_runs: int | None = 5,
    log_post_training_metrics: bool = True,
    serialization_format: str | None = None,
    registered_model_name: str | None = None,
    pos_label: Any = None,
    extra_tags: Mapping[str, str] | None = None,
) -> None:
    """Log what scikit-learn's estimators are fitted to: params, metrics and plots of the training data, the model, the dataset.

    A search over parameters (``GridSearchCV``, …) has its best candidates as child runs. Metrics that are computed later of the model's
    predictions are added to its run. ``docs/how-to/autolog.md`` lists all of it.

    Parameters
    ----------
    log_input_examples : bool
        Keep the first rows of the training data with the model.
    log_model_signatures : bool
        Keep the signature of the model.
    log_models : bool
        Keep the fitted model, and the best estimator of a search.
    log_datasets : bool
        Record name, digest, schema and size of the data.
    disable : bool
        Put scikit-learn back as it was.
    exclusive : bool
        Log only to runs that autologging starts itself, never to one that is active already.
    disable_for_unsupported_versions : bool
        Log nothing with a version that runfolio was not made for.
    silent : bool
        Write no log lines; what went wrong still stands in the run.
    max_tuning_runs : int, optional
        Child runs of a search; None for all candidates.
    log_post_training_metrics : bool
        Log metrics that are computed after the fit.
    serialization_format : {"pickle", "cloudpickle"}, optional
        As for :func:`runfolio.sklearn.save_model`.
    registered_model_name : str, optional
        Make each model the next version of that registered model.
    pos_label : str or int, optional
        The positive class of precision, recall and F1; by default these are weighted means over all classes.
    extra_tags : Mapping, optional
        Tags of each run that autologging starts.
    """
    given = dict(locals())
    checked_number(max_tuning_runs)
    check_format(serialization_format)
    switch("sklearn", given)


def _prepares(kind: type) -> bool:
    """Tell whether a class of estimators only makes data ready for another one, or trains by code that is not scikit-learn's."""
    if any(each.__module__.startswith(_PREPARING) or each.__name__ == "ColumnTransformer" for each in kind.__mro__):
        return True
    return not any("fit" in vars(each) and _is_of_sklearn(each) for each in kind.__mro__)


def _is_of_sklearn(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "sklearn"


def _patch_estimators(module: ModuleType, patches: Patches) -> None:
    training, predict, score = logged(patches, record_fit), predicting(patches), scoring(patches)

    def fit(original: Callable[..., Any], model: Any, *args: Any, **kwargs: Any) -> Any:
        # Asked of the instance: a scaler has its fit_transform from the same mixin as what is trained.
        if not _prepares(type(model)):
            return training(original, model, *args, **kwargs)
        with session(patches.framework):
            return original(model, *args, **kwargs)

    def patch(kind: type) -> None:
        # With its mixins, which are no BaseEstimator: LogisticRegression has its `predict` from one. Estimators of other packages are
        # theirs: they may have an autolog of their own, and inherit what they don't override.
        for each in filter(_is_of_sklearn, kind.__mro__):
            for names, replacement in ((_FITS, fit), (_PREDICTS, predict), (("score",), score)):
                for name in names:
                    patches.method(each, name, replacement)

    for mixin in ("ClassifierMixin", "RegressorMixin", "ClusterMixin", "TransformerMixin", "OutlierMixin"):
        patch(getattr(module, mixin))
    patches.subclasses(module.BaseEstimator, patch)


def patch_metrics(module: ModuleType, patches: Patches) -> None:
    """Patch the functions of ``sklearn.metrics``: for every framework whose estimators these measure."""
    measure = measuring(patches)
    for name in module.__all__:
        found = getattr(module, name)
        if name in _NO_METRICS or isinstance(found, type) or not callable(found):
            continue
        # Also where it is defined: a scorer that holds it is pickled by that place.
        patches.function((module, sys.modules.get(found.__module__, module)), name, measure)


def _patch_model_selection(module: ModuleType, patches: Patches) -> None:
    def unlogged(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with session(patches.framework):
            return original(*args, **kwargs)

    for name in _NOT_LOGGED:
        found = getattr(module, name)
        patches.function((module, sys.modules.get(found.__module__, module)), name, unlogged)


def _patch_forests(module: ModuleType, patches: Patches) -> None:
    patches.function((module,), GROWS, telling)


WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]] = {
    "sklearn.base": _patch_estimators,
    "sklearn.ensemble._forest": _patch_forests,
    "sklearn.metrics": patch_metrics,
    "sklearn.model_selection": _patch_model_selection,
}
