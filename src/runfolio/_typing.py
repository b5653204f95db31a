"""The names of ``typing`` that rooms on the way of a short run use, at next to no cost: its 47 classes take 15 million instructions.

Annotations here are never evaluated (``from __future__ import annotations``), so that at run time nearly all of these names stand for
nothing; type checkers see the ordinary ones. ``NamedTuple`` makes the same classes by ``collections.namedtuple``, without a
``ForwardRef`` for each field.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # type checkers know the name

if TYPE_CHECKING:
    from typing import IO as IO
    from typing import Any as Any
    from typing import AnyStr as AnyStr
    from typing import BinaryIO as BinaryIO
    from typing import ClassVar as ClassVar
    from typing import Generic as Generic
    from typing import NamedTuple as NamedTuple
    from typing import NewType as NewType
    from typing import NoReturn as NoReturn
    from typing import Protocol as Protocol
    from typing import TypeAlias as TypeAlias
    from typing import TypeVar as TypeVar
    from typing import cast as cast
elif sys.version_info >= (3, 14):  # nobody has tried: annotations are kept in another way there
    from typing import (
        IO,
        Any,
        AnyStr,
        BinaryIO,
        ClassVar,
        Generic,
        NamedTuple,
        NewType,
        NoReturn,
        Protocol,
        TypeAlias,
        TypeVar,
        cast,
    )
else:
    from collections import namedtuple

    class _Nothing:
        """A base class that adds nothing, with or without parameters."""

        __slots__ = ()

        def __class_getitem__(cls, parameters):
            return cls

    class Generic(_Nothing):
        __slots__ = ()

    class Protocol(_Nothing):
        __slots__ = ()

    Any = AnyStr = IO = BinaryIO = ClassVar = NoReturn = TypeAlias = object

    def TypeVar(name, *bounds, **options):  # noqa: N802
        return object

    def NewType(name, kind):  # noqa: N802
        return lambda value: value

    def cast(kind, value):
        return value

    class _Naming(type):
        def __new__(cls, name, bases, space):
            fields = space.pop("__annotations__", {})
            given = [field in space for field in fields]
            if given != sorted(given):
                raise TypeError(f"{name}: a field without a default comes after one with it")
            defaults = [space.pop(field) for field in fields if field in space]
            made = namedtuple(name, fields, defaults=defaults, module=space.pop("__module__"))
            for key, value in space.items():
                setattr(made, key, value)
            made.__annotations__ = made.__new__.__annotations__ = fields
            return made

    NamedTuple = type.__new__(_Naming, "NamedTuple", (), {})
