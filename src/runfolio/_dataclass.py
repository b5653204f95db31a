"""``dataclasses.dataclass``, whose classes are made in a fifth of the time: a command makes 50 to 100 of them before it begins.

The standard library writes the source of six methods a class, and compiles each: 0.5 ms for a frozen class with slots, a third of
what ``runfolio runs list`` took. Here only ``__init__`` is compiled, and that when it is first asked for: a command makes objects of few
of its classes. Comparing and hashing ask one ``attrgetter``, in C as before, and the rest is generic. ``fields``, ``replace``, ``asdict``,
``match``, ``pickle``, ``copy`` and ``FrozenInstanceError`` are as they are there (the tests compare both,
class by class), and type checkers see the ordinary one.

What it does not do itself goes to the standard library's: bases that are dataclasses, fields by keyword alone, ``InitVar``, ``order``, an
own ``__init__``, no slots, and Pythons that nobody has tried it with.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses
    import inspect  # which dataclasses has loaded
    from operator import attrgetter
    from reprlib import recursive_repr

    TRIED = (3, 10) <= sys.version_info < (3, 14)
    _OURS = {"frozen", "slots", "eq", "repr"}

    class _Factory:
        def __repr__(self):
            return "<factory>"

    _FACTORY = _Factory()

    def dataclass(cls=None, /, **options):
        """Make a class a dataclass; options are those of the standard library's."""
        if cls is None:
            return lambda given: dataclass(given, **options)
        if not TRIED or not options.get("slots") or not options.keys() <= _OURS or _out_of_the_ordinary(cls):
            return dataclasses.dataclass(**options)(cls)
        described = cls.__doc__
        cls.__doc__ = described or "-"  # or it is made of the signature, which takes longer than all the rest
        cls = dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
        cls.__doc__ = described
        return _made(
            cls, dataclasses.fields(cls), options.get("frozen", False), options.get("eq", True), options.get("repr", True)
        )

    def _out_of_the_ordinary(cls):
        return (
            any(hasattr(base, "__dataclass_fields__") for base in cls.__mro__[1:])
            or any("InitVar" in str(said) or "KW_ONLY" in str(said) for said in inspect.get_annotations(cls).values())
            or any(
                item.kw_only is True or not item.init or item.hash is not None
                for item in cls.__dict__.values()
                if isinstance(item, dataclasses.Field)
            )
        )

    def _made(cls, fields, frozen, eq, shown):
        names = tuple(item.name for item in fields)
        space = {
            name: value for name, value in cls.__dict__.items() if name not in names and name not in ("__dict__", "__weakref__")
        }
        inherited = _slots_of(cls)
        space["__slots__"] = tuple(name for name in names if name not in inherited)
        own = cls.__dict__  # a method that the class has is left as it is
        if "__init__" not in own:
            space["__init__"] = _UnwrittenInit(fields, frozen)
        if shown and "__repr__" not in own:
            space["__repr__"] = _repr([item.name for item in fields if item.repr])
        if eq:
            get = _values([item.name for item in fields if item.compare])
            if "__eq__" not in own:
                space["__eq__"] = _eq(get)
            if own.get("__hash__") is None:  # also where __eq__ took it away
                space["__hash__"] = (lambda self: hash(get(self))) if frozen else None
        made = type(cls)(cls.__name__, cls.__bases__, space)
        made.__qualname__ = cls.__qualname__
        if frozen:
            made.__setattr__, made.__delattr__ = _refusing(made, frozenset(names))
            if "__getstate__" not in own:
                made.__getstate__, made.__setstate__ = _getstate, _setstate
        said = made.__dataclass_params__
        said.init, said.repr, said.eq, said.frozen = True, shown, eq, frozen
        return made

    def _values(names):
        """Return what gives the values of fields as a tuple."""
        if len(names) > 1:
            return attrgetter(*names)
        return (lambda self: (getattr(self, names[0]),)) if names else (lambda self: ())

    def _slots_of(cls):
        made = set()
        for base in cls.__mro__[1:]:
            slots = base.__dict__.get("__slots__", ())
            made.update((slots,) if isinstance(slots, str) else slots)
        return made

    class _UnwrittenInit:
        """Stands for ``__init__`` until it is asked for, and puts the written one in its place."""

        def __init__(self, fields, frozen):
            self._fields, self._frozen = fields, frozen

        def __set_name__(self, owner, name):
            self._owner = owner

        def __get__(self, instance, owner=None):
            # Two threads may both come here: they write the same.
            written = _init(self._owner, self._fields, self._frozen)
            self._owner.__init__ = written
            return written.__get__(instance, owner)

    def _init(cls, fields, frozen):
        """Write and compile ``__init__``, with the signature that the standard library's has.

        A frozen field is set by its slot's own ``__set__``: ``object.__setattr__`` would look for the slot each time.
        """
        values, heads, body = {"_FACTORY": _FACTORY}, [], []
        for item in fields:
            head, value = item.name, item.name
            if item.default_factory is not dataclasses.MISSING:
                values[f"_make_{item.name}"] = item.default_factory
                head += "=_FACTORY"
                value = f"_make_{item.name}() if {item.name} is _FACTORY else {item.name}"
            elif item.default is not dataclasses.MISSING:
                values[f"_default_{item.name}"] = item.default
                head += f"=_default_{item.name}"
            heads.append(head)
            if frozen:
                values[f"_set_{item.name}"] = getattr(cls, item.name).__set__
            body.append(f"_set_{item.name}(self, {value})" if frozen else f"self.{item.name} = {value}")
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        exec(f"def __init__(self, {', '.join(heads)}):\n " + "\n ".join(body or ["pass"]), values)  # noqa: S102 - names of fields
        made = values["__init__"]
        made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
        made.__annotations__ = {**{item.name: item.type for item in fields}, "return": None}
        return made

    def _repr(names):
        @recursive_repr("...")
        def shown(self):
            return f"{self.__class__.__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in names])})"

        return shown

    def _eq(get):
        def equal(self, other):
            return get(self) == get(other) if other.__class__ is self.__class__ else NotImplemented

        return equal

    def _refusing(cls, names):
        def assign(self, name, value):
            if type(self) is cls or name in names:
                raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
            super(cls, self).__setattr__(name, value)

        def delete(self, name):
            if type(self) is cls or name in names:
                raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
            super(cls, self).__delattr__(name)

        return assign, delete

    def _getstate(self):
        return [getattr(self, item.name) for item in dataclasses.fields(self)]

    def _setstate(self, state):
        for item, value in zip(dataclasses.fields(self), state):  # noqa: B905 - as the standard library does
            object.__setattr__(self, item.name, value)
