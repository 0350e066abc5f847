"""A case as the ONNX file that PyTorch exports of it."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

import torch

from convcost.analysis import Analysis, analyze_graph
from convcost.sources import Request
from convcost.sources.onnx import load_onnx
from convcost.sources.torch.inputs import Arguments
from tests.conformance.case import Case


def exported(case: Case, path: Path) -> Analysis:
    """What the exported file costs. Raises whatever the exporter does."""
    module = case.build().eval()
    types = (tensor.dtype for tensor in module.parameters() if tensor.is_floating_point())
    arguments = Arguments.of(case.inputs, case.kwargs)
    positional, keywords = arguments.on(torch.device("cpu"), next(types, torch.float32))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, positional, path, kwargs=keywords, dynamo=True, verbose=False)
    return analyze_graph(load_onnx(Request(target=str(path))))
