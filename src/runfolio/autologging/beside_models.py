"""What is kept beside a logged model: the first rows of what it was trained on, and its signature."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from runfolio.autologging.run_log import RunLog
from runfolio.flavors.inference import infer_signature

ROWS = 5
"""Rows of an input example, as in MLflow."""


def first_rows(data: Any) -> Any:
    """Return a copy of the first rows, which training cannot change any more; None for data that has no rows."""
    try:
        return copy.deepcopy(data[:ROWS])
    except (TypeError, KeyError, IndexError, ValueError):
        return None


def beside(log: RunLog, example: Any, predict: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the arguments ``input_example`` and ``signature`` for ``log_model``, as the options ask for them.

    Parameters
    ----------
    log : RunLog
    example : data, optional
        From :func:`first_rows`.
    predict : callable
        Of a copy of the example.
    """
    options, signature = log.options, None
    if options.log_model_signatures and example is not None:
        with log.guard("the model's signature"):
            signature = infer_signature(example, predict(copy.deepcopy(example)))
    if (options.log_model_signatures or options.log_input_examples) and example is None:
        log.say("the training data has no rows that could be kept as an example, or tell the model's signature")
    # False: none is inferred from the example either.
    return {"input_example": example if options.log_input_examples else None, "signature": signature or False}
