"""Einsum equations that are none, refused before onnx infers shapes: it never ends on two ellipses in one term."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from convcost.errors import SourceError
from convcost.sources.onnx.node import WITH_SUBGRAPHS
from convcost.sources.onnx.text import shown

if TYPE_CHECKING:
    from onnx import NodeProto

_TERM = r"[A-Za-z ]*(?:\.\.\.[A-Za-z ]*)?"
_EQUATION = re.compile(rf"{_TERM}(?:,{_TERM})*(?:->{_TERM})?")
WITH_EQUATIONS = WITH_SUBGRAPHS | {"Einsum"}
"""Operators that have an equation, or may hold one that has."""


def refuse_endless_equations(nodes: Iterable[NodeProto], path: str) -> None:
    """Raises `SourceError` for an Einsum, also in a subgraph, whose equation is not one by ONNX's grammar."""
    for node in nodes:
        if node.op_type == "Einsum":
            _refuse(node, path)
        elif node.op_type in WITH_SUBGRAPHS:
            for attribute in node.attribute:
                refuse_endless_equations(attribute.g.node, path)


def _refuse(node: NodeProto, path: str) -> None:
    for attribute in node.attribute:
        text = attribute.s.decode(errors="replace")
        if attribute.name == "equation" and not _EQUATION.fullmatch(text):
            raise SourceError(
                f"{path}: node '{shown(node.name)}' (Einsum): '{shown(text)}' is not an equation",
                hint="an equation is letters, commas, one '->' and at most one '...' a term, such as '...ij,jk->...ik'",
            )
