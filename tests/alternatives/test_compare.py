"""Choosing layers, rewriting whole graphs, and the comparison's JSON."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from convcost.alternatives import (
    DEFAULT_ALTERNATIVES,
    ChannelLowRank,
    DepthwiseSeparable,
    Grouped,
    Gsvd,
    RankedAlternative,
    SpatialFactorized,
    SpatialSeparable,
    Standard,
    Tucker2,
    compare_graph,
    rewrite_graph,
)
from convcost.alternatives.choice import convolutions, uncounted_note
from convcost.analysis import analyze_graph
from convcost.errors import UsageError
from convcost.graph import Graph, Node, Role, Tensor, Weight
from convcost.graph.ops import Activation, DeformConv, Unknown
from convcost.weights.families import FAMILIES
from tests.alternatives.layers import conv, graph_of, layer_of, linear_of, transposed
from tests.networks import small_network


def two_layers() -> Graph:
    first = layer_of(conv(3, 8, (3, 3), pads=1), (8, 8), name="stem.conv", bias=True)
    second = layer_of(conv(8, 8, (1, 1)), (8, 8), name="head.conv", data=first.outputs[0])
    return graph_of([first, second])


def test_layers_are_chosen_by_glob_and_by_kernel() -> None:
    assert [layer.name for layer in compare_graph(two_layers(), [Standard()]).layers] == ["stem.conv", "head.conv"]
    chosen = compare_graph(two_layers(), [Standard()], layers=["head.*"]).layers
    assert [layer.name for layer in chosen] == ["head.conv"]
    assert [layer.name for layer in compare_graph(two_layers(), [Standard()], min_kernel=2).layers] == ["stem.conv"]


def test_layers_are_chosen_by_kind() -> None:
    pointwise = compare_graph(two_layers(), [Standard()], kinds=["pointwise", "depthwise"]).layers
    assert [layer.name for layer in pointwise] == ["head.conv"]
    with pytest.raises(UsageError, match="no convolution is of kind depthwise") as caught:
        compare_graph(two_layers(), [Standard()], kinds=["depthwise"])
    assert caught.value.hint == "there are: conv, pointwise"


def test_choosing_nothing_is_an_error_that_says_what_there_is() -> None:
    with pytest.raises(UsageError, match="no convolution is named like nothing") as caught:
        compare_graph(two_layers(), [Standard()], layers=["nothing"])
    assert caught.value.hint == "the first is 'stem.conv'"
    with pytest.raises(UsageError, match="none of 1 convolutions has a kernel of 2 or more"):
        compare_graph(two_layers(), [Standard()], layers=["head.*"], min_kernel=2)
    with pytest.raises(UsageError, match="has no convolution to compare"):
        compare_graph(graph_of([linear_of("fc", 2, 2)]), [Standard()])


def test_maps_and_numbers_of_devices_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="df is one of output, input, not 'middle'"):
        compare_graph(two_layers(), [Standard()], df="middle")  # type: ignore[arg-type] # as Python code may say it
    with pytest.raises(UsageError, match="at least 1 device, not 0"):
        compare_graph(two_layers(), [Standard()], devices=0)


def test_a_convolution_that_could_not_be_counted_is_named_with_the_reason() -> None:
    image, x, y = (Tensor(name=name, shape=(1, 2)) for name in ("image", "x", "y"))
    dynamic = Unknown(operator="Conv", reason="the shape of its input 'x' is known only when it runs", shapes=((1, 2),))
    foreign = Unknown(operator="Foo", reason="operators of the domain 'my' are not known", shapes=((1, 2),))
    nodes = [
        Node(name="foo", op=foreign, operands=(image,), outputs=(x,)),
        Node(name="conv_a", op=dynamic, operands=(x,), outputs=(y,)),
    ]
    graph = Graph(nodes=tuple(nodes), inputs=(image,), outputs=(y,), target="net", source="onnx")
    with pytest.raises(UsageError, match="no convolution") as caught:
        convolutions(graph)
    assert "counted: conv_a (Conv): the shape of its input 'x' is known only when it runs; foo" in caught.value.message
    with pytest.raises(UsageError, match="named like conv_\\*; what could not be counted: conv_a"):
        convolutions(graph, ["conv_*"])
    (note,) = uncounted_note(graph)
    assert note.startswith("left out, for they could not be counted: conv_a (Conv): the shape")
    assert uncounted_note(graph, ["foo"]) == ()


def test_what_could_not_be_counted_is_part_of_the_comparison() -> None:
    comparison = compare_graph(small_network(unknown=True), [Standard()])
    assert comparison.is_lower_bound
    assert comparison.to_json()["unknown"] == [{"op": "my::op", "layers": ["head.mystery"], "reason": "no lowering"}]


def test_totals_change_by_what_the_layers_change() -> None:
    graph = two_layers()
    comparison = compare_graph(graph, DEFAULT_ALTERNATIVES)
    whole = analyze_graph(graph).totals
    for position, total in enumerate(comparison.totals):
        used = [
            (layer.candidates[position] if layer.candidates[position].is_applicable else layer.standard, layer.standard)
            for layer in comparison.layers
        ]
        assert total.macs == whole.macs + sum(new.cost.macs - old.cost.macs for new, old in used)
        assert total.params == whole.params + sum(new.params - old.params for new, old in used)
        assert total.activation_bytes == whole.activation_bytes + sum(
            new.activation_bytes - old.activation_bytes for new, old in used
        )
    assert [total.replaced_layers for total in comparison.totals] == [0, 1, 1, 1, 1]


def test_layers_to_which_an_alternative_does_not_apply_stay() -> None:
    graph = two_layers()
    rewritten, replaced = rewrite_graph(graph, graph.nodes, DepthwiseSeparable())
    assert [node.name for node in rewritten.nodes] == ["stem.conv/depthwise", "stem.conv/pointwise", "head.conv"]
    assert replaced == 1
    assert rewritten.nodes[-1] is graph.nodes[-1]


def test_a_rewritten_graph_forgets_kernels_that_nothing_reads_and_keeps_those_that_nothing_read() -> None:
    graph = two_layers()
    unused = Weight(name="unused", shape=(7,))
    graph = dataclasses.replace(graph, weights=(*graph.weights, unused))
    rewritten, _ = rewrite_graph(graph, graph.nodes, DepthwiseSeparable())
    names = {weight.name.partition(":")[0] for weight in rewritten.weights}
    assert names == {
        "stem.conv.weight/depthwise",
        "stem.conv.weight/pointwise",
        "stem.conv.bias",
        "head.conv.weight",
        "unused",
    }
    assert analyze_graph(rewritten).totals.params == (3 * 9 + 3 * 8 + 8) + 64 + 7


def test_a_shared_layer_stays_shared_when_rewritten() -> None:
    kernel = Weight(name="shared", shape=(4, 4, 3, 3))
    op = conv(4, 4, (3, 3), pads=1)
    first = layer_of(op, (6, 6), name="a", weight=kernel)
    second = layer_of(op, (6, 6), name="b", weight=kernel, data=first.outputs[0])
    (total,) = compare_graph(graph_of([first, second]), [DepthwiseSeparable()]).totals
    assert total.params == 4 * 9 + 4 * 4
    assert total.macs == 2 * (4 * 9 + 4 * 4) * 36


def test_a_kernel_shared_with_a_layer_that_is_not_rewritten_is_stored_beside_the_new_ones() -> None:
    kernel = Weight(name="shared", shape=(4, 4, 3, 3))
    op = conv(4, 4, (3, 3), pads=1)
    first = layer_of(op, (6, 6), name="a", weight=kernel)
    second = layer_of(op, (6, 6), name="b", weight=kernel, data=first.outputs[0])
    (total,) = compare_graph(graph_of([first, second]), [DepthwiseSeparable()], layers=["a"]).totals
    assert total.params == 4 * 4 * 9 + (4 * 9 + 4 * 4)


def test_a_kernel_tied_between_a_convolution_and_its_transpose_is_not_merged_into_one_shape() -> None:
    kernel = Weight(name="tied", shape=(6, 2, 3, 3))
    encoder = layer_of(conv(2, 6, (3, 3), pads=1), (6, 6), name="encoder", weight=kernel)
    decoder = layer_of(
        transposed(conv(6, 2, (3, 3), pads=1)), (6, 6), name="decoder", weight=kernel, data=encoder.outputs[0]
    )
    graph = graph_of([encoder, decoder])
    for alternative in (SpatialFactorized(), DepthwiseSeparable(), SpatialSeparable()):
        rewritten, _ = rewrite_graph(graph, graph.nodes, alternative)
        stored = {weight.name: weight.shape for weight in rewritten.weights}
        for node in rewritten.nodes:
            assert all(stored[weight.name] == weight.shape for weight in node.weights)


def test_two_layers_that_read_different_halves_of_one_tensor_get_kernels_of_their_own() -> None:
    both = Weight(name="both", shape=(8, 4, 3, 3))
    op = conv(4, 4, (3, 3), pads=1)
    nodes = []
    for name in ("a", "b"):
        whole = layer_of(op, (6, 6), name=name)
        half = Tensor(name=f"{name}.half", shape=(4, 4, 3, 3), weight=both)
        nodes.append(dataclasses.replace(whole, operands=(whole.operands[0], half)))
    (standard, separable) = compare_graph(graph_of(nodes), [Standard(), DepthwiseSeparable()]).totals
    assert standard.params == 8 * 4 * 9
    assert separable.params == 2 * (4 * 9 + 4 * 4)


def test_a_kernel_that_is_no_parameter_is_replaced_by_kernels_that_are_none() -> None:
    blur = Weight(name="blur", shape=(4, 4, 3, 3), role=Role.BUFFER)
    graph = graph_of([layer_of(conv(4, 4, (3, 3)), (6, 6), weight=blur)])
    comparison = compare_graph(graph, [Standard(), SpatialFactorized()])
    assert [total.params for total in comparison.totals] == [0, 0]


def test_a_kernel_that_the_network_computes_has_no_alternative() -> None:
    layer = layer_of(conv(4, 4, (3, 3)), (6, 6))
    made = Tensor(name="kernel", shape=(4, 4, 3, 3))
    graph = graph_of([dataclasses.replace(layer, operands=(layer.operands[0], made))])
    standard, separable = compare_graph(graph, [Standard(), DepthwiseSeparable()]).layers[0].candidates
    assert standard.is_applicable
    assert separable.reason == "its kernel is computed by the network, not stored"
    assert separable.to_json(standard, axes=2)["macs"] is None


def test_deformable_convolutions_are_no_candidates() -> None:
    plain = conv(2, 2, (3, 3))
    fields = {field.name: getattr(plain, field.name) for field in dataclasses.fields(plain)}
    op = DeformConv(**fields)
    x, offset = Tensor(name="x", shape=(1, 2, 5, 5)), Tensor(name="o", shape=(1, 18, 3, 3))
    kernel = Tensor.of(Weight(name="w", shape=op.weight_shape))
    output = Tensor(name="y", shape=(1, 2, 3, 3))
    graph = graph_of([Node(name="deform", op=op, operands=(x, kernel, offset), outputs=(output,))])
    with pytest.raises(UsageError, match="has no convolution to compare"):
        compare_graph(graph, [Standard()])


def test_a_repeated_layer_costs_its_alternative_as_often() -> None:
    op = conv(4, 4, (3, 3), pads=1)
    (once,) = compare_graph(graph_of([layer_of(op, (6, 6))]), [DepthwiseSeparable()]).totals
    (thrice,) = compare_graph(graph_of([layer_of(op, (6, 6), repeat=3)]), [DepthwiseSeparable()]).totals
    assert thrice.macs == 3 * once.macs


def test_unknown_ops_make_the_comparison_a_lower_bound() -> None:
    layer = layer_of(conv(4, 4, (3, 3)), (6, 6))
    mystery = Node(
        name="mystery",
        op=Unknown(operator="Mystery", reason="test", shapes=((1,),)),
        operands=layer.outputs,
        outputs=(Tensor(name="z", shape=(1,)),),
    )
    assert not compare_graph(graph_of([layer]), [Standard()]).is_lower_bound
    assert compare_graph(graph_of([layer, mystery]), [Standard()]).is_lower_bound


def test_in_place_activations_after_a_rewritten_layer_still_find_its_output() -> None:
    layer = layer_of(conv(4, 4, (3, 3), pads=1), (6, 6))
    (y,) = layer.outputs
    relu = Node(
        name="relu",
        op=Activation(function="relu"),
        operands=(y,),
        outputs=(Tensor(name="relu.y", shape=y.shape, alias=y.buffer),),
    )
    rewritten, replaced = rewrite_graph(graph_of([layer, relu]), [layer], SpatialSeparable())
    assert replaced == 1
    assert rewritten.nodes[-1] is relu


def test_json_gives_the_layer_its_alternatives_and_their_stages() -> None:
    graph = graph_of([layer_of(conv(4, 8, (3, 3), pads=1), (6, 6), batch=None, bias=True)])
    document = compare_graph(graph, [SpatialSeparable(), Grouped(groups=3)]).to_json()
    assert document["schema"] == "convcost/comparison/1"
    (layer,) = document["layers"]  # type: ignore[misc]
    assert layer["conv"] == {  # type: ignore[index, call-overload]
        "type": "conv",
        "in_channels": 4,
        "out_channels": 8,
        "kernel": [3, 3],
        "input": [6, 6],
        "output": [6, 6],
        "stride": [1, 1],
        "padding": [[1, 1], [1, 1]],
        "dilation": [1, 1],
        "groups": 1,
        "bias": True,
        "batch": 1,
    }
    textbook, grouped = layer["alternatives"]  # type: ignore[index, call-overload]
    assert [(stage["name"], stage["output"]) for stage in textbook["stages"]] == [
        ("vertical", [6, 6]),
        ("reorder", [6, 6]),
        ("horizontal", [6, 6]),
    ]
    assert textbook["ratio_macs"] == pytest.approx(6 / 9)
    assert grouped["applicable"] is False
    assert grouped["reason"] == "3 groups do not divide 4 input and 8 output channels"
    assert grouped["macs"] is None


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("family", [family.label for family in FAMILIES])
def test_a_rank_above_the_full_rank_of_the_kernel_is_refused(family: str, groups: int) -> None:
    (unfolded,) = (each for each in FAMILIES if each.label == family)
    for op in (conv(4, 60, (3, 2), groups=groups), conv(60, 4, (3, 2), groups=groups)):
        kernel = np.random.default_rng(0).normal(size=(groups, op.out_channels // groups, *op.weight_shape[1:]))
        full = unfolded.spectrum(kernel).full_rank * unfolded.ranked.rank_step(op)
        at_full, above = unfolded.at_rank(op, full), unfolded.ranked.at_rank(full + unfolded.ranked.rank_step(op))
        if isinstance(above, Tucker2):
            above = Tucker2(rank_in=op.in_channels + groups)
        first, second = compare_graph(graph_of([layer_of(op, (9, 9))]), [at_full, above]).layers[0].candidates
        assert first.reason is None
        assert second.reason is not None
        assert second.reason.endswith("at which it is the layer itself")


@pytest.mark.parametrize(
    ("alternative", "reason"),
    [
        (ChannelLowRank(rank=65), "rank 65 is above the full rank 27"),
        (ChannelLowRank(rank=4, order="pw_conv"), "rank 4 is above the full rank 3"),
        (Tucker2(rank_in=4), "rank 4 is above the full rank 3"),
        (Tucker2(rank_out=65), "rank 65 is above the full rank 64"),
        (Gsvd(groups=3, rank=10), "rank 10 is above the full rank 9"),
        (SpatialFactorized(rank=10), "rank 10 is above the full rank 9"),
        (DepthwiseSeparable(multiplier=10), "rank 10 is above the full rank 9"),
        (DepthwiseSeparable(multiplier=4, order="pw_dw"), "rank 4 is above the full rank 3"),
        (SpatialFactorized(rank=64), None),
        (SpatialFactorized(), None),
    ],
)
def test_a_rank_out_of_range_leaves_the_model_as_it_is(alternative: RankedAlternative, reason: str | None) -> None:
    comparison = compare_graph(graph_of([layer_of(conv(3, 64, (3, 3)), (9, 9))]), [alternative])
    found = comparison.layers[0].candidates[0].reason
    assert (found is None) if reason is None else (found or "").startswith(reason)
    assert comparison.totals[0].replaced_layers == (1 if reason is None else 0)
