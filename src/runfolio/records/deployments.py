"""Deployments: which version of a model was put where, by whom and when.

A deployment is named by what it is for people: target, place and name. Its record tells its present state; what it was before, git
tells. It never holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from runfolio._dataclass import dataclass, field
from runfolio.records.names import slug_of
from runfolio.records.runs import Digest


class DeploymentState(Enum):
    """What is known of a deployment."""

    LIVE = "live"
    """The target said that it serves."""
    REQUESTED = "requested"
    """The target took the order, and nobody waited for its end."""
    REPLACED = "replaced"
    """A version of another model serves under its name now."""
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One version of a registered model, put somewhere.

    Parameters
    ----------
    target : str
        ``sagemaker``, ``kubernetes``, … or what another package adds.
    name : str
        As the target knows it.
    version : int
        Of the model in whose folder the record lies.
    place : str
        Where at the target: a region, a namespace, a workspace; empty where there is one place only.
    state : DeploymentState
    uri : str
        What was asked for: ``models:/wine/Production``.
    digest : Digest or None
        Of the manifest of the version's files.
    image : str
        The container image, by its digest where that is known.
    endpoint : str
        Where it is called: a URL or a name.
    facts : Mapping of str to str
        What else the target says of it and may be told: instance type, replicas.
    created, updated : int
        Milliseconds since the epoch, UTC.
    user : str
        Who changed it last, as git names them.
    extra : Mapping
        Fields that this version does not know; written back unchanged.
    """

    target: str
    name: str
    version: int
    place: str = ""
    state: DeploymentState = DeploymentState.LIVE
    uri: str = ""
    digest: Digest | None = None
    image: str = ""
    endpoint: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    created: int = 0
    updated: int = 0
    user: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is told apart by: target, place and name."""
        return self.target, self.place, self.name

    @property
    def gone(self) -> bool:
        """Whether it serves no more."""
        return self.state in (DeploymentState.DELETED, DeploymentState.REPLACED)

    @property
    def slug(self) -> str:
        """The name that its file has unless another deployment has it."""
        return slug_of("-".join(part for part in self.key if part))

    @property
    def where(self) -> str:
        """Target and place, in words.

        >>> Deployment("sagemaker", "wine", 1, place="eu-west-1").where
        'sagemaker (eu-west-1)'
        """
        return f"{self.target} ({self.place})" if self.place else self.target
