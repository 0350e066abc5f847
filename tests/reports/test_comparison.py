"""Convolutions beside their alternatives, as tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcost import api
from convcost.alternatives import compare_graph, parse_alternatives
from convcost.graph import Graph, Node, Tensor, Weight
from convcost.graph.ops import Conv
from convcost.reports import Style, render
from convcost.reports.comparison import ComparisonReport, conv_text
from tests.networks import conv, small_network

SAMPLES = Path(__file__).parents[2] / "sample_configs"


def table(target: str, *, every_row: bool = False, **options: object) -> str:
    comparison = api.compare(SAMPLES / target, **options)
    return render("table", ComparisonReport(comparison=comparison, every_row=every_row))


def row(text: str, start: str) -> str:
    return next(line.strip() for line in text.splitlines() if line.strip().startswith(start))


def test_the_promised_example_reads_as_promised() -> None:
    text = table("layer.yaml")
    assert "conv 128→128 3×3 s1 p1 @ 28×28" in text
    assert row(text, "standard").split()[1:] == [
        "D_K·D_K·M·N·D_F·D_F",
        "115.6",
        "M",
        "1.00×",
        "147.5",
        "k",
        "0.40",
        "MB",
        "83.01",
    ]
    assert "1.50×" in row(text, "spatial-separable")
    assert "51.78 MB" in row(text, "spatial-separable")
    assert "8.41×" in row(text, "depthwise-separable")
    assert "17.54 k" in row(text, "depthwise-separable")
    assert "4.00×" in row(text, "grouped g=4")


def test_the_layer_as_it_is_comes_first_when_it_is_not_named() -> None:
    text = table("layer.yaml", alternatives="depthwise_separable")
    assert text.index("standard ") < text.index("depthwise-separable ")


def test_an_alternative_that_does_not_apply_says_why() -> None:
    text = table("layer.yaml", alternatives="grouped[groups=3]")
    assert row(text, "grouped g=3").split()[-1] == "–"
    assert "grouped g=3 does not apply: 3 groups do not divide 128 input and 128 output channels" in text


def test_what_does_not_apply_has_no_formula() -> None:
    text = table("layer.yaml", alternatives="grouped[groups=3],stacked")
    assert row(text, "grouped g=3").split() == ["grouped", "g=3", "–"]
    assert row(text, "stacked 2× 3×3").split()[-2:] == ["R=128", "–"]


def test_only_letters_that_stand_in_the_tables_are_explained() -> None:
    assert "D_K: kernel side; D_F: map side; m: outputs a side of a tile." in table(
        "layer.yaml", alternatives="winograd"
    )
    assert "kernel side" not in table("mobilenet_v1_dense.yaml", alternatives="depthwise_separable")


def test_a_lone_kernel_side_is_marked_as_one() -> None:
    op = Conv(in_channels=4, out_channels=8, kernel=(3,), stride=(1,), pads=((1, 1),), dilation=(1,), groups=1)
    data, kernel = Tensor(name="x", shape=(1, 4, 16)), Tensor.of(Weight(name="w", shape=(8, 4, 3)))
    output = Tensor(name="y", shape=(1, 8, 16))
    node = Node(name="conv", op=op, operands=(data, kernel), outputs=(output,))
    weights = (Weight(name="w", shape=(8, 4, 3)),)
    graph = Graph(nodes=(node,), inputs=(data,), outputs=(output,), weights=weights, target="net", source="spec")
    (layer,) = compare_graph(graph, parse_alternatives("standard")).layers
    assert conv_text(layer) == "conv 4→8 k3 s1 p1 @ 16"


def test_options_left_to_the_alternative_are_not_written_as_none() -> None:
    text = render("csv", ComparisonReport(comparison=api.compare(SAMPLES / "layer.yaml")))
    assert "mid=out order=vh" in text
    assert "None" not in text


def test_the_map_that_is_counted_is_said() -> None:
    assert "output map: the exact count" in table("layer.yaml")
    assert "input map, as some texts count (--df input)" in table("layer.yaml", df="input")


def test_accuracy_is_not_guessed() -> None:
    assert "accuracy is not guessed" in table("layer.yaml")


def test_many_convolutions_take_one_row_each() -> None:
    text = table("mobilenet_v1.yaml")
    assert "27 convolutions" in text
    assert len([line for line in text.splitlines() if "pointwise 512→512" in line]) == 5


def test_every_row_gives_each_convolution_its_table() -> None:
    text = table("mobilenet_v1.yaml", every_row=True)
    assert text.count("Formula") == 27


def test_a_whole_model_shows_its_totals() -> None:
    text = table("mobilenet_v1_dense.yaml", alternatives="depthwise_separable")
    assert "The whole model" in text
    standard, replaced = (
        line
        for line in text[text.index("The whole model") :].splitlines()
        if line.strip().startswith(("standard", "depth"))
    )
    assert "4.87 G" in standard
    assert "as it is" in standard
    assert "14 of 14" in replaced


def test_totals_that_miss_something_say_so() -> None:
    comparison = compare_graph(small_network(unknown=True), parse_alternatives("standard,grouped[groups=2]"))
    report = ComparisonReport(comparison=comparison)
    assert "at least: some ops could not be counted" not in render("table", report)
    from dataclasses import replace

    onnx = ComparisonReport(comparison=replace(comparison, source="onnx"))
    assert "at least: some ops could not be counted" in render("table", onnx)


def test_ranked_families_say_up_to_which_rank_they_pay() -> None:
    # 3·R·(128 + 128) and 9·128·T + 128·T·128 stay within 9·128·128 up to R = 192 and T = 8, in MACs and weights alike.
    line = "No dearer than the layer up to: spatial-factorised R=192; depthwise-separable T=8"
    assert line in table("layer.yaml")
    both = "spatial_factorized[rank=8,rank=16],gsvd,channel_lowrank[order=pw_conv]"
    (said,) = [each for each in table("layer.yaml", alternatives=both).splitlines() if "No dearer" in each]
    assert said.count("spatial-factorised") == 1
    assert "gsvd G=4 d=88" in said
    assert "channel-lowrank pw-conv R=115" in said
    assert "No dearer" not in table("layer.yaml", alternatives="grouped")


def test_ranks_that_pay_in_one_thing_alone_are_told_apart() -> None:
    strided = table("layers.yaml", layers=["conv2_1"], alternatives="spatial_factorized")
    assert "No dearer than the layer up to: spatial-factorised R=96 in MACs, R=128 in params" in strided
    small = table("examples/laplacian.yaml", alternatives="tucker2,depthwise_separable")
    assert "tucker2 no R; depthwise-separable no T" in small


def test_what_nothing_beats_is_marked_when_asked() -> None:
    comparison = api.compare(SAMPLES / "layer.yaml")
    marked = render("table", ComparisonReport(comparison=comparison, pareto=True))
    assert [row(marked, name).endswith("yes") for name in ("standard", "spatial-s", "depthwise-s", "grouped")] == [
        False,
        False,
        True,
        True,
    ]
    assert "Pareto: in MACs, params and activations together" in marked
    assert "Pareto" not in render("table", ComparisonReport(comparison=comparison))


def test_a_model_marks_its_totals() -> None:
    comparison = api.compare(SAMPLES / "mobilenet_v1_dense.yaml", alternatives="spatial_separable,grouped")
    text = render("table", ComparisonReport(comparison=comparison, pareto=True))
    totals = text[text.index("The whole model") :]
    assert row(totals, "grouped").endswith("yes")
    assert not row(totals, "spatial-separable").endswith("yes")


def test_one_of_several_devices_has_a_table() -> None:
    text = table("layer.yaml", alternatives="grouped[groups=4]", devices=4)
    shared = text[text.index("conv1 on 4 devices") :]
    # A quarter of 115,605,504 and 147,456; it receives three quarters of the output's 401,408 bytes.
    assert row(shared, "standard     channels").split()[2:8] == ["28.90", "M", "36.86", "k", "0.65", "MB"]
    assert "0.30 MB  all-gather" in row(shared, "standard     channels")
    assert "7.23 M" in row(shared, "grouped g=4  groups")
    assert row(shared, "grouped g=4  groups").endswith("concatenation")
    assert "devices" not in table("layer.yaml")


def test_devices_of_a_model_hold_all_that_was_chosen() -> None:
    text = table("mobilenet_v1_dense.yaml", alternatives="depthwise_separable", devices=2, layers=["block1*"])
    shared = text[text.index("5 convolutions on 2 devices") :]
    assert len([line for line in shared.splitlines() if "gradient all-reduce" in line]) == 2


def test_convolutions_left_alone_are_said() -> None:
    text = table("mobilenet_v1.yaml", min_kernel=2, alternatives="grouped")
    assert "13 convolutions with a smaller kernel than 2 are left alone: --min-kernel 1 compares all" in text
    assert "left alone" not in table("mobilenet_v1.yaml", alternatives="grouped")


@pytest.mark.parametrize("width", [80, 140])
def test_tables_fit_the_terminal(width: int) -> None:
    for target in ("layer.yaml", "mobilenet_v1_dense.yaml"):
        report = ComparisonReport(comparison=api.compare(SAMPLES / target))
        assert max(map(len, render("table", report, Style(width=width)).splitlines())) <= width


def described(op: Conv, *, batch: int = 1, size: int = 8) -> str:
    image = Tensor(name="x", shape=(batch, op.in_channels, *[size] * len(op.kernel)))
    weight = Weight(name="w", shape=op.weight_shape)
    shape = op.output_shapes((image.shape,))[0]
    node = Node(name="c", op=op, operands=(image, Tensor.of(weight)), outputs=(Tensor(name="y", shape=shape),))
    graph = Graph(nodes=(node,), inputs=(image,), outputs=node.outputs, weights=(weight,), target="t", source="spec")
    return conv_text(compare_graph(graph, parse_alternatives("standard")).layers[0])


def test_a_convolution_is_described_by_what_is_not_one() -> None:
    assert described(conv(8, 16)) == "conv 8→16 3×3 s1 p1 @ 8×8"
    assert described(conv(8, 8, groups=8)) == "depthwise 8→8 3×3 s1 p1 g8 @ 8×8"
    assert described(conv(8, 16), batch=4) == "conv 8→16 3×3 s1 p1 @ 8×8 batch 4"
    odd = Conv(
        in_channels=2, out_channels=2, kernel=(3, 1), stride=(2, 1), pads=((0, 1), (0, 0)), dilation=(2, 2), groups=1
    )
    assert described(odd) == "conv 2→2 3×1 s2×1 p(0,1)×0 d2 @ 8×8"


def test_csv_has_a_row_per_layer_and_alternative() -> None:
    comparison = api.compare(SAMPLES / "layer.yaml", alternatives="standard,grouped[groups=3]")
    lines = render("csv", ComparisonReport(comparison=comparison)).splitlines()
    assert len(lines) == 3
    assert lines[1].endswith(",115605504,147456,401408,1392640,yes")
    assert ",no,3 groups do not divide" in lines[2]
