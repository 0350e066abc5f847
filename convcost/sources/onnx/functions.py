"""Functions, the model's own and those of the standard, replaced by what they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

from convcost.errors import SourceError
from convcost.sources.onnx.inference import REFUSALS
from convcost.sources.onnx.text import shown

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

    Function: TypeAlias = tuple[str, str]

MAX_NODES = 5_000_000
"""Nodes after inlining; functions that call functions can ask for any number in a few hundred bytes."""

_DEFINED = ("has_function", "has_context_dependent_function")  # attributes that onnx's type stubs leave out

ALWAYS_ALLOWED = 100_000
"""Nodes after inlining that any file may ask for."""

EXPANSION = 100
"""How many nodes one that is written in the file may stand for in larger models, on average."""

MAX_CALLS = 200
"""Functions that call one another in a row."""


def inline_functions(model: ModelProto, path: str) -> ModelProto:
    """The model without calls to its local functions. Raises `SourceError` for recursion and for too many nodes."""
    from onnx import inliner

    if not model.functions:
        return model
    sizes = _sizes(model, path)
    total = sum(_weight(node, sizes) for node in model.graph.node)
    written = len(model.graph.node) + sum(len(function.node) for function in model.functions)
    most = min(max(ALWAYS_ALLOWED, EXPANSION * written), MAX_NODES)
    if total > most:
        raise SourceError(
            f"{path}: its local functions expand to {total:,} nodes",
            hint=f"convcost reads up to {most:,} from the {written:,} that are written in the file",
        )
    try:
        return inliner.inline_local_functions(model)
    except REFUSALS as error:
        what = str(error).splitlines()[0]
        raise SourceError(
            f"{path}: its local functions cannot be inlined: {shown(what)}", hint="check the file with onnx.checker"
        ) from error


def expand_composites(model: ModelProto, unknown: Iterable[str]) -> ModelProto:
    """The model with those of the `unknown` operators that are standard and have a definition there replaced by it."""
    from onnx import defs, inliner

    composites = []
    for name in sorted(unknown):
        if defs.has(name):
            schema = defs.get_schema(name)
            if any(getattr(schema, trait, False) for trait in _DEFINED):
                composites.append(("", name))
    if not composites:
        return model
    try:
        return inliner.inline_selected_functions(model, composites, inline_schema_functions=True)
    except REFUSALS:
        return model  # the operator stays, and is reported as unknown


def _sizes(model: ModelProto, path: str) -> dict[Function, int]:
    """How many nodes each function stands for, callees first."""
    bodies = {(function.domain, function.name): function for function in model.functions}
    sizes: dict[Function, int] = {}
    stack = [(name, False) for name in bodies]
    open_calls: set[Function] = set()
    while stack:
        name, called = stack.pop()
        if called:
            sizes[name] = sum(_weight(node, sizes) for node in bodies[name].node)
            open_calls.discard(name)
        elif name not in sizes:
            if name in open_calls or len(open_calls) > MAX_CALLS:
                raise SourceError(
                    f"{path}: the local function '{shown(name[1])}' calls itself", hint="ONNX has no recursion"
                )
            open_calls.add(name)
            stack.append((name, True))
            stack.extend((callee, False) for callee in _callees(bodies[name].node) if callee in bodies)
    return sizes


def _callees(nodes: Iterable[NodeProto]) -> set[Function]:
    return {(node.domain, node.op_type) for node in _all_nodes(nodes)}


def _weight(node: NodeProto, sizes: dict[Function, int]) -> int:
    return sum(sizes.get((item.domain, item.op_type), 1) for item in _all_nodes([node]))


def _all_nodes(nodes: Iterable[NodeProto]) -> Iterable[NodeProto]:
    """The nodes and those of their subgraphs; protobuf bounds how deep these lie."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            yield from _all_nodes(attribute.g.node)
            for graph in attribute.graphs:
                yield from _all_nodes(graph.node)
