"""A call that trains something, bracketed by a run.

A leaf gives a *recorder*: a generator that is given the run's log and the call. What stands before its ``yield`` happens before
training, and may change the call's arguments (to add a callback); the ``yield`` is the training, and gives its result; what stands
after it logs that. Both sides are guarded as a whole; parts that may fail on their own are guarded in the recorder::

    def record(log: RunLog, call: Call) -> Recording:
        log.params(call.named())
        booster = yield
        with log.guard("the importance of the features"):
            log.json(booster.importance(), "importance.json")
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.autologging.patching import Patches, Replacement
from runfolio.autologging.preparing import models, prepare
from runfolio.autologging.run_log import RunLog, opened
from runfolio.autologging.sessions import current, is_part, session
from runfolio.tracking import fluent

Recording = Generator[None, Any, None]


@dataclass(slots=True)
class Call:
    """A call of a patched function.

    Parameters
    ----------
    original : callable
    args : tuple
        With the instance first, where it is a method.
    kwargs : dict
    """

    original: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def through(self) -> Any:
        """Call the original."""
        return self.original(*self.args, **self.kwargs)

    def named(self) -> dict[str, Any]:
        """Return all arguments by name, defaults among them; extra keywords stand under their own names.

        Not by ``Signature.bind``: functions whose positional arguments are deprecated take more of them than they say.
        """
        parameters = inspect.signature(self.original).parameters
        made = {name: each.default for name, each in parameters.items() if each.default is not inspect.Parameter.empty}
        return {**made, **dict(zip(parameters, self.args, strict=False)), **self.kwargs}

    def put(self, name: str, value: Any) -> None:
        """Change an argument, whether it was given by place, by name, or not at all."""
        names = list(inspect.signature(self.original).parameters)
        place = names.index(name) if name in names else len(self.args)
        if place < len(self.args):
            self.args = (*self.args[:place], value, *self.args[place + 1 :])
        else:
            self.kwargs[name] = value


Recorder = Callable[[RunLog, Call], Recording]


def logged(patches: Patches, recorder: Recorder, *, admits: str = "", name: str = "") -> Replacement:
    """Return the replacement of a function that trains.

    Parameters
    ----------
    patches : Patches
        Whose options are in force.
    recorder : callable
    admits : str, optional
        Name of calls within this one that are logged too, as its parts.
    name : str, optional
        The call's own name, by which another one may admit it.
    """

    def replacement(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        call, options = Call(original, args, kwargs), patches.options
        if is_part(name) or (options.exclusive and current() is None and fluent.active_run() is not None):
            return call.through()
        with opened(patches.framework, options) as log, session(patches.framework, admits):
            return call.through() if log is None else _recorded(log, recorder, call)

    return replacement


def _recorded(log: RunLog, recorder: Recorder, call: Call) -> Any:
    given = call.args, dict(call.kwargs)
    recording, begun = None, False
    with log.guard("what comes before training"):
        recording = recorder(log, call)
        next(recording)
        begun = True
        if log.options.log_models:
            prepare(models)
    if recording is None or not begun:
        # Half-made changes of the arguments are not handed to the framework.
        call.args, call.kwargs = given
        return call.through()
    try:
        result = call.through()
    except BaseException:
        with log.guard("the end of what failed"):
            recording.close()
        raise
    with log.guard("what comes of training"), suppress(StopIteration), log.settled():
        recording.send(result)
    return result
