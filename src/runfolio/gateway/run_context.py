"""What MLflow asks of us about the place where a run starts: the branch, the remote and the pull request of a CI job."""

from __future__ import annotations

import os
from typing import Any

from mlflow.tracking.context.abstract_context import RunContextProvider

from runfolio.gateway.addresses import SCHEME

PULL_REQUEST_TAG = "runfolio.pull_request"
_NUMBERS = ("RUNFOLIO_PULL_REQUEST", "CI_MERGE_REQUEST_IID")


class RunfolioContext(RunContextProvider):  # type: ignore[misc]  # MLflow's classes are not typed
    """Tags of runs that a script logs through MLflow to a folio. Code and commit are captured by the store itself."""

    def in_context(self) -> bool:
        """Tell whether runs go to a folio."""
        from mlflow.tracking import get_tracking_uri

        return str(get_tracking_uri()).startswith(f"{SCHEME}:")

    def tags(self) -> dict[str, Any]:
        """Return the tags."""
        number = next((os.environ[name] for name in _NUMBERS if os.environ.get(name)), None) or _of_github()
        return {PULL_REQUEST_TAG: number} if number else {}


def _of_github() -> str | None:
    parts = os.environ.get("GITHUB_REF", "").split("/")
    return parts[2] if len(parts) > 3 and parts[1] == "pull" and parts[2].isdigit() else None
