"""What Hydra finds of runfolio: the callback, as the choice ``runfolio`` of the config group ``hydra/callbacks``.

``python app.py hydra/callbacks=runfolio hydra.callbacks.runfolio.experiment_name=digits`` logs an application that knows nothing of it.
Hydra reads every module of this namespace when it starts, so nothing is imported here but Hydra; the folder is shared by all plug-ins of
Hydra's, and has no ``__init__.py``.
"""

from __future__ import annotations

from hydra.core.config_store import ConfigStore

_OPTIONS = {"experiment_name": None, "run_name": None, "metric": "value", "direction": None, "tags": None}

ConfigStore.instance().store(
    group="hydra/callbacks",
    name="runfolio",
    node={"runfolio": {"_target_": "runfolio.sweeps.hydra.RunfolioCallback", **_OPTIONS}},
    provider="runfolio",
)
