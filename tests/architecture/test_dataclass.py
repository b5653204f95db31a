"""Our ``dataclass`` beside the standard library's: the same classes, made by each, do the same."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, astuple, field, fields, is_dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from runfolio import _dataclass

T = TypeVar("T")
Decorator = Callable[..., Any]


def plain(made: Decorator, options: dict[str, Any]) -> Any:
    @made(**options)
    class Plain:
        """With values of all kinds."""

        a: int
        b: str = "x"
        c: list[int] = field(default_factory=list)
        d: float = field(default=0.5, repr=False)
        e: int = field(default=1, compare=False)
        CLASS: ClassVar[int] = 7

        def twice(self) -> int:
            return self.a * 2

        @property
        def shouted(self) -> str:
            return self.b.upper()

    return Plain


def checked(made: Decorator, options: dict[str, Any]) -> Any:
    @made(**options)
    class Checked(Generic[T]):
        a: int

        def __post_init__(self) -> None:
            if self.a == 13:
                raise ValueError("unlucky")

    return Checked


def own(made: Decorator, options: dict[str, Any]) -> Any:
    @made(**options)
    class Own:
        a: int
        b: int = 2

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own)

        def __hash__(self) -> int:
            return 5

    return Own


def equal(made: Decorator, options: dict[str, Any]) -> Any:
    @made(**options)
    class Equal:
        a: int

        def __eq__(self, other: object) -> bool:
            return True

    return Equal


def empty(made: Decorator, options: dict[str, Any]) -> Any:
    @made(**options)
    class Empty:
        pass

    return Empty


def slotted(made: Decorator, options: dict[str, Any]) -> Any:
    class Base:
        __slots__ = ("a", "z")

    @made(**options)
    class Slotted(Base):
        a: int
        b: int = 3

    return Slotted


def derived(made: Decorator, options: dict[str, Any]) -> Any:
    @made(**options)
    class First:
        a: int

    @made(**options)
    class Derived(First):
        b: int = 3

    return Derived


def by_keyword(made: Decorator, options: dict[str, Any]) -> Any:
    @made(**options)
    class ByKeyword:
        a: int
        b: int = field(default=1, kw_only=True)

    return ByKeyword


CLASSES = [plain, checked, own, equal, empty, slotted, derived, by_keyword]
OPTIONS: list[dict[str, Any]] = [
    {"frozen": True, "slots": True}, {"slots": True}, {"frozen": True, "slots": True, "repr": False}, {"frozen": True, "slots": True, "eq": False},
    {"frozen": True}, {}, {"frozen": True, "slots": True, "order": True},
]  # fmt: skip


def told(call: Callable[[], Any]) -> Any:
    """Return what a call gives, or raises, in words that do not name the object's address."""
    try:
        found = call()
    except Exception as error:  # noqa: BLE001 - both sides are to raise the same
        return type(error), str(error) if isinstance(error, (ValueError, FrozenInstanceError)) else None
    text = repr(found)
    return text if " at 0x" not in text else None


def refuses(item: Any, name: str) -> bool:
    """Say whether an object takes no attribute of a name; the standard library's TypeError of a frozen class with slots is a bug of it."""
    try:
        setattr(item, name, 1)
    except (AttributeError, TypeError):
        return True
    return False


def all_of(kind: Any) -> list[Any]:
    """Return what a class and its objects say of themselves."""
    args = (4,) if fields(kind) else ()
    if not args:
        return [
            told(kind),
            told(lambda: kind() == kind()),
            told(lambda: kind.__hash__ is object.__hash__ or hash(kind())),
            fields(kind),
        ]
    one = kind(*args)
    return [
        told(lambda: one), told(lambda: one == kind(*args)), told(lambda: one == kind(5)), told(lambda: one != kind(5)), told(lambda: one == 4),
        told(lambda: hash(one) == hash(kind(*args))), told(lambda: kind.__hash__ is object.__hash__ or hash(kind(5))), told(lambda: {one: 1}), told(lambda: kind(13)),
        told(kind), told(lambda: kind(1, 2, 3, 4, 5, 6, 7)), told(lambda: kind(4, nothing=1)), told(lambda: kind(a=9)),
        [(item.name, item.type, item.default, item.default_factory, item.repr, item.compare) for item in fields(kind)],
        told(lambda: asdict(one)), told(lambda: astuple(one)), told(lambda: replace(one, a=6)), told(lambda: replace(one, nothing=6)),
        told(lambda: setattr(one, "a", 1)), refuses(one, "nothing"), told(lambda: delattr(one, "a")),
        told(lambda: copy.copy(one) == one), told(lambda: copy.deepcopy(one) == one), kind.__match_args__, kind.__name__,
        getattr(kind, "__slots__", None) if sys.version_info >= (3, 11) else None, hasattr(one, "__dict__"), is_dataclass(kind), str(inspect.signature(kind)), kind.__doc__ if kind.__doc__ and "(" not in kind.__doc__ else None,
        told(lambda: one < kind(5)), kind.__hash__ is None,
    ]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("make", CLASSES)
def test_a_class_does_what_the_standard_librarys_does(make: Any, options: dict[str, Any]) -> None:
    assert all_of(make(_dataclass.dataclass, options)) == all_of(make(dataclasses.dataclass, options))


def test_a_default_is_made_for_each_object_and_none_is_on_the_class() -> None:
    kind = plain(_dataclass.dataclass, {"frozen": True, "slots": True})
    assert kind(1).c is not kind(1).c and kind(1, c=[2]).c == [2]
    assert kind.CLASS == kind(1).CLASS == 7 and kind(3).twice() == 6 and kind(3).shouted == "X"
    assert type(kind.a).__name__ == "member_descriptor"


@_dataclass.dataclass(frozen=True, slots=True)
class Kept:
    """At a module's top, where pickle finds it."""

    name: str
    inner: Kept | None = None


def test_objects_outlive_their_process() -> None:
    made = Kept("a", Kept("b"))
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(made, protocol)) == made
    assert repr(made) == "Kept(name='a', inner=Kept(name='b', inner=None))"
    match made:
        case Kept(name, Kept(inner)):
            assert (name, inner) == ("a", "b")


def test_it_is_ours_that_is_tested() -> None:
    if _dataclass.TRIED:
        assert Kept.__eq__.__module__ == Kept.__setattr__.__module__ == "runfolio._dataclass"
    assert ((3, 10) <= sys.version_info < (3, 14)) == _dataclass.TRIED


@pytest.mark.parametrize("first", ["many objects", "many derived ones", "a wrong object", "the method", "the signature"])
def test_init_is_written_when_it_is_worth_it(first: str) -> None:
    @_dataclass.dataclass(frozen=True, slots=True)
    class Late:
        a: int

    class Derived(Late):
        __slots__ = ()

    assert not inspect.isfunction(vars(Late)["__init__"])
    assert Late(1) == Late(a=1)
    assert not inspect.isfunction(vars(Late)["__init__"]), "for two objects it is not worth it"

    def wrong() -> None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'b'"):
            Late(1, b=2)  # type: ignore[call-arg]

    asked: dict[str, Callable[[], object]] = {
        "many objects": lambda: [Late(number) for number in range(4)],
        "many derived ones": lambda: [Derived(number) for number in range(4)],
        "a wrong object": wrong,
        "the method": lambda: Late.__init__,
        "the signature": lambda: inspect.signature(Derived),
    }
    asked[first]()
    assert inspect.isfunction(vars(Late)["__init__"]) and "__init__" not in vars(Derived)
    assert Late(1) == Late(a=1) and Derived(2).a == 2


def _calls() -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    return [
        ("all by place", (1, 2, [3]), {}),
        ("all by name", (), {"a": 1, "b": 2, "c": [3]}),
        ("both", (1,), {"c": [3], "b": 2}),
        ("defaults", (1,), {}),
        ("none", (), {}),
        ("one too many", (1, 2, [3], 4), {}),
        ("one twice", (1, 2), {"b": 3}),
        ("an unknown one", (1,), {"d": 3}),
        ("self by name", (1,), {"self": 3}),
        ("refused after", (-1,), {}),
    ]


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize(("values", "named"), [call[1:] for call in _calls()], ids=[call[0] for call in _calls()])
def test_the_first_objects_are_made_as_the_later_ones(frozen: bool, values: tuple[Any, ...], named: dict[str, Any]) -> None:
    def made(dataclass: Any, field: Any, *, later: bool) -> object:
        @dataclass(frozen=frozen, slots=True)
        class Item:
            a: int
            b: int = 5
            c: list[int] = field(default_factory=list)

            def __post_init__(self) -> None:
                if self.a < 0:
                    raise ValueError(f"{self.a} is negative, {self.b}, {self.c}")

        if later:
            _ = [Item(number) for number in range(9)]
        try:
            return repr(Item(*values, **named))
        except (TypeError, ValueError) as error:
            return type(error), str(error)

    expected = made(dataclasses.dataclass, dataclasses.field, later=True)
    assert made(_dataclass.dataclass, _dataclass.field, later=False) == expected
    assert made(_dataclass.dataclass, _dataclass.field, later=True) == expected
