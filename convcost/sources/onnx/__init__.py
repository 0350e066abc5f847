"""ONNX files to Graph, from their structure alone: no weight is read, and external data need not exist."""

from __future__ import annotations

from convcost.graph import Graph
from convcost.sources.request import Request

__all__ = ["load_onnx"]


def load_onnx(request: Request) -> Graph:
    """The network in the file `request.target`, at the request's input shapes and dimensions.

    Raises `SourceError` for what is missing, is not ONNX, contradicts itself, or leaves a needed shape open.
    """
    from convcost.sources.onnx.load import load_model

    return load_model(request)
