"""The outside world to Graph: one table of sources, chosen by the look of the target."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from convcost.dataclasses import dataclass
from convcost.errors import SourceError
from convcost.graph import Graph
from convcost.sources.request import InputSpec, Request, without_arguments

__all__ = ["PACKED_ONNX", "SOURCES", "InputSpec", "Request", "Source", "load", "source_of"]


def _load_spec(request: Request) -> Graph:
    from convcost.sources.spec import load_spec

    return load_spec(request)


def _load_onnx(request: Request) -> Graph:
    from convcost.sources.onnx import load_onnx

    return load_onnx(request)


def _load_torch(request: Request) -> Graph:
    from convcost.sources.torch import load_torch

    return load_torch(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A kind of target: how it is recognised, in words and as a pattern, and what reads it."""

    name: str
    looks_like: str
    pattern: str
    load: Callable[[Request], Graph]


PACKED_ONNX = "packed onnx"
"""ONNX files whose weights cannot be read and which cannot be run where they lie; they are counted like any other."""

SOURCES: tuple[Source, ...] = (
    Source(name="spec", looks_like="layer.yaml", pattern=r".+\.ya?ml", load=_load_spec),
    Source(name="onnx", looks_like="model.onnx", pattern=r".+\.onnx", load=_load_onnx),
    Source(
        name=PACKED_ONNX,
        looks_like="model.onnx.gz, - (an ONNX file on standard input)",
        pattern=r".+\.onnx\.gz|-",
        load=_load_onnx,
    ),
    Source(
        name="torch",
        looks_like="torchvision:resnet50, hf:config.json, package.module:factory, file.py:factory, model.pt2, model.pt",
        pattern=r".+\.(pt2?|pth)|[^:]+:[^:].*",
        load=_load_torch,
    ),
)


def load(request: Request) -> Graph:
    """The network a target names. Raises `SourceError` for what is not there or cannot be read."""
    return source_of(request.target).load(request)


def source_of(target: str) -> Source:
    """The kind of a target, by its look. Raises `SourceError` for one that looks like none."""
    looks = without_arguments(target)
    for source in SOURCES:
        if re.fullmatch(source.pattern, looks, re.DOTALL):  # file names may hold line breaks
            return source
    known = "; ".join(source.looks_like for source in SOURCES)
    raise SourceError(f"'{target}' {_what_else(Path(target))}", hint=f"targets look like: {known}")


def _what_else(path: Path) -> str:
    try:
        if path.is_dir():
            return "is a directory"
        if not path.exists() and "." not in path.name:
            return "names neither a file nor a factory"
    except OSError:  # a name longer than the system takes
        return "names neither a file nor a factory"
    return "is not a kind of target convcost reads"
