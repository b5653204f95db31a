"""Which modules some code imports, read without running it: of a source, a folder of sources, or a class or function at hand.

What of it is code of one's own (neither the standard library's nor a distribution's) can be found with its file, to be saved along.
"""

from __future__ import annotations

import ast
import dis
import inspect
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

_STDLIB = tuple(str(Path(sysconfig.get_path(kind)).resolve()) for kind in ("stdlib", "platstdlib"))
_SITES = ("site-packages", "dist-packages")


def imports_of_sources(paths: Iterable[Path]) -> set[str]:
    """Return the dotted names that files, and all Python files in folders, import; what is no Python is passed over."""
    found: set[str] = set()
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            try:
                tree = ast.parse(file.read_bytes())
            except (SyntaxError, ValueError, OSError):
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    found.update(each.name for each in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module)
    return found


def imports_of(held: Any) -> set[str]:
    """Return the dotted names that the methods of an object's class, or a function, import when they run."""
    owners = [held.func] if hasattr(held, "func") else []
    owners += [each for kind in type(held).__mro__ if not _installed(kind.__module__) for each in vars(kind).values()]
    functions = [inspect.unwrap(each) for each in owners if callable(each)]
    return {name for each in functions if hasattr(each, "__code__") for name in _of_code(each.__code__)}


def _of_code(code: CodeType) -> Iterator[str]:
    for each in dis.get_instructions(code):
        if each.opname == "IMPORT_NAME":
            yield str(each.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _of_code(constant)


def own_sources(modules: Iterable[str]) -> dict[str, Path]:
    """Return the modules and packages of one's own among some that are loaded, and what those import in turn, with their place."""
    found: dict[str, Path] = {}
    waiting = [name.partition(".")[0] for name in modules]
    while waiting:
        name = waiting.pop()
        place = _place(name)
        if name in found or place is None:
            continue
        found[name] = place
        waiting += [each.partition(".")[0] for each in imports_of_sources([place])]
    return found


def _place(name: str) -> Path | None:
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if name in ("__main__", "runfolio") or file is None or _installed(name):
        return None
    place = Path(file).resolve()
    return place.parent if place.name == "__init__.py" else place


def _installed(name: str) -> bool:
    """Return whether a module is of the standard library or an installed distribution."""
    if name.partition(".")[0] in sys.stdlib_module_names | {"runfolio"}:
        return name != "__main__"
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        return False
    place = Path(file).resolve()
    return str(place).startswith(_STDLIB) or any(each in place.parts for each in _SITES)
