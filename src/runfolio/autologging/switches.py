"""Which frameworks log themselves: turned on and off, for each by its own ``autolog`` and for all by ``runfolio.autolog``.

A framework's leaf has ``autolog`` (its options are that function's arguments) and ``WATCHED``: which of its modules are patched, and
how. It is loaded when the framework is.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from types import ModuleType
from typing import Any, Protocol, cast

from runfolio._dataclass import dataclass
from runfolio.autologging.guarding import guard, log
from runfolio.autologging.importing import Action, forget, when_imported
from runfolio.autologging.options import Options
from runfolio.autologging.patching import Patches
from runfolio.errors import UsageError, missing_package
from runfolio.records.models import check_model_name


class Leaf(Protocol):
    """What a framework's module has."""

    WATCHED: Mapping[str, Callable[[ModuleType, Patches], None]]

    def autolog(self, **options: Any) -> None:
        """Turn the framework on or off; its arguments are the options."""


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework that logs itself.

    Parameters
    ----------
    leaf : str
        Module below ``runfolio.autologging``.
    packages : tuple of str
        Modules whose import loads the leaf.
    extra : str
        Of runfolio, that brings it.
    oldest : tuple of int
        Version from which on it is supported.
    """

    leaf: str
    packages: tuple[str, ...]
    extra: str
    oldest: tuple[int, ...]


FRAMEWORKS: dict[str, Framework] = {
    "sklearn": Framework("scikit_learn.integration", ("sklearn",), "models", (1, 4)),
    "xgboost": Framework("xgboost", ("xgboost",), "xgboost", (2, 0)),
    "lightgbm": Framework("lightgbm", ("lightgbm",), "lightgbm", (4, 0)),
    "catboost": Framework("catboost", ("catboost",), "catboost", (1, 2)),
    "statsmodels": Framework("statsmodels", ("statsmodels",), "statsmodels", (0, 14)),
    "prophet": Framework("prophet", ("prophet",), "prophet", (1, 1)),
    "spacy": Framework("spacy", ("spacy",), "spacy", (3, 7)),
    "pytorch": Framework("pytorch", ("torch",), "pytorch", (2, 4)),
    "tensorflow": Framework("tensorflow", ("tensorflow",), "tensorflow", (2, 16)),
    "keras": Framework("keras", ("keras",), "keras", (3, 3)),
    "transformers": Framework("transformers", ("transformers",), "transformers", (4, 44)),
}
"""Each framework by the name of its public module: ``runfolio.<name>.autolog``."""


@dataclass(slots=True)
class _State:
    patches: Patches
    given: Mapping[str, Any]
    explicit: bool
    waiting: list[Action] = field(default_factory=list)
    armed: bool = False


_ROOM = "runfolio.autologging"
_states: dict[str, _State] = {}
_lock = threading.RLock()


def switch(name: str, given: Mapping[str, Any]) -> None:
    """Turn one framework on, with these options, or off.

    Parameters
    ----------
    name : str
    given : Mapping
        All arguments of its ``autolog``, ``disable`` among them.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    """
    framework = FRAMEWORKS[name]
    if not given.get("disable") and not any(map(_installed, framework.packages)):
        raise missing_package(framework.packages[0], framework.extra, f"log what {name} trains")
    _set(name, given, explicit=True)


def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    log_traces: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    extra_tags: Mapping[str, str] | None = None,
    exclude_flavors: Sequence[str] | None = None,
) -> None:
    """Log all training of the frameworks that are imported, and of those that will be.

    What a framework's own ``autolog`` was told stays in force for it, whichever came first; only ``disable=True`` turns off all.

    Parameters
    ----------
    log_input_examples : bool
        Keep the first rows of the training data with the model.
    log_model_signatures : bool
        Keep the signature of the model.
    log_models : bool
        Keep the trained model.
    log_datasets : bool
        Record name, digest, schema and size of the data.
    log_traces : bool
        An argument of MLflow's for language models, taken and without effect.
    disable : bool
        Put every framework back as it was.
    exclusive : bool
        Log only to runs that autologging starts itself, never to one that is active already.
    disable_for_unsupported_versions : bool
        Log nothing with versions of frameworks that runfolio was not made for.
    silent : bool
        Write no log lines; what went wrong still stands in the run.
    extra_tags : Mapping, optional
        Tags of each run that autologging starts.
    exclude_flavors : sequence of str, optional
        Frameworks to leave alone: ``["keras"]``.

    Examples
    --------
    >>> import runfolio                                                # doctest: +SKIP
    >>> runfolio.autolog()                                             # doctest: +SKIP
    """
    given = dict(locals())
    if isinstance(exclude_flavors, str):
        raise UsageError(f"exclude_flavors takes a list of frameworks: [{exclude_flavors!r}].")
    left_out = set(given.pop("exclude_flavors") or ())
    if unknown := sorted(left_out - set(FRAMEWORKS)):
        raise UsageError(f"exclude_flavors: {', '.join(unknown)}: no such framework. There are: {', '.join(FRAMEWORKS)}.")
    # The last that was turned on is turned off first: where two patch one function, each finds what it left.
    for name in [*reversed(_states), *(each for each in FRAMEWORKS if each not in _states)]:
        if name not in left_out:
            _set(name, given, explicit=False)


def _set(name: str, given: Mapping[str, Any], *, explicit: bool) -> None:
    _check(given)
    with _lock:
        state = _states.get(name)
        if given.get("disable"):
            if state is not None:
                _turn_off(name, state)
            return
        if state is not None:
            if explicit or not state.explicit:
                state.given, state.explicit = given, explicit
                state.patches.options = _options(name, given)
            return
        state = _states[name] = _State(Patches(name, _options(name, given)), given, explicit)
    for package in FRAMEWORKS[name].packages:
        _await(package, _arrival(name, state), state)


def _check(given: Mapping[str, Any]) -> None:
    # Here, where it is a line of the script: after the training it would be a model that is not registered.
    if given.get("registered_model_name") is not None:
        check_model_name(given["registered_model_name"])
    tags = given.get("extra_tags")
    if tags is not None and not isinstance(tags, Mapping):
        raise UsageError(f"extra_tags takes a dictionary of names to values, not {type(tags).__name__}.")


def _turn_off(name: str, state: _State) -> None:
    for action in state.waiting:
        forget(action)
    state.patches.undo()
    del _states[name]


def _await(module: str, action: Action, state: _State) -> None:
    state.waiting.append(action)
    when_imported(module, action)


def _arrival(name: str, state: _State) -> Action:
    """Return what is done when a package of a framework is imported: its modules are patched, now or when they are imported."""

    def arrived(module: ModuleType) -> None:
        with guard("anything", framework=name, silent=state.patches.options.silent):
            top = sys.modules[module.__name__.partition(".")[0]]
            if state.armed or not state.patches.active or not _supported(name, top, state.patches.options):
                return
            leaf, state.armed = _leaf(name), True
            state.patches.options = _options(name, state.given)
            for watched, patch in leaf.WATCHED.items():
                _await(watched, _patching(name, state.patches, patch), state)

    return arrived


def _patching(name: str, patches: Patches, patch: Callable[[ModuleType, Patches], None]) -> Action:
    def ready(module: ModuleType) -> None:
        with guard("anything", framework=name, silent=patches.options.silent):
            if patches.active:
                patch(module, patches)

    return ready


def _options(name: str, given: Mapping[str, Any]) -> Options:
    """Return the options; once the leaf is loaded those that its ``autolog`` has, each with its default where it is not given."""
    if f"{_ROOM}.{FRAMEWORKS[name].leaf}" not in sys.modules:
        return Options.of(given)
    known = inspect.signature(_leaf(name).autolog).parameters.values()
    return Options.of({each.name: given.get(each.name, each.default) for each in known})


def _leaf(name: str) -> Leaf:
    return cast(Leaf, importlib.import_module(f"{_ROOM}.{FRAMEWORKS[name].leaf}"))


def _installed(package: str) -> bool:
    return package in sys.modules or importlib.util.find_spec(package.partition(".")[0]) is not None


def _supported(name: str, package: ModuleType, options: Options) -> bool:
    version = str(getattr(package, "__version__", ""))
    oldest = FRAMEWORKS[name].oldest
    if not version or tuple(map(int, re.findall(r"\d+", version)[: len(oldest)])) >= oldest:
        return True
    if not options.silent:
        known = ".".join(map(str, oldest))
        what = "nothing is logged" if options.disable_for_unsupported_versions else "what is logged may be incomplete"
        log.warning("autologging %s: made for version %s and newer, this is %s; %s", name, known, version, what)
    return not options.disable_for_unsupported_versions
