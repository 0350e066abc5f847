"""ONNX files to Graph, from their structure alone: no weight is read, and external data need not exist."""

from __future__ import annotations

from collections.abc import Mapping

from convcost.graph import Graph
from convcost.sources.request import Request

__all__ = ["declared_shapes", "load_onnx"]


def load_onnx(request: Request) -> Graph:
    """The network in the file `request.target`, at the request's input shapes and dimensions.

    Raises `SourceError` for what is missing, is not ONNX, contradicts itself, or leaves a needed shape open.
    """
    from convcost.sources.onnx.load import load_model

    return load_model(request)


def declared_shapes(path: str) -> Mapping[str, tuple[int | str | None, ...]]:
    """Every input's shape as the file gives it: sizes, names of symbolic dimensions, None for neither.

    Raises `SourceError` as `load_onnx` does.
    """
    from convcost.sources.onnx.inputs import shapes_of
    from convcost.sources.onnx.reader import read_model

    return shapes_of(read_model(path).model.graph)
