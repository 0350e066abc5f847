"""convcost's dataclasses behave as the standard library's: every claim is made of a class of each."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from convcost import dataclasses as ours

Decorator = Callable[..., Any]
MAKERS = pytest.mark.parametrize("dataclass", [dataclasses.dataclass, ours.dataclass], ids=["standard", "ours"])
SLOTS = pytest.mark.parametrize("slots", [True, False], ids=["slots", "dict"])


@ours.dataclass(frozen=True, slots=True, kw_only=True)
class Slotted:
    """Pickled by its name, so it stands in the module."""

    name: str
    sizes: tuple[int, ...] = (1, 2)


@ours.dataclass(frozen=True, kw_only=True)
class Dictionary:
    name: str
    sizes: tuple[int, ...] = (1, 2)


def classes(dataclass: Decorator, *, slots: bool) -> tuple[Any, Any]:
    class Base(ABC):
        __slots__ = ()

        @abstractmethod
        def total(self) -> int: ...

    @dataclass(frozen=True, slots=slots, kw_only=True)
    class Parent(Base):
        family: ClassVar[str] = "parent"

        width: int
        names: list[str] = dataclasses.field(default_factory=list)
        area: int = dataclasses.field(init=False, repr=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "area", self.width**2)

        def total(self) -> int:
            return self.area

    @dataclass(frozen=True, slots=slots, kw_only=True)
    class Child(Parent):
        height: int = 2
        self_made: str = "no"

    return Parent, Child


@MAKERS
@SLOTS
def test_fields_defaults_and_factories(dataclass: Decorator, slots: bool) -> None:
    _, child = classes(dataclass, slots=slots)
    first, second = child(width=3), child(width=3, height=5, names=["a"])
    assert (first.width, first.names, first.area, first.height) == (3, [], 9, 2)
    assert (second.width, second.names, second.area, second.height, second.total()) == (3, ["a"], 9, 5, 9)
    assert first.names is not child(width=3).names
    assert [field.name for field in dataclasses.fields(child)] == ["width", "names", "area", "height", "self_made"]


@MAKERS
@SLOTS
def test_fields_may_have_the_names_that_constructors_are_written_with(dataclass: Decorator, slots: bool) -> None:
    @dataclass(frozen=True, slots=slots, kw_only=True)
    class Report:
        missing: str = "none"
        assign: int = 1
        make_names: int = 2
        set_names: int = 3
        names: list[str] = dataclasses.field(default_factory=list)

    assert Report(missing="all").names == []
    assert Report(assign=4, make_names=5, set_names=6, names=["a"]).names == ["a"]


@MAKERS
@SLOTS
def test_text(dataclass: Decorator, slots: bool) -> None:
    parent, _ = classes(dataclass, slots=slots)
    assert repr(parent(width=3)).endswith("classes.<locals>.Parent(width=3, names=[])")


@MAKERS
@SLOTS
@pytest.mark.parametrize(
    ("positional", "named", "reason"),
    [
        ((), {}, "missing 1 required keyword-only argument: 'width'"),
        ((3,), {}, "takes 1 positional argument but 2 were given"),
        ((), {"width": 1, "wide": 2}, "unexpected keyword argument 'wide'"),
    ],
)
def test_wrong_arguments_are_refused_in_the_same_words(
    dataclass: Decorator, slots: bool, positional: tuple[int, ...], named: dict[str, int], reason: str
) -> None:
    parent, _ = classes(dataclass, slots=slots)
    for _ in range(2):  # the constructor is compiled at the first call
        with pytest.raises(TypeError, match=reason):
            parent(*positional, **named)


@MAKERS
@SLOTS
def test_equality_and_hash_go_by_class_and_compared_fields(dataclass: Decorator, slots: bool) -> None:
    parent, child = classes(dataclass, slots=slots)
    assert parent(width=3) == parent(width=3)
    assert parent(width=3) != parent(width=4)
    assert parent(width=3) != parent(width=3, names=["a"])
    assert parent(width=3) != child(width=3)
    assert parent(width=3) != 3
    both = parent(width=3, names=()), parent(width=3, names=())
    object.__setattr__(both[0], "area", 0)
    assert both[0] == both[1]
    assert hash(both[0]) == hash(both[1])
    with pytest.raises(TypeError, match="unhashable"):
        hash(parent(width=3))


@MAKERS
@SLOTS
def test_values_do_not_change(dataclass: Decorator, slots: bool) -> None:
    parent, child = classes(dataclass, slots=slots)
    for value in (parent(width=3), child(width=3)):
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'width'"):
            value.width = 4
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'width'"):
            del value.width
        with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):  # the standard library's super() is astray
            value.other = 4
        assert dataclasses.replace(value, width=4).area == 16
        assert value.area == 9
        assert hasattr(value, "__dict__") is not slots


@MAKERS
@SLOTS
def test_what_a_class_defines_itself_stays(dataclass: Decorator, slots: bool) -> None:
    @dataclass(frozen=True, slots=slots, kw_only=True)
    class Word:
        text: str

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Word) and self.text.lower() == other.text.lower()

        def __hash__(self) -> int:
            return hash(self.text.lower())

        def __repr__(self) -> str:
            return self.text

    assert Word(text="A") == Word(text="a")
    assert {Word(text="A"), Word(text="a")} == {Word(text="A")}
    assert repr(Word(text="A")) == "A"


@MAKERS
@SLOTS
def test_signature_and_types_are_told_before_the_first_value_is_made(dataclass: Decorator, slots: bool) -> None:
    @dataclass(frozen=True, slots=slots, kw_only=True)
    class Box:
        size: int
        words: list[str] = dataclasses.field(default_factory=list)
        depth: int = 2

    told = "(*, size: 'int', words: 'list[str]' = <factory>, depth: 'int' = 2) -> None"
    assert str(inspect.signature(Box)) == told
    assert str(inspect.signature(Box.__init__)) == told.replace("(", "(self, ", 1)
    hints = {"size": int, "words": list[str], "depth": int, "return": type(None)}
    assert typing.get_type_hints(Box.__init__) == hints


@MAKERS
@SLOTS
def test_fields_that_are_not_passed_have_their_defaults(dataclass: Decorator, slots: bool) -> None:
    @dataclass(frozen=True, slots=slots, kw_only=True)
    class Box:
        sizes: list[int] = dataclasses.field(init=False, default_factory=list)
        depth: int = dataclasses.field(init=False, default=2)

    assert (Box().sizes, Box().depth) == ([], 2)
    assert Box().sizes is not Box().sizes


@MAKERS
def test_an_undecorated_subclass_may_have_attributes_of_its_own(dataclass: Decorator) -> None:
    parent, _ = classes(dataclass, slots=False)

    class Named(parent):  # type: ignore[misc]  # a class by either decorator
        def __init__(self) -> None:
            super().__init__(width=3)
            self.title = "a"

    value = Named()
    assert (value.width, value.title) == (3, "a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.width = 4
    del value.title
    assert not hasattr(value, "title")


@MAKERS
@SLOTS
def test_no_fields_are_enough(dataclass: Decorator, slots: bool) -> None:
    @dataclass(frozen=True, slots=slots, kw_only=True)
    class Nothing:
        pass

    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert repr(Nothing()).endswith("Nothing()")


@MAKERS
def test_methods_of_an_abstract_class_are_still_asked_for(dataclass: Decorator) -> None:
    class Shape(ABC):
        __slots__ = ()

        @abstractmethod
        def area(self) -> int: ...

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Square(Shape):
        side: int

    with pytest.raises(TypeError, match="abstract"):
        Square(side=1)


@pytest.mark.parametrize("value", [Slotted(name="a"), Dictionary(name="b", sizes=(3,))])
def test_values_are_copied_and_pickled(value: Slotted | Dictionary) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(value, protocol)) == value
    assert copy.deepcopy(value) == value
    assert copy.copy(value) == value


def test_a_class_is_pickled_before_it_is_first_made() -> None:
    """A worker process receives values of classes that it has made none of."""
    script = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read()))"
    data = pickle.dumps(Slotted(name="a"))
    done = subprocess.run([sys.executable, "-c", script], input=data, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "Slotted(name='a', sizes=(1, 2))"


@pytest.mark.parametrize("options", [{}, {"slots": True}, {"frozen": True}, {"slots": True, "kw_only": True}])
def test_others_are_the_standard_librarys(options: dict[str, bool]) -> None:
    @ours.dataclass(**options)
    class Box:
        size: int = 1

    assert Box(size=2).size == 2
    assert Box.__init__.__code__.co_filename == "<string>"


def test_a_copier_changes_its_fields_and_works_nothing_out_again() -> None:
    @ours.dataclass(frozen=True, slots=True, kw_only=True)
    class Sized:
        name: str
        sizes: tuple[int, ...] = (1, 2)
        made: int = dataclasses.field(init=False)

        def __post_init__(self) -> None:
            worked_out.append(self.name)
            object.__setattr__(self, "made", sum(self.sizes))

    worked_out: list[str] = []
    first = Sized(name="a", sizes=(3, 4))
    second = ours.copier(Sized, "name")(first, "b")
    assert (second.name, second.sizes, second.made) == ("b", (3, 4), 7)
    assert first.name == "a"
    assert worked_out == ["a"]
    assert second == Sized(name="b", sizes=(3, 4))
    assert ours.copier(Sized, "made", "name")(first, 8, "c").made == 8


def test_a_maker_takes_values_by_position_and_gives_what_the_constructor_does() -> None:
    made = ours.maker(Slotted, "name")("a")
    assert made == Slotted(name="a")
    assert made.sizes == (1, 2)
    assert ours.maker(Slotted, "sizes", "name")((3,), "b") == Slotted(name="b", sizes=(3,))


def test_a_maker_is_refused_where_it_would_do_less_than_the_constructor() -> None:
    with pytest.raises(TypeError, match="Slotted is not made of sizes alone"):
        ours.maker(Slotted, "sizes")
    parent, _ = classes(ours.dataclass, slots=True)
    with pytest.raises(TypeError, match="Parent is not made of width, names, area alone"):
        ours.maker(parent, "width", "names", "area")


def test_what_is_no_field_is_refused_when_a_copier_or_a_maker_is_made() -> None:
    """Its values would be lost without a word."""
    with pytest.raises(TypeError, match="Slotted has no field size"):
        ours.copier(Slotted, "name", "size")
    with pytest.raises(TypeError, match="Slotted has no field size"):
        ours.maker(Slotted, "name", "size")
