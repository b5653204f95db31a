"""Boosters in scikit-learn's interface: the estimator is what is kept, and metrics that are computed later are added to its run.

Params, metrics and importances are logged by the framework's own ``train``, which a fit calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runfolio.autologging.beside_models import first_rows
from runfolio.autologging.patching import Patches, Replacement
from runfolio.autologging.run_log import RunLog
from runfolio.autologging.scikit_learn.after_fit import predicting, remember_model, scoring
from runfolio.autologging.scikit_learn.arguments import fit_data
from runfolio.autologging.training import Call, Recorder, Recording

Keep = Callable[[RunLog, Any, Any, Callable[[Any], Any]], None]
"""Logs a model, with the first rows of its data and how it predicts."""


def recorded_fit(keep: Keep) -> Recorder:
    """Return the recorder of an estimator's ``fit``."""

    def record(log: RunLog, call: Call) -> Recording:
        estimator = call.args[0]
        example = first_rows(fit_data(estimator, call.args[1:], call.kwargs).X)
        yield
        if log.options.log_models:
            with log.guard("the model"):
                keep(log, estimator, example, estimator.predict)
        remember_model(estimator, log)

    return record


def patch_estimators(patches: Patches, base: type, fit: Replacement) -> None:
    """Patch the estimators of a framework below a class of its own."""
    package = base.__module__.partition(".")[0]
    predict, score = predicting(patches), scoring(patches)

    def patch(kind: type) -> None:
        if kind.__module__.partition(".")[0] != package:
            return
        patches.method(kind, "fit", fit)
        for name in ("predict", "predict_proba"):
            patches.method(kind, name, predict)
        if kind is not base:
            patches.inherited(kind, "score", score)

    patches.subclasses(base, patch)
