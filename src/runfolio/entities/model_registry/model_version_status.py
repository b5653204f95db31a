"""How far the registration of a version is: MLflow's ``ModelVersionStatus``. Here a version is ready once it is there: it is one commit."""

from __future__ import annotations

from runfolio.errors import UsageError


class ModelVersionStatus:
    """The states of MLflow, as `ModelVersion.status` tells them."""

    PENDING_REGISTRATION = "PENDING_REGISTRATION"
    FAILED_REGISTRATION = "FAILED_REGISTRATION"
    READY = "READY"

    @staticmethod
    def from_string(name: str) -> str:
        """Return the state of that name: the name itself."""
        if name not in ("PENDING_REGISTRATION", "FAILED_REGISTRATION", "READY"):
            raise UsageError(f"{name!r} is no status of a version. There are: PENDING_REGISTRATION, FAILED_REGISTRATION, READY.")
        return name

    @staticmethod
    def to_string(status: str) -> str:
        """Return the name of a state."""
        return ModelVersionStatus.from_string(status)
