"""What every target has: MLflow's ``mlflow.deployments.BaseDeploymentClient``, method by method.

A target of the house is a :class:`Target`: it turns an order into a :class:`~runfolio.deployments.plan.Plan` (data that ``--dry-run``
prints), carries a plan out, and says what came of it; fetching the model, verifying it and recording what was done are here, once.
"""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from runfolio._dataclass import dataclass
from runfolio.deployments.plan import Plan
from runfolio.errors import UsageError
from runfolio.records.deployments import DeploymentState

if TYPE_CHECKING:
    from runfolio.deployments.source import Source

Config = Mapping[str, Any]


class BaseDeploymentClient(ABC):
    """A target's client; what MLflow's plug-ins inherit there, those for runfolio inherit here.

    Parameters
    ----------
    target_uri : str
        The target, and where at it: ``sagemaker:/us-east-1``.
    """

    def __init__(self, target_uri: str) -> None:
        self.target_uri = target_uri

    @abstractmethod
    def create_deployment(
        self, name: str, model_uri: str, flavor: str | None = None, config: Config | None = None, endpoint: str | None = None
    ) -> dict[str, Any]:
        """Put a model there under a name; return at least ``name``."""

    @abstractmethod
    def update_deployment(
        self,
        name: str,
        model_uri: str | None = None,
        flavor: str | None = None,
        config: Config | None = None,
        endpoint: str | None = None,
    ) -> dict[str, Any]:
        """Put another model, or other settings, under a name that is there."""

    @abstractmethod
    def delete_deployment(self, name: str, config: Config | None = None, endpoint: str | None = None) -> None:
        """Take a deployment down; do nothing if it is not there."""

    @abstractmethod
    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """List the deployments; each has at least ``name``."""

    @abstractmethod
    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, Any]:
        """Return what the target says of a deployment."""

    @abstractmethod
    def predict(self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None) -> Any:
        """Let a deployment predict."""

    def predict_stream(
        self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None
    ) -> Iterator[Any]:
        """Let a deployment predict, answer by answer."""
        raise UsageError(f"{self.target_uri}: this target does not stream.")

    def explain(self, deployment_name: str | None = None, df: Any = None, endpoint: str | None = None) -> Any:
        """Let a deployment explain its predictions."""
        raise UsageError(f"{self.target_uri}: this target does not explain predictions.")

    def create_endpoint(self, name: str, config: Config | None = None) -> dict[str, Any]:
        """Make an endpoint, for targets where that is another thing than a deployment."""
        raise UsageError(f"{self.target_uri}: this target has no endpoints apart from deployments.")

    def update_endpoint(self, endpoint: str, config: Config | None = None) -> None:
        """Change an endpoint."""
        raise UsageError(f"{self.target_uri}: this target has no endpoints apart from deployments.")

    def delete_endpoint(self, endpoint: str) -> None:
        """Remove an endpoint."""
        raise UsageError(f"{self.target_uri}: this target has no endpoints apart from deployments.")

    def list_endpoints(self) -> list[dict[str, Any]]:
        """List the endpoints."""
        raise UsageError(f"{self.target_uri}: this target has no endpoints apart from deployments.")

    def get_endpoint(self, endpoint: str) -> dict[str, Any]:
        """Return what the target says of an endpoint."""
        raise UsageError(f"{self.target_uri}: this target has no endpoints apart from deployments.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a plan.

    Parameters
    ----------
    state : DeploymentState
    endpoint, image : str
        For the record.
    facts : Mapping of str to str
        For the record; no secrets.
    shown : Mapping
        What the caller gets: MLflow's clients return at least ``name``.
    """

    state: DeploymentState = DeploymentState.LIVE
    endpoint: str = ""
    image: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)


class Target(BaseDeploymentClient):
    """A target of the house.

    Attributes
    ----------
    name : str
        As ``-t`` names it.
    keys : Mapping of str to str
        The keys of ``config`` that it takes, and what each is for.
    recorded : bool
        Whether its deployments leave a record unless ``config`` says otherwise (``record``).
    ends_with_us : bool
        Whether an order that is interrupted leaves nothing at the target.
    """

    name: ClassVar[str] = ""
    keys: ClassVar[Mapping[str, str]] = {}
    recorded: ClassVar[bool] = True
    ends_with_us: ClassVar[bool] = False

    @property
    @abstractmethod
    def place(self) -> str:
        """Where at the target: a region, a namespace; empty where there is one place only."""

    @abstractmethod
    def plan(self, verb: str, name: str, source: Source | None, config: Config) -> Plan:
        """Say what is to be done; nothing is asked of the target, and nothing is changed.

        Parameters
        ----------
        verb : str
            ``create``, ``update`` or ``delete``.
        name : str
        source : Source or None
            The model; None where only settings change, or with ``delete``.
        config : Mapping
        """

    @abstractmethod
    def carry_out(self, plan: Plan) -> Outcome:
        """Do what a plan says."""

    def create_deployment(
        self, name: str, model_uri: str, flavor: str | None = None, config: Config | None = None, endpoint: str | None = None
    ) -> dict[str, Any]:
        """Put a model there under a name, and record it."""
        return self._done("create", name, model_uri, flavor, config)

    def update_deployment(
        self,
        name: str,
        model_uri: str | None = None,
        flavor: str | None = None,
        config: Config | None = None,
        endpoint: str | None = None,
    ) -> dict[str, Any]:
        """Put another model, or other settings, under a name that is there, and record it."""
        return self._done("update", name, model_uri, flavor, config)

    def delete_deployment(self, name: str, config: Config | None = None, endpoint: str | None = None) -> None:
        """Take a deployment down, and record it."""
        self._done("delete", name, None, None, config)

    @contextmanager
    def prepared(self, verb: str, name: str, model_uri: str | None, config: Config | None) -> Iterator[Plan]:
        """Yield the plan of an order, with the model's files at hand for as long as the block lasts."""
        said = self._checked(config)
        with tempfile.TemporaryDirectory(prefix="runfolio-") as scratch:
            source = None
            if model_uri is not None:
                from runfolio.deployments.source import fetch

                source = fetch(model_uri, Path(scratch))
            yield self.plan(verb, name, source, said)

    @contextmanager
    def planned(self, verb: str, name: str, model_uri: str | None, config: Config | None) -> Iterator[Plan]:
        """Yield the plan for people to read: with the record that would be written after it."""
        from runfolio.deployments.recording import planned_record

        with self.prepared(verb, name, model_uri, config) as plan:
            wanted = self._record_wanted(config)
            step = None if wanted is False else planned_record(plan, only_known=wanted is None and not self.recorded)
            yield plan if step is None else replace(plan, steps=(*plan.steps, step))

    def _record_wanted(self, config: Config | None) -> bool | None:
        asked = self._checked(config).get("record")
        return None if asked is None else truth(asked, "record")

    def _done(self, verb: str, name: str, model_uri: str | None, flavor: str | None, config: Config | None) -> dict[str, Any]:
        from runfolio.deployments.recording import record, tell_interrupted

        if flavor not in (None, "", "python_function"):
            raise UsageError(f"flavor: models are served by python_function, found {flavor!r}.")
        with self.prepared(verb, name, model_uri, config) as plan:
            try:
                outcome = self.carry_out(plan)
            except KeyboardInterrupt:
                # A cloud goes on with what it was asked for, and may charge for it.
                tell_interrupted(plan, ends_with_us=self.ends_with_us)
                raise
            wanted = self._record_wanted(config)
            if wanted is not False:
                # What has a record keeps it up to date, also where a new deployment would get none.
                record(plan, outcome, only_known=wanted is None and not self.recorded)
        return {"name": name, "flavor": "python_function", **outcome.shown}

    def _checked(self, config: Config | None) -> dict[str, Any]:
        from runfolio.formats.fields import suggestion

        known = {**self.keys, "record": ""}
        for key in config or {}:
            if key not in known and not any(entry.endswith(".") and key.startswith(entry) for entry in known):
                raise UsageError(
                    f"{self.name}: config: no such key {key!r}{suggestion(key, known, '.')} "
                    f"See: runfolio deployments help -t {self.name}"
                )
        return dict(config or {})


def truth(value: Any, key: str) -> bool:
    """Read yes or no from a config, where the command line gives text."""
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "yes", "1"):
        return True
    if str(value).lower() in ("false", "no", "0", ""):
        return False
    raise UsageError(f"config: {key}: true or false is expected, found {value!r}.")


def whole(value: Any, key: str, least: int = 0) -> int:
    """Read a whole number from a config."""
    try:
        made = int(str(value))
    except ValueError:
        made = least - 1
    if made < least:
        raise UsageError(f"config: {key}: a whole number from {least} is expected, found {value!r}.")
    return made
