"""Which runs sample the machine, and how: what this process chose, over the folio's settings.

What it does *not* do: sample. That is :mod:`runfolio.tracking.system`, loaded where a run asks for it.
"""

from __future__ import annotations

from runfolio._dataclass import dataclass
from runfolio._typing import TYPE_CHECKING
from runfolio.errors import MissingPackageError, UsageError
from runfolio.tracking.live import LiveRun
from runfolio.tracking.session import Session

if TYPE_CHECKING:
    from runfolio.tracking.system import SystemMetrics

PREFIX = "system/"


@dataclass(slots=True)
class _Choices:
    """What was chosen in this process; None leaves it to the folio's settings."""

    enabled: bool | None = None
    interval_s: float | None = None
    samples: int = 1
    node_id: str | None = None


_chosen = _Choices()


def enable_system_metrics_logging() -> None:
    """Sample CPU, memory and GPU use in all runs from now on."""
    _chosen.enabled = True


def disable_system_metrics_logging() -> None:
    """Sample no system metrics in runs from now on."""
    _chosen.enabled = False


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Choose how often runs from now on sample the machine.

    Parameters
    ----------
    interval : float or None
        Seconds; None goes back to the folio's setting.
    """
    if interval is not None and not interval > 0:
        raise UsageError(f"The interval of system metrics is {interval} seconds; it must be positive.")
    _chosen.interval_s = interval


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """Choose how many samples make one logged mean.

    Parameters
    ----------
    samples : int or None
        None goes back to 1.
    """
    if samples is not None and samples < 1:
        raise UsageError(f"The samples of system metrics before logging are {samples}; at least one is needed.")
    _chosen.samples = 1 if samples is None else samples


def set_system_metrics_node_id(node_id: str | None) -> None:
    """Name this machine in its metrics (``system/<node_id>/…``), to tell the machines of one run apart.

    Parameters
    ----------
    node_id : str or None
        None leaves the name out.
    """
    _chosen.node_id = None if node_id is None else str(node_id)


def forget_choices() -> None:
    """Go back to the folio's settings, as in a process that has just started."""
    global _chosen
    _chosen = _Choices()


def start_sampler(held: Session, live: LiveRun, asked: bool | None) -> SystemMetrics | None:
    """Start to sample for a run, if that is wanted; where psutil is missing, the run says so and goes on.

    Parameters
    ----------
    held : Session
    live : LiveRun
    asked : bool or None
        What the call that starts the run said; None leaves it to the process and the folio.
    """
    settings = held.folio.settings.system_metrics
    wanted = next((choice for choice in (asked, _chosen.enabled) if choice is not None), settings.enabled)
    if not wanted:
        return None
    from runfolio.tracking.system import SystemMetrics

    def log(values: dict[str, float], step: int) -> None:
        live.batch([(key, value, None, step) for key, value in values.items()], {}, {})

    before = [summary.step for key, summary in live.record.metrics.items() if key.startswith(PREFIX)]
    try:
        made = SystemMetrics(
            log,
            settings.interval_s if _chosen.interval_s is None else _chosen.interval_s,
            _chosen.samples,
            on_fault=live.notice,
            node_id=_chosen.node_id,
            first_step=max(before, default=-1) + 1,
        )
    except MissingPackageError as error:
        live.notice(error.message)
        held.say(error.message)
        return None
    made.start()
    return made
