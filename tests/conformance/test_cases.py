"""Cases of our own on which counters differ, each exact by its formula, through PyTorch and through ONNX."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from convcost.analysis import analyze_graph
from convcost.sources.torch import graph_of
from tests.conformance.case import Cases, worked_out
from tests.conformance.every_case import CASES
from tests.conformance.onnx_file import exported


@pytest.mark.parametrize("name", CASES)
def test_pytorch_is_exact(name):
    case = CASES[name]
    analysis = analyze_graph(graph_of(case.build(), case.inputs, case.kwargs))
    assert (analysis.totals.macs, analysis.totals.params) == case.expected
    assert tuple(op.operator for op in analysis.unknown) == case.unknown


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.exports])
def test_onnx_is_exact(name, tmp_path):
    case = CASES[name]
    analysis = exported(case, tmp_path / "case.onnx")
    assert analysis.totals.macs == case.expected_of_export
    assert not analysis.unknown


def test_formulas_are_arithmetic_and_nothing_else():
    assert worked_out("2*(3 + 4) - 1") == 13
    with pytest.raises(ValueError, match="more than arithmetic"):
        worked_out("__import__('os')")


def test_two_cases_of_one_name_are_refused():
    cases = Cases()
    cases.add("one", nn.Identity, (1,), says="nothing", macs="0")
    with pytest.raises(ValueError, match="'one'"):
        cases.add("one", nn.Identity, (1,), says="nothing", macs="0")


def test_a_quantized_layer_called_twice_is_stored_once():
    shared = CASES["dynamic_quantized_linear"].build()[0]
    totals = analyze_graph(graph_of(nn.Sequential(shared, nn.Linear(4, 6), shared), (torch.zeros(2, 6),))).totals
    assert totals.params == (6 * 4 + 4) + (4 * 6 + 6)


def test_quantized_weights_are_one_byte_wide():
    case = CASES["static_quantized"]
    analysis = analyze_graph(graph_of(case.build(), case.inputs))
    by_kind = {layer.node.op.kind: layer for layer in analysis.layers}
    # uint8 data, int8 weights, float32 bias; the rectified map is written as uint8.
    assert by_kind["conv"].cost.bytes_moved == 4 * 8 * 8 + 8 * 4 * 9 + 4 * 8 + 8 * 6 * 6
    assert analysis.totals.weight_bytes == 8 * 4 * 9 + 8 * 5 + 4 * (8 + 5)
