"""Hugging Face's Accelerate: a tracker like its ``MLflowTracker``.

>>> from accelerate import Accelerator                                                         # doctest: +SKIP
>>> from runfolio.accelerate import RunfolioTracker                                            # doctest: +SKIP
>>> accelerator = Accelerator(log_with=RunfolioTracker("digits", run_name="first"))            # doctest: +SKIP

Its import makes ``Accelerator(log_with="runfolio")`` known.
"""

from runfolio.autologging.loggers.accelerate import register as _register

__all__ = ["RunfolioTracker"]  # noqa: F822 # made when it is asked for, since Accelerate takes seconds to import

_register()


def __getattr__(name: str) -> object:
    if name == "RunfolioTracker":
        from runfolio.autologging.loggers.accelerate import tracker_class

        return tracker_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
