"""Nodes that say what cannot be: onnx before 1.23 reads past their lists or divides by zero, which ends the process."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

from convcost.errors import ConvcostError
from tests.sources.onnx.tiny import analyze, graph, node, ones

IMAGE = {"x": [1, 4, 8, 8]}
DEEP = ones(4, 4, *[1] * 20)


@pytest.mark.parametrize("opset", [11, 21])
@pytest.mark.parametrize(
    ("operator", "weights", "attributes"),
    [
        ("Conv", DEEP, {}),
        ("ConvTranspose", DEEP, {}),
        ("ConvTranspose", ones(4), {}),
        ("Conv", ones(4, 4, 3, 3), {"strides": [0, 0], "auto_pad": "SAME_UPPER"}),
        ("MaxPool", None, {"kernel_shape": [2, 2], "strides": [0, 0]}),
        ("AveragePool", None, {"kernel_shape": [2, 2], "strides": [0, 0]}),
        ("DepthToSpace", None, {"blocksize": 2**32}),
    ],
)
def test_a_node_that_cannot_be_is_an_error_or_listed(
    tmp_path: Path, operator: str, weights: np.ndarray | None, attributes: dict[str, object], opset: int
) -> None:
    stored = {} if weights is None else {"w": weights}
    impossible = node(operator, ["x", *stored], ["y"], **attributes)
    with contextlib.suppress(ConvcostError):
        found = analyze(graph([impossible], IMAGE, stored), tmp_path, opset=opset)
        assert found.unknown
        assert found.totals.macs == 0
