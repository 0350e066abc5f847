"""ONNX files whose wire format lies: lengths, numbers, nesting, packing."""

from __future__ import annotations

import gzip
import io

from onnx import ValueInfoProto, helper

from tests.nasty.nasty import Nasty

HEADER = b"\x08\x0a"  # a model's first field: its IR version, 10


def delimited(number: int, body: bytes) -> bytes:
    """A field with a length, as protobuf writes it."""
    return bytes([number << 3 | 2]) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def value_info(name: str, shape: tuple[int, ...], kind: int = 1) -> bytes:
    made: ValueInfoProto = helper.make_tensor_value_info(name, kind, shape)
    return bytes(made.SerializeToString())


def _nested_messages(depth: int) -> bytes:
    body = b""
    for level in range(depth):  # a graph of a node of an attribute of a graph …
        body = delimited((6, 5, 1)[level % 3], body)
    return HEADER + delimited(7, body)


def nested_ifs(depth: int) -> bytes:
    """A condition in the arm of a condition, and so on."""
    body = delimited(1, helper.make_node("Relu", ["x"], ["y0"]).SerializeToString())
    for level in range(depth):
        arm = delimited(6, body + delimited(12, value_info(f"y{level}", (1, 2)))) + b"\xa0\x01\x05"
        node = delimited(1, b"c") + delimited(2, f"y{level + 1}".encode()) + delimited(4, b"If")
        body = delimited(1, node + delimited(5, delimited(1, b"then_branch") + arm))
    inputs = delimited(11, value_info("x", (1, 2))) + delimited(11, value_info("c", (), 9))
    return HEADER + delimited(7, body + inputs) + delimited(8, b"\x10\x14")


def _bomb() -> bytes:
    """Seventy megabytes of text in a few thousand bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write(HEADER + b"\x12" + _varint(70 << 20))
        for _ in range(70):
            file.write(b"a" * (1 << 20))
    return packed.getvalue()


_PACKED = gzip.compress(HEADER + delimited(7, b""), mtime=0)

WIRE_FILES = (
    Nasty(name="empty.onnx", content=b"", says="is empty"),
    Nasty(name="text.onnx", content=b"hello", says="a text file"),
    Nasty(name="zeros.onnx", content=b"\0" * 10_000, says="field number 0"),
    Nasty(name="unfinished_number.onnx", content=b"\x08\xff", says="unfinished number"),
    Nasty(name="endless_number.onnx", content=b"\x08" + b"\xff" * 50, says="unfinished number"),
    Nasty(name="length_beyond_file.onnx", content=HEADER + b"\x3a" + _varint(2**40), says="a field of"),
    Nasty(name="length_of_64_bits.onnx", content=b"\x3a" + _varint(2**64 - 1), says="a field of"),
    Nasty(name="messages_10000_deep.onnx", content=_nested_messages(10_002), says="nested too deeply"),
    Nasty(name="conditions_1000_deep.onnx", content=nested_ifs(1000), says="nested too deeply"),
    Nasty(name="conditions_20_deep.onnx", content=nested_ifs(20)),
    Nasty(name="no_graph.onnx", content=HEADER * 1000, says="has no graph"),
    Nasty(name="git_lfs.onnx", content=b"version https://git-lfs.github.com/spec/v1\n", says="Git LFS pointer"),
    Nasty(name="bomb.onnx.gz", content=_bomb(), says="unpacks to more than"),
    Nasty(name="cut_short.onnx.gz", content=_PACKED[:-9], says="ends too early"),
    Nasty(name="packed_twice.onnx.gz", content=gzip.compress(_PACKED, mtime=0), says="not an ONNX model"),
    Nasty(name="not_packed.onnx.gz", content=b"hello", says="a text file"),
)
