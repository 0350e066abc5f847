"""A small network with the number it must cost, stated apart from the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import nn

Build = Callable[[], nn.Module]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`macs` and `params` are sums of products of plain numbers; `says` names the factors, in their order.

    `unknown` lists what convcost must admit it cannot count; `exports` tells whether ONNX can say the same network,
    and `exported_macs` what is left of it there, where the exporter computes products of constants once and for all.
    """

    name: str
    build: Build
    inputs: tuple[object, ...]
    kwargs: Mapping[str, object] = field(default_factory=dict)
    says: str
    macs: str
    params: str = "0"
    unknown: tuple[str, ...] = ()
    exports: bool = True
    exported_macs: str = ""

    @property
    def expected(self) -> tuple[int, int]:
        """MACs and parameters, worked out."""
        return worked_out(self.macs), worked_out(self.params)

    @property
    def expected_of_export(self) -> int:
        return worked_out(self.exported_macs or self.macs)


class Cases(dict[str, Case]):
    """Cases by name, in the order they were written."""

    def add(self, name: str, build: Build, *inputs: object, **fields: object) -> None:
        if name in self:
            raise ValueError(f"two cases are named '{name}'")
        self[name] = Case(name=name, build=build, inputs=inputs, **fields)  # type: ignore[arg-type]  # its own fields


def worked_out(formula: str) -> int:
    """The value of integer arithmetic written as text.

    >>> worked_out("20*14 * 8*4*9")
    80640
    """
    if set(formula) - set("0123456789+-*/() "):
        raise ValueError(f"'{formula}' is more than arithmetic")
    return int(eval(formula, {"__builtins__": {}}))
