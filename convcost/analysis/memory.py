"""Peak activation memory from liveness alone."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import TypeAlias

from convcost.graph import Graph, Node

_Life: TypeAlias = tuple[str, int, int, int]
"""Memory by its owner's name: the bytes, and the first and the last step that touches it. A bare tuple, for there is
one for every node."""


def peak_activation_bytes(graph: Graph) -> int:
    """The largest sum of non-weight tensors alive at one node, in execution order.

    A tensor lives from the node that writes it (a network input: the first that reads it) to the last that
    reads it or a view of it; the network's outputs live to the end. Views and in-place results share
    their owner's memory. What passes between the layers of one stacked op counts while it does.
    """
    last = dict.fromkeys([tensor.buffer for tensor in graph.outputs], len(graph.nodes) - 1)
    lives = _of_results(graph.nodes, last)
    lives += _of_others(graph.nodes, last)
    change = [0] * (len(graph.nodes) + 1)
    for _, nbytes, first, end in lives:
        change[first] += nbytes
        change[end + 1] -= nbytes
    live = list(accumulate(change))
    return max(live + _stacked(graph.nodes, live, lives))


def _of_results(nodes: tuple[Node, ...], last: dict[str, int]) -> list[_Life]:
    """The lives of what nodes write, leaving in `last` the last steps of what they only read.

    From the last node to the first, so that no more is held at a time than is alive: a look into it stays quick.
    """
    lives = []
    for step in range(len(nodes) - 1, -1, -1):
        node = nodes[step]
        for tensor in node.operands:
            if tensor.weight is None:
                last.setdefault(tensor.alias or tensor.name, step)
        for tensor in reversed(node.outputs):  # one may be a view of another before it
            if tensor.weight is not None:
                continue
            if tensor.alias:
                last.setdefault(tensor.alias, step)
            else:
                lives.append((tensor.name, tensor.nbytes, step, last.pop(tensor.name, step)))
    return lives


def _of_others(nodes: tuple[Node, ...], last: dict[str, int]) -> Iterable[_Life]:
    """The lives of the network's inputs, and of stored memory that is written in place; of none that nothing touches.

    What a view shows may be more or less than its owner holds, whose own size goes before it.
    """
    lives: dict[str, _Life] = {}
    unsized = set(last)
    for step, node in enumerate(nodes):
        if not unsized:
            break
        for tensor in node.operands + node.outputs:
            name = tensor.buffer
            if name in unsized and tensor.weight is None:
                if name not in lives:
                    lives[name] = (name, tensor.nbytes, step, last[name])
                if not tensor.alias:
                    lives[name] = (name, tensor.nbytes, lives[name][2], last[name])
                    unsized.remove(name)
    return lives.values()


def _stacked(nodes: tuple[Node, ...], live: list[int], lives: list[_Life]) -> list[int]:
    """What is alive while the layers of one stacked op hand on to one another: at its last, inputs that nothing else
    reads are gone."""
    passing = {step: nbytes for step, node in enumerate(nodes) if (nbytes := node.op.passing_bytes(node.outputs))}
    if not passing:
        return []
    ending: dict[int, dict[str, int]] = {step: {} for step in passing}
    for name, nbytes, _, last in lives:
        if last in ending:
            ending[last][name] = nbytes
    return [live[step] + nbytes - _ended(nodes[step], ending[step]) for step, nbytes in passing.items()]


def _ended(node: Node, ending: dict[str, int]) -> int:
    read = {tensor.buffer for tensor in node.inputs} - {tensor.buffer for tensor in node.outputs}
    return sum([ending[name] for name in read if name in ending])
