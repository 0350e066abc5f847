"""The protobuf wire format of an ONNX file, walked over a mapping so that payloads are never touched."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

Buffer: TypeAlias = "mmap.mmap | bytes"

KEEP_BYTES = 4096
"""Payloads up to this size stay in the copy: they may be shapes, axes and scalars that inference needs."""

KEEP_INTEGER_BYTES = 65536
"""The same for 32- and 64-bit integers, of which shapes and indices are made."""

MAX_DEPTH = 100
"""Messages within messages; protobuf itself refuses more."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

# Field numbers below are those of onnx.proto3; a message of each kind may lie in these fields of its parent.
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_NOT_INFERENCE = "training"
# An attribute is only met inside a node that was worth entering.
_ALWAYS_ENTERED = frozenset({"graph", "function", "attribute", "tensor", "sparse", _NOT_INFERENCE})
_CONSTANT_NODE = b"\x22\x08Constant"

_DATA_TYPE, _RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 2, 9, 13, 14
_PAYLOADS = frozenset({4, 5, 7, _RAW_DATA, 10, 11})
_LITTLE_ENDIAN_PAYLOADS = frozenset({4, 10, _RAW_DATA})  # float_data, double_data, raw_data: bytes as in memory
_SHAPE_TYPES = frozenset({6, 7})  # int32, int64
_EXTERNAL = 1

_PADDED_LENGTH = 5
_ONE_BYTE = [bytes([value]) for value in range(0x80)]


class MalformedMessageError(ValueError):
    """The bytes are not a protobuf message; `position` is where that shows."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(f"{what} at byte {position}")
        self.position = position


class StructureTooLargeError(ValueError):
    """What would be kept beside the large payloads is more than was allowed."""


class Field(NamedTuple):
    """One field: its number, wire type, and where its header, body and end lie. `value` is a varint's."""

    number: int
    wire: int
    start: int
    body: int
    end: int
    value: int


def structure_of(buffer: Buffer, most: int = 2**31 - 1) -> bytes:
    """A copy of the model in `buffer` without the payloads of large tensors.

    Every tensor with a payload that could be loaded later is given the external-data entries `offset` and
    `length`, with an empty `location` for the file itself; where the payload was left out it is also marked as
    external. Raises `MalformedMessageError` for lengths that leave their message and for nesting over `MAX_DEPTH`,
    and `StructureTooLargeError` before the copy is larger than `most` bytes.
    """
    copy = _Copy(buffer, most)
    copy.message("model", 0, len(buffer), 0)
    return bytes(copy.out)


def fields(buffer: Buffer, start: int, stop: int) -> Iterator[Field]:
    """The fields of the message in `buffer[start:stop]`; their bodies are not read."""
    position = start
    while position < stop:
        key, body = _varint(buffer, position, stop)
        number, wire, value = key >> 3, key & 7, 0
        if wire == _BYTES:
            length, body = _varint(buffer, body, stop)
            end = body + length
        elif wire == _VARINT:
            value, end = _varint(buffer, body, stop)
        elif wire in (_FIXED32, _FIXED64):
            end = body + (4 if wire == _FIXED32 else 8)
        else:
            raise MalformedMessageError(f"wire type {wire}", position)
        if number == 0:
            raise MalformedMessageError("field number 0", position)
        if end > stop:
            raise MalformedMessageError(f"a field of {end - body} bytes in {stop - body}", position)
        yield Field(number, wire, position, body, end, value)
        position = end


def _varint(buffer: Buffer, position: int, stop: int) -> tuple[int, int]:
    value = shift = 0
    while position < stop and shift < 70:
        byte = buffer[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise MalformedMessageError("an unfinished number", position)


class _Copy:
    def __init__(self, buffer: Buffer, most: int) -> None:
        self._buffer = buffer
        self._most = most
        self.out = bytearray()

    def message(self, kind: str, start: int, stop: int, depth: int) -> None:
        """Copies a message, entering only what may hold a large payload."""
        if depth > MAX_DEPTH:
            raise MalformedMessageError("messages nested too deeply", start)
        children = _CHILDREN[kind]
        copied = start
        for field in fields(self._buffer, start, stop):
            child = children.get(field.number)
            if child is None or field.wire != _BYTES or not self._enters(child, field):
                continue
            self._copy(copied, field.start)
            copied = field.end
            if child != _NOT_INFERENCE:
                self._child(child, field, depth + 1)
        self._copy(copied, stop)

    def _enters(self, kind: str, field: Field) -> bool:
        if kind in _ALWAYS_ENTERED or field.end - field.body > KEEP_BYTES:
            return True
        return kind == "node" and self._buffer.find(_CONSTANT_NODE, field.body, field.end) >= 0

    def _child(self, kind: str, field: Field, depth: int) -> None:
        self.out += _encoded(field.number << 3 | _BYTES)
        header = len(self.out)
        self.out += bytes(_PADDED_LENGTH)
        if kind == "tensor":
            self._tensor(field.body, field.end)
        else:
            self.message(kind, field.body, field.end, depth)
        length = len(self.out) - header - _PADDED_LENGTH
        self.out[header : header + _PADDED_LENGTH] = _padded(length)

    def _tensor(self, start: int, stop: int) -> None:
        data_type = size = count = 0
        last: Field | None = None
        for field in fields(self._buffer, start, stop):
            if field.number == _DATA_TYPE:
                data_type = field.value
            elif field.wire == _BYTES and field.number in _PAYLOADS:
                last, size, count = field, size + field.end - field.body, count + 1
        dropped = size > (KEEP_INTEGER_BYTES if data_type in _SHAPE_TYPES else KEEP_BYTES)
        if dropped:
            self._copy_without_payloads(start, stop)
        else:
            self._copy(start, stop)
        if last is not None and count == 1 and last.number in _LITTLE_ENDIAN_PAYLOADS:
            self.out += _whereabouts(last)
        if dropped:
            self.out += _encoded(_DATA_LOCATION << 3) + _encoded(_EXTERNAL)

    def _copy_without_payloads(self, start: int, stop: int) -> None:
        copied = start
        for field in fields(self._buffer, start, stop):
            if field.wire == _BYTES and field.number in _PAYLOADS:
                self._copy(copied, field.start)
                copied = field.end
        self._copy(copied, stop)

    def _copy(self, start: int, stop: int) -> None:
        if len(self.out) + stop - start > self._most:
            raise StructureTooLargeError
        if start < stop:
            self.out += self._buffer[start:stop]


def _whereabouts(payload: Field) -> bytes:
    offset, length = str(payload.body).encode(), str(payload.end - payload.body).encode()
    return _NO_LOCATION + _entry(b"offset", offset) + _entry(b"length", length)


def _entry(key: bytes, value: bytes) -> bytes:
    return _delimited(_EXTERNAL_DATA, _delimited(1, key) + _delimited(2, value))


def _delimited(number: int, body: bytes) -> bytes:
    return _encoded(number << 3 | _BYTES) + _encoded(len(body)) + body


def _encoded(value: int) -> bytes:
    if value < 0x80:
        return _ONE_BYTE[value]
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _padded(length: int) -> bytes:
    """A length in `_PADDED_LENGTH` bytes, so that it can be written before it is known."""
    groups = [length >> 7 * place & 0x7F for place in range(_PADDED_LENGTH)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


_NO_LOCATION = _entry(b"location", b"")
