"""Functions of a framework replaced, and put back: the one place that patches.

A replacement is called with the original first: ``replacement(original, *args, **kwargs)``. Invariants: what is patched keeps its
name, signature and documentation; patching twice is patching once; after :meth:`Patches.undo` the originals are in place, and where
somebody else has patched over us meanwhile, ours only passes calls on.

>>> class Model:
...     def fit(self): return "fitted"
>>> patches = Patches("example", Options())
>>> patches.method(Model, "fit", lambda original, self: f"logged, {original(self)}")
>>> Model().fit()
'logged, fitted'
>>> patches.undo(); Model().fit()
'fitted'
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.autologging.options import Options

Replacement = Callable[..., Any]
_MISSING = object()


@dataclass(frozen=True, slots=True)
class _Patch:
    holder: Any
    name: str
    before: Any
    ours: Any


class Patches:
    """What is replaced for one framework.

    Parameters
    ----------
    framework : str
    options : Options
        As they are now: a later call of ``autolog`` changes them, and patches nothing anew.
    """

    def __init__(self, framework: str, options: Options) -> None:
        self.framework, self.options = framework, options
        self.active = True
        self._made: list[_Patch] = []
        self._lock = threading.RLock()

    def method(self, owner: Any, name: str, replacement: Replacement) -> None:
        """Replace a function that a class or module holds itself; one that it inherits, or lacks, is left alone.

        Parameters
        ----------
        owner : class or module
        name : str
        replacement : callable
            Of the original and the call's arguments.
        """
        found = vars(owner).get(name)
        if isinstance(found, (classmethod, staticmethod)):
            self._put(owner, name, found, type(found)(self._wrapped(found.__func__, replacement)))
        elif hasattr(found, "fn") and hasattr(found, "check"):
            # scikit-learn's available_if: a descriptor that asks the instance whether it has the method at all.
            self._put(found, "fn", found.fn, self._wrapped(found.fn, replacement))
        elif callable(found):
            self._put(owner, name, found, self._wrapped(found, replacement))

    def inherited(self, owner: type, name: str, replacement: Replacement) -> None:
        """Replace a method for one class (and those below it) where an ancestor holds it: a mixin of another package."""
        found = getattr(owner, name, None)
        if name in vars(owner):
            self.method(owner, name, replacement)
        elif inspect.isfunction(found):
            self._put(owner, name, _MISSING, self._wrapped(found, replacement))

    def function(self, modules: tuple[Any, ...], name: str, replacement: Replacement) -> None:
        """Replace a function by the same one in all modules that hold it, so that it can still be pickled by its name."""
        found = vars(modules[0]).get(name)
        if not callable(found):
            return
        ours = self._wrapped(found, replacement)
        for module in modules:
            if vars(module).get(name) is found:
                self._put(module, name, found, ours)

    def subclasses(self, base: type, patch: Callable[[type], None]) -> None:
        """Patch the classes below one: those there are, and each that is defined later.

        Parameters
        ----------
        base : type
        patch : callable
            Of the class.
        """
        before = vars(base).get("__init_subclass__", _MISSING)

        def defined(cls: Any, /, **kwargs: Any) -> None:
            if before is _MISSING:
                super(base, cls).__init_subclass__(**kwargs)  # type: ignore[arg-type] # a class whose class is `type`
            else:
                before.__get__(None, cls)(**kwargs)
            if self.active:
                patch(cls)

        with self._lock:
            self._put(base, "__init_subclass__", before, classmethod(defined))
            todo, seen = [base], set()
            while todo:
                each = todo.pop()
                if each not in seen:
                    seen.add(each)
                    patch(each)
                    todo += each.__subclasses__()

    def undo(self) -> None:
        """Put the originals back."""
        with self._lock:
            self.active = False
            for made in reversed(self._made):
                held = vars(made.holder)
                if held.get(made.name) is not made.ours:
                    continue
                before = _without_dead(made.before)
                if before is _MISSING:
                    delattr(made.holder, made.name)
                else:
                    setattr(made.holder, made.name, before)
            self._made.clear()

    def _put(self, holder: Any, name: str, before: Any, ours: Any) -> None:
        with self._lock:
            if _patches_of(before) is not self:
                setattr(holder, name, ours)
                self._made.append(_Patch(holder, name, before, ours))

    def _wrapped(self, original: Callable[..., Any], replacement: Replacement) -> Callable[..., Any]:
        @functools.wraps(original)
        def patched(*args: Any, **kwargs: Any) -> Any:
            if not self.active:
                return original(*args, **kwargs)
            return replacement(original, *args, **kwargs)

        patched.__runfolio_autolog__ = self  # type: ignore[attr-defined] # how we know ours again
        return patched


def _patches_of(found: Any) -> Patches | None:
    made: Patches | None = getattr(getattr(found, "__func__", found), "__runfolio_autolog__", None)
    return made


def _without_dead(found: Any) -> Any:
    """Return what lies below replacements of other frameworks that were undone while ours lay on them."""
    while (patches := _patches_of(found)) is not None and not patches.active:
        inner = getattr(found, "__func__", found).__wrapped__
        found = type(found)(inner) if isinstance(found, (classmethod, staticmethod)) else inner
    return found
