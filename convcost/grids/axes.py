"""The design space as it is written: `kernel=3,5,7 in_channels=16..512:16 input=56`."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import field

from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.ranges import SizeList

SAME = -1
"""The value that `padding=same` has."""

EXAMPLE = "such as --grid kernel=3,5 in_channels=16..512:16 out_channels=64 input=56"
_MOST_VALUES = 1_000_000
_MOST_CONFIGURATIONS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A key of a layer spec that can be an axis; without `default` it has to be one. `words` stand for numbers.

    `symbol` is its letter in formulas, which stands for the number in reasons that hold for many layers.
    """

    default: int | None = None
    least: int = 1
    words: Mapping[str, int] = field(default_factory=dict)
    numbers: bool = True
    symbol: str = "…"


ATTRIBUTES: Mapping[str, Attribute] = {
    "in_channels": Attribute(symbol="M"),
    "out_channels": Attribute(symbol="N"),
    "kernel": Attribute(symbol="D_K"),
    "input": Attribute(),
    "stride": Attribute(default=1),
    "padding": Attribute(default=0, least=0, words={"same": SAME, "valid": 0}),
    "dilation": Attribute(default=1),
    "groups": Attribute(default=1, symbol="g"),
    "batch": Attribute(default=1),
    "bias": Attribute(default=1, words={"true": 1, "false": 0}, numbers=False),
}
"""Meanings and defaults are those of a spec file's conv layer with a square kernel on a square map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One attribute and the values it takes in turn."""

    name: str
    values: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Axis:
        """Reads `NAME=1,2,4`, `NAME=FIRST..LAST:STEP`, `NAME=FIRST..LAST:*FACTOR`. Raises `UsageError`.

        >>> Axis.of("padding=same,1").values
        (-1, 1)
        """
        name, equals, listed = (part.strip() for part in text.partition("="))
        if not equals or not listed:
            raise UsageError(f"--grid takes NAME=VALUES, not '{text}'", hint=EXAMPLE)
        if name not in ATTRIBUTES:
            near = difflib.get_close_matches(name, ATTRIBUTES, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"the axes are {', '.join(ATTRIBUTES)}"
            raise UsageError(f"--grid has no axis '{name}'", hint=hint)
        return cls(name=name, values=_values(ATTRIBUTES[name], text, listed))

    @property
    def shown(self) -> tuple[str, ...]:
        """The values as a user writes them; `valid` is 0."""
        words = {value: word for word, value in ATTRIBUTES[self.name].words.items() if value != 0 or word != "valid"}
        return tuple(words.get(value, str(value)) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Every combination of the axes' values, the last axis changing fastest; what is no axis has its default."""

    axes: tuple[Axis, ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Grid:
        """Reads one axis from each text, or several with blanks between; raises `UsageError`."""
        axes = tuple(Axis.of(word) for text in texts for word in text.split())
        names = [axis.name for axis in axes]
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise UsageError(f"--grid has the axis '{repeated}' twice", hint=f"write {repeated}=1,2,4 in one")
        missing = [name for name, attribute in ATTRIBUTES.items() if attribute.default is None and name not in names]
        if missing:
            raise UsageError(f"--grid needs {', '.join(f'{name}=' for name in missing)} too", hint=EXAMPLE)
        grid = cls(axes=axes)
        if grid.size > _MOST_CONFIGURATIONS:
            raise UsageError(
                f"the grid has {grid.size:,} configurations", hint=f"{_MOST_CONFIGURATIONS:,} are the most"
            )
        return grid

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def size(self) -> int:
        """How many configurations there are, those included that turn out to be no layer."""
        return math.prod(self.shape)


def _values(attribute: Attribute, text: str, listed: str) -> tuple[int, ...]:
    sizes = SizeList(text=f"--grid '{text}'", example=EXAMPLE, most=_MOST_VALUES)
    words = [word.strip() for word in listed.split(",")]
    if not attribute.numbers and (wrong := next((word for word in words if word not in attribute.words), None)):
        raise UsageError(f"{sizes.text} has '{wrong}' for a value", hint=f"write {' or '.join(attribute.words)}")
    found = [
        (attribute.words[word],) if word in attribute.words else sizes.read(word, least=attribute.least)
        for word in words
    ]
    return tuple(dict.fromkeys(value for values in found for value in values))
