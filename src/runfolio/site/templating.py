"""The template engine: where templates are found, what is kept of them compiled, and who wrote those that run in a sandbox."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.site.assets import templates_folder

if TYPE_CHECKING:
    import jinja2

_OF_EVERY_DICT = frozenset(dir(dict))


@lru_cache(maxsize=1)
def own_environment() -> type[jinja2.Environment]:
    """Return the environment that runs our own templates, whose values are mostly dicts.

    In it ``obj.attribute`` means what it means in Jinja2: an attribute comes before an item. Jinja2 asks for the attribute and catches the
    error, which was more than half of a page with a table. A dict's attributes are known.
    """
    import jinja2

    class OwnEnvironment(jinja2.Environment):
        def getattr(self, obj: Any, attribute: str) -> Any:
            if type(obj) is dict and attribute not in _OF_EVERY_DICT:
                return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
            return super().getattr(obj, attribute)

    return OwnEnvironment


def make_environment(
    own: Mapping[str, str], filters: Mapping[str, Callable[..., object]], kept: jinja2.BytecodeCache | None = None
) -> jinja2.Environment:
    """Return the templates, ready to be filled in.

    Parameters
    ----------
    own : Mapping of str to str
        The team's templates by name; they come before ours.
    filters : Mapping of str to callable
        What templates can use, beside what Jinja2 has.
    kept : jinja2.BytecodeCache, optional
        Where compiled templates are kept.
    """
    import jinja2

    # Templates of a team run in a sandbox: a pull request may change them, and CI builds its preview.
    kind = _sandbox() if own else own_environment()
    # Ours are there under a second name, so that a team's template can extend the one that it stands for.
    ours = jinja2.FileSystemLoader(templates_folder() / "templates")
    environment = kind(
        bytecode_cache=kept,
        loader=jinja2.ChoiceLoader([jinja2.DictLoader(dict(own)), ours, jinja2.PrefixLoader({"runfolio": ours})]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # A build renders by what it began with: whether a template has changed since is not asked again for each part of each page.
        auto_reload=False,
    )
    environment.filters.update(filters)
    return environment


def kept_in(folder: Path) -> jinja2.BytecodeCache | None:
    """Return what keeps compiled templates in a folder; None where that cannot be written."""
    import jinja2

    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return None
    return jinja2.FileSystemBytecodeCache(str(folder), "%s.bin") if os.access(folder, os.W_OK) else None


def _sandbox() -> type[jinja2.Environment]:
    import jinja2.sandbox

    return jinja2.sandbox.ImmutableSandboxedEnvironment
