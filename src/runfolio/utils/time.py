"""Time as runs tell it, under the name that MLflow's scripts import: ``mlflow.utils.time``."""

from time import time_ns


def get_current_time_millis() -> int:
    """Return the time in milliseconds since the epoch, UTC: what ``Metric(timestamp=…)`` takes."""
    return time_ns() // 1_000_000
