"""Textbook formulas evaluated: the letters of a formula's text given the values of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from convcost.alternatives import AnyConv

_AXES = {1: [""], 2: ["H", "W"], 3: ["T", "H", "W"]}


def evaluate(text: str, conv: AnyConv, spatial: Sequence[int], **letters: int) -> Fraction:
    """The number a formula stands for on a map of that size."""
    values = {"M": conv.in_channels, "N": conv.out_channels, "g": conv.groups, **letters}
    if len(set(spatial)) == 1:
        values["D_F"] = spatial[0]
    values.update({f"F_{axis}": size for axis, size in zip(_AXES[len(spatial)], spatial, strict=True)})
    if len(set(conv.kernel)) == 1:
        values["D_K"] = conv.kernel[0]
    values.update({f"K_{axis}": size for axis, size in zip(_AXES[len(conv.kernel)], conv.kernel, strict=True)})
    for sign, operator in (("·", "*"), ("−", "-"), ("⌈", "ceil("), ("⌉", ")")):
        text = text.replace(sign, operator)
    exact = {letter: Fraction(value) for letter, value in values.items()}
    return Fraction(eval(text, {"__builtins__": {}, "ceil": lambda x: Fraction(-(-x // 1))}, exact))
