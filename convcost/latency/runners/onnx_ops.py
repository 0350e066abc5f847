"""What each kind of node becomes in ONNX: one function per op that a graph describes well enough to run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from onnx import TensorProto

from convcost.graph import Role
from convcost.graph.ops import (
    Activation,
    AdaptivePool,
    Conv,
    ConvTranspose,
    DeformConv,
    Elementwise,
    Linear,
    MatMul,
    Move,
    Normalize,
    Op,
    Pads,
    Pool,
)
from convcost.latency.runners.onnx_draft import Draft, element_number
from convcost.latency.runners.reorder import channel_reorder, split_shape

_ACTIVATIONS: dict[str, tuple[str, dict[str, float]]] = {
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "elu": ("Elu", {}),
    "selu": ("Selu", {}),
    "gelu": ("Gelu", {}),
    "mish": ("Mish", {}),
    "sigmoid": ("Sigmoid", {}),
    "hardsigmoid": ("HardSigmoid", {"alpha": 1 / 6}),
    "hardswish": ("HardSwish", {}),
    "tanh": ("Tanh", {}),
    "softplus": ("Softplus", {}),
}
_ELEMENTWISE = {"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div"}
_RESHAPING = ("flatten", "reshape", "view", "squeeze", "unsqueeze")
_POOLS = {"max": "MaxPool", "avg": "AveragePool"}
_GLOBAL_POOLS = {"max": "GlobalMaxPool", "avg": "GlobalAveragePool"}


@singledispatch
def lower(op: Op, draft: Draft) -> None:
    """Writes the draft's node, whose op is `op`. Raises `UnrunnableError` where the op does not say enough."""
    raise draft.undescribed()


@lower.register
def _deform_conv(op: DeformConv, draft: Draft) -> None:
    # It is a Conv to the dispatcher, and would run as one.
    raise draft.undescribed()


@lower.register
def _conv(op: Conv, draft: Draft) -> None:
    draft.emit("Conv", {**_window(op.kernel, op.stride, op.pads, op.dilation), "group": op.groups})


@lower.register
def _conv_transpose(op: ConvTranspose, draft: Draft) -> None:
    window = _window(op.kernel, op.stride, op.pads, op.dilation)
    draft.emit("ConvTranspose", {**window, "group": op.groups, "output_padding": list(op.output_padding)})


@lower.register
def _linear(op: Linear, draft: Draft) -> None:
    data, weight, *bias = draft.reads
    if draft.shapes[1] == (op.out_features, op.in_features):
        if len(draft.shapes[0]) == 2:
            draft.emit("Gemm", {"transB": 1})
            return
        weight = draft.emit("Transpose", {"perm": [1, 0]}, reads=[weight], stage="transposed")
    product = draft.emit("MatMul", reads=[data, weight], stage="product" if bias else None)
    if bias:
        draft.emit("Add", reads=[product, *bias])


@lower.register
def _matmul(op: MatMul, draft: Draft) -> None:
    if op.transpose_a or op.transpose_b or len(draft.reads) != 2:
        raise draft.undescribed()
    draft.emit("MatMul")


@lower.register
def _pool(op: Pool, draft: Draft) -> None:
    if op.method not in _POOLS:
        raise draft.undescribed()
    counts_pads = {"count_include_pad": 1} if op.method == "avg" else {}
    window = _window(op.kernel, op.stride, op.pads, op.dilation)
    draft.emit(_POOLS[op.method], {**window, **counts_pads, "ceil_mode": int(op.ceil_mode)})


@lower.register
def _global_pool(op: AdaptivePool, draft: Draft) -> None:
    # The operator reduces all axes after the channels, and only to one value.
    if op.method not in _GLOBAL_POOLS or set(op.output_size) != {1} or len(draft.shapes[0]) != len(op.output_size) + 2:
        raise draft.undescribed()
    draft.emit(_GLOBAL_POOLS[op.method])


@lower.register
def _normalize(op: Normalize, draft: Draft) -> None:
    stored = draft.reads[1:]
    roles = [tensor.weight.role if tensor.weight else None for tensor in draft.node.operands[1:]]
    spans = len(draft.shapes[1]) if stored else 0
    if op.method == "batch" and roles == [Role.PARAMETER, Role.PARAMETER, Role.BUFFER, Role.BUFFER]:
        draft.emit("BatchNormalization")
    elif op.method == "instance" and roles == [Role.PARAMETER, Role.PARAMETER]:
        draft.emit("InstanceNormalization")
    elif op.method == "layer" and len(stored) == 2 and draft.shapes[0][-spans:] == draft.shapes[1]:
        draft.emit("LayerNormalization", {"axis": -spans})
    else:
        raise draft.undescribed()


@lower.register
def _activation(op: Activation, draft: Draft) -> None:
    (data,) = draft.reads
    if op.function == "silu":
        gate = draft.emit("Sigmoid", stage="gate")
        draft.emit("Mul", reads=[data, gate])
    elif op.function == "relu6":
        element = element_number(draft.node.outputs[0].dtype)
        bounds = [draft.constant(name, [], [value], element) for name, value in (("least", 0.0), ("most", 6.0))]
        draft.emit("Clip", reads=[data, *bounds])
    elif op.function in _ACTIVATIONS:
        operator, attributes = _ACTIVATIONS[op.function]
        draft.emit(operator, attributes)
    else:
        raise draft.undescribed()


@lower.register
def _elementwise(op: Elementwise, draft: Draft) -> None:
    if op.function not in _ELEMENTWISE:
        raise draft.undescribed()
    draft.emit(_ELEMENTWISE[op.function])


@lower.register
def _move(op: Move, draft: Draft) -> None:
    (data,) = draft.reads
    shape = draft.node.outputs[0].shape
    layout = channel_reorder(draft.node, draft.graph)
    if layout is not None:
        split = split_shape(draft.shapes[0], layout)
        apart = _reshape(draft, data, split, stage="apart")
        axes = [0, 1, 3, 2, *range(4, len(split))]
        exchanged = draft.emit("Transpose", {"perm": axes}, reads=[apart], stage="exchanged")
        _reshape(draft, exchanged, shape)
    elif op.action in _RESHAPING:
        _reshape(draft, data, shape)
    else:
        raise draft.undescribed()


def _window(
    kernel: Sequence[int], stride: Sequence[int], pads: Pads, dilation: Sequence[int]
) -> dict[str, list[int] | int]:
    return {
        "kernel_shape": list(kernel),
        "strides": list(stride),
        "pads": [before for before, _ in pads] + [after for _, after in pads],
        "dilations": list(dilation),
    }


def _reshape(draft: Draft, data: str, shape: Sequence[int], stage: str | None = None) -> str:
    wanted = draft.constant(f"{stage or 'whole'} shape", [len(shape)], list(shape), TensorProto.INT64)
    return draft.emit("Reshape", reads=[data, wanted], stage=stage)
