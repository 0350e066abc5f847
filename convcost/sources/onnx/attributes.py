"""A node's attributes, by name and type, with a file's mistakes turned into the default's absence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.sources.onnx.small_values import values_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import AttributeProto, GraphProto

    from convcost.sources.onnx.node import OnnxNode


class Attributes:
    """Reads attributes when asked; most nodes are asked for few. An attribute of another type counts as absent."""

    __slots__ = ("_by_name",)

    def __init__(self, node: OnnxNode) -> None:
        self._by_name: dict[str, AttributeProto] = {item.name: item for item in node.attribute}

    def _get(self, name: str, type_number: int) -> AttributeProto | None:
        found = self._by_name.get(name)
        # Files older than IR 2 leave the type out.
        return found if found is not None and found.type in (type_number, 0) else None

    def integer(self, name: str, default: int) -> int:
        found = self._get(name, 2)
        return default if found is None else found.i

    def integers(self, name: str) -> tuple[int, ...] | None:
        found = self._get(name, 7)
        return None if found is None else tuple(found.ints)

    def number(self, name: str, default: float) -> float:
        found = self._get(name, 1)
        return default if found is None else found.f

    def text(self, name: str, default: str) -> str:
        found = self._get(name, 3)
        return default if found is None else found.s.decode("utf-8", "replace")

    def graph(self, name: str) -> GraphProto | None:
        found = self._get(name, 5)
        return None if found is None else found.g

    def tensor(self, name: str) -> NDArray[np.generic] | None:
        """The values of a tensor attribute, where the file keeps them beside the structure."""
        found = self._get(name, 4)
        return None if found is None else values_of(found.t)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name
