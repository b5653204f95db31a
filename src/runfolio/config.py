"""Settings of a process: MLflow's ``mlflow.config``.

>>> enable_async_logging(False)
"""

from runfolio.tracking.registering import get_registry_uri, set_registry_uri
from runfolio.tracking.sampling import (
    disable_system_metrics_logging,
    enable_system_metrics_logging,
    set_system_metrics_node_id,
    set_system_metrics_samples_before_logging,
    set_system_metrics_sampling_interval,
)
from runfolio.tracking.session import get_tracking_uri, is_tracking_uri_set, set_tracking_uri

__all__ = [
    "disable_system_metrics_logging",
    "enable_async_logging",
    "enable_system_metrics_logging",
    "get_registry_uri",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "set_registry_uri",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "set_tracking_uri",
]


def enable_async_logging(enable: bool = True) -> None:
    """Taken for MLflow's sake, and without effect: what is logged is kept when the call returns, and no call waits for a server."""
    del enable
