"""A convolution as it runs: with the batch normalisation that follows it folded into its kernel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from convcost.dataclasses import dataclass
from convcost.graph import Graph, Node, Role, Weight
from convcost.graph.ops import Conv, ConvTranspose, Normalize
from convcost.weights.layout import Kernel
from convcost.weights.read import FloatArray, KernelReader

USUAL_EPSILON = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNorm:
    """Stored statistics that a convolution's output channels are scaled by; `scale` is absent where it is 1.

    `epsilon` is None where the graph does not hold it.
    """

    name: str
    variance: Weight
    scale: Weight | None
    epsilon: float | None

    def factors(self, kernels: KernelReader) -> FloatArray:
        """What each output channel is multiplied by: `scale / sqrt(variance + epsilon)`, shape `(N,)`.

        NaN where the variance is negative; no warning, since findings report it.
        """
        known = self.epsilon if self.epsilon is not None else kernels.epsilon(self.variance)
        epsilon = USUAL_EPSILON if known is None else known
        with np.errstate(all="ignore"):
            inverse = 1.0 / np.sqrt(kernels.load(self.variance) + epsilon)
            return inverse if self.scale is None else kernels.load(self.scale) * inverse

    def assumes_epsilon(self, kernels: KernelReader) -> bool:
        """Whether neither graph nor reader knows epsilon, so that 1e-5 stands in."""
        return self.epsilon is None and kernels.epsilon(self.variance) is None


def fold(kernel: Kernel, factors: FloatArray) -> Kernel:
    """Each output channel's kernels times its factor; factors have shape `(N,)`."""
    g, outputs, *rest = kernel.shape
    with np.errstate(all="ignore"):
        scaled: Kernel = kernel * factors.reshape(g, outputs, *(1 for _ in rest))
    return scaled


def following_batch_norms(graph: Graph) -> Mapping[str, Node]:
    """By name of each convolution, the batch-norm node that alone reads its output.

    Where anything else reads it too, or it is an output of the graph, the unscaled values are needed and
    nothing can be folded.
    """
    readers = Counter(tensor.name for node in graph.nodes for tensor in node.operands)
    readers.update(tensor.name for tensor in graph.outputs)
    producers = {node.outputs[0].name: node.name for node in graph.nodes if isinstance(node.op, Conv | ConvTranspose)}
    return {
        producers[node.operands[0].name]: node
        for node in graph.nodes
        if isinstance(node.op, Normalize)
        and node.op.method == "batch"
        and node.operands[0].name in producers
        and readers[node.operands[0].name] == 1
    }


def batch_norm(node: Node) -> BatchNorm | None:
    """What a batch-norm node stores; None where its statistics come from the data, or its scale from other nodes.

    Its operands are data, then scale and shift unless it has none, then running mean and variance.
    """
    stored = [tensor.weight for tensor in node.operands[1:] if tensor.weight is not None]
    epsilon = node.op.attributes().get("epsilon")
    if len(stored) not in (2, 4) or (len(stored) == 2 and stored[1].role is not Role.BUFFER):
        return None
    return BatchNorm(
        name=node.name,
        variance=stored[-1],
        scale=stored[0] if len(stored) == 4 else None,
        epsilon=float(epsilon) if isinstance(epsilon, int | float) else None,
    )
