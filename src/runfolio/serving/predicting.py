"""A process of its own that predicts a file, in the model's environment: started by ``runfolio models predict --env-manager``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from runfolio.errors import RunfolioError
from runfolio.flavors.python_function import load_folder
from runfolio.serving.batches import predict_file


def main() -> int:
    """Predict, and return the exit code."""
    said = json.loads(os.environ["RUNFOLIO_PREDICT"])
    counted = sys.stderr.isatty()

    def tell(rows: int) -> None:
        sys.stderr.write(f"\r{rows:,} rows")
        sys.stderr.flush()

    try:
        model = load_folder(Path(said["model"]))
        predict_file(
            model,
            said["source"],
            said["target"],
            kind=said["kind"],
            output_kind=said["output_kind"],
            chunk=said["chunk"],
            told=tell if counted else None,
        )
    except RunfolioError as error:
        sys.stderr.write(f"runfolio: {error.message}\n")
        return error.exit_code
    finally:
        if counted:
            sys.stderr.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
