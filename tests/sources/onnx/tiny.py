"""Tiny ONNX models for tests, written with onnx's own helper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from convcost.analysis import Analysis, analyze_graph
from convcost.graph import Graph
from convcost.sources import InputSpec, Request
from convcost.sources.onnx import load_onnx

Size = int | str | None


def node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: object) -> NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), **attributes)


def graph(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Sequence[Size] | None],
    weights: Mapping[str, np.ndarray] | None = None,
    outputs: Sequence[str] | None = None,
    dtypes: Mapping[str, int] | None = None,
) -> GraphProto:
    """Inputs by name and shape, float unless `dtypes` says otherwise; the last node's outputs come out."""
    types = dict(dtypes or {})
    return helper.make_graph(
        list(nodes),
        "tiny",
        [
            helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), shape)
            for name, shape in inputs.items()
        ],
        [
            helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), None)
            for name in outputs or [name for name in nodes[-1].output if name]
        ],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )


def model(content: GraphProto, *, opset: int = 20, **others: object) -> ModelProto:
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(content, opset_imports=opsets, ir_version=10, **others)


def save(content: ModelProto | GraphProto, folder: Path, *, opset: int = 20) -> str:
    whole = content if isinstance(content, ModelProto) else model(content, opset=opset)
    path = folder / "tiny.onnx"
    path.write_bytes(whole.SerializeToString())
    return str(path)


def load(
    content: ModelProto | GraphProto,
    folder: Path,
    *,
    opset: int = 20,
    inputs: tuple[InputSpec, ...] = (),
    dims: Mapping[str, int] | None = None,
) -> Graph:
    return load_onnx(Request(target=save(content, folder, opset=opset), inputs=inputs, dims=dims or {}))


def analyze(content: ModelProto | GraphProto, folder: Path, *, opset: int = 20) -> Analysis:
    return analyze_graph(load(content, folder, opset=opset))


def ones(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return np.ones(shape, dtype)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)
