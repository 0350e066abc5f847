"""Whole models: what is said of each layer, what is left out, and what the words rest on."""

from __future__ import annotations

import dataclasses
import json
import pickle

import numpy as np
import pytest

from convcost.alternatives import SpatialFactorized, Tucker2
from convcost.errors import SourceError, UsageError
from convcost.graph import DType, Node, Tensor, Weight
from convcost.weights import LayerSeparability, layer_separabilities, separability
from convcost.weights.spectra import by_input_channel, column_then_row, spectrum
from tests.weights.models import HeldKernels, conv2d, golden_kernel, graph, layer, norm_after, transposed

GENERIC = np.random.default_rng(7).standard_normal((4, 4, 3, 3))


def held(*nodes: Node, seed: int = 0, **given: np.ndarray) -> HeldKernels:
    generator = np.random.default_rng(seed)
    stored = {weight.name: weight.shape for node in nodes for weight in node.weights}
    values = {name: generator.uniform(0.1, 1, shape) - (0.5 if len(shape) > 1 else 0) for name, shape in stored.items()}
    return HeldKernels({**values, **{name.replace("__", "."): value for name, value in given.items()}})


def only(node: Node, kernels: HeldKernels, **options: object) -> LayerSeparability:
    (found,) = separability(graph(node), kernels, **options).layers
    return found


def family(found: LayerSeparability, label: str):
    return next(each for each in found.families if each.label == label)


def test_a_random_64_channel_kernel_keeps_37_percent_at_a_quarter_of_the_macs_and_no_excess():
    node = layer(conv2d(64, 64))
    kernel = np.random.default_rng(5).standard_normal((64, 64, 3, 3))
    found = family(only(node, held(node, conv__weight=kernel)), "spatial-factorised vh")
    quarter = found.points[0]
    assert quarter.macs * 4 == node.cost.macs
    assert quarter.energy == pytest.approx(0.37, abs=0.01)
    assert abs(quarter.excess) < 0.005


def test_a_kernel_made_of_few_terms_shows_its_rank_and_its_excess():
    node = layer(conv2d(16, 16))
    generator = np.random.default_rng(0)
    kernel = np.einsum(
        "rcia,roaj->ocij", generator.standard_normal((4, 16, 3, 1)), generator.standard_normal((4, 16, 1, 3))
    )
    found = family(only(node, held(node, conv__weight=kernel)), "spatial-factorised vh")
    assert dict(found.rank_for)[0.99] <= 4
    assert found.half_macs.energy == pytest.approx(1)
    assert found.half_macs.excess > 0.3


def test_golden_energies_are_shown_at_the_ranks_asked_for():
    node = layer(conv2d(6, 8))
    found = only(node, held(node, conv__weight=golden_kernel()), ranks=(1, 4, 9))
    points = family(found, "spatial-factorised vh").points
    assert [point.rank for point in points] == [1, 4, 9]
    assert [point.energy for point in points] == pytest.approx(
        [0.168064156457, 0.539106318334, 0.877618818896], abs=1e-9
    )
    (two,) = (each for each in found.groupings if each.groups == 2)
    assert (two.in_order, two.reordered) == pytest.approx((0.532783127006, 0.555937643283), abs=1e-9)
    assert two.macs * 2 == node.cost.macs


def test_a_rank_above_the_full_one_is_shown_as_the_full_one():
    node = layer(conv2d(6, 8))
    for form in only(node, held(node, conv__weight=golden_kernel()), ranks=(9999,)).families:
        assert form.reason or [point.rank for point in form.points] == [form.full_rank]


def test_half_the_macs_is_the_largest_rank_that_costs_no_more():
    node = layer(conv2d(12, 20, stride=(2, 1)), (9, 7))
    for label in ("spatial-factorised vh", "depthwise-separable dw-pw", "depthwise-separable pw-dw"):
        found = family(only(node, held(node)), label)
        half = found.half_macs
        assert half.macs <= node.cost.macs / 2
        one_more = sum(stage.cost.macs for stage in rewritten(found, node, half.rank + 1))
        assert one_more > node.cost.macs / 2
        assert half.macs == sum(stage.cost.macs for stage in rewritten(found, node, half.rank))


def rewritten(found, node, rank):
    from convcost.alternatives import ALTERNATIVES

    rank_option = "rank" if found.name == "spatial_factorized" else "multiplier"
    return ALTERNATIVES[found.name](**dict(found.options), **{rank_option: rank}).rewrite(node, node.op)


def test_where_even_the_smallest_rank_costs_more_there_is_no_half():
    node = layer(conv2d(2, 2))
    assert family(only(node, held(node)), "depthwise-separable dw-pw").half_macs is None


def test_ranks_of_a_grouped_layer_count_all_groups_together():
    node = layer(conv2d(12, 12, groups=3))
    kernels = held(node)
    found = family(only(node, kernels, ranks=(3, 7)), "spatial-factorised vh")
    blocks = spectrum(column_then_row(kernels.values["conv.weight"].reshape(3, 4, 4, 3, 3)))
    assert [(point.rank, point.energy) for point in found.points] == [
        (3, pytest.approx(blocks.at(1))),
        (6, pytest.approx(blocks.at(2))),
    ]
    assert found.full_rank == 36
    assert found.points[0].macs == sum(stage.cost.macs for stage in SpatialFactorized(rank=3).rewrite(node, node.op))


def test_a_transposed_layer_is_read_with_its_channels_where_they_are():
    op = conv2d(6, 8)
    plain, turned = layer(op), layer(transposed(op))
    kernel = golden_kernel()
    straight = only(plain, held(plain, conv__weight=kernel))
    swapped = only(turned, held(turned, conv__weight=kernel.swapaxes(0, 1)))
    for one, other in zip(straight.families, swapped.families, strict=True):
        assert one.rank_for == other.rank_for


def test_depthwise_kernels_are_told_apart_one_by_one():
    op = conv2d(6, 6, groups=6)
    node = layer(op)
    kernel = np.random.default_rng(0).standard_normal((6, 1, 3, 3))
    kernel[:4, 0] = np.outer([1, 2, 1], [1, 0, -1])
    found = only(node, held(node, conv__weight=kernel))
    assert (found.kind, found.separable.separable, found.separable.kernels) == ("depthwise", 4, 6)
    assert "already depthwise" in family(found, "depthwise-separable dw-pw").reason
    assert family(found, "spatial-factorised vh").is_applicable
    assert found.groupings == ()


def test_groups_of_a_grouped_layer_are_split_and_compared_with_their_own_chance():
    node = layer(conv2d(16, 16, groups=2))
    found = only(node, held(node))
    assert [(each.groups, each.in_order_random) for each in found.groupings] == [(4, 1 / 2), (8, 1 / 4), (16, 1 / 8)]
    assert all(each.macs * each.groups == 2 * node.cost.macs for each in found.groupings)
    assert all(each.in_order == pytest.approx(each.in_order_random, abs=0.1) for each in found.groupings)
    assert all(each.reordered_random > each.in_order_random for each in found.groupings[:2])


def test_tucker_keeps_no_more_channels_than_a_side_has():
    node = layer(conv2d(4, 12))
    found = family(only(node, held(node), ranks=(8,)), "tucker2")
    assert found.points[0].macs == sum(
        stage.cost.macs for stage in Tucker2(rank_in=4, rank_out=8).rewrite(node, node.op)
    )


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_scale_of_a_kernel_changes_nothing(scale):
    node = layer(conv2d(4, 4))
    one, other = (only(node, held(node, conv__weight=kernel)) for kernel in (GENERIC, GENERIC * scale))
    for of_one, of_other in zip(one.families, other.families, strict=True):
        assert of_one.rank_for == of_other.rank_for
        assert [p.energy for p in of_one.points] == pytest.approx([p.energy for p in of_other.points], abs=1e-12)
    assert [each.in_order for each in one.groupings] == pytest.approx([each.in_order for each in other.groupings])


def test_families_that_do_not_apply_say_why_and_hold_no_numbers():
    node = layer(conv2d(4, 4, 1))
    found = only(node, held(node))
    assert found.separable is None
    spatial = family(found, "spatial-factorised vh")
    assert spatial.reason
    assert (spatial.points, spatial.half_macs, spatial.to_json()["full_rank"]) == ((), None, None)


def test_batch_norm_is_folded_before_anything_is_measured():
    conv = layer(conv2d(3, 4))
    norm = norm_after(conv)
    kernels = held(conv, norm, bn__weight=np.array([1e-9, 1.0, 1e-9, 1e-9]))
    found = separability(graph(conv, norm), kernels).layers[0]
    alone = by_input_channel(kernels.values["conv.weight"][None, 1:2])
    assert found.folded == "bn"
    assert [finding.code for finding in found.findings] == ["assumed_epsilon"]
    assert family(found, "depthwise-separable dw-pw").rank_for == tuple(
        (share, spectrum(alone).rank_for(share)) for share in (0.90, 0.95, 0.99)
    )
    kernels.epsilons = {"bn.running_var": 1e-5}
    assert separability(graph(conv, norm), kernels).layers[0].findings == ()


def test_a_norm_over_the_datas_own_statistics_is_said_and_not_folded():
    conv = layer(conv2d(3, 4))
    whole = norm_after(conv)
    norm = dataclasses.replace(whole, operands=whole.operands[:3])
    found = separability(graph(conv, norm), held(conv, norm)).layers[0]
    assert found.folded is None
    assert [finding.code for finding in found.findings] == ["not_folded"]
    assert found.families


def test_a_transposed_view_of_a_square_kernel_is_not_taken_for_the_kernel():
    node = layer(conv2d(4, 4))
    weight = node.operands[1].weight
    view = dataclasses.replace(
        node, operands=(node.operands[0], Tensor(name="turned", shape=weight.shape, weight=weight))
    )
    found = only(view, held(node))
    assert ([finding.code for finding in found.findings], found.families) == (["view"], ())


@pytest.mark.parametrize(("value", "code"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "inf")])
def test_values_that_are_no_numbers_are_found_and_counted(value, code):
    node = layer(conv2d(4, 4))
    kernel = np.ones((4, 4, 3, 3))
    kernel[0, 0] = value
    found = only(node, held(node, conv__weight=kernel))
    assert [finding.code for finding in found.findings] == [code]
    assert found.findings[0].message.startswith("9 of 144 ")
    assert (found.families, found.separable, found.groupings) == ((), None, ())


def test_an_all_zero_kernel_is_found():
    node = layer(conv2d(4, 4))
    assert [f.code for f in only(node, held(node, conv__weight=np.zeros((4, 4, 3, 3)))).findings] == ["zero"]


def test_a_single_zero_channel_is_no_trouble():
    node = layer(conv2d(4, 4))
    kernel = np.random.default_rng(0).standard_normal((4, 4, 3, 3))
    kernel[1] = kernel[:, 2] = 0
    found = only(node, held(node, conv__weight=kernel))
    assert not found.findings
    assert all(np.isfinite(point.energy) for each in found.families for point in each.points)


def with_kernel(node: Node, weight: Weight | None, shape: tuple[int, ...]) -> Node:
    operand = Tensor(name="kernel", shape=shape, weight=weight)
    return dataclasses.replace(node, operands=(node.operands[0], operand))


def test_quantized_kernels_are_found_without_being_read():
    node = layer(conv2d(4, 4))
    quantized = with_kernel(node, Weight(name="q", shape=(4, 4, 3, 3), dtype=DType.INT8), (4, 4, 3, 3))
    kernels = HeldKernels({})
    found = only(quantized, kernels)
    assert [finding.code for finding in found.findings] == ["quantized"]
    assert "int8" in found.findings[0].message
    assert kernels.asked == []


def test_a_kernel_that_is_a_part_of_a_weight_is_not_guessed_at():
    node = layer(conv2d(4, 4))
    part = with_kernel(node, Weight(name="w", shape=(8, 4, 3, 3)), (4, 4, 3, 3))
    assert [finding.code for finding in only(part, HeldKernels({})).findings] == ["view"]


def test_a_kernel_computed_by_the_network_is_found():
    node = layer(conv2d(4, 4))
    computed = Tensor(name="kernel", shape=(4, 4, 3, 3))
    found = only(dataclasses.replace(node, operands=(node.operands[0], computed)), HeldKernels({}))
    assert [finding.code for finding in found.findings] == ["computed"]
    assert found.weight == ""


def test_missing_values_are_an_error_and_never_a_number():
    node = layer(conv2d(4, 4))
    with pytest.raises(SourceError, match=r"conv\.weight"):
        separability(graph(node), HeldKernels({}))


def two_layers() -> tuple[Node, Node]:
    first = layer(conv2d(3, 4), name="features.0")
    return first, layer(conv2d(4, 4), name="features.1", data=first.outputs[0])


def test_layers_are_chosen_by_glob_and_read_one_at_a_time():
    nodes = two_layers()
    kernels = held(*nodes)
    results = layer_separabilities(graph(*nodes), kernels)
    assert kernels.asked == []
    assert next(results).name == "features.0"
    assert kernels.asked == ["features.0.weight"]
    chosen = separability(graph(*nodes), held(*nodes), layers=("*.1",))
    assert [found.name for found in chosen.layers] == ["features.1"]


def test_a_glob_that_matches_nothing_and_a_model_without_convolutions_are_refused():
    nodes = two_layers()
    with pytest.raises(UsageError, match="named like classifier") as caught:
        layer_separabilities(graph(*nodes), held(*nodes), layers=("classifier",))
    assert "features.0" in caught.value.hint
    empty = dataclasses.replace(graph(*nodes), nodes=(), outputs=())
    with pytest.raises(UsageError, match="no convolution"):
        separability(empty, held())


@pytest.mark.parametrize("options", [{"ranks": (4, 0)}, {"ranks": (-1,)}, {"draws": 0}])
def test_ranks_and_draws_below_one_are_refused(options):
    nodes = two_layers()
    with pytest.raises(UsageError, match="at least 1"):
        layer_separabilities(graph(*nodes), held(*nodes), **options)


def test_results_are_the_same_in_every_run_and_order_picklable_and_json():
    nodes = two_layers()
    noted = dataclasses.replace(graph(*nodes), notes=("batch taken as 1",))
    found = separability(noted, held(*nodes))
    assert (found.target, found.source, found.notes) == ("model", "test", noted.notes)
    assert separability(noted, held(*nodes)) == found
    assert separability(graph(*nodes), held(*nodes), layers=("features.1",)).layers == found.layers[1:]
    assert pickle.loads(pickle.dumps(found)) == found
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert list(document) == ["schema", "convcost", "source", "convention", "notes", "layers", "kernels"]
    assert len(pickle.dumps(found)) < 20_000
