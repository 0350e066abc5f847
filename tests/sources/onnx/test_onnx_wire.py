"""The walk over the wire format: nothing is read that is not needed, nothing is believed that does not fit."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from convcost.errors import ConvcostError, SourceError
from convcost.graph import Graph, Weight
from convcost.sources import Request
from convcost.sources.onnx import load_onnx, wire
from convcost.sources.onnx.wire import KEEP_BYTES, MAX_DEPTH, MalformedMessageError, fields, structure_of
from tests.nasty.wire_files import HEADER, delimited
from tests.sources.onnx.tiny import analyze, graph, load, model, node, ones, save

BIG = KEEP_BYTES // 4 + 1


def read(path: Path) -> Graph:
    return load_onnx(Request(target=str(path)))


def bytes_of(weight: Weight) -> bytes:
    assert weight.stored is not None
    return Path(weight.stored.path).read_bytes()[weight.stored.offset :][: weight.stored.length]


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def message(number: int, body: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(body)) + body


def test_the_copy_is_the_model_without_large_payloads() -> None:
    weights = {"big": ones(BIG), "small": ones(3)}
    original = model(
        graph([node("Mul", ["x", "big"], ["a"]), node("Add", ["a", "small"], ["y"])], {"x": [BIG]}, weights)
    )
    copy = ModelProto.FromString(structure_of(original.SerializeToString()).content)
    big, small = copy.graph.initializer
    assert (big.raw_data, big.data_location) == (b"", TensorProto.EXTERNAL)
    assert np.array_equal(numpy_helper.to_array(small), ones(3))
    for tensor, kept in zip(copy.graph.initializer, original.graph.initializer, strict=True):
        assert (tensor.name, list(tensor.dims), tensor.data_type) == (kept.name, list(kept.dims), kept.data_type)
    del copy.graph.initializer[:]
    del original.graph.initializer[:]
    assert copy == original


@pytest.mark.parametrize("raw", [True, False])
def test_every_weight_knows_where_its_bytes_lie(tmp_path: Path, raw: bool) -> None:
    values = {"big": np.arange(BIG, dtype=np.float32), "small": np.arange(3, dtype=np.float32)}
    content = graph([node("Mul", ["x", "big"], ["a"]), node("Mul", ["x", "small"], ["y"])], {"x": [1]})
    for name, value in values.items():
        content.initializer.append(
            numpy_helper.from_array(value, name)
            if raw
            else helper.make_tensor(name, TensorProto.FLOAT, value.shape, value.tolist())
        )
    for weight in load(content, tmp_path).weights:
        assert bytes_of(weight) == values[weight.name].tobytes()


def test_weights_in_constant_nodes_are_left_where_they_are_too(tmp_path: Path) -> None:
    for size in (BIG, 5):
        value = np.arange(size, dtype=np.float32)
        constant = node("Constant", [], ["c"], value=numpy_helper.from_array(value, "value"))
        content = model(graph([constant, node("Mul", ["x", "c"], ["y"])], {"x": [1]}))
        (weight,) = load(content, tmp_path).weights
        assert bytes_of(weight) == value.tobytes()
        assert len(structure_of(content.SerializeToString()).content) < KEEP_BYTES


NUMBERS = helper.make_tensor("c", TensorProto.INT32, [2], [1, 300]).SerializeToString()
TWICE = helper.make_tensor("c", TensorProto.INT32, [2], bytes(8), raw=True).SerializeToString() + message(9, bytes(8))


@pytest.mark.parametrize("stored", [NUMBERS, TWICE], ids=["numbers", "twice"])
@pytest.mark.parametrize("constant", [True, False], ids=["constant", "initializer"])
def test_values_that_are_no_run_of_bytes_have_no_place(tmp_path: Path, stored: bytes, constant: bool) -> None:
    """Numbers are written as short as they are, and of a payload that is there twice, the last one holds."""
    value = message(1, b"value") + varint(20 << 3) + varint(4) + message(5, stored)
    node_of_it = message(2, b"c") + message(4, b"Constant") + message(5, value)
    reading = model(graph([node("Add", ["x", "c"], ["y"])], {"x": [2]}, dtypes={"x": TensorProto.INT32, "y": 6}))
    path = tmp_path / "m.onnx"
    path.write_bytes(
        message(7, message(1, node_of_it) if constant else message(5, stored)) + reading.SerializeToString()
    )
    (weight,) = read(path).weights
    assert (weight.shape, weight.stored) == ((2,), None)


SIX = {f"w{at}": np.full((3, 4), at, np.float32) for at in range(6)}


def test_weights_are_found_when_functions_are_replaced_by_their_bodies(tmp_path: Path) -> None:
    nodes = [helper.make_node("Twice", ["x"], ["b"], domain="own"), node("Sum", ["b", *SIX], ["y"])]
    content = model(graph(nodes, {"x": [3, 4]}, SIX))
    body = [node("Add", ["a", "a"], ["b"]), node("Relu", ["b"], ["c"])]
    opsets = content.opset_import
    content.functions.append(helper.make_function("own", "Twice", ["a"], ["c"], body, opsets))
    opsets.append(helper.make_opsetid("own", 1))
    assert [bytes_of(weight) for weight in load(content, tmp_path).weights] == [each.tobytes() for each in SIX.values()]


def test_composite_operators_are_expanded_with_weights_left_in_their_places(tmp_path: Path) -> None:
    nodes = [node("SwiGLU", ["x", "w5"], ["b"]), node("Sum", ["b", *SIX], ["y"])]
    found = load(graph(nodes, {"x": [3, 4]}, SIX), tmp_path, opset=28)
    assert [bytes_of(weight) for weight in found.weights] == [each.tobytes() for each in SIX.values()]


@pytest.mark.parametrize("size", [BIG, 9])
def test_weights_of_a_branch_know_where_their_bytes_lie(tmp_path: Path, size: int) -> None:
    values = np.arange(size, dtype=np.float32)
    branch = graph([node("Add", ["x", "w"], ["y"])], {}, {"w": values})
    branching = node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    for weight in load(graph([branching], {"x": [size], "c": []}), tmp_path).weights:
        assert bytes_of(weight) == values.tobytes()


def test_a_constant_is_found_among_any_number_of_small_nodes() -> None:
    value = numpy_helper.from_array(ones(BIG // 8), "value")
    constants = [node("Constant", [], [f"c{at}"], value=value) for at in range(30)]
    between = [[node("Relu", ["x"], [f"r{at}.{place}"]) for place in range(at * 11)] for at in range(30)]
    nodes = [each for constant, relus in zip(constants, between, strict=True) for each in (constant, *relus)]
    copy = ModelProto.FromString(structure_of(model(graph(nodes, {"x": [1]})).SerializeToString()).content)
    assert [each.op_type for each in copy.graph.node] == [each.op_type for each in nodes]
    found = [each for each in copy.graph.node if each.attribute and each.attribute[0].t.external_data]
    assert [each.output[0] for each in found] == [f"c{at}" for at in range(30)]


class Watched:
    """A pattern that knows how far it was looked for."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern
        self.reached = 0

    def search(self, content: bytes, start: int, stop: int) -> re.Match[bytes] | None:
        self.reached = max(self.reached, stop)
        return self.pattern.search(content, start, stop)


def test_the_search_for_constants_ends_within_a_page_of_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = delimited(1, delimited(4, b"Relu") + delimited(3, bytes(90))) * 70
    watched = Watched(wire._HOLDING_TENSORS)
    monkeypatch.setattr(wire, "_HOLDING_TENSORS", watched)
    structure_of(HEADER + delimited(7, nodes + delimited(5, delimited(9, bytes(1 << 20)))))
    assert len(nodes) <= watched.reached <= len(nodes) + 4096


def test_payloads_are_not_read(tmp_path: Path) -> None:
    # Three gigabytes of hole between the structure's two ends: reading it would show in time and memory.
    length = 3 << 30
    conv = node("Conv", ["x", "w"], ["y"])
    content = model(graph([conv], {"x": [1, 4, 8, 8]}))
    dims = b"".join(varint(1 << 3) + varint(size) for size in (length // 4 // 4, 4, 1, 1))
    head = dims + varint(2 << 3) + varint(1) + message(8, b"w") + varint(9 << 3 | 2) + varint(length)
    rest = content.graph.SerializeToString()
    content.ClearField("graph")
    front = content.SerializeToString()
    tensor = varint(5 << 3 | 2) + varint(len(head) + length) + head
    graph_size = len(rest) + len(tensor) + length
    path = tmp_path / "sparse.onnx"
    with path.open("wb") as file:
        file.write(front + varint(7 << 3 | 2) + varint(graph_size) + rest + tensor)
        file.truncate(file.tell() + length)
    assert path.stat().st_size > length
    assert path.stat().st_blocks * 512 < 1 << 20
    loaded = read(path)
    assert loaded.nodes[0].cost.macs == 64 * 4 * (length // 16)
    assert loaded.weights[0].nbytes == length


@pytest.mark.parametrize("said", [{"offset": "4096", "length": "96"}, {"offset": "4096"}])
def test_external_data_need_not_exist(tmp_path: Path, said: dict[str, str]) -> None:
    content = graph([node("MatMul", ["x", "w"], ["y"])], {"x": [1, 8]})
    tensor = content.initializer.add(name="w", dims=[8, 3], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "sub/weights.bin", **said}.items():
        tensor.external_data.add(key=key, value=value)
    (weight,) = load(content, tmp_path).weights
    assert weight.stored is not None
    assert (Path(weight.stored.path), weight.stored.offset) == (tmp_path / "sub/weights.bin", 4096)
    assert weight.stored.length == 96


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../b", "C:\\x", "a\\..\\b"])
def test_external_data_outside_the_models_folder_is_not_pointed_at(tmp_path: Path, location: str) -> None:
    content = graph([node("MatMul", ["x", "w"], ["y"])], {"x": [1, 8]})
    tensor = content.initializer.add(name="w", dims=[8, 3], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    (weight,) = load(content, tmp_path).weights
    assert weight.stored is None


def test_external_data_that_lies_in_no_named_file_is_not_looked_for_in_the_model(tmp_path: Path) -> None:
    content = graph([node("MatMul", ["x", "w"], ["y"])], {"x": [1, 8]})
    tensor = content.initializer.add(name="w", dims=[8, 3], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="offset", value="0")
    (weight,) = load(content, tmp_path).weights
    assert weight.stored is None


def small_file() -> bytes:
    weights = {"w": ones(4, 3, 3, 3), "b": ones(4), "big": ones(1, 4, 16, 20)}
    nodes = [node("Conv", ["x", "w", "b"], ["c"], name="conv", pads=[1, 1, 1, 1]), node("Mul", ["c", "big"], ["y"])]
    return model(graph(nodes, {"x": ["batch", 3, 16, 20]}, weights)).SerializeToString()


def test_every_truncation_is_read_or_refused_in_words(tmp_path: Path) -> None:
    whole = small_file()
    path = tmp_path / "cut.onnx"
    refused = []
    for length in [*range(700), *range(700, len(whole), 97)]:
        path.write_bytes(whole[:length])
        try:
            read(path)
        except SourceError as error:
            refused.append(error)
    assert len(refused) > 700
    assert all(error.hint and "\n" not in error.message for error in refused)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_refused_in_words(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.onnx"
    path.write_bytes(content)
    with pytest.raises(SourceError):
        read(path)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_file_with_changed_bytes_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(small_file())
    places = st.one_of(st.integers(0, 250), st.integers(0, len(content) - 1))
    for place in data.draw(st.lists(places, min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed.onnx"
    path.write_bytes(content)
    error = None
    try:
        read(path)
    except ConvcostError as refused:
        error = refused
    assert error is None or "\n" not in error.message


def test_a_length_that_leaves_its_message_is_refused() -> None:
    inner = varint(5 << 3 | 2) + varint(1 << 40)
    with pytest.raises(MalformedMessageError):
        structure_of(message(7, inner) + bytes(100))


@pytest.mark.parametrize("content", [b"\x80" * 11, b"\x03", b"\x02\x00", b"\x09\x00\x00"])
def test_malformed_fields_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        list(fields(content, 0, len(content), wanted=()))


def test_nesting_is_bounded() -> None:
    body = bytes(KEEP_BYTES + 1)
    body = message(1, message(15, body))
    for _ in range(MAX_DEPTH):
        body = message(1, message(5, message(6, body)))
    with pytest.raises(MalformedMessageError, match="nested"):
        structure_of(message(7, body))


def test_training_graphs_are_left_out(tmp_path: Path) -> None:
    content = model(graph([node("Relu", ["x"], ["y"])], {"x": [4]}))
    content.training_info.add().algorithm.CopyFrom(graph([node("Relu", ["x"], ["y"])], {"x": [4]}, {"w": ones(BIG)}))
    assert not ModelProto.FromString(structure_of(content.SerializeToString()).content).training_info
    assert len(analyze(content, tmp_path).layers) == 1


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        (None, "no such file", "path"),
        (b"", "empty", "download"),
        (b"hello, this is a readme\n" * 9, "text file", "binary"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "Git LFS pointer", "git lfs pull"),
        (b"\x08\x0a", "no graph", ""),
        (b"\x89PNG\r\n\x1a\n" + bytes(90), "not an ONNX model", "binary"),
    ],
)
def test_what_is_not_a_model_is_said_so(tmp_path: Path, content: bytes | None, said: str, hint: str) -> None:
    path = tmp_path / "bad.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=said) as raised:
        read(path)
    assert hint in (raised.value.hint or "")
    assert str(path) in raised.value.message


def test_a_directory_and_an_empty_graph_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="directory"):
        read(tmp_path)
    empty = model(graph([node("Relu", ["x"], ["y"])], {"x": [1]}))
    del empty.graph.node[:]
    with pytest.raises(SourceError, match="no nodes"):
        read(Path(save(empty, tmp_path)))


def test_a_files_names_cannot_break_the_error_line(tmp_path: Path) -> None:
    content = graph([node("Relu", ["a\nb\x1b[31m" + "c" * 500], ["y"])], {"x": [1]})
    with pytest.raises(SourceError) as raised:
        load(content, tmp_path)
    assert r"a\nb\x1b[31m" in raised.value.message
    assert len(raised.value.message.removeprefix(str(tmp_path))) < 250


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Relu", ["x"], ["yyyy"])],
        [node("Relu", ["x"], ["a"]), node("Constant", [], ["yyyy"], value=numpy_helper.from_array(ones(2000)))],
        [
            node("Constant", [], ["c"], value=numpy_helper.from_array(ones(2000))),
            node("Relu", ["x"], ["a"], name="yyyy"),
        ],
        [node("Relu", ["x"], ["é"]), node("Relu", ["é"], ["yyyy"])],
        [node("Conv", ["x"], ["yyyy"], note="n" * 5000)],
        [node("If", ["x"], ["a"], then_branch=graph([node("Relu", ["x"], ["yyyy"])], {}))],
        [node("Softmax", ["x"], ["a"], axis=1), node("Softmax", ["a"], ["yyyy"], axis=1)],
        [node("Softmax", ["x"], ["a"], axis=1), node("Softmax", ["a"], ["b"], yyyy=1)],
    ],
    ids=["plain", "constant", "after a constant", "after another", "long", "branch", "with attributes", "attribute"],
)
def test_a_name_that_is_no_text_is_refused(tmp_path: Path, nodes: list[NodeProto]) -> None:
    path = Path(save(graph(nodes, {"x": [1]}), tmp_path))
    path.write_bytes(path.read_bytes().replace(b"yyyy", b"y\xff\xfey"))
    with pytest.raises(SourceError, match="not text"):
        read(path)


@pytest.mark.parametrize(("key", "value"), [("location", "yyyy"), ("yyyy", "w.bin"), ("offset", "yyyy")])
def test_whereabouts_that_are_no_text_are_refused(tmp_path: Path, key: str, value: str) -> None:
    weight = numpy_helper.from_array(ones(3), "w")
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key=key, value=value)
    content = graph([node("Relu", ["x"], ["y"])], {"x": [1]})
    content.initializer.append(weight)
    path = Path(save(content, tmp_path))
    path.write_bytes(path.read_bytes().replace(b"yyyy", b"y\xff\xfey"))
    with pytest.raises(SourceError, match="not text"):
        read(path)


def suspects(nodes: list[NodeProto]) -> list[int]:
    return list(structure_of(model(graph(nodes, {"x": [1]})).SerializeToString()).suspects)


def test_only_nodes_of_more_than_ascii_are_looked_at_again() -> None:
    nodes = [
        node("Relu", ["x"], ["a"]),
        node("Relu", ["a"], ["é"]),
        node("Relu", ["é"], ["b"]),
        node("Relu", ["b"], ["c"]),
    ]
    assert suspects(nodes) == [1, 2]


def test_attributes_are_looked_at_once() -> None:
    nodes = [
        node("Softmax", ["x"], ["a"], axis=1),
        node("Softmax", ["a"], ["b"], axis=2),
        node("Softmax", ["b"], ["c"], name="another", axis=1),
        node("Softmax", ["c"], ["é"], axis=1),
        node("Softmax", ["é"], ["d"], axis=2),
        node("Softmax", ["d"], ["e"], axis=2),
    ]
    nodes[5].metadata_props.add(key="note", value="é")
    assert suspects(nodes) == [0, 1, 3, 4, 5]
    nodes[5].metadata_props[0].value = "e"
    assert suspects(nodes) == [0, 1, 3, 4]
