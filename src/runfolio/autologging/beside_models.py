"""What is kept beside a logged model: the first rows of what it was trained on, and its signature."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from runfolio.autologging.run_log import RunLog
from runfolio.flavors.examples import serving_body
from runfolio.flavors.inference import infer_signature

ROWS = 5
"""Rows of an input example, as in MLflow."""
NO_ROWS = "the training data has no rows that could be kept"
MADE_BEFORE = "the data is a file, or was made into the framework's own form before autologging was turned on"


def first_rows(data: Any) -> Any:
    """Return a copy of the first rows, which training cannot change any more; None for data that has no rows."""
    if isinstance(data, (str, bytes)):
        return None  # a file's name, whose first letters are no rows
    try:
        return copy.deepcopy(data[:ROWS])
    except (TypeError, KeyError, IndexError, ValueError):
        return None


def beside(log: RunLog, example: Any, predict: Callable[[Any], Any], *, missing: str = NO_ROWS) -> dict[str, Any]:
    """Return the arguments ``input_example`` and ``signature`` for ``log_model``, as the options ask for them.

    Parameters
    ----------
    log : RunLog
    example : data, optional
        From :func:`first_rows`.
    predict : callable
        Of a copy of the example.
    missing : str, optional
        Why there is no example, where there is none.
    """
    options, signature, kept = log.options, None, None
    if options.log_model_signatures and example is not None:
        with log.guard("the model's signature"):
            signature = infer_signature(example, predict(copy.deepcopy(example)))
    if (options.log_model_signatures or options.log_input_examples) and example is None:
        log.say(f"the model has no signature and no input example: {missing}")
    if options.log_input_examples and example is not None:
        with log.guard("the input example"):
            serving_body(example)  # refused here, and not with the model, if JSON has no form for it
            kept = example
    # False: none is inferred from the example either.
    return {"input_example": kept, "signature": signature or False}
