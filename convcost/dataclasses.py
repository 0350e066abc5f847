"""The standard library's frozen dataclasses, whose methods are not compiled while modules are imported.

There, six methods are compiled for each class as it is defined, which takes 0.4 ms: 33 of the 85 ms that `convcost
analyze model.onnx` took beyond importing onnx. Here all classes share them, but for the constructor, which is compiled when
it is first called. `tests/test_dataclasses.py` holds both to the same behaviour.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass

__all__ = ["dataclass"]

T = TypeVar("T")

if not TYPE_CHECKING:  # to a type checker it is the original

    def dataclass(*, frozen: bool = False, slots: bool = False, **options: bool) -> Callable[[type[T]], type[T]]:
        """`dataclasses.dataclass`; classes that are frozen and keyword-only are made here, others there."""
        if frozen and options == {"kw_only": True}:
            return lambda cls: _frozen(cls, slots=slots)
        return dataclasses.dataclass(frozen=frozen, slots=slots, **options)


def _frozen(cls: type[T], *, slots: bool) -> type[T]:
    cls.__doc__ = cls.__doc__ or cls.__name__  # where there is none, a signature is parsed to write one
    made = dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=True, slots=slots)(cls)
    methods: dict[str, object] = {
        "__init__": _on_first_call(made),
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


def _on_first_call(cls: type) -> Callable[..., None]:
    def __init__(self: object, *args: object, **values: object) -> None:  # noqa: N807
        constructor = _constructor(cls)
        cls.__init__ = constructor  # type: ignore[misc]  # that is what it is for
        constructor(self, *args, **values)

    return __init__


def _constructor(cls: type) -> Callable[..., None]:
    """Compiled from text, as in the standard library: nothing else takes keywords as fast as a function does."""
    fields = [field for field in _fields(cls) if field.init]
    known: dict[str, Any] = {"MISSING": MISSING, "ASSIGN": object.__setattr__}  # no field is named in capitals
    parameters, body = [], []
    for field in fields:
        name, value = field.name, field.name
        if field.default_factory is not MISSING:
            known[f"MAKE_{name}"] = field.default_factory
            value = f"MAKE_{name}() if {name} is MISSING else {name}"
            parameters.append(f"{name}=MISSING")
        elif field.default is not MISSING:
            known[f"DEFAULT_{name}"] = field.default
            parameters.append(f"{name}=DEFAULT_{name}")
        else:
            parameters.append(name)
        if isinstance(slot := getattr(cls, name, None), MemberDescriptorType):  # a third quicker than by its name
            known[f"SET_{name}"] = slot.__set__
            body.append(f"SET_{name}(self, {value})")
        else:
            body.append(f"ASSIGN(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    heading = ", ".join(["self", *(["*"] if parameters else []), *parameters])
    exec(f"def __init__({heading}):\n " + "\n ".join(body or ["pass"]), known)  # the names are those of fields
    constructor: Callable[..., None] = known["__init__"]
    constructor.__qualname__ = f"{cls.__qualname__}.__init__"
    return constructor


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
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: object) -> list[object]:
    return [getattr(self, field.name) for field in _fields(type(self))]


def _set_state(self: object, state: Iterable[object]) -> None:
    for field, value in zip(_fields(type(self)), state, strict=True):
        object.__setattr__(self, field.name, value)
