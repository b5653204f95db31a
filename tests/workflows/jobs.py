"""One job of a workflow while it runs: what its token may do, what its steps left."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.workflows.runner import Run


class ActionError(Exception):
    """A step failed; the text is what its log would say."""


@dataclass
class Job:
    """One job as it ran."""

    run: Run
    name: str
    spec: Mapping[str, Any]
    workspace: Path
    token: str
    inputs: Mapping[str, Any]
    rights: dict[str, str] = field(default_factory=dict)
    outcome: str = "success"
    log: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    summary: str = ""
    paths: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    at_end: list[Callable[[], None]] = field(default_factory=list)
    environment: str = ""

    def base_env(self) -> dict[str, str]:
        """The runner's environment: nothing of this machine's but programs."""
        return {
            "PATH": os.pathsep.join([*self.paths, os.environ["PATH"]]), "HOME": str(self.run.home), "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
        }  # fmt: skip

    def needs_right(self, scope: str, right: str) -> None:
        if self.rights.get(scope) not in (right, "write"):
            raise ActionError(f"Resource not accessible by integration: {scope}: {right}")

    def new_artifact(self, name: str) -> Path:
        place = self.run.artifacts / name
        if place.exists():
            raise ActionError(f"an artifact with the name {name} already exists on the workflow run")
        place.mkdir(parents=True)
        return place

    def text(self) -> str:
        return "\n".join(self.log)
