"""Small graphs of convolutions, and kernels held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from convcost.alternatives import AnyConv
from convcost.errors import SourceError
from convcost.graph import DType, Graph, Node, Role, Tensor, Weight
from convcost.graph.ops import Conv, ConvTranspose, Normalize
from convcost.weights import Separability, separability
from convcost.weights.read import FloatArray


def conv2d(inputs: int, outputs: int, kernel: int | tuple[int, ...] = 3, **attributes: object) -> Conv:
    kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
    axes = len(kernel)
    given = {
        "stride": (1,) * axes,
        "pads": tuple((size // 2, size // 2) for size in kernel),
        "dilation": (1,) * axes,
        **attributes,
    }
    return Conv(in_channels=inputs, out_channels=outputs, kernel=kernel, **given)


def transposed(conv: Conv, output_padding: tuple[int, ...] = (0, 0)) -> ConvTranspose:
    fields = {name: value for name, value in conv.attributes().items() if name != "masked"}
    return ConvTranspose(**fields, output_padding=output_padding)


def layer(op: AnyConv, spatial: Sequence[int] = (8, 8), *, name: str = "conv", data: Tensor | None = None) -> Node:
    data = data or Tensor(name="x", shape=(1, op.in_channels, *spatial), dtype=DType.FLOAT32)
    (shape,) = op.output_shapes((data.shape,))
    weight = Weight(name=f"{name}.weight", shape=op.weight_shape)
    return Node(
        name=name, op=op, operands=(data, Tensor.of(weight)), outputs=(Tensor(name=f"{name}.out", shape=shape),)
    )


def norm_after(node: Node, *, name: str = "bn", affine: bool = True, op: Normalize | None = None) -> Node:
    size = (node.outputs[0].shape[1],)
    roles = {"running_mean": Role.BUFFER, "running_var": Role.BUFFER}
    if affine:
        roles = {"weight": Role.PARAMETER, "bias": Role.PARAMETER, **roles}
    stored = [Tensor.of(Weight(name=f"{name}.{key}", shape=size, role=role)) for key, role in roles.items()]
    return Node(
        name=name,
        op=op or Normalize(method="batch"),
        operands=(node.outputs[0], *stored),
        outputs=(Tensor(name=f"{name}.out", shape=node.outputs[0].shape),),
    )


def graph(*nodes: Node, outputs: Iterable[Tensor] | None = None) -> Graph:
    weights = {weight.name: weight for node in nodes for weight in node.weights}
    written = {tensor.name for node in nodes for tensor in node.outputs}
    inputs = {tensor.name: tensor for node in nodes for tensor in node.inputs if tensor.name not in written}
    return Graph(
        nodes=nodes,
        inputs=tuple(inputs.values()),
        outputs=tuple(outputs) if outputs is not None else nodes[-1].outputs,
        weights=tuple(weights.values()),
        target="model",
        source="test",
    )


@dataclass
class HeldKernels:
    """Values in memory, with a record of what was asked for."""

    values: Mapping[str, FloatArray]
    epsilons: Mapping[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def load(self, weight: Weight) -> FloatArray:
        self.asked.append(weight.name)
        if weight.name not in self.values:
            raise SourceError(f"no values of '{weight.name}'")
        return np.asarray(self.values[weight.name], dtype=np.float64).reshape(weight.shape)

    def epsilon(self, variance: Weight) -> float | None:
        return self.epsilons.get(variance.name)


def golden_kernel() -> FloatArray:
    """The kernel (8, 6, 3, 3) whose energies `tests/data/published.json` lists, by the formula that it states."""
    o, c, i, j = np.meshgrid(range(8), range(6), range(3), range(3), indexing="ij")
    return (((7 * o + 5 * c + 3 * i + 2 * j + o * c + c * i * j + o * i) % 11) - 5).astype(np.float64)


def separability_of_every_kind() -> Separability:
    """A dense layer with its norm, a pointwise and a depthwise one, and one each with NaN, infinity and zeros."""
    dense = layer(conv2d(6, 8), name="dense")
    norm = norm_after(dense)
    nodes = [dense, norm]
    ops = {
        "pointwise": conv2d(8, 8, 1),
        "depthwise": conv2d(8, 8, groups=8),
        "nan": conv2d(8, 8),
        "inf": conv2d(8, 8),
        "zero": conv2d(8, 8),
    }
    for name, op in ops.items():
        nodes.append(layer(op, name=name, data=nodes[-1].outputs[0]))
    generator = np.random.default_rng(0)
    values: dict[str, FloatArray] = {"dense.weight": golden_kernel()}
    values |= {f"bn.{key}": np.full(8, value) for key, value in (("weight", 2.0), ("bias", 0.0), ("running_var", 1.0))}
    values |= {f"{name}.weight": generator.standard_normal(op.weight_shape) for name, op in ops.items()}
    values["nan.weight"][0, 0, 0, 0] = np.nan
    values["inf.weight"][0, 0, 0, :2] = np.inf
    values["zero.weight"][:] = 0
    return separability(graph(*nodes), HeldKernels(values))
