"""The protobuf wire format of an ONNX file, walked over a mapping so that payloads are never touched."""

from __future__ import annotations

import mmap
import re
from array import array
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from convcost.graph.cache import BoundedCache
from convcost.sources.onnx.node import WITH_SUBGRAPHS

Buffer: TypeAlias = "mmap.mmap | bytes"
Field: TypeAlias = "tuple[int, int, int, int, int, int]"
"""Number, wire type, where header, body and end lie, and a number's value or a body's length."""

KEEP_BYTES = 4096
"""Payloads up to this size stay in the copy: they may be shapes, axes and scalars that inference needs."""

KEEP_INTEGER_BYTES = 65536
"""The same for 32- and 64-bit integers, of which shapes and indices are made."""

MAX_DEPTH = 100
"""Messages within messages; protobuf itself refuses more."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_IN_TWO_BYTES = 0x3FFF
_SHORT_KEYS = frozenset(number << 3 | wire for number in range(1, 16) for wire in (_VARINT, _BYTES))  # of one byte

# Field numbers below are those of onnx.proto3; a message of each kind may lie in these fields of its parent.
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "main graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_CHILDREN["main graph"] = _CHILDREN["graph"] | {5: "initializer"}
_ATTRIBUTE = frozenset({5})
_SHORT_NODE_BYTES = 512  # a longer one nearly always has metadata of over 127 bytes, whose length is not ASCII either
_NOT_INFERENCE = "training"
_SEARCHED_AT_ONCE = 4096  # a page: what may lie behind the nodes is a payload

_DATA_TYPE, _RAW_DATA, _EXTERNAL_DATA, _DATA_LOCATION = 2, 9, 13, 14
_PAYLOADS = frozenset({4, 5, 7, _RAW_DATA, 10, 11})
_TYPE_AND_PAYLOADS = _PAYLOADS | {_DATA_TYPE}
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


class Structure(NamedTuple):
    """A model without large payloads. `suspects` are the places, among its graph's nodes, of those that may have a name
    that is no text; of nodes that differ in ASCII alone, the first stands for all. `payloads` are offset and length,
    in the file, for each of its graph's initializers in turn; an offset of 0 for one in no form to be loaded later.
    """

    content: bytes
    suspects: Sequence[int]
    payloads: Sequence[int]


def structure_of(buffer: Buffer, most: int = 2**31 - 1) -> Structure:
    """A copy of the model in `buffer` without the payloads of large tensors.

    Every other tensor with a payload that could be loaded later is given the external-data entries `offset` and
    `length`, with an empty `location` for the file itself; where a payload was left out, the tensor is marked as
    external. Raises `MalformedMessageError` for lengths that leave their message and for nesting over `MAX_DEPTH`,
    and `StructureTooLargeError` before the copy is larger than `most` bytes.
    """
    copy = _Copy(buffer, most)
    copy.message("model", 0, len(buffer), 0)
    return Structure(bytes(copy.out), copy.suspects, copy.payloads)


def fields(buffer: Buffer, start: int, stop: int, wanted: Container[int]) -> Iterator[Field]:
    """The fields numbered in `wanted` of the message in `buffer[start:stop]`; their bodies are not read.

    Raises `MalformedMessageError` for the first field, wanted or not, that is none or leaves the message.
    """
    position = start
    while position < stop:
        key = buffer[position]
        # Nearly all fields, read here without a call for each of their numbers; `_field` reads any.
        if key in _SHORT_KEYS and position < stop - 2:
            value, body = buffer[position + 1], position + 2
            if value > 0x7F:
                value, body = value - 0x80 + (buffer[body] << 7), body + 1
            end = body + value if key & 7 == _BYTES else body
            if value <= _MOST_IN_TWO_BYTES and end <= stop:
                if key >> 3 in wanted:
                    yield key >> 3, key & 7, position, body, end, value
                position = end
                continue
        field = _field(buffer, position, stop)
        if field[0] in wanted:
            yield field
        position = field[4]


def _field(buffer: Buffer, start: int, stop: int) -> Field:
    key, body = _varint(buffer, start, stop)
    number, wire, value = key >> 3, key & 7, 0
    if wire == _BYTES:
        value, body = _varint(buffer, body, stop)
        end = body + value
    elif wire == _VARINT:
        value, body = _varint(buffer, body, stop)
        end = body
    elif wire in (_FIXED32, _FIXED64):
        end = body + (4 if wire == _FIXED32 else 8)
    else:
        raise MalformedMessageError(f"wire type {wire}", start)
    if number == 0:
        raise MalformedMessageError("field number 0", start)
    if end > stop:
        raise MalformedMessageError(f"a field of {end - body} bytes in {stop - body}", start)
    return number, wire, start, body, end, value


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
        self._nodes = 0
        self.out = bytearray()
        self.suspects = array("I")  # a tenth of a list, should a file be of nothing else
        self.payloads = array("Q")
        self._attributes: BoundedCache[bytes, bool] = BoundedCache()

    def message(self, kind: str, start: int, stop: int, depth: int) -> None:
        """Copies a message, entering only what may hold a large payload."""
        if depth > MAX_DEPTH:
            raise MalformedMessageError("messages nested too deeply", start)
        children = _CHILDREN[kind]
        is_main = kind == "main graph"
        copied = without_tensors = start
        for number, wire, header, body, end, _ in fields(self._buffer, start, stop, children):
            if wire != _BYTES:
                continue
            child = children[number]
            if child == "node":
                whole = end - body <= KEEP_BYTES
                if whole and end > without_tensors:
                    without_tensors = self._without_tensors(body, end, stop)
                whole = whole and end <= without_tensors
                if is_main:
                    self._in_graph(body, end, whole=whole)
                if whole:
                    continue
            elif child == "initializer" and self._is_small_initializer(body, end):
                continue
            self._copy(copied, header)
            copied = end
            if child != _NOT_INFERENCE:
                self._child(number, child, body, end, depth + 1)
        self._copy(copied, stop)

    def _in_graph(self, start: int, end: int, *, whole: bool) -> None:
        if not whole or not (self._buffer[start:end].isascii() or self._has_known_attributes(start, end)):
            self.suspects.append(self._nodes)
        self._nodes += 1

    def _has_known_attributes(self, start: int, end: int) -> bool:
        """Whether all but the node's attributes is ASCII, and those were seen before: their types never are ASCII."""
        if end - start > _SHORT_NODE_BYTES:
            return False
        try:
            attributes = list(fields(self._buffer, start, end, _ATTRIBUTE))
        except MalformedMessageError:
            return False  # protobuf decides
        if not attributes:
            return False
        first, last = attributes[0][2], attributes[-1][4]
        if not (self._buffer[start:first].isascii() and self._buffer[last:end].isascii()):
            return False
        written = self._buffer[first:last]
        if written in self._attributes:
            return True
        self._attributes[written] = True
        return False

    def _without_tensors(self, start: int, end: int, stop: int) -> int:
        """Up to where no node from `start` on can hold one, having searched once for many nodes."""
        searched = min(max(end, start + _SEARCHED_AT_ONCE), stop)
        found = _HOLDING_TENSORS.search(self._buffer, start, searched)
        return searched if found is None else found.end() - 1

    def _child(self, number: int, kind: str, start: int, stop: int, depth: int) -> None:
        self.out += _encoded(number << 3 | _BYTES)
        header = len(self.out)
        self.out += bytes(_PADDED_LENGTH)
        if kind == "initializer":
            self._without_payload(start, stop)
        elif kind == "tensor":
            self._tensor(start, stop)
        else:
            self.message(kind, start, stop, depth)
        length = len(self.out) - header - _PADDED_LENGTH
        self.out[header : header + _PADDED_LENGTH] = _padded(length)

    def _is_small_initializer(self, start: int, stop: int) -> bool:
        offset, length, is_large = self._payload(start, stop)
        self.payloads.append(offset)
        self.payloads.append(length)
        return not is_large

    def _tensor(self, start: int, stop: int) -> None:
        offset, length, is_large = self._payload(start, stop)
        if is_large:
            self._without_payload(start, stop)
        else:
            self._copy(start, stop)
        if offset:
            self.out += _whereabouts(offset, length)

    def _payload(self, start: int, stop: int) -> tuple[int, int, bool]:
        """Offset and length, 0 and 0 for one in no form to be loaded later; and whether there is much of it."""
        data_type = size = count = payload = first = last = 0
        for number, wire, _, body, end, value in fields(self._buffer, start, stop, _TYPE_AND_PAYLOADS):
            if number == _DATA_TYPE:
                data_type = value if wire == _VARINT else 0
            elif wire == _BYTES:
                payload, first, last, size, count = number, body, end, size + end - body, count + 1
        is_large = size > (KEEP_INTEGER_BYTES if data_type in _SHAPE_TYPES else KEEP_BYTES)
        if count == 1 and payload in _LITTLE_ENDIAN_PAYLOADS:
            return first, last - first, is_large
        return 0, 0, is_large

    def _without_payload(self, start: int, stop: int) -> None:
        copied = start
        for _, wire, header, _, end, _ in fields(self._buffer, start, stop, _PAYLOADS):
            if wire == _BYTES:
                self._copy(copied, header)
                copied = end
        self._copy(copied, stop)
        self.out += _encoded(_DATA_LOCATION << 3) + _encoded(_EXTERNAL)

    def _copy(self, start: int, stop: int) -> None:
        if len(self.out) + stop - start > self._most:
            raise StructureTooLargeError
        if start < stop:
            self.out += self._buffer[start:stop]


def _whereabouts(start: int, size: int) -> bytes:
    offset, length = b"%d" % start, b"%d" % size
    return _BEFORE_OFFSET[len(offset)] + offset + _BEFORE_LENGTH[len(length)] + length


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
    low, high = length & 0x7F | 0x80, length >> 7 & 0x7F | 0x80
    return bytes((low, high, length >> 14 & 0x7F | 0x80, length >> 21 & 0x7F | 0x80, length >> 28 & 0x7F))


def _before_digits(key: bytes) -> list[bytes]:
    """An entry up to its number, by how many digits that has."""
    return [_entry(key, bytes(digits)).removesuffix(bytes(digits)) for digits in range(20)]


_HOLDERS = ("Constant", *sorted(WITH_SUBGRAPHS))  # nodes that may have stored tensors in their attributes
_HOLDING_TENSORS = re.compile(b"|".join([re.escape(_delimited(4, operator.encode())) for operator in _HOLDERS]))
_NO_LOCATION = _entry(b"location", b"")
_BEFORE_OFFSET = [_NO_LOCATION + before for before in _before_digits(b"offset")]
_BEFORE_LENGTH = _before_digits(b"length")
