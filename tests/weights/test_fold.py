"""Batch norm folded into a kernel, against torch running both one after the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convcost.graph import Node, Tensor
from convcost.graph.ops import Activation, Normalize
from convcost.weights.fold import USUAL_EPSILON, batch_norm, fold, following_batch_norms
from convcost.weights.layout import from_stored, to_stored
from tests.alternatives.execution import apply
from tests.weights.models import HeldKernels, conv2d, graph, layer, norm_after, transposed


def held(channels: int, **epsilons: float) -> HeldKernels:
    generator = np.random.default_rng(0)
    return HeldKernels(
        {
            "bn.weight": generator.standard_normal(channels),
            "bn.bias": generator.standard_normal(channels),
            "bn.running_mean": generator.standard_normal(channels),
            "bn.running_var": generator.uniform(0.1, 2, channels),
        },
        epsilons={f"bn.{name}": value for name, value in epsilons.items()},
    )


@pytest.mark.parametrize("op", [conv2d(4, 6, 3, groups=2), transposed(conv2d(4, 6, 3, groups=2))])
@pytest.mark.parametrize("affine", [True, False])
def test_a_folded_kernel_does_what_convolution_and_norm_do(op, affine):
    conv = layer(op)
    kernels = held(6, running_var=1e-3)
    stored = np.random.default_rng(1).standard_normal(op.weight_shape)
    norm = batch_norm(norm_after(conv, affine=affine))
    folded = to_stored(op, fold(from_stored(op, stored), norm.factors(kernels)))
    mean, variance, scale = (
        torch.from_numpy(kernels.values[f"bn.{name}"]) for name in ("running_mean", "running_var", "weight")
    )
    data = torch.randn((1, 4, 8, 8), dtype=torch.float64)
    wanted = torch.nn.functional.batch_norm(
        apply(op, data, torch.from_numpy(stored)), mean, variance, scale if affine else None, None, eps=1e-3
    )
    # The norm's shift is the same at every position: differences between positions are the kernel's alone.
    found = apply(op, data, torch.from_numpy(folded))
    torch.testing.assert_close(found - found[..., :1, :1], wanted - wanted[..., :1, :1])


def test_epsilon_of_the_graph_comes_before_the_readers_and_both_before_the_usual():
    conv = layer(conv2d(1, 6))
    norm = batch_norm(norm_after(conv, affine=False))
    variance = held(6).values["bn.running_var"]
    for kernels, epsilon in ((held(6, running_var=0.5), 0.5), (held(6), USUAL_EPSILON)):
        np.testing.assert_allclose(norm.factors(kernels), 1 / np.sqrt(variance + epsilon), rtol=1e-12)
        assert norm.assumes_epsilon(kernels) is (epsilon == USUAL_EPSILON)


def test_only_a_norm_that_alone_reads_the_convolution_is_folded():
    conv = layer(conv2d(2, 2))
    norm = norm_after(conv)
    relu = Node(
        name="relu",
        op=Activation(function="relu"),
        operands=conv.outputs,
        outputs=(Tensor(name="relu.out", shape=conv.outputs[0].shape),),
    )
    assert following_batch_norms(graph(conv, norm)) == {"conv": norm}
    assert following_batch_norms(graph(conv, norm, relu)) == {}
    assert following_batch_norms(graph(conv, norm, outputs=(*norm.outputs, *conv.outputs))) == {}
    assert following_batch_norms(graph(conv, norm_after(conv, op=Normalize(method="group")))) == {}
    after_relu = norm_after(relu)
    assert following_batch_norms(graph(conv, relu, after_relu)) == {}


def test_a_norm_without_stored_statistics_cannot_be_folded():
    conv = layer(conv2d(2, 2))
    stored = norm_after(conv).operands
    without = Node(name="bn", op=Normalize(method="batch"), operands=stored[:3], outputs=norm_after(conv).outputs)
    assert batch_norm(without) is None


def test_a_negative_variance_is_nan_and_no_warning():
    norm = batch_norm(norm_after(layer(conv2d(1, 2)), affine=False))
    with np.errstate(all="raise"):
        factors = norm.factors(HeldKernels({"bn.running_var": np.array([-1.0, 1.0])}))
        scaled = fold(np.full((1, 2, 1, 1, 1), 1e308), np.array([1e308, 0.0]))
    assert np.isnan(factors).tolist() == [True, False]
    assert np.isinf(scaled).any()
