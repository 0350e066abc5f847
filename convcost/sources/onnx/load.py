"""The stages of reading a model, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.graph import Graph
from convcost.graph.collection import uncollected
from convcost.sources.onnx.build import GraphBuilder
from convcost.sources.onnx.control import CONTROL_FLOW
from convcost.sources.onnx.equations import WITH_EQUATIONS, refuse_endless_equations
from convcost.sources.onnx.functions import expand_composites, inline_functions
from convcost.sources.onnx.inference import WholeModel
from convcost.sources.onnx.inputs import settle_inputs
from convcost.sources.onnx.lowering import LOWERINGS
from convcost.sources.onnx.node import WITH_SUBGRAPHS, read_nodes
from convcost.sources.onnx.reader import read_model
from convcost.sources.request import Request

if TYPE_CHECKING:
    from onnx import ModelProto


def load_model(request: Request) -> Graph:
    """Reads, inlines, settles shapes, infers, and lowers."""
    with uncollected():
        return _loaded(request)


def _loaded(request: Request) -> Graph:
    path = request.target
    model, payloads = read_model(path)
    model = inline_functions(model, path)
    nodes = read_nodes(model.graph.node)
    operators = {node.op_type for node in nodes}
    if not operators.isdisjoint(WITH_EQUATIONS):
        refuse_endless_equations(model.graph.node, path)
    notes = [*_version_notes(model), *settle_inputs(model.graph, request)]
    whole = WholeModel(expand_composites(model, operators.difference(["Constant"], CONTROL_FLOW, LOWERINGS)))
    if not operators.isdisjoint(WITH_SUBGRAPHS):  # what is known in a body is read with the body
        whole.infer()
    if whole.model is not model:
        nodes = read_nodes(whole.model.graph.node)
    return GraphBuilder(whole, nodes, path, notes).graph(payloads)


def _version_notes(model: ModelProto) -> list[str]:
    from onnx import IR_VERSION, defs

    notes = []
    if model.ir_version > IR_VERSION:
        notes.append(
            f"its IR version {model.ir_version} is newer than {IR_VERSION}, the newest the installed onnx knows"
        )
    newest = defs.onnx_opset_version()
    notes.extend(
        f"its opset {opset.version} is newer than {newest}, the newest the installed onnx knows; operators that have "
        "changed since are counted by their old meaning"
        for opset in model.opset_import
        if opset.domain in ("", "ai.onnx") and opset.version > newest
    )
    return notes
