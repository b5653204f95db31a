"""What scores in an Azure ML deployment without an image of ours: Azure calls ``init`` once and ``run`` for each request.

It is copied there, and runs where runfolio is installed; the model is verified by its digest before anything of it is loaded.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_held: dict[str, Any] = {}


def init() -> None:
    """Verify the model and load it."""
    from runfolio.deployments.images.inside import verify
    from runfolio.tracking.pyfunc_models import load_model

    folder = next(Path(os.environ["AZUREML_MODEL_DIR"]).rglob("MLmodel")).parent
    if verify({**os.environ, "RUNFOLIO_MODEL_FOLDER": str(folder)}):
        raise RuntimeError(f"{folder} is not the model of this deployment.")
    _held["model"] = load_model(folder, trust=True)


def run(raw_data: str) -> Any:
    """Predict what the JSON of MLflow's protocol holds."""
    import pandas

    said = json.loads(raw_data)
    if "dataframe_split" in said:
        data = pandas.DataFrame(
            **{key: said["dataframe_split"][key] for key in ("data", "columns") if key in said["dataframe_split"]}
        )
    elif "dataframe_records" in said:
        data = pandas.DataFrame(said["dataframe_records"])
    else:
        data = said["inputs"] if "inputs" in said else said["instances"]
    made = _held["model"].predict(data, said["params"]) if said.get("params") else _held["model"].predict(data)
    return {"predictions": made.tolist() if hasattr(made, "tolist") else made}
