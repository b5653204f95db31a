"""Lightning's CLI, logged to runfolio: the callback that keeps its config, beside the logger.

>>> from lightning.pytorch.cli import LightningCLI                                             # doctest: +SKIP
>>> cli = LightningCLI(                                                                        # doctest: +SKIP
...     Net, Data, save_config_callback=runfolio.pytorch.SaveConfigCallback,
...     trainer_defaults={"logger": {"class_path": "runfolio.pytorch.RunfolioLogger"}},
... )

The class is made when it is asked for: Lightning takes seconds to import, and has two names.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from runfolio.autologging.loggers.lightning import LightningLogging, flat, packages
from runfolio.records.names import MAX_PARAM_LENGTH
from runfolio.tracking import fluent, fluent_logging
from runfolio.tracking.client import RunfolioClient


@functools.cache
def save_config_class() -> type:
    """Return the callback that keeps the CLI's config in the run."""
    base = importlib.import_module(f"{packages()[0]}.cli").SaveConfigCallback

    class SaveConfigCallback(base):  # type: ignore[misc, valid-type]  # as above
        """Logs the CLI's config: as params, and as the artifact ``config.yaml``; to the Trainer's logger's run, else the active one."""

        def __init__(self, parser: Any, config: Any, **kwargs: Any) -> None:
            super().__init__(parser, config, **{**kwargs, "save_to_log_dir": False})

        def save_config(self, trainer: Any, pl_module: Any, stage: str) -> None:
            """Log the config; Lightning calls it once, in the first process."""
            logger = next((each for each in trainer.loggers if isinstance(each, LightningLogging)), None)
            run_id = logger.run_id if logger is not None else None
            config = self.config.get(stage, self.config) if hasattr(self.config, "get") else self.config
            said = {name: str(value)[:MAX_PARAM_LENGTH] for name, value in flat(config) if name not in ("config", "subcommand")}
            if run_id is None:
                run_id = (fluent.active_run() or fluent.start_run()).info.run_id
            known = RunfolioClient().get_run(run_id).data.params
            fluent_logging.log_params({name: text for name, text in said.items() if name not in known}, run_id=run_id)
            text = self.parser.dump(self.config, skip_none=False)
            RunfolioClient().log_bytes(run_id, text.encode(), self.config_filename)

    SaveConfigCallback.__module__, SaveConfigCallback.__qualname__ = "runfolio.pytorch", "SaveConfigCallback"
    return SaveConfigCallback
