"""What MLflow does with the table of :mod:`tests.flavors.exchanged`, in a process of its own; its folder holds ``ours/<row>``.

Tells on its last line, as JSON, what it predicts with ours, and with models that it saves itself under ``theirs/<row>``. A row that
fails has its traceback instead: the others go on.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
import warnings
from typing import Any

from tests.flavors.exchanged import PYTHON, ROWS, Row, plain

warnings.simplefilter("ignore")


def load(row: Row, folder: str, data: Any) -> dict[str, Any]:
    """Return what both of MLflow's ways of loading make of a folder."""
    import mlflow

    flavor = importlib.import_module(f"mlflow.{row.flavor}")
    loaded = mlflow.pyfunc.load_model(folder)
    signature = loaded.metadata.signature
    return {
        "pyfunc": plain(loaded.predict(data)),
        "native": plain(row.said(flavor.load_model(folder), data)),
        "signature": signature.to_dict() if signature else None,
        "flavors": sorted(loaded.metadata.flavors),
    }


def exchange(row: Row) -> dict[str, Any]:
    """Load ours, save and load theirs."""
    import mlflow

    model, data = row.train()
    told = {"ours": load(row, f"ours/{row.name}", data)}
    more = row.theirs.get(int(mlflow.__version__.partition(".")[0]), {})
    # Requirements are given: MLflow finds them out in another process a model, which takes seconds.
    flavor = importlib.import_module(f"mlflow.{row.flavor}")
    flavor.save_model(model, f"theirs/{row.name}", pip_requirements=["pandas"], **{**row.saving(data), **more})
    return {**told, "theirs": load(row, f"theirs/{row.name}", data)}


def python() -> dict[str, Any]:
    """Load our models of plain Python, and save two whose data is held against type hints."""
    import mlflow

    class Doubled(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
        def predict(self, model_input: list[int], params: Any = None) -> list[int]:
            return [each * 2 for each in model_input]

    def total(model_input: list[dict[str, float]]) -> list[float]:
        return [sum(each.values()) for each in model_input]

    mlflow.pyfunc.save_model("theirs/class", python_model=Doubled(), pip_requirements=["pandas"])
    mlflow.pyfunc.save_model("theirs/function", python_model=total, pip_requirements=["pandas"], input_example=[{"a": 1.0}])
    told: dict[str, Any] = {}
    for name, data in PYTHON.items():
        loaded = mlflow.pyfunc.load_model(f"ours/{name}")
        told[name] = loaded.predict(data)
        try:
            loaded.predict([object()])
        except Exception as error:
            told[f"{name} refused"] = str(error)
    told["signatures"] = [mlflow.models.get_model_info(f"theirs/{name}").signature.to_dict() for name in ("class", "function")]
    told["needs"] = [mlflow.models.infer_pip_requirements("ours/sklearn", "sklearn", fallback=[])]
    return told


def main(names: list[str]) -> None:
    """Exchange some rows."""
    import mlflow

    told: dict[str, Any] = {"version": mlflow.__version__}
    for row in ROWS:
        if row.name in names:
            try:
                told[row.name] = exchange(row)
            except Exception:
                told[row.name] = {"fault": traceback.format_exc()}
    try:
        told["python"] = python()
    except Exception:
        told["python"] = {"fault": traceback.format_exc()}
    print("\n" + json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])
