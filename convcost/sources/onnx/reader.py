"""An ONNX file to a parsed model without payloads, ready to be lowered."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import SourceError
from convcost.sources.onnx.packed import MOST_UNPACKED_BYTES, opened
from convcost.sources.onnx.text import refuse_unreadable_names
from convcost.sources.onnx.wire import MalformedMessageError, Structure, StructureTooLargeError, structure_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onnx import ModelProto

_LFS_POINTER = b"version https://git-lfs"


class ReadModel(NamedTuple):
    """A model, and of each initializer of its graph the payload's offset and length in the file; see `Structure`."""

    model: ModelProto
    payloads: Sequence[int]


def read_model(path: str) -> ReadModel:
    """The model at `path`, large payloads left out and external data not opened.

    Raises `SourceError` for what cannot be opened or is not an ONNX model.
    """
    structure = _mapped(path)
    model = _parsed(path, structure.content)
    if not model.HasField("graph"):
        raise SourceError(
            f"{path}: not an ONNX model: it has no graph", hint="is this a tensor or another protobuf file?"
        )
    if not model.graph.node:
        raise SourceError(f"{path}: the graph has no nodes", hint="export the model again; there is nothing to count")
    refuse_unreadable_names(model, structure.suspects, path)
    return ReadModel(model, structure.payloads)


def _mapped(path: str) -> Structure:
    try:
        if Path(path).is_dir():
            raise SourceError(f"{path}: is a directory", hint="name the .onnx file in it")
        with opened(path) as found:
            if os.fstat(found.file.fileno()).st_size == 0:
                raise SourceError(f"{path}: the file is empty", hint="the export or the download did not finish")
            with mmap.mmap(found.file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
                if hasattr(mmap, "MADV_RANDOM"):  # reading ahead would bring in the payloads
                    buffer.madvise(mmap.MADV_RANDOM)
                return _structure(path, buffer, found.most_structure)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file", hint="check the path; it is relative to here") from error
    except (OSError, ValueError) as error:  # the latter for a name with a NUL in it
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(f"{path}: {reason}", hint="the file must be readable") from error


def _structure(path: str, buffer: mmap.mmap, most: int) -> Structure:
    if buffer[: len(_LFS_POINTER)] == _LFS_POINTER:
        raise SourceError(f"{path}: is a Git LFS pointer, not the model itself", hint="run: git lfs pull")
    try:
        return structure_of(buffer, most)
    except StructureTooLargeError as error:
        raise _too_large(path, most) from error
    except MalformedMessageError as error:
        raise SourceError(f"{path}: {_diagnosis(buffer)} ({error})", hint=_REPAIR) from error


def _too_large(path: str, most: int) -> SourceError:
    if most < MOST_UNPACKED_BYTES:
        return SourceError(
            f"{path}: unpacks to more than {most:,} bytes beside its weights, far more than models of its size",
            hint="if you trust the file, unpack it yourself: gunzip --keep",
        )
    return SourceError(
        f"{path}: more than {most:,} bytes without weights, which is more than a protobuf message may hold",
        hint="export the model with its weights as tensors, not as texts or lists of numbers",
    )


_REPAIR = "an ONNX file is binary protobuf; export or download it again"


def _diagnosis(buffer: mmap.mmap) -> str:
    """A model starts with its IR version, field 1 as a number; text does not."""
    if buffer[:1] == b"\x08":
        return "truncated, or not an ONNX model"
    sample = buffer[:512]
    looks_like_text = all(byte >= 32 or byte in b"\t\n\r\f" for byte in sample)
    return "a text file, not an ONNX model" if looks_like_text else "not an ONNX model"


def _parsed(path: str, structure: bytes) -> ModelProto:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # ships no types
    from onnx import ModelProto

    model = ModelProto()
    try:
        model.ParseFromString(structure)
    except DecodeError as error:
        raise SourceError(f"{path}: not an ONNX model (its messages cannot be decoded)", hint=_REPAIR) from error
    return model
