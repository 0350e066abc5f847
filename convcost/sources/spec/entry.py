"""One layer's entry in a spec, read key by key in the units of convolutions."""

from __future__ import annotations

from typing import TypeVar

from convcost.dataclasses import dataclass
from convcost.graph import DType, Shape
from convcost.graph.ops import Pads, same_padding
from convcost.located import (
    Located,
    LocatedList,
    LocatedMapping,
    LocatedScalar,
    choice_of,
    flag_of,
    integer_of,
    text_of,
)

MAX_SIZE = 2**40
MAX_NAME = 200
DTYPES = {str(dtype.value): dtype for dtype in DType if dtype is not DType.STRING}

_Word = TypeVar("_Word", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A mapping with the title that complaints use for it, such as "a conv layer"."""

    mapping: LocatedMapping
    title: str

    def __contains__(self, key: str) -> bool:
        return key in self.mapping.entries

    def required(self, key: str) -> Located:
        return self.mapping.required(key, of=self.title)

    def size(self, key: str, default: int | None = None) -> int:
        """A whole number of at least 1; without a default the key must be there."""
        if default is not None and key not in self:
            return default
        return read_size(self.required(key), key)

    def sizes(self, key: str, *, lengths: range, like: str) -> Shape:
        """A list of sizes; `like` is an example for the hint."""
        value = self.required(key)
        if not isinstance(value, LocatedList) or len(value.items) not in lengths:
            wanted = f"{key} must be a list of {lengths[0]} to {lengths[-1]} sizes"
            raise value.where.error(wanted, hint=f"such as {key}: {like}")
        return tuple(read_size(item, key) for item in value.items)

    def flag(self, key: str, *, default: bool) -> bool:
        return flag_of(self.mapping.entries[key], key) if key in self else default

    def choice(self, key: str, choices: tuple[_Word, ...]) -> _Word:
        """One word of a closed set, the first of which is the default."""
        return choice_of(self.mapping.entries[key], key, choices) if key in self else choices[0]

    def dtype(self) -> DType:
        """An element type by torch's name; float32 where nothing is said."""
        return DTYPES[choice_of(self.mapping.entries["dtype"], "dtype", DTYPES)] if "dtype" in self else DType.FLOAT32

    def name(self) -> str | None:
        """The layer's own name, or None where it is left to convcost."""
        if "name" not in self:
            return None
        value = self.mapping.entries["name"]
        name = text_of(value, "name")
        # Names are printed and make the names of all the layer's tensors, once per repetition.
        if not name.isprintable() or name != name.strip() or not 0 < len(name) <= MAX_NAME:
            wanted = f"name must be 1 to {MAX_NAME} printable characters without blanks around them"
            raise value.where.error(wanted, hint="such as name: conv2_1")
        return name

    def per_axis(self, key: str, axes: int, default: Shape | None = None, *, least: int = 1) -> Shape:
        """A whole number for all axes, or a list with one for each."""
        if default is not None and key not in self:
            return default
        value = self.required(key)
        if isinstance(value, LocatedList):
            _check_axes(value, key, axes, hint=f"write one number for all axes, or {axes} in a list")
            return tuple(read_size(item, key, least=least) for item in value.items)
        return (integer_of(value, key, least=least, most=MAX_SIZE, wanted="a whole number or a list"),) * axes

    def padding(self, spatial: Shape, kernel: Shape, stride: Shape, dilation: Shape, *, same: bool = True) -> Pads:
        """Padding as (before, after) per axis: a number, one per axis, pairs, "valid", or "same" where allowed."""
        value, axes = self.mapping.entries.get("padding"), len(spatial)
        if isinstance(value, LocatedList):
            _check_axes(value, "padding", axes, hint="pairs are written [[before, after]], one pair for each axis")
            return tuple(_pad(item) for item in value.items)
        if value is None:
            return ((0, 0),) * axes
        if isinstance(value, LocatedScalar) and isinstance(value.value, str):
            word = choice_of(value, "padding", ("valid", "same") if same else ("valid",))
            if word == "valid":
                return ((0, 0),) * axes
            return tuple(same_padding(*axis) for axis in zip(spatial, kernel, stride, dilation, strict=True))
        wanted = "a whole number, a list or a word"
        size = integer_of(value, "padding", least=0, most=MAX_SIZE, wanted=wanted)
        return ((size, size),) * axes

    def check_agrees(self, key: str, size: int, because: str) -> None:
        """Raises `LocatedError` where a size that need not be written is written wrongly."""
        if key in self and self.size(key) != size:
            raise self.mapping.entries[key].where.error(
                f"{key} is {self.size(key)}, but {because} {size}", hint=f"leave {key} out, or make it {size}"
            )


def read_size(value: Located, key: str, *, least: int = 1) -> int:
    """A size of something, small enough that it can be meant."""
    return integer_of(value, key, least=least, most=MAX_SIZE)


def _check_axes(value: LocatedList, key: str, axes: int, *, hint: str) -> None:
    if len(value.items) != axes:
        noun = "axis" if axes == 1 else "axes"
        raise value.where.error(f"{key} has a list of {len(value.items)} for {axes} spatial {noun}", hint=hint)


def _pad(value: Located) -> tuple[int, int]:
    if not isinstance(value, LocatedList):
        size = read_size(value, "padding", least=0)
        return (size, size)
    if len(value.items) != 2:
        raise value.where.error(
            f"padding has a list of {len(value.items)} for one axis", hint="an axis takes a number or [before, after]"
        )
    before, after = (read_size(item, "padding", least=0) for item in value.items)
    return (before, after)
