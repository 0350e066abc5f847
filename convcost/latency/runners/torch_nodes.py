"""A graph's nodes as an `nn.Module`, with random weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from convcost.graph import Graph, Node, Weight
from convcost.latency.runners.memory import check_fits
from convcost.latency.runners.prepared import UnrunnableError
from convcost.latency.runners.random_values import random_weight
from convcost.latency.runners.torch_module import as_tensor
from convcost.latency.runners.torch_ops import Computation, computation
from convcost.latency.setting import Setting
from convcost.latency.workload import TorchModule, needed_bytes


class NodeCall(nn.Module):
    """One node. `stored` are its weights by operand position; the other operands come with the call."""

    def __init__(self, compute: Computation, stored: dict[int, torch.Tensor], repeat: int) -> None:
        super().__init__()
        self._compute = compute
        self._stored = stored
        self._repeat = repeat

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        operands = list(values)
        for position, weight in self._stored.items():
            operands.insert(position, weight)
        result = self._compute(*operands)
        for _ in range(self._repeat - 1):
            result = self._compute(*operands)
        return result


class NodeSequence(nn.Module):
    """The nodes in order; a value is let go after the last node that reads it, as a runtime would."""

    def __init__(self, graph: Graph, calls: Sequence[NodeCall]) -> None:
        super().__init__()
        self.calls = nn.ModuleList(calls)
        self._inputs = [tensor.name for tensor in graph.inputs]
        self._outputs = [tensor.name for tensor in graph.outputs if tensor.weight is None]
        self._steps = [([t.name for t in node.inputs], node.outputs[0].name) for node in graph.nodes]
        last = {name: index for index, (reads, _) in enumerate(self._steps) for name in reads}
        kept = set(self._outputs)
        self._done = [
            [name for name in dict.fromkeys(reads) if last[name] == index and name not in kept]
            for index, (reads, _) in enumerate(self._steps)
        ]

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        values = dict(zip(self._inputs, inputs, strict=True))
        for call, (reads, writes), done in zip(self.calls, self._steps, self._done, strict=True):
            values[writes] = call(*[values[name] for name in reads])
            for name in done:
                del values[name]
        return tuple(values[name] for name in self._outputs)


def build_module(graph: Graph, setting: Setting) -> TorchModule:
    """The graph as a module on the CPU and its inputs on the meta device.

    Raises `UnrunnableError` for nodes that a graph does not describe well enough, and for what does not fit.
    """
    check_fits(needed_bytes(graph), setting)
    weights = _random_weights(graph.weights, setting)
    calls = [_node_call(node, graph, weights) for node in graph.nodes]
    inputs = tuple(
        torch.empty(tensor.shape, dtype=getattr(torch, tensor.dtype.value), device="meta") for tensor in graph.inputs
    )
    module = NodeSequence(graph, calls).to(setting.device)
    return TorchModule(module=module, args=inputs, graph=graph)


def _random_weights(weights: Sequence[Weight], setting: Setting) -> dict[str, torch.Tensor]:
    generator = np.random.default_rng(setting.seed)
    return {
        weight.name: as_tensor(
            random_weight(weight.shape, weight.dtype, generator), getattr(torch, weight.dtype.value)
        ).to(setting.device)
        for weight in weights
    }


def _node_call(node: Node, graph: Graph, weights: dict[str, torch.Tensor]) -> NodeCall:
    if len(node.outputs) != 1:
        raise UnrunnableError(f"'{node.name}' has {len(node.outputs)} results, and only nodes with one can be built")
    stored = {
        position: weights[tensor.weight.name].reshape(tensor.shape)
        for position, tensor in enumerate(node.operands)
        if tensor.weight is not None
    }
    return NodeCall(computation(node.op, node, graph), stored, node.repeat)
