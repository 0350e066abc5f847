from __future__ import annotations

import math
from typing import NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import ShapeError
from convcost.graph.ops import Conv, ConvTranspose, DeformConv, Linear, MatMul, conv_output_size, same_padding
from tests.oracle import Array, Multiplier, convolve, scatter


class Case(NamedTuple):
    op: Conv
    data: tuple[int, ...]

    @property
    def operands(self) -> tuple[tuple[int, ...], ...]:
        return (self.data, self.op.weight_shape)


@st.composite
def convolutions(draw: st.DrawFn, *, max_axes: int = 3) -> Case:
    axes = draw(st.integers(1, max_axes))
    groups = draw(st.integers(1, 3))
    per_axis = [draw(_axis()) for _ in range(axes)]
    op = Conv(
        in_channels=groups * draw(st.integers(1, 2)),
        out_channels=groups * draw(st.integers(1, 2)),
        kernel=tuple(axis[1] for axis in per_axis),
        stride=tuple(axis[2] for axis in per_axis),
        pads=tuple(axis[3] for axis in per_axis),
        dilation=tuple(axis[4] for axis in per_axis),
        groups=groups,
    )
    return Case(op, (draw(st.integers(1, 2)), op.in_channels, *(axis[0] for axis in per_axis)))


@st.composite
def _axis(draw: st.DrawFn) -> tuple[int, int, int, tuple[int, int], int]:
    """Size, kernel, stride, pads and dilation of one axis, the kernel fitting."""
    kernel, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    pads = (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    smallest = max(1, dilation * (kernel - 1) + 1 - sum(pads))
    return draw(st.integers(smallest, smallest + 3)), kernel, draw(st.integers(1, 3)), pads, dilation


@given(convolutions())
def test_every_multiplication_of_a_convolution_is_counted(case: Case) -> None:
    op, times = case.op, Multiplier()
    result = convolve(
        Array.counting(*case.data),
        Array.counting(*op.weight_shape),
        stride=op.stride,
        pads=op.pads,
        dilation=op.dilation,
        groups=op.groups,
        times=times,
    )
    assert op.output_shapes(case.operands) == (result.shape,)
    assert op.arithmetic(case.operands, (result.shape,)) == (times.count, 0)


@given(convolutions(max_axes=2), st.data())
def test_every_multiplication_of_a_transposed_convolution_is_counted(case: Case, data: st.DataObject) -> None:
    conv = case.op
    extra = tuple(data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(conv.stride, conv.dilation, strict=True))
    op = _transposed(conv, extra)
    reach = _reach(op, case.data)
    if any(size <= sum(pad) for size, pad in zip(reach, op.pads, strict=True)):
        with pytest.raises(ShapeError, match="output would be"):
            op.output_shapes((case.data, op.weight_shape))
        return
    times = Multiplier()
    result = scatter(
        Array.counting(*case.data),
        Array.counting(*op.weight_shape),
        stride=op.stride,
        pads=op.pads,
        dilation=op.dilation,
        output_padding=op.output_padding,
        groups=op.groups,
        times=times,
    )
    operands = (case.data, op.weight_shape)
    assert op.output_shapes(operands) == (result.shape,)
    assert op.arithmetic(operands, (result.shape,)) == (times.count, 0)


def _transposed(conv: Conv, output_padding: tuple[int, ...]) -> ConvTranspose:
    return ConvTranspose(
        in_channels=conv.in_channels,
        out_channels=conv.out_channels,
        kernel=conv.kernel,
        stride=conv.stride,
        pads=conv.pads,
        dilation=conv.dilation,
        groups=conv.groups,
        output_padding=output_padding,
    )


def _reach(op: ConvTranspose, data: tuple[int, ...]) -> list[int]:
    """How far the last stamped tap lies, before the padding is cut away."""
    axes = zip(data[2:], op.stride, op.kernel, op.dilation, op.output_padding, strict=True)
    return [(size - 1) * stride + (kernel - 1) * dilation + 1 + extra for size, stride, kernel, dilation, extra in axes]


@given(convolutions(), st.booleans())
def test_convolution_shapes_are_torchs(case: Case, unbatched: bool) -> None:
    op = case.op
    data = case.data[1:] if unbatched else case.data
    function = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d, 3: torch.nn.functional.conv3d}
    padded = torch.nn.functional.pad(
        torch.empty(data, device="meta"), [side for pad in reversed(op.pads) for side in pad]
    )
    weight = torch.empty(op.weight_shape, device="meta")
    theirs = function[len(op.kernel)](padded, weight, stride=op.stride, dilation=op.dilation, groups=op.groups)
    assert op.output_shapes((data, op.weight_shape)) == (tuple(theirs.shape),)


@given(convolutions(max_axes=2))
def test_transposed_convolution_shapes_are_torchs(case: Case) -> None:
    op = _transposed(case.op, output_padding=tuple(0 for _ in case.op.kernel))
    pads = tuple((before, before) for before, _ in op.pads)
    op = ConvTranspose(**{**op.attributes(), "pads": pads})
    function = {1: torch.nn.functional.conv_transpose1d, 2: torch.nn.functional.conv_transpose2d}[len(op.kernel)]
    data, weight = torch.empty(case.data, device="meta"), torch.empty(op.weight_shape, device="meta")
    padding = tuple(before for before, _ in pads)
    try:
        theirs = function(data, weight, stride=op.stride, padding=padding, groups=op.groups, dilation=op.dilation)
    except RuntimeError:
        theirs = torch.empty(0)
    if theirs.numel():
        assert op.output_shapes((case.data, op.weight_shape)) == (tuple(theirs.shape),)
    else:
        with pytest.raises(ShapeError):
            op.output_shapes((case.data, op.weight_shape))


@given(convolutions(), st.integers(2, 5))
def test_macs_and_bias_adds_are_linear_in_batch(case: Case, times: int) -> None:
    op, bias = case.op, (case.op.out_channels,)
    larger = (case.data[0] * times, *case.data[1:])
    one = op.arithmetic((*case.operands, bias), op.output_shapes(case.operands))
    many = op.arithmetic((larger, op.weight_shape, bias), op.output_shapes((larger, op.weight_shape)))
    assert many == (one.macs * times, one.other_ops * times)


@given(convolutions(), st.integers(2, 4))
def test_grouping_divides_macs_by_groups(case: Case, groups: int) -> None:
    fields = {**case.op.attributes(), "in_channels": 12, "out_channels": 24, "groups": 1}
    dense, grouped = Conv(**fields), Conv(**{**fields, "groups": groups})
    data = (case.data[0], 12, *case.data[2:])
    (output,) = dense.output_shapes((data,))
    assert grouped.output_shapes((data,)) == (output,)
    assert dense.arithmetic((data, ()), (output,)).macs == groups * grouped.arithmetic((data, ()), (output,)).macs


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(1, 6), st.integers(1, 6))
def test_a_pointwise_convolution_is_a_matrix_product(m: int, n: int, batch: int, height: int, width: int) -> None:
    conv = _conv2d(m, n, 1)
    data = (batch, m, height, width)
    macs = conv.arithmetic((data, conv.weight_shape), conv.output_shapes((data,))).macs
    rows, columns = (batch * height * width, m), (m, n)
    product = MatMul()
    assert macs == product.arithmetic((rows, columns), product.output_shapes((rows, columns))).macs
    linear = Linear(in_features=m, out_features=n)
    assert macs == linear.arithmetic((rows, columns), linear.output_shapes((rows,))).macs


@given(st.integers(1, 4), st.integers(1, 4), st.integers(4, 9))
def test_dilation_does_not_change_the_count_of_the_same_output(kernel: int, dilation: int, size: int) -> None:
    plain = _conv2d(3, 5, kernel)
    spread = _conv2d(3, 5, kernel, dilation=dilation)
    extra = (dilation - 1) * (kernel - 1)
    (output,) = plain.output_shapes(((1, 3, size, size),))
    wider = (1, 3, size + extra, size + extra)
    assert spread.output_shapes((wider,)) == (output,)
    assert spread.arithmetic((wider, ()), (output,)) == plain.arithmetic(((1, 3, size, size), ()), (output,))


def test_padding_taps_count() -> None:
    conv = _conv2d(1, 1, 3, pads=1)
    assert conv.arithmetic(((1, 1, 1, 1), ()), conv.output_shapes(((1, 1, 1, 1),))).macs == 9


def test_a_transposed_convolution_counts_input_positions() -> None:
    op = _transposed(_conv2d(16, 8, 4, pads=1, stride=2), (0, 0))
    (output,) = op.output_shapes(((1, 16, 8, 8),))
    assert output == (1, 8, 16, 16)
    assert op.arithmetic(((1, 16, 8, 8), op.weight_shape), (output,)).macs == 8 * 8 * 16 * 8 * 16


def test_a_bias_adds_once_per_output_value() -> None:
    conv = _conv2d(16, 32, 3, pads=1)
    operands = ((1, 16, 32, 32), conv.weight_shape, (32,))
    assert conv.arithmetic(operands, conv.output_shapes(operands)).other_ops == 32 * 32 * 32
    transposed = _transposed(_conv2d(16, 8, 4, pads=1, stride=2), (0, 0))
    operands = ((1, 16, 8, 8), transposed.weight_shape, (8,))
    assert transposed.arithmetic(operands, transposed.output_shapes(operands)).other_ops == 8 * 16 * 16


@pytest.mark.parametrize(("masked", "per_tap"), [(False, 7), (True, 8)])
def test_deformable_sampling_is_other_ops(masked: bool, per_tap: int) -> None:
    plain = _conv2d(4, 8, 3, pads=1)
    op = DeformConv(**{**plain.attributes(), "masked": masked})
    data, offset, mask = (1, 4, 16, 16), (1, 18, 16, 16), (1, 9, 16, 16)
    operands = (data, op.weight_shape, offset, *((mask,) if masked else ()))
    (output,) = op.output_shapes(operands)
    # Four corners of a plane are mixed by 4 multiplies and 3 adds, at every tap of every channel.
    assert op.arithmetic(operands, (output,)) == (16 * 16 * 8 * 4 * 9, 16 * 16 * 4 * 9 * per_tap)
    with_bias = op.arithmetic((*operands, (8,)), (output,))
    assert with_bias.other_ops == 16 * 16 * 4 * 9 * per_tap + 8 * 16 * 16


WORKED_EXAMPLES = [
    # in, out, kernel, groups, size, pads, expected: "12x12x3 image, 5x5, 256 filters, no padding (8x8 out)" …
    (3, 256, 5, 1, 12, 0, 1_228_800),
    (3, 3, 5, 3, 12, 0, 4_800),
    (3, 256, 1, 1, 8, 0, 49_152),
    # … and "7x7x3, 3x3, 128 filters, no padding (5x5 out)"
    (3, 128, 3, 1, 7, 0, 86_400),
    (3, 3, 3, 3, 7, 0, 675),
    (3, 128, 1, 1, 5, 0, 9_600),
    # one 3x3 kernel at one position
    (1, 1, 3, 1, 3, 0, 9),
]


@pytest.mark.parametrize(("m", "n", "kernel", "groups", "size", "pads", "macs"), WORKED_EXAMPLES)
def test_worked_examples_reproduce(m: int, n: int, kernel: int, groups: int, size: int, pads: int, macs: int) -> None:
    conv = _conv2d(m, n, kernel, pads=pads, groups=groups)
    data = (1, m, size, size)
    assert conv.arithmetic((data, conv.weight_shape), conv.output_shapes((data,))).macs == macs


def test_counting_at_the_input_map_reproduces_the_text_that_does() -> None:
    standard, depthwise, pointwise = _conv2d(3, 256, 3), _conv2d(3, 3, 3, groups=3), _conv2d(3, 256, 1)
    counts = [conv.arithmetic_at((1, 3, 64, 64)).macs for conv in (standard, depthwise, pointwise)]
    assert counts == [28_311_552, 110_592, 64 * 64 * 3 * 256]
    # The text's own pointwise count is taken at the depthwise output, 62x62, its own input map.
    assert pointwise.arithmetic_at((1, 3, 62, 62)).macs == 2_952_192


def test_a_depthwise_separable_pair_holds_8960_parameters() -> None:
    depthwise, pointwise = _conv2d(64, 64, 3, pads=1, groups=64), _conv2d(64, 128, 1)
    stored = [math.prod(conv.weight_shape) + conv.out_channels for conv in (depthwise, pointwise)]
    assert stored == [640, 8_320]


@pytest.mark.parametrize(
    ("m", "n", "kernel", "groups", "kind"),
    [(8, 8, 3, 8, "depthwise"), (8, 16, 3, 8, "depthwise"), (8, 8, 3, 4, "conv"), (8, 4, 1, 1, "pointwise"),
     (1, 8, 3, 1, "conv"), (1, 8, 1, 1, "pointwise"), (8, 8, 1, 4, "conv")],
)  # fmt: skip
def test_kinds_are_the_words_readers_expect(m: int, n: int, kernel: int, groups: int, kind: str) -> None:
    assert _conv2d(m, n, kernel, groups=groups).kind == kind


@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(1, 3))
def test_same_padding_gives_one_output_per_stride(size: int, kernel: int, stride: int, dilation: int) -> None:
    for extra_after in (True, False):
        pad = same_padding(size, kernel, stride, dilation, extra_after=extra_after)
        extent = dilation * (kernel - 1) + 1
        if size + sum(pad) >= extent:
            assert conv_output_size(size, kernel, stride, pad, dilation) == -(-size // stride)
        assert (pad[1] - pad[0]) in ((0, 1) if extra_after else (0, -1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": 3}, "groups 3 does not divide 4 input and 6 output channels"),
        ({"stride": (0, 1)}, "at least 1, not 0"),
        ({"kernel": (3, -1)}, "at least 1, not -1"),
        ({"in_channels": 0}, "at least 1, not 0"),
        ({"kernel": (3,)}, "one entry for each of 1 axes"),
    ],
)
def test_attributes_that_make_no_convolution_are_refused(change: dict[str, object], message: str) -> None:
    fields = {**_conv2d(4, 6, 3).attributes(), **change}
    with pytest.raises(ShapeError, match=message):
        Conv(**fields)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((1, 5, 8, 8), "expected 4 input channels, got 5"),
        ((1, 4, 2, 8), "kernel of extent 3 is larger than the padded input of 2"),
        ((4, 8), "takes 4 dimensions"),
        ((), "takes 4 dimensions"),
    ],
)
def test_data_that_does_not_fit_is_refused(data: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        _conv2d(4, 6, 3).output_shapes((data,))


def _conv2d(
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    pads: int = 0,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
) -> Conv:
    return Conv(
        in_channels=in_channels,
        out_channels=out_channels,
        kernel=(kernel, kernel),
        stride=(stride, stride),
        pads=((pads, pads), (pads, pads)),
        dilation=(dilation, dilation),
        groups=groups,
    )
