from __future__ import annotations

import pickle

import pytest
import torch

from convcost.graph import DType, Role, Tensor, Weight


@pytest.mark.parametrize("dtype", [dtype for dtype in DType if hasattr(torch, str(dtype.value))])
def test_widths_of_whole_byte_types_are_torchs(dtype: DType) -> None:
    theirs = getattr(torch, str(dtype.value))
    if dtype.bits >= 8:
        assert dtype.bits == 8 * theirs.itemsize
    assert dtype.is_floating == (theirs.is_floating_point if dtype.bits >= 8 else dtype is DType.FLOAT4_E2M1)


def test_packed_elements_round_up_to_a_byte() -> None:
    assert [DType.INT4.nbytes(count) for count in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert DType.UINT2.nbytes(5) == 2
    assert DType.FLOAT32.nbytes(5) == 20


def test_an_operand_of_a_weight_is_the_whole_of_it() -> None:
    weight = Weight(name="w", shape=(2, 3), dtype=DType.FLOAT16, role=Role.BUFFER)
    tensor = Tensor.of(weight)
    assert (tensor.name, tensor.shape, tensor.dtype, tensor.weight) == ("w", (2, 3), DType.FLOAT16, weight)
    assert (weight.numel, weight.nbytes, tensor.nbytes) == (6, 12, 12)


def test_a_scalar_holds_one_element() -> None:
    assert Tensor(name="s", shape=()).numel == 1
    assert Tensor(name="none", shape=(0, 3)).nbytes == 0


def test_a_view_lives_in_its_owners_memory() -> None:
    assert Tensor(name="x", shape=(4,)).buffer == "x"
    assert Tensor(name="y", shape=(4,), alias="x").buffer == "x"


@pytest.mark.parametrize("dtype", list(DType))
def test_element_types_survive_pickling(dtype: DType) -> None:
    assert pickle.loads(pickle.dumps(dtype)) is dtype
