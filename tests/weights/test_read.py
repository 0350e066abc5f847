"""Values from byte ranges and from modules, and what is said when they are not there."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from convcost.errors import SourceError
from convcost.graph import ByteRange, DType, Weight
from convcost.weights import FileKernels, ModuleKernels, load_kernel


def stored(path: Path, raw: bytes, dtype: DType, shape: tuple[int, ...], *, offset: int = 7) -> Weight:
    path.write_bytes(b"\xff" * offset + raw + b"\xff" * 5)
    return Weight(
        name="conv.weight", shape=shape, dtype=dtype, stored=ByteRange(path=str(path), offset=offset, length=len(raw))
    )


@pytest.mark.parametrize(
    ("dtype", "code"),
    [
        (DType.FLOAT64, "d"),
        (DType.FLOAT32, "f"),
        (DType.FLOAT16, "e"),
        (DType.INT64, "q"),
        (DType.INT32, "i"),
        (DType.INT16, "h"),
        (DType.INT8, "b"),
        (DType.UINT8, "B"),
    ],
)
def test_little_endian_elements_are_read_at_their_offset(tmp_path, dtype, code):
    values = [1, 2, 100, 0, 5, 6]
    weight = stored(tmp_path / "data.bin", struct.pack(f"<6{code}", *values), dtype, (2, 3))
    found = load_kernel(weight)
    assert found.dtype == np.float64
    assert found.tolist() == [[1, 2, 100], [0, 5, 6]]


def test_bfloat16_is_the_upper_half_of_a_float32(tmp_path):
    values = torch.tensor([1.5, -2.0, float("inf"), 3.140625], dtype=torch.bfloat16)
    raw = values.view(torch.int16).numpy().astype("<i2").tobytes()
    assert load_kernel(stored(tmp_path / "data.bin", raw, DType.BFLOAT16, (4,))).tolist() == values.tolist()


def test_a_missing_external_file_is_named(tmp_path):
    missing = tmp_path / "model.onnx.data"
    weight = Weight(name="w", shape=(1,), stored=ByteRange(path=str(missing), offset=0, length=4))
    with pytest.raises(SourceError) as caught:
        FileKernels().load(weight)
    assert str(missing) in caught.value.message
    assert "'w'" in caught.value.message
    assert caught.value.hint


def test_a_file_cut_short_is_told_from_a_missing_one(tmp_path):
    weight = stored(tmp_path / "data.bin", bytes(8), DType.FLOAT32, (2,))
    (tmp_path / "data.bin").write_bytes(bytes(10))
    with pytest.raises(SourceError, match="ends before"):
        load_kernel(weight)


def test_a_directory_in_place_of_the_file_is_one_line(tmp_path):
    weight = Weight(name="w", shape=(1,), stored=ByteRange(path=str(tmp_path), offset=0, length=4))
    with pytest.raises(SourceError, match="cannot read 'w'"):
        load_kernel(weight)


def test_values_that_no_file_holds_are_refused():
    with pytest.raises(SourceError, match="not stored") as caught:
        load_kernel(Weight(name="w", shape=(1,)))
    assert caught.value.hint


def test_a_length_that_does_not_fit_the_shape_is_refused(tmp_path):
    weight = stored(tmp_path / "data.bin", bytes(9), DType.FLOAT32, (2,))
    with pytest.raises(SourceError, match="should be 8 bytes"):
        load_kernel(weight)


def test_elements_without_a_decoder_are_refused(tmp_path):
    with pytest.raises(SourceError, match="int4"):
        load_kernel(stored(tmp_path / "data.bin", bytes(1), DType.INT4, (2,)))


def test_only_the_kernel_itself_is_read(tmp_path):
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)
    weight = Weight(name="w", shape=(64, 64, 3, 3), stored=ByteRange(path=str(path), offset=2**31, length=147_456))
    tracemalloc.start()
    assert load_kernel(weight).sum() == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 64 * 64 * 9 * 8


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, 3, dtype=torch.bfloat16)
        self.bn = torch.nn.BatchNorm2d(3, eps=1e-3)
        self.tied = self.conv


def test_a_module_gives_values_by_name_in_float64():
    net = Net()
    kernels = ModuleKernels(net)
    found = kernels.load(Weight(name="conv.weight", shape=(3, 2, 3, 3)))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, net.conv.weight.detach().double().numpy())
    np.testing.assert_array_equal(kernels.load(Weight(name="tied.weight", shape=(3, 2, 3, 3))), found)
    np.testing.assert_array_equal(kernels.load(Weight(name="bn.running_var", shape=(3,))), np.ones(3))


def test_a_module_knows_the_epsilon_of_its_batch_norms():
    kernels = ModuleKernels(Net())
    assert kernels.epsilon(Weight(name="bn.running_var", shape=(3,))) == 1e-3
    assert kernels.epsilon(Weight(name="conv.weight", shape=(3,))) is None
    assert kernels.epsilon(Weight(name="nowhere.running_var", shape=(3,))) is None


def test_a_module_on_the_meta_device_has_no_values():
    with torch.device("meta"):
        kernels = ModuleKernels(Net())
    with pytest.raises(SourceError, match="no values"):
        kernels.load(Weight(name="conv.weight", shape=(3, 2, 3, 3)))


def test_a_name_the_module_does_not_have_is_refused():
    with pytest.raises(SourceError, match=r"'conv3\.weight'"):
        ModuleKernels(Net()).load(Weight(name="conv3.weight", shape=(1,)))
