"""``eprint``, under the name that MLflow's scripts import: ``mlflow.utils.logging_utils``."""

import sys
from typing import Any


def eprint(*words: Any, **options: Any) -> None:
    """Print to the standard error."""
    print(*words, file=sys.stderr, **options)  # noqa: T201 (what it is for)
