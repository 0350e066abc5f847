"""Rooflines by hand, and the files that hold devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcost.errors import SourceError
from convcost.graph import Cost, DType, Node, Tensor
from convcost.graph.ops import Activation, MatMul
from convcost.latency.device import Device, device_text, read_device
from convcost.latency.fingerprint import Fingerprint
from convcost.latency.roofline import chain_roofline, node_roofline, roofline

DEVICES = sorted((Path(__file__).parents[2] / "sample_configs" / "devices").glob("*.yaml"))
DEVICE = Device(name="a device", peaks={DType.FLOAT32: 1e9}, bytes_per_second=1e8)


def test_much_arithmetic_on_few_bytes_is_compute_bound():
    found = roofline(Cost(macs=2_000_000_000, bytes_read=100_000_000), DType.FLOAT32, DEVICE)
    assert (found.bound, found.attainable, found.compute, found.memory) == ("compute", 2.0, 2.0, 1.0)
    assert found.share_reached(4.0) == 0.5


def test_many_bytes_for_little_arithmetic_are_memory_bound():
    found = roofline(Cost(macs=1000, bytes_read=50_000_000, bytes_written=50_000_000), DType.FLOAT32, DEVICE)
    assert (found.bound, found.attainable) == ("memory", 1.0)


def test_other_operations_count_half_a_mac():
    assert roofline(Cost(other_ops=2_000_000_000), DType.FLOAT32, DEVICE).compute == 1.0


def test_without_a_peak_for_the_type_nothing_is_claimed_about_arithmetic():
    assert roofline(Cost(macs=1), DType.FLOAT16, DEVICE) is None
    assert roofline(Cost(bytes_read=100), DType.FLOAT16, DEVICE).bound == "memory"


def product(side: int) -> Node:
    a, b, c = (Tensor(name=name, shape=(side, side)) for name in "abc")
    return Node(name="product", op=MatMul(), operands=(a, b), outputs=(c,))


def test_a_chain_takes_the_sum_of_what_its_layers_take():
    small = Tensor(name="x", shape=(10, 10))
    relu = Node(name="relu", op=Activation(function="relu"), operands=(small,), outputs=(small,))
    heavy = node_roofline(product(1000), DEVICE)
    light = node_roofline(relu, DEVICE)
    chain = chain_roofline([product(1000), relu], DEVICE)
    assert (heavy.bound, light.bound) == ("compute", "memory")
    assert chain.attainable == pytest.approx(heavy.attainable + light.attainable)
    assert chain.bound == "compute"


def test_a_chain_with_a_part_unknown_is_unknown():
    half = Tensor(name="h", shape=(10,), dtype=DType.FLOAT16)
    unknown = Node(name="relu", op=Activation(function="relu"), operands=(half,), outputs=(half,))
    assert chain_roofline([product(10), unknown], DEVICE) is None
    assert chain_roofline([], DEVICE) is None


def test_the_ridge_lies_where_both_limits_meet():
    assert DEVICE.intensity_at_ridge(DType.FLOAT32) == 10.0
    assert DEVICE.intensity_at_ridge(DType.INT8) is None


def test_a_device_file_says_what_was_written(tmp_path):
    path = tmp_path / "device.yaml"
    device = Device(
        name="a machine",
        peaks={DType.FLOAT32: 96.5e9, DType.BFLOAT16: 700e9},
        bytes_per_second=25e9,
        source="measured",
        threads=2,
        machine=Fingerprint(facts={"processor": "one", "threads": "2"}),
    )
    path.write_text(device_text(device), encoding="utf-8")
    assert read_device(str(path)) == device


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\nname: x\ngigabytes_per_second: 5", "has no 'gmacs_per_second'"),
        ("version: 1\nname: x\ngmacs_per_second: {float33: 1}\ngigabytes_per_second: 5", "3:20: unknown key"),
        ("version: 1\nname: x\ngmacs_per_second: {float32: -1}\ngigabytes_per_second: 5", "above zero"),
        ("version: 1\nname: x\ngmacs_per_second: {float32: fast}\ngigabytes_per_second: 5", "above zero"),
        ("version: 1\nname: x\ngmacs_per_second: {}\ngigabytes_per_second: 5", "names no element type"),
        ("version: 1\nname: x\nspeed: 3", "3:1: unknown key"),
        ("version: 2\nname: x", "version must be at most 1"),
        ("[]", "must be a mapping"),
    ],
)
def test_a_wrong_device_file_is_refused_with_its_place(tmp_path, text, message):
    path = tmp_path / "device.yaml"
    path.write_text(text)
    with pytest.raises(SourceError) as caught:
        read_device(str(path))
    assert message in caught.value.message
    assert caught.value.hint


def test_there_are_sample_devices():
    assert len(DEVICES) >= 2


@pytest.mark.parametrize("path", DEVICES, ids=lambda path: path.stem)
def test_a_sample_device_is_read_and_cites_its_source(path):
    device = read_device(str(path))
    assert device.source
    assert device.machine is None
    assert device.peaks[DType.FLOAT32] > 0
    assert device_text(device)


def test_sample_figures_are_half_of_the_datasheets_tflops():
    a100 = read_device(str(next(path for path in DEVICES if "a100" in path.stem)))
    assert a100.peaks[DType.FLOAT32] == 19.5e12 / 2
    assert a100.peaks[DType.BFLOAT16] == 312e12 / 2
    assert a100.peaks[DType.INT8] == 624e12 / 2
    assert a100.bytes_per_second == 2039e9
