"""Checkpoints of Keras models that autologging kept, loaded."""

from __future__ import annotations

import tempfile
from typing import Any

from runfolio.errors import UsageError
from runfolio.flavors.keras_files import read_model
from runfolio.flavors.trust import check_trust
from runfolio.tracking.checkpoints import fetch_checkpoint


def load_checkpoint(
    model: Any = None, run_id: str | None = None, epoch: int | None = None, global_step: int | None = None
) -> Any:
    """Return a Keras model from a checkpoint that autologging kept.

    Parameters
    ----------
    model : keras.Model, optional
        To load the weights into, where weights alone were kept.
    run_id : str, optional
        The active run by default.
    epoch, global_step : int, optional
        Which checkpoint, where all were kept; the latest by default.

    Raises
    ------
    UsageError
        If only weights were kept, and no model is given.
    """
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        file = fetch_checkpoint(run_id, epoch, global_step, folder)
        if ".weights." not in file.name:
            check_trust(file.parent.parent, runs=(), verified=True, trust=None)
            return read_model(file)
        if model is None:
            raise UsageError("The checkpoint holds weights only: give the model that they belong to, model=….")
        model.load_weights(str(file))
        return model
