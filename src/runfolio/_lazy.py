"""Packages whose names are loaded from their modules when they are used (PEP 562).

A process that lists runs would else import all that can also seal, merge and compare them. Type checkers and readers see the
ordinary imports, under ``TYPE_CHECKING``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping


def lazy_names(package: str, modules: Mapping[str, Iterable[str]]) -> Callable[[str], object]:
    """Return the ``__getattr__`` of a package.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    modules : Mapping of str to iterable of str
        The names that each module of the package has.

    Examples
    --------
    >>> lazy_names("json", {"decoder": ["JSONDecoder"]})("JSONDecoder").__module__
    'json.decoder'
    """
    where = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> object:
        import importlib
        import sys

        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(importlib.import_module(f"{package}.{where[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
