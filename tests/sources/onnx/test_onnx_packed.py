"""Models that come packed or through a pipe: the same counts, a bounded size, and nothing left behind."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest
from onnx import TensorProto, numpy_helper

from convcost.analysis import Analysis, analyze_graph
from convcost.errors import SourceError, UsageError
from convcost.sources import Request
from convcost.sources import load as load_target
from convcost.sources.onnx import packed, wire
from convcost.targets import analysis_of
from convcost.targets.kernels import kernels_of
from convcost.targets.sweep import Axis, sweep
from convcost.targets.workload import workload_of
from tests.sources.onnx.tiny import graph, model, node, ones, save

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "sample_configs" / "onnx" / "mobilenet_v2.onnx"


def content() -> bytes:
    nodes = [node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]), node("Relu", ["c"], ["y"])]
    return model(graph(nodes, {"x": ["batch", 3, 16, 16]}, {"w": ones(64, 3, 3, 3)})).SerializeToString()


def packed_file(folder: Path, data: bytes) -> str:
    path = folder / "net.onnx.gz"
    path.write_bytes(data)
    return str(path)


def totals(target: str) -> Analysis:
    return analyze_graph(load_target(Request(target=target, dims={"batch": 2})))


def refusal(target: str) -> str:
    with pytest.raises(SourceError) as caught:
        totals(target)
    return caught.value.message


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch):
    def pipe(data: bytes) -> None:
        stream = SimpleNamespace(buffer=io.BytesIO(data), closed=False, isatty=lambda: False)
        monkeypatch.setattr(sys, "stdin", stream)

    packed._standard_input.cache_clear()
    yield pipe
    packed._standard_input.cache_clear()


def test_a_packed_model_counts_what_the_plain_one_counts(tmp_path: Path, piped) -> None:
    plain = tmp_path / "net.onnx"
    plain.write_bytes(content())
    expected = totals(str(plain))
    assert expected.totals.macs == 2 * 16 * 16 * 64 * 3 * 9
    assert totals(packed_file(tmp_path, gzip.compress(content()))).to_json()["layers"] == expected.to_json()["layers"]
    for data in (content(), gzip.compress(content())):
        piped(data)
        assert totals("-").to_json()["layers"] == expected.to_json()["layers"]


def test_members_one_after_the_other_and_padding_are_one_file(tmp_path: Path) -> None:
    whole = content()
    half = len(whole) // 2
    data = gzip.compress(whole[:half]) + gzip.compress(whole[half:]) + bytes(512)
    assert totals(packed_file(tmp_path, data)).totals.params == 64 * 27


def test_a_packed_file_that_is_cut_anywhere_is_refused_in_words(tmp_path: Path) -> None:
    whole = gzip.compress(content())
    for length in range(len(whole)):
        assert refusal(packed_file(tmp_path, whole[:length])).startswith(str(tmp_path))


def test_damage_in_a_packed_file_is_found(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(content()))
    whole[-6] ^= 1  # its checksum
    assert "not whole gzip data" in refusal(packed_file(tmp_path, bytes(whole)))


def test_what_is_only_named_gz_is_read_as_what_it_is(tmp_path: Path) -> None:
    assert totals(packed_file(tmp_path, content())).totals.params == 64 * 27
    assert "is a text file" not in refusal(packed_file(tmp_path, b""))
    assert "Git LFS pointer" in refusal(packed_file(tmp_path, b"version https://git-lfs.github.com/spec/v1\n"))


def test_a_file_that_unpacks_beyond_a_protobuf_message_is_stopped_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "MOST_UNPACKED_BYTES", 1 << 20)
    target = packed_file(tmp_path, gzip.compress(content() + bytes(4 << 20)))
    assert "holds more than 1,048,576 bytes" in refusal(target)


def test_structure_that_packs_absurdly_small_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "ALWAYS_ALLOWED_STRUCTURE", 1 << 16)
    many = graph([node("Relu", ["x"], ["y"])] * 20_000, {"x": [4]}, outputs=["y"])
    target = packed_file(tmp_path, gzip.compress(model(many).SerializeToString()))
    assert "bytes beside its weights" in refusal(target)


def test_weights_may_pack_as_well_as_they_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "ALWAYS_ALLOWED_STRUCTURE", 1 << 16)
    dense = graph([node("MatMul", ["x", "w"], ["y"])], {"x": ["batch", 1000]}, {"w": ones(1000, 1000)})
    data = gzip.compress(model(dense).SerializeToString())
    assert len(data) < 1 << 14
    assert totals(packed_file(tmp_path, data)).totals.macs == 2_000_000


def test_unpacking_keeps_only_a_chunk_in_memory(tmp_path: Path) -> None:
    bomb = packed_file(tmp_path, gzip.compress(b"\x08\x0a" + bytes(48 << 20)))
    tracemalloc.start()
    try:
        refusal(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    totals(packed_file(tmp_path, gzip.compress(content())))
    refusal(packed_file(tmp_path, gzip.compress(content())[:-9]))
    assert list(folder.iterdir()) == []


def test_what_is_piped_is_there_for_every_look_at_it(piped) -> None:
    piped(content())
    found = sweep(Request(target="-"), Axis.of("batch=1,2"))
    assert [point.analysis.totals.macs for point in found.points] == [16 * 16 * 64 * 27, 2 * 16 * 16 * 64 * 27]


def test_nothing_piped_is_said(piped, monkeypatch: pytest.MonkeyPatch) -> None:
    piped(b"")
    assert "is empty" in refusal("-")
    monkeypatch.setattr(sys, "stdin", None)
    assert "no model is piped" in refusal("-")


def test_weights_that_lie_in_no_file_are_not_pointed_at(tmp_path: Path, piped) -> None:
    constant = node("Constant", [], ["w"], value=numpy_helper.from_array(ones(3, 2), "w"))
    beside = graph([constant, node("MatMul", ["x", "w"], ["y"]), node("Add", ["y", "b"], ["z"])], {"x": [1, 3]})
    bias = beside.initializer.add(name="b", dims=[2], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    bias.external_data.add(key="location", value="b.bin")
    data = gzip.compress(model(beside).SerializeToString())
    stored = {weight.name: weight.stored for weight in load_target(Request(target=packed_file(tmp_path, data))).weights}
    assert stored["w"] is None
    assert stored["b"] is not None
    piped(data)
    assert [weight.stored for weight in load_target(Request(target="-")).weights] == [None, None]


def test_weights_of_a_packed_file_are_not_pointed_at(tmp_path: Path) -> None:
    found = load_target(Request(target=packed_file(tmp_path, gzip.compress(content()))))
    assert [weight.stored for weight in found.weights] == [None]
    (plain,) = load_target(
        Request(
            target=save(model(graph([node("MatMul", ["x", "w"], ["y"])], {"x": [1, 3]}, {"w": ones(3, 2)})), tmp_path)
        )
    ).weights
    assert plain.stored is not None


@pytest.mark.parametrize("read", [kernels_of, workload_of])
def test_what_needs_the_weights_asks_for_a_plain_file(read, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(Request(target=packed_file(tmp_path, gzip.compress(content()))))
    assert "unpack it" in (caught.value.hint or "")


def test_a_structure_may_be_as_large_as_allowed_and_no_larger() -> None:
    size = len(wire.structure_of(content()).content)
    assert len(wire.structure_of(content(), size).content) == size
    with pytest.raises(wire.StructureTooLargeError):
        wire.structure_of(content(), len(model(graph([node("Relu", ["x"], ["y"])], {"x": [1]})).SerializeToString()))


def test_a_model_can_be_piped_into_the_program() -> None:
    command = [sys.executable, "-m", "convcost", "analyze", "-", "--query", "totals.macs"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        command, input=gzip.compress(SAMPLE.read_bytes()), capture_output=True, check=False, env=environment
    )
    assert (ended.returncode, int(ended.stdout)) == (0, analysis_of(Request(target=str(SAMPLE))).totals.macs)
