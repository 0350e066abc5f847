"""The standard library's frozen dataclasses, whose methods are not compiled while modules are imported.

There, six methods are compiled for each class as it is defined, which takes 0.4 ms: 33 of the 85 ms that `convcost
analyze model.onnx` took beyond importing onnx. Here all classes share them, but for the constructor, which is compiled
when it is first called. `tests/test_dataclasses.py` holds both to the same behaviour.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError
from functools import partial
from operator import attrgetter
from types import FunctionType, MemberDescriptorType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass

__all__ = ["copier", "dataclass", "maker"]

T = TypeVar("T")

if not TYPE_CHECKING:  # to a type checker it is the original

    def dataclass(*, frozen: bool = False, slots: bool = False, **options: bool) -> Callable[[type[T]], type[T]]:
        """`dataclasses.dataclass`; classes that are frozen and keyword-only are made here, others there."""
        if frozen and options == {"kw_only": True}:
            return lambda cls: _frozen(cls, slots=slots)
        return dataclasses.dataclass(frozen=frozen, slots=slots, **options)


def copier(cls: type[T], *changed: str) -> Callable[..., T]:
    """A function of a value of the slotted `cls`, and of others for the fields `changed`, that gives a copy with those.

    It takes half the time of making one, for `__post_init__` does not run: no field may be worked out from them.
    """
    given = {name: f"GIVEN_{name}" for name in changed}
    return _filling(cls, ["value", *given.values()], given, "value.{}")


def maker(cls: type[T], *given: str) -> Callable[..., T]:
    """A function of the values of the fields `given`, in that order, that gives one of the slotted `cls`.

    Every other field has its default. It takes 0.6 of the constructor's time, for no dictionary of keywords is made.
    Raises `TypeError` where it would do less: for a class with a `__post_init__`, or a field left without value.
    """
    left = [field.name for field in _fields(cls) if field.name not in given and field.default is MISSING]
    if left or hasattr(cls, "__post_init__"):
        raise TypeError(f"{cls.__name__} is not made of {', '.join(given)} alone")
    values = {name: f"GIVEN_{name}" for name in given}
    return _filling(cls, values.values(), values, "DEFAULT_{}")


def _filling(cls: type[T], parameters: Iterable[str], given: Mapping[str, str], otherwise: str) -> Callable[..., T]:
    """A function of the `parameters` that makes one of `cls`, fields being what is `given` for them or `otherwise`.

    Raises `TypeError` where something is given for what is no field: that value would be lost.
    """
    if unknown := given.keys() - {field.name for field in _fields(cls)}:
        raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
    known: dict[str, object] = {"NEW": partial(object.__new__, cls)}
    lines = []
    for field in _fields(cls):
        name = field.name
        known |= {f"SET_{name}": getattr(cls, name).__set__, f"DEFAULT_{name}": field.default}
        lines.append(f"SET_{name}(MADE, {given.get(name, otherwise.format(name))})")
    exec("\n ".join([f"def filled({', '.join(parameters)}):", "MADE = NEW()", *lines, "return MADE"]), known)
    filled: Callable[..., T] = known["filled"]  # type: ignore[assignment]
    return filled


def _frozen(cls: type[T], *, slots: bool) -> type[T]:
    cls.__doc__ = cls.__doc__ or cls.__name__  # where there is none, a signature is parsed to write one
    made = dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=True, slots=slots)(cls)
    methods: dict[str, object] = {
        "__init__": _Constructor(made),
        "__repr__": _repr,
        "__setattr__": _refuse_assignment,
        "__delattr__": _refuse_deletion,
        **_comparison([field.name for field in _fields(made) if field.compare]),
        **({"__getstate__": _state, "__setstate__": _set_state} if slots else {}),
    }
    for name, method in methods.items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    return made


def _fields(cls: type) -> tuple[Field[object], ...]:
    return dataclasses.fields(cls)


class _Constructor:
    """A class's `__init__` until it is called or looked at, when it is compiled and takes this one's place."""

    __slots__ = ("_cls",)

    def __init__(self, cls: type) -> None:
        self._cls = cls

    def __get__(self, instance: object, owner: type | None = None) -> Callable[..., None]:
        constructor = _compiled(self._cls)
        self._cls.__init__ = constructor  # type: ignore[misc]  # that is what it is for
        method: Callable[..., None] = constructor.__get__(instance, owner)
        return method


class _Factory:
    """The default of a field that a function makes, as signatures show it."""

    def __repr__(self) -> str:
        return "<factory>"


def _compiled(cls: type) -> FunctionType:
    """A constructor from text, as in the standard library: nothing else takes keywords as fast as a function does."""
    fields = _fields(cls)
    known: dict[str, object] = {"FACTORY": _Factory(), "ASSIGN": object.__setattr__}  # no field is named in capitals
    for field in fields:
        known |= {f"MAKE_{field.name}": field.default_factory, f"DEFAULT_{field.name}": field.default}
        known[f"SET_{field.name}"] = getattr(getattr(cls, field.name, None), "__set__", None)
    parameters = [_parameter(field) for field in fields if field.init]
    heading = ", ".join(["self", *(["*"] if parameters else []), *parameters])
    body = [_assignment(field, cls) for field in fields if field.init or _default(field)]
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "\n  ".join([f"def __init__({heading}):", *(body or ["pass"])])
    made: dict[str, Any] = {}
    # The globals are the module's, where the types of the parameters are looked up.
    exec(f"def make({', '.join(known)}):\n {lines}\n return __init__", vars(sys.modules[cls.__module__]), made)
    constructor: FunctionType = made["make"](**known)
    constructor.__qualname__ = f"{cls.__qualname__}.__init__"
    constructor.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    return constructor


def _default(field: Field[object]) -> str:
    """What stands for the value of a field that is not passed; nothing where it has to be."""
    if field.default_factory is not MISSING:
        return "FACTORY"
    return "" if field.default is MISSING else f"DEFAULT_{field.name}"


def _parameter(field: Field[object]) -> str:
    return f"{field.name}={default}" if (default := _default(field)) else field.name


def _assignment(field: Field[object], cls: type) -> str:
    name = field.name
    value = name if field.init else _default(field)
    if field.default_factory is not MISSING:
        value = f"MAKE_{name}() if {value} is FACTORY else {value}"
    if isinstance(getattr(cls, name, None), MemberDescriptorType):  # a third quicker than by its name
        return f"SET_{name}(self, {value})"
    return f"ASSIGN(self, {name!r}, {value})"


def _comparison(names: Iterable[str]) -> dict[str, object]:
    """Equality within one class, and the hash that goes with it, by the fields of these names."""
    compared = attrgetter(*names) if names else lambda _: ()

    def __eq__(self: object, other: object) -> bool:  # noqa: N807
        return bool(compared(self) == compared(other)) if type(other) is type(self) else NotImplemented

    def __hash__(self: object) -> int:  # noqa: N807
        return hash(compared(self))

    return {"__eq__": __eq__, "__hash__": __hash__}


def _repr(self: object) -> str:
    shown = [f"{field.name}={getattr(self, field.name)!r}" for field in _fields(type(self)) if field.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_assignment(self: object, name: str, value: object) -> None:
    if _is_frozen(type(self), name):
        raise FrozenInstanceError(f"cannot assign to field {name!r}")
    object.__setattr__(self, name, value)


def _refuse_deletion(self: object, name: str) -> None:
    if _is_frozen(type(self), name):
        raise FrozenInstanceError(f"cannot delete field {name!r}")
    object.__delattr__(self, name)


def _is_frozen(cls: type, name: str) -> bool:
    """Whatever is no field of a class below, which is no dataclass itself, is left to that class."""
    return "__dataclass_fields__" in vars(cls) or any(field.name == name for field in _fields(cls))


def _state(self: object) -> list[object]:
    return [getattr(self, field.name) for field in _fields(type(self))]


def _set_state(self: object, state: Iterable[object]) -> None:
    for field, value in zip(_fields(type(self)), state, strict=True):
        object.__setattr__(self, field.name, value)
