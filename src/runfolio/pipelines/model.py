"""What a pipeline is: steps, what each reads and makes, and the order that follows."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from runfolio._dataclass import dataclass

if TYPE_CHECKING:
    from runfolio.projects.mlproject import EntryPoint

INSTALLED, NONE = "installed", "none"


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that a step reads.

    Parameters
    ----------
    place : str
        Where the step finds it: a path from the pipeline's folder.
    step : str
        The step that makes it; empty for what none makes.
    uri : str
        ``runs:/…`` or ``models:/…`` that it is fetched from.
    dataset : str
        Name of a dataset of the folio.
    """

    place: str
    step: str = ""
    uri: str = ""
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Parameters
    ----------
    name : str
    command : tuple of str
        Words of the command, with ``{param}`` where values go.
    params : tuple of str
        The params that it uses, in order.
    own_params : Mapping of str to str
        Values that hold for this step only.
    inputs : tuple of Input
    outputs : tuple of str
        Paths from the pipeline's folder.
    code : tuple of str or None
        Files, folders and patterns that count as its code; None for all code below the pipeline's folder.
    env : Mapping of str to str
        Variables that it is given beside ours.
    environment : tuple of str
        Files that say what is installed, or one of ``installed`` and ``none``.
    timeout_s : int or None
    entry : str
        An entry point of the folder's ``MLproject``, in place of a command.
    point : EntryPoint or None
        What that says, once it was read.
    """

    name: str
    command: tuple[str, ...]
    params: tuple[str, ...] = ()
    own_params: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    outputs: tuple[str, ...] = ()
    code: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    environment: tuple[str, ...] = (INSTALLED,)
    timeout_s: int | None = None
    entry: str = ""
    point: EntryPoint | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The steps whose outputs it reads."""
        return tuple(dict.fromkeys(item.step for item in self.inputs if item.step))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline, as its file says it.

    Parameters
    ----------
    name : str
    file : str
        Path of the file from the root of its repository.
    steps : tuple of Step
        Each after those that it needs.
    params : Mapping of str to str
        With their values.
    experiment : str
        Empty for one of the pipeline's name.
    description : str
    """

    name: str
    file: str
    steps: tuple[Step, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    experiment: str = ""
    description: str = ""

    @property
    def folder(self) -> str:
        """The pipeline's folder from the root of its repository; empty for the root."""
        return self.file.rpartition("/")[0]

    def step(self, name: str) -> Step:
        """Return a step by its name."""
        return next(step for step in self.steps if step.name == name)

    def values(self, step: Step) -> dict[str, str]:
        """Return the params of a step with their values."""
        known = {**self.params, **step.own_params}
        return {name: known[name] for name in step.params}

    def needed_by(self, names: Iterable[str]) -> tuple[Step, ...]:
        """Return the steps of these names and all that they need, in order."""
        wanted = set(names)
        for step in reversed(self.steps):
            if step.name in wanted:
                wanted.update(step.needs)
        return tuple(step for step in self.steps if step.name in wanted)

    def following(self, names: Iterable[str]) -> tuple[Step, ...]:
        """Return the steps of these names and all that need them, in order."""
        wanted = set(names)
        for step in self.steps:
            if wanted.intersection(step.needs):
                wanted.add(step.name)
        return tuple(step for step in self.steps if step.name in wanted)


def in_order(needs: Mapping[str, Iterable[str]]) -> tuple[list[str], list[str]]:
    """Put names after those that they need, otherwise in the order given.

    Parameters
    ----------
    needs : Mapping of str to iterable of str
        What each needs, all of them keys.

    Returns
    -------
    list of str
        In order; without those on a circle and what needs them.
    list of str
        One circle, its first name again at its end; empty where there is none.

    Examples
    --------
    >>> in_order({"b": ["a"], "a": []})
    (['a', 'b'], [])
    >>> in_order({"a": ["b"], "b": ["a"]})
    ([], ['a', 'b', 'a'])
    """
    place = {name: at for at, name in enumerate(needs)}
    left = {name: set(each) for name, each in needs.items()}
    ready = [place[name] for name, each in left.items() if not each]
    heapq.heapify(ready)
    names, made = list(needs), []
    while ready:
        name = names[heapq.heappop(ready)]
        made.append(name)
        del left[name]
        for other, each in left.items():
            if name in each:
                each.discard(name)
                if not each:
                    heapq.heappush(ready, place[other])
    return made, _circle(left)


def _circle(left: Mapping[str, set[str]]) -> list[str]:
    """Walk along needs until a name comes again."""
    if not left:
        return []
    walked = [next(iter(left))]
    while True:
        following = min(left[walked[-1]], key=list(left).index)
        if following in walked:
            return [*walked[walked.index(following) :], following]
        walked.append(following)
