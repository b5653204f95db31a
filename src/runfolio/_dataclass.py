"""``dataclasses.dataclass``, whose classes are made in a tenth of the time: a command makes 50 to 100 of them before it begins.

The standard library writes the source of six methods a class, and compiles each: 0.5 ms for a frozen class with slots, a third of
what ``runfolio runs list`` took. Here only ``__init__`` is compiled, and that for the fifth object of a class: a command
makes one or none of most of its classes. Comparing and hashing ask one ``attrgetter``, in C as before, and the rest is generic.
``fields``, ``replace``, ``asdict``, ``match``, ``pickle``, ``copy`` and ``FrozenInstanceError`` are as they are there (the tests compare
both, class by class), and type checkers see the ordinary one.

The standard library's module itself, which brings ``inspect``, ``ast`` and ``tokenize`` along, is loaded where somebody asks a class for
its ``Field`` objects (``fields``, ``asdict``), and where a class needs what is not done here: bases that are dataclasses, fields by keyword
alone, ``InitVar``, ``order``, an own ``__init__``, no slots, and Pythons that nobody has tried it with.
"""

from __future__ import annotations

import sys

from runfolio._typing import TYPE_CHECKING

__all__ = ["dataclass", "field", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:
    from functools import partial
    from operator import attrgetter
    from reprlib import recursive_repr

    TRIED = (3, 10) <= sys.version_info < (3, 14)
    _OURS = {"frozen", "slots", "eq", "repr"}
    _MISSING = object()

    class _Factory:
        def __repr__(self):
            return "<factory>"

    _FACTORY = _Factory()

    class _Field:
        """What is said of one field; the standard library's ``Field`` is made of it where somebody asks for that."""

        __slots__ = ("compare", "default", "factory", "name", "repr", "type")

        def __init__(self, default=_MISSING, factory=_MISSING, repr=True, compare=True):
            self.default, self.factory, self.repr, self.compare = default, factory, repr, compare
            self.name = self.type = None

        @property
        def has_default(self):
            return self.default is not _MISSING or self.factory is not _MISSING

        def ordinary(self):
            import dataclasses

            options = {"repr": self.repr, "compare": self.compare}
            if self.default is not _MISSING:
                options["default"] = self.default
            if self.factory is not _MISSING:
                options["default_factory"] = self.factory
            return dataclasses.field(**options)

    def field(**options):
        """Say more of a field than its type; options are those of the standard library's."""
        if options.keys() <= {"default", "default_factory", "repr", "compare"} and not options.keys() >= {
            "default",
            "default_factory",
        }:
            factory = options.pop("default_factory", _MISSING)
            return _Field(factory=factory, **options)
        import dataclasses

        return dataclasses.field(**options)

    def replace(item, /, **changes):
        """Make an object like another one but for some fields."""
        if _names_of(type(item)) is not None:
            return _replaced(item, **changes)
        import dataclasses

        return dataclasses.replace(item, **changes)

    def dataclass(cls=None, /, **options):
        """Make a class a dataclass; options are those of the standard library's."""
        if cls is None:
            return lambda given: dataclass(given, **options)
        fields = _fields(cls) if TRIED and options.get("slots") and options.keys() <= _OURS else None
        if fields is None:
            return _ordinary(cls, options)
        return _made(cls, fields, options.get("frozen", False), options.get("eq", True), options.get("repr", True))

    def _ordinary(cls, options):
        import dataclasses

        for name, value in list(vars(cls).items()):
            if isinstance(value, _Field):
                setattr(cls, name, value.ordinary())
        return dataclasses.dataclass(**options)(cls)

    def _fields(cls):
        """Return the fields of a class; None where it is out of the ordinary, or wrong: then the standard library is to say so."""
        own = cls.__dict__
        if "__slots__" in own or any("__dataclass_fields__" in base.__dict__ for base in cls.__mro__[1:]):
            return None
        made = []
        for name, said in own.get("__annotations__", {}).items():
            text = said if isinstance(said, str) else repr(said)
            if "InitVar" in text or "KW_ONLY" in text:
                return None
            if "ClassVar" in text:
                if text.startswith(("ClassVar", "typing.ClassVar")):
                    continue
                return None
            item = _read(own.get(name, _MISSING))
            if item is None or (made and made[-1].has_default and not item.has_default):
                return None
            item.name, item.type = name, said
            made.append(item)
        known = {item.name for item in made}
        stray = any(isinstance(value, _Field) or _is_field(value) for name, value in own.items() if name not in known)
        return None if stray else made

    def _read(value):
        """Return what the value of a class's attribute says of a field; None where that is more than is done here."""
        if isinstance(value, _Field):
            item = value
        elif _is_field(value):
            import dataclasses

            if value.kw_only is True or not value.init or value.hash is not None or value.metadata:
                return None
            default, factory = (
                _MISSING if said is dataclasses.MISSING else said for said in (value.default, value.default_factory)
            )
            item = _Field(default, factory, value.repr, value.compare)
        else:
            item = _Field(value)
        return None if item.default is not _MISSING and type(item.default).__hash__ is None else item

    def _is_field(value):
        library = sys.modules.get("dataclasses")
        return library is not None and isinstance(value, library.Field)

    class _Described:
        """``__dataclass_fields__`` or ``__dataclass_params__`` of a class: asked of the standard library when somebody asks for it."""

        __slots__ = ("kind", "name", "options", "said")

        def __init__(self, kind, name, said, options):
            self.kind, self.name, self.said, self.options = kind, name, said, options

        def __get__(self, item, owner=None):
            import dataclasses

            space = {"__annotations__": self.said[0], "__module__": self.kind.__module__, "__doc__": "-"}
            space.update((item.name, item.ordinary()) for item in self.said[1])
            twin = dataclasses.dataclass(init=False, repr=False, eq=False)(type(self.kind.__name__, (), space))
            for name, value in (*self.options.items(), ("init", True)):
                setattr(twin.__dataclass_params__, name, value)
            self.kind.__dataclass_fields__ = twin.__dataclass_fields__
            self.kind.__dataclass_params__ = twin.__dataclass_params__
            return getattr(self.kind, self.name)

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
        space.setdefault("__match_args__", names)
        space["_field_names"] = names
        space["__replace__"] = _replaced
        made = type(cls)(cls.__name__, cls.__bases__, space)
        made.__qualname__ = cls.__qualname__
        if frozen:
            made.__setattr__, made.__delattr__ = _refusing(made, frozenset(names))
            if "__getstate__" not in own:
                made.__getstate__, made.__setstate__ = _getstate, _setstate
        said, options = (own.get("__annotations__", {}), fields), {"repr": shown, "eq": eq, "frozen": frozen}
        for name in ("__dataclass_fields__", "__dataclass_params__"):
            setattr(made, name, _Described(made, name, said, options))
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
        """Stands for ``__init__`` until it is worth writing, or somebody looks at it, and puts the written one in its place.

        The first objects of a class have their fields set one by one: what a process makes one or two of, as settings, is not
        worth 0.2 ms of the compiler.
        """

        _BY_HAND = 4

        def __init__(self, fields, frozen):
            self._fields, self._frozen, self._assign = fields, frozen, object.__setattr__ if frozen else setattr
            self._names, self._made = tuple(item.name for item in fields), 0

        def __set_name__(self, owner, name):
            self._owner = owner

        def __get__(self, instance, owner=None):
            if instance is not None and self._made < self._BY_HAND:
                self._made += 1
                return partial(self._fill, instance)
            return self._write().__get__(instance, owner)

        def _write(self):
            # Two threads may both come here: they write the same.
            written = self._owner.__init__ = _init(self._owner, self._fields, self._frozen)
            return written

        def _fill(self, instance, /, *values, **named):
            given = dict(zip(self._names, values))  # noqa: B905 - too many are told below
            twice = given.keys() & named.keys()
            given.update(named)
            if twice or len(values) > len(self._names) or not given.keys() <= set(self._names):
                return self._write()(instance, *values, **named)  # which says what is wrong
            made = []
            for item in self._fields:
                value = given.get(item.name, _MISSING)
                if value is _MISSING or value is _FACTORY:
                    if not item.has_default:
                        return self._write()(instance, *values, **named)
                    value = item.factory() if item.factory is not _MISSING else item.default
                made.append(value)
            for name, value in zip(self._names, made):  # noqa: B905 - one for each
                self._assign(instance, name, value)
            if hasattr(instance, "__post_init__"):
                instance.__post_init__()
            return None

    def _init(cls, fields, frozen):
        """Write and compile ``__init__``, with the signature that the standard library's has.

        A frozen field is set by its slot's own ``__set__``: ``object.__setattr__`` would look for the slot each time.
        """
        values, heads, body = {"_FACTORY": _FACTORY}, [], []
        for item in fields:
            head, value = item.name, item.name
            if item.factory is not _MISSING:
                values[f"_make_{item.name}"] = item.factory
                head += "=_FACTORY"
                value = f"_make_{item.name}() if {item.name} is _FACTORY else {item.name}"
            elif item.default is not _MISSING:
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
                import dataclasses

                raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
            super(cls, self).__setattr__(name, value)

        def delete(self, name):
            if type(self) is cls or name in names:
                import dataclasses

                raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
            super(cls, self).__delattr__(name)

        return assign, delete

    def _names_of(kind):
        """Return the names of the fields of a class that was made here; None where the standard library made it, of one of ours too."""
        for base in kind.__mro__:
            if "__dataclass_fields__" in base.__dict__:
                return base.__dict__.get("_field_names")
        return None

    def _all_names(item):
        import dataclasses

        return [field.name for field in dataclasses.fields(item)]

    def _getstate(self):
        return [getattr(self, name) for name in _names_of(type(self)) or _all_names(self)]

    def _setstate(self, state):
        for name, value in zip(_names_of(type(self)) or _all_names(self), state):  # noqa: B905 - as the standard library does
            object.__setattr__(self, name, value)

    def _replaced(self, /, **changes):
        for name in _names_of(type(self)) or _all_names(self):
            if name not in changes:
                changes[name] = getattr(self, name)
        return self.__class__(**changes)
