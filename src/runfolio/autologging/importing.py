"""What is to be done once a module has been imported: now, if it is, and else right after its import.

A finder before all others looks out for the modules that somebody waits for. It asks the other finders, and lends the module it gets a
loader that gives way to the module's own before the module's code runs: nothing that looks at ``__loader__`` or ``__spec__`` sees it,
and a lazy import stays lazy.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Action = Callable[[ModuleType], None]

_waiting: dict[str, list[Action]] = {}
_lock = threading.RLock()


def when_imported(name: str, action: Action) -> None:
    """Call an action with a module as soon as it is imported, once.

    Parameters
    ----------
    name : str
        The module's full name.
    action : callable
        Of the module. It must not raise: that would break the user's import.
    """
    with _lock:
        module = sys.modules.get(name)
        if module is None:
            if not _waiting:
                sys.meta_path.insert(0, _finder)
            _waiting.setdefault(name, []).append(action)
    if module is not None:
        action(module)


def forget(action: Action) -> None:
    """Wait for no module any more on behalf of an action."""
    with _lock:
        for name in list(_waiting):
            _waiting[name] = [each for each in _waiting[name] if each is not action]
            if not _waiting[name]:
                del _waiting[name]
        _leave()


def _leave() -> None:
    if not _waiting and _finder in sys.meta_path:
        sys.meta_path.remove(_finder)


def _imported(module: ModuleType, name: str) -> None:
    with _lock:
        actions = _waiting.pop(name, [])
        _leave()
    for action in actions:
        action(module)


class _Finder(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname not in _waiting:
            return None
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is self or find is None:
                continue
            spec: ModuleSpec | None = find(fullname, path, target)
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    spec.loader = _Lent(spec.loader, fullname)
                return spec
        return None


class _Lent(Loader):
    """Loads as the module's own loader does, and tells when it is done."""

    def __init__(self, own: Any, name: str) -> None:
        self._own, self._name = own, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._own.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        module.__loader__ = self._own
        self._own.exec_module(module)
        _imported(module, self._name)


_finder = _Finder()
