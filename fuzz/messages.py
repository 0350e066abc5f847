"""Changes to protobuf messages: what comes out is a message of the same type, so that its reader gets past the wire."""

from __future__ import annotations

import random
from typing import TypeAlias

from google.protobuf.descriptor import FieldDescriptor as Kind
from google.protobuf.message import DecodeError, Message

Place: TypeAlias = tuple[Message, Kind]

_INTEGERS = (-1, 0, 1, 2, 3, 7, 16, 100, 4096, 65537, 2**31 - 1, -(2**31))
_LARGE = (2**31, 2**40, 2**62, 2**63 - 1, -(2**63))
_TEXTS = (
    "",
    "x",
    "Conv",
    "If",
    "Loop",
    "Scan",
    "Constant",
    "ai.onnx",
    "com.microsoft",
    "../../etc/passwd",
    "\x1b[31m\u202e",
)
_LARGE_TYPES = frozenset({Kind.TYPE_INT64})


def changed_message(message: Message, data: bytes, chance: random.Random) -> bytes:
    """The message with one to four fields gone, doubled, swapped for others in it, or another value."""
    try:
        message.ParseFromString(data)
    except DecodeError:
        return data
    for _ in range(chance.randint(1, 4)):
        if not (places := _places(message)):
            return data
        owner, field = chance.choice(places)
        try:
            chance.choice((_set, _set, _shuffle, _clear))(owner, field, places, chance)
        except ValueError:  # a text that is no UTF-8, which a hostile file may hold and a message does not take
            return data
    return message.SerializeToString()


def _places(message: Message) -> list[Place]:
    found: list[Place] = []
    left = [message]
    while left:
        owner = left.pop()
        for field, value in owner.ListFields():
            found.append((owner, field))
            if field.type == Kind.TYPE_MESSAGE:
                left.extend(value if field.is_repeated else [value])
    return found


def _set(owner: Message, field: Kind, places: list[Place], chance: random.Random) -> None:
    """Another value for a field that is there, or a first one for a field of its message that was not."""
    if chance.random() < 0.2:
        field = chance.choice(owner.DESCRIPTOR.fields)
    if field.type == Kind.TYPE_MESSAGE:
        _set_message(owner, field, places, chance)
    elif field.is_repeated:
        values = getattr(owner, field.name)
        if len(values) and chance.random() < 0.8:
            values[chance.randrange(len(values))] = _value(field, places, chance)
        else:
            values.append(_value(field, places, chance))
    else:
        setattr(owner, field.name, _value(field, places, chance))


def _set_message(owner: Message, field: Kind, places: list[Place], chance: random.Random) -> None:
    """A message of the same type from anywhere in the model, which is how subgraphs and types get where none were."""
    alike = [(o, f) for o, f in places if f.message_type is field.message_type]
    if not alike:
        return
    other, at = chance.choice(alike)
    found = getattr(other, at.name)
    source = type(chance.choice(found) if at.is_repeated and len(found) else found)
    if at.is_repeated and not len(found):
        return
    copy = source() if not at.is_repeated else type(found[0])()
    copy.CopyFrom(chance.choice(found) if at.is_repeated else found)
    (getattr(owner, field.name).add() if field.is_repeated else getattr(owner, field.name)).CopyFrom(copy)


def _shuffle(owner: Message, field: Kind, places: list[Place], chance: random.Random) -> None:
    if not field.is_repeated or field.type == Kind.TYPE_MESSAGE:
        return _clear(owner, field, places, chance)
    values = list(getattr(owner, field.name))
    chance.shuffle(values)
    owner.ClearField(field.name)
    getattr(owner, field.name).extend(values)
    return None


def _clear(owner: Message, field: Kind, places: list[Place], chance: random.Random) -> None:
    values = getattr(owner, field.name)
    if field.is_repeated and len(values) > 1:
        del values[chance.randrange(len(values))]
    else:
        owner.ClearField(field.name)


def _value(field: Kind, places: list[Place], chance: random.Random) -> object:
    match field.type:
        case Kind.TYPE_STRING:
            return _text(places, chance)
        case Kind.TYPE_BYTES:
            return chance.choice((_text(places, chance).encode(), b"", chance.randbytes(8), b"\xff" * 16))
        case Kind.TYPE_FLOAT | Kind.TYPE_DOUBLE:
            return chance.choice((0.0, -1.0, 0.5, 1e30, float("nan"), float("inf")))
        case Kind.TYPE_ENUM:
            return chance.choice(field.enum_type.values).number
        case Kind.TYPE_UINT64:
            return abs(chance.choice(_INTEGERS))
        case _:
            return chance.choice((*_INTEGERS, *_LARGE) if field.type in _LARGE_TYPES else _INTEGERS)


def _text(places: list[Place], chance: random.Random) -> str:
    """A name from elsewhere in the model, most of the time: values, operators, attributes, dimensions."""
    texts = [(owner, field) for owner, field in places if field.type == Kind.TYPE_STRING]
    if not texts or chance.random() < 0.2:
        return chance.choice(_TEXTS)
    owner, field = chance.choice(texts)
    found = getattr(owner, field.name)
    text = chance.choice(found) if field.is_repeated else found
    return text if isinstance(text, str) else chance.choice(_TEXTS)  # protobuf hands over what is no UTF-8 as bytes
