"""Where the bytes of stored tensors lie: in the model's file, in another of its folder, or where none may be read."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from convcost.dataclasses import copier
from convcost.graph import ByteRange
from convcost.sources.onnx.packed import STANDARD_INPUT, is_packed
from convcost.sources.onnx.text import unreadable

if TYPE_CHECKING:
    from onnx import TensorProto

Payload: TypeAlias = tuple[int, int]
"""Its offset and length in the model's file."""

UNTOLD: Payload = (0, 0)
"""Of a tensor that says itself where its payload lies, if that is anywhere."""

_placed = copier(ByteRange, "offset", "length")


class Whereabouts:
    """Of the tensors of the model at `path`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._within = ByteRange(path=path, offset=0, length=0)
        self._is_packed = is_packed(path)

    def of(self, tensor: TensorProto, payload: Payload, nbytes: int) -> ByteRange | None:
        """None for a payload in no loadable form, or outside the model's folder. It has `nbytes` where none are said.

        Raises `SourceError` where the tensor says it in what is no text.
        """
        offset, length = payload
        if not offset:
            return self._stated(tensor, nbytes)
        return None if self._is_packed else _placed(self._within, offset, length)

    def _stated(self, tensor: TensorProto, nbytes: int) -> ByteRange | None:
        entries = {entry.key: entry.value for entry in tensor.external_data[:]}
        for text in (*entries, *entries.values()):
            if not isinstance(text, str):  # protobuf hands over bytes where they are no text
                raise unreadable(text, self._path)
        location = entries.get("location")
        if location is None or self._path == STANDARD_INPUT or (not location and self._is_packed):
            return None
        file = self._path if not location else _beside(self._path, location)
        offset, length = _natural(entries.get("offset", "0")), _natural(entries.get("length", ""))
        if file is None or offset is None:
            return None
        length = nbytes if length is None else length
        return ByteRange(path=file, offset=offset, length=length, beside=self._path if location else None)


def _beside(path: str, location: str) -> str | None:
    relative = PurePosixPath(location)
    if relative.is_absolute() or ".." in relative.parts or "\\" in location or ":" in location or "\0" in location:
        return None
    return str(Path(path).parent / relative)


def _natural(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
