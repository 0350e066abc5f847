from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from convcost.errors import ShapeError
from convcost.graph.ops import AdaptivePool, Pool
from tests.oracle import indices

PLANES = st.tuples(st.integers(1, 12), st.integers(1, 12))


@given(PLANES, st.integers(1, 4), st.integers(1, 4), st.integers(0, 2), st.integers(1, 2), st.booleans())
def test_max_pool_shapes_are_torchs(
    plane: tuple[int, int], kernel: int, stride: int, pad: int, dilation: int, ceil_mode: bool
) -> None:
    assume(pad <= kernel // 2)
    op = _pool(kernel, stride=stride, pad=pad, dilation=dilation, ceil_mode=ceil_mode)
    data = (1, 3, *plane)
    try:
        theirs = torch.nn.functional.max_pool2d(
            torch.empty(data, device="meta"), kernel, stride, pad, dilation, ceil_mode
        )
    except RuntimeError:
        with pytest.raises(ShapeError, match="larger than the padded input"):
            op.output_shapes((data,))
    else:
        assert op.output_shapes((data,)) == (tuple(theirs.shape),)


@given(st.integers(1, 20), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2), st.booleans())
def test_average_pool_shapes_are_torchs(size: int, kernel: int, stride: int, pad: int, ceil_mode: bool) -> None:
    assume(pad <= kernel // 2 and size + 2 * pad >= kernel)
    op = Pool(method="avg", kernel=(kernel,), stride=(stride,), pads=((pad, pad),), dilation=(1,), ceil_mode=ceil_mode)
    theirs = torch.nn.functional.avg_pool1d(torch.empty(2, 3, size, device="meta"), kernel, stride, pad, ceil_mode)
    assert op.output_shapes(((2, 3, size),)) == (tuple(theirs.shape),)


def test_pooling_works_one_op_per_tap_and_output() -> None:
    op = _pool(3, stride=2, pad=1)
    (output,) = op.output_shapes(((1, 64, 112, 112),))
    assert output == (1, 64, 56, 56)
    assert op.arithmetic(((1, 64, 112, 112),), (output,)) == (0, 64 * 56 * 56 * 9)


@given(PLANES, PLANES)
def test_adaptive_pooling_visits_the_elements_of_every_window(plane: tuple[int, int], out: tuple[int, int]) -> None:
    op = AdaptivePool(method="avg", output_size=out)
    data = (2, 3, *plane)
    theirs = torch.nn.functional.adaptive_avg_pool2d(torch.empty(data, device="meta"), out)
    assert op.output_shapes((data,)) == (tuple(theirs.shape),)
    visited = 0
    for cell in indices(out):
        spans = [
            range(math.floor(i * size / n), math.ceil((i + 1) * size / n))
            for i, size, n in zip(cell, plane, out, strict=True)
        ]
        visited += 2 * 3 * math.prod(len(span) for span in spans)
    assert op.arithmetic((data,), op.output_shapes((data,))) == (0, visited)


def test_global_pooling_visits_every_element_once() -> None:
    op = AdaptivePool(method="avg", output_size=(1, 1))
    assert op.kind == "global_pool"
    assert op.arithmetic(((1, 512, 7, 7),), ((1, 512, 1, 1),)).other_ops == 512 * 49


@pytest.mark.parametrize(
    ("op", "data", "message"),
    [
        (AdaptivePool(method="avg", output_size=(1, 1)), (4,), "pool"),
        (Pool(method="max", kernel=(3, 3), stride=(1, 1), pads=((0, 0), (0, 0)), dilation=(1, 1)), (4,), "pool"),
        (Pool(method="max", kernel=(3, 3), stride=(1, 1), pads=((0, 0), (0, 0)), dilation=(1, 1)), (1, 2, 2), "larger"),
    ],
)
def test_data_that_does_not_fit_is_refused(op: Pool | AdaptivePool, data: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        op.output_shapes((data,))


def _pool(kernel: int, *, stride: int, pad: int, dilation: int = 1, ceil_mode: bool = False) -> Pool:
    return Pool(
        method="max",
        kernel=(kernel, kernel),
        stride=(stride, stride),
        pads=((pad, pad), (pad, pad)),
        dilation=(dilation, dilation),
        ceil_mode=ceil_mode,
    )
