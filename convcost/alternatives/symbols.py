"""The letters of the textbook formulas, fitted to a layer: `D_K` and `D_F` only where sides are equal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from convcost.alternatives.base import AnyConv
from convcost.dataclasses import dataclass
from convcost.graph import Shape

LETTERS: Mapping[tuple[str, ...], str] = {
    ("M", "N"): "input and output channels",
    ("D_K",): "kernel side",
    ("K_T", "K_H", "K_W"): "kernel sides",
    ("D_F",): "map side",
    ("F_T", "F_H", "F_W"): "map sides",
    ("g",): "groups",
    ("R",): "channels between stages",
    ("R_M", "R_N"): "channels of the core",
    ("T",): "filters per channel",
    ("G", "d"): "groups of d channels each",
    ("m",): "outputs a side of a tile",
    ("S",): "side of a Fourier transform",
}
"""What the letters of formulas and labels mean, those of a kind together."""

_AXES = {1: ("",), 2: ("H", "W"), 3: ("T", "H", "W")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """`kernel` holds one factor per axis, `map` the product of the feature map's sides, `per_group` any `/ g`."""

    kernel: tuple[str, ...]
    map: str
    per_group: str

    @classmethod
    def of(cls, conv: AnyConv) -> Symbols:
        axes = len(conv.kernel)
        square = len(set(conv.kernel)) == 1
        return cls(
            kernel=tuple("D_K" if square else f"K_{name}" for name in _axis_names(axes)),
            map="·".join(["D_F"] * axes),
            per_group=" / g" if conv.groups > 1 else "",
        )

    @property
    def taps(self) -> str:
        """The kernel's size: `D_K·D_K`."""
        return "·".join(self.kernel)

    @property
    def extent(self) -> str:
        """The kernel's sides added: `(D_K + D_K)`."""
        return f"({' + '.join(self.kernel)})"


def letters_text(texts: Iterable[str]) -> str:
    """What the letters mean that stand in formulas and labels, in one line; empty without any.

    >>> letters_text(["D_K·R·(M + N)·D_F", "R=128"])
    'M, N: input and output channels; D_K: kernel side; D_F: map side; R: channels between stages'
    """
    used = {word for text in texts for word in re.findall(r"\b[A-Za-z](?:_[A-Z])?\b", text)}
    known = (([name for name in names if name in used], meaning) for names, meaning in LETTERS.items())
    return "; ".join(f"{', '.join(names)}: {meaning}" for names, meaning in known if names)


def with_sides(formula: str, spatial: Shape) -> str:
    """The formula with `D_F` told apart by axis where the map's sides differ; formulas name it once for each, in order.

    >>> with_sides("D_K·D_K·M·N·D_F·D_F", (28, 56))
    'D_K·D_K·M·N·F_H·F_W'
    """
    if len(set(spatial)) == 1:
        return formula
    names = iter(_axis_names(len(spatial)))
    return re.sub("D_F", lambda _: f"F_{next(names)}", formula)


def _axis_names(axes: int) -> tuple[str, ...]:
    return _AXES.get(axes, tuple(str(axis) for axis in range(axes)))
