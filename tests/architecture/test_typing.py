"""Our stand-ins for names of ``typing``: the same classes at run time, as far as anybody can tell."""

from __future__ import annotations

import copy
import inspect
import pickle
import sys
import typing
from collections.abc import Callable
from typing import Any

import pytest

from runfolio import _typing

OURS = pytest.mark.skipif(sys.version_info >= (3, 14), reason="from Python 3.14 on the names are typing's own")


def make(base: Any) -> Any:
    class Point(base):  # type: ignore[misc]
        """A point."""

        x: int
        y: float = 0.5
        names: tuple[str, ...] = ()

        @property
        def sum(self) -> float:
            """Both together."""
            return self.x + self.y

        @classmethod
        def origin(cls) -> Any:
            return cls(0)

        def __str__(self) -> str:
            return f"<{self.x}>"

    return Point


def facts(kind: Any) -> list[Any]:
    one = kind(1, names=("a",))
    return [
        one, repr(one), str(one), hash(one), one.sum, kind.origin(), kind._make([1, 2, ()]), one._replace(x=3), one._asdict(), one[1:], copy.copy(one),
        kind._fields, kind._field_defaults, kind.__doc__, kind.__name__, kind.__qualname__, kind.__module__, kind.__mro__[1:], kind.__slots__,
        list(kind.__annotations__), [(item.name.strip("_"), item.default) for item in inspect.signature(kind).parameters.values()], isinstance(one, tuple), hasattr(one, "__dict__"), kind.__match_args__,
        kind.y.__class__, kind.sum.__doc__,
    ]  # fmt: skip


def test_a_named_tuple_is_what_typing_makes() -> None:
    assert facts(make(_typing.NamedTuple)) == facts(make(typing.NamedTuple))


class Kept(_typing.NamedTuple):
    """Of a module, for pickle."""

    x: int
    y: float = 0.5


def test_a_named_tuple_is_pickled() -> None:
    assert pickle.loads(pickle.dumps(Kept(1))) == Kept(1)


@pytest.mark.parametrize("wrong", [lambda: Kept(), lambda: Kept(1, 2, 3), lambda: Kept(z=1)], ids=["none", "many", "unknown"])  # type: ignore[call-arg]
def test_wrong_arguments_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        wrong()


def test_a_field_without_a_default_after_one_with_it_is_refused() -> None:
    with pytest.raises(TypeError):

        class Wrong(_typing.NamedTuple):
            x: int = 1
            y: int  # type: ignore[misc]


T = _typing.TypeVar("T")
T_co = _typing.TypeVar("T_co", covariant=True)


class Listed(list[T], _typing.Generic[T]):
    """A generic list."""


class Place(_typing.Protocol[T_co]):
    """A protocol with a parameter."""

    def path(self) -> T_co: ...


def test_bases_with_parameters_add_nothing() -> None:
    assert Listed([1]) == [1]
    assert Listed[int]([1]) == [1]
    assert type("Own", (Place,), {})().path() is None


def test_a_new_type_and_a_cast_give_the_value_back() -> None:
    value = object()
    assert _typing.NewType("Name", object)(value) is value
    assert _typing.cast("int", value) is value


@OURS
def test_typing_is_not_loaded() -> None:
    assert _typing.NamedTuple is not typing.NamedTuple
    assert not _typing.TYPE_CHECKING
