"""What is to be done at a target, as data: printed by ``--dry-run``, carried out by the target.

>>> plan = Plan("kubernetes", "default", "create", "wine", steps=(Step("kubectl apply", {"kind": "Service"}),))
>>> print(plan.text(), end="")
# create wine at kubernetes (default)
---
# kubectl apply
kind: Service
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runfolio._dataclass import dataclass
from runfolio.errors import AlreadyExistsError, NotFoundError
from runfolio.records.deployments import Deployment
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.deployments.source import Source


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to be done.

    Parameters
    ----------
    what : str
        A call, a command, or a file that is made.
    content : Mapping or str
        What it is given.
    """

    what: str
    content: Mapping[str, Any] | str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """An order to a target, worked out.

    Parameters
    ----------
    target, place, verb, name : str
    source : Source or None
        The model; None where there is none in it.
    config : Mapping
        What the caller said.
    steps : tuple of Step
    """

    target: str
    place: str
    verb: str
    name: str
    source: Source | None = None
    config: Mapping[str, Any] | None = None
    steps: tuple[Step, ...] = ()

    def text(self) -> str:
        """Return the plan as YAML, a document a step, for people to read."""
        where = Deployment(self.target, self.name, 1, self.place).where
        of = f", version {self.source.title}" if self.source and self.source.version else ""
        parts = [f"# {self.verb} {visible(self.name)} at {visible(where)}{visible(of)}\n"]
        parts += [f"---\n# {visible(step.what)}\n{_body(step.content)}" for step in self.steps]
        return "".join(parts)

    def contents(self, what: str) -> list[Mapping[str, Any]]:
        """Return what the steps of one kind are given."""
        return [step.content for step in self.steps if step.what == what and isinstance(step.content, Mapping)]


def already_there(plan: Plan) -> AlreadyExistsError:
    """Return the error of an order to create what is there."""
    where = Deployment(plan.target, plan.name, 1, plan.place).where
    return AlreadyExistsError(f"{plan.name!r} is at {where} already. Change it: runfolio deployments update -t {as_target(plan)}")


def not_there(plan: Plan) -> NotFoundError:
    """Return the error of an order to change what is not there."""
    where = Deployment(plan.target, plan.name, 1, plan.place).where
    return NotFoundError(f"There is no {plan.name!r} at {where}. Make it: runfolio deployments create -t {as_target(plan)}")


def as_target(plan: Plan) -> str:
    """Return what ``-t`` names it by."""
    # Azure's place is a workspace, which alone names no target.
    return f"{plan.target}:/{plan.place}" if plan.place and plan.target != "azureml" else plan.target


def _body(content: Mapping[str, Any] | str) -> str:
    if isinstance(content, str):
        return content if not content or content.endswith("\n") else f"{content}\n"
    import yaml

    text: str = yaml.safe_dump(plain(content), sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text


def plain(value: Any) -> Any:
    """Return a value of dicts and lists only, as serialisers want it."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
