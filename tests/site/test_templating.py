"""Our own templates mean by ``item.name`` what Jinja2 means by it."""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from runfolio.site.templating import own_environment

VALUES: dict[str, Any] = {
    "a dict": {"name": "value", "items": "an item", "none": None},
    "a dict of another class": OrderedDict(name="value", items="an item"),
    "an object": SimpleNamespace(name="value"),
    "a list": ["name"],
    "none": None,
}


@pytest.mark.parametrize(
    "said", ["it.name", "it.items is callable", "it.get is defined", "it.none is none", "it.gone is defined", "it.gone"]
)
@pytest.mark.parametrize("kind", VALUES)
def test_a_name_behind_a_dot_is_what_it_is_in_jinja(kind: str, said: str) -> None:
    def shown(environment: jinja2.Environment) -> str:
        try:
            return environment.from_string(f"{{{{ {said} }}}}").render(it=VALUES[kind])
        except jinja2.UndefinedError as error:
            return str(error)

    assert shown(own_environment()(undefined=jinja2.StrictUndefined)) == shown(
        jinja2.Environment(undefined=jinja2.StrictUndefined)
    )
