"""onnx's own node test models: every one is analyzed, and every output has the shape its reference data has."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, numpy_helper

from convcost.analysis import Analysis, analyze_graph
from convcost.sources import Request
from convcost.sources.onnx import load_onnx
from convcost.sources.onnx.ranks import _GROWING

FIXED = 5  # axes that an operator may make of operands that have to have fewer
SMALL = 64  # elements of an argument that may be a shape, axes or a size


def cases() -> Iterator[tuple[str, ModelProto, list[object], list[object]]]:
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in collect_testcases(None):
            inputs, outputs = case.data_sets[0]
            yield case.name, case.model, list(inputs), list(outputs)


def open_ended(model: ModelProto, inputs: list[object]) -> ModelProto:
    """The model with small arguments after the first stored in it, and no word on the shapes it gives."""
    for position, (value, given) in enumerate(zip(list(model.graph.input), inputs, strict=False)):
        small = isinstance(given, np.ndarray) and given.size <= SMALL
        if position and small and (given.dtype.kind in "iub" or given.ndim <= 1):
            model.graph.initializer.append(numpy_helper.from_array(given, value.name))
    for output in model.graph.output:
        if output.type.HasField("tensor_type"):
            output.type.tensor_type.ClearField("shape")
    return model


@pytest.fixture(scope="module")
def analyses(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[Analysis, list[tuple[int, ...]], list[object]]]:
    path: Path = tmp_path_factory.mktemp("backend") / "case.onnx"
    found = {}
    for name, model, inputs, outputs in cases():
        path.write_bytes(open_ended(model, inputs).SerializeToString())
        graph = load_onnx(Request(target=str(path)))
        found[name] = (analyze_graph(graph), [tensor.shape for tensor in graph.outputs], outputs)
    return found


def test_every_model_is_analyzed_and_most_are_counted(analyses) -> None:
    assert len(analyses) > 1500
    counted = sum(not analysis.unknown for analysis, _, _ in analyses.values())
    assert counted > 0.85 * len(analyses)


def test_every_counted_models_outputs_have_the_reference_shapes(analyses) -> None:
    checked = 0
    wrong = []
    for name, (analysis, shapes, outputs) in analyses.items():
        for shape, reference in zip(shapes, outputs, strict=True):
            if not analysis.unknown and isinstance(reference, np.ndarray):
                checked += 1
                if shape != reference.shape:
                    wrong.append((name, shape, reference.shape))
    assert wrong == []
    assert checked > 1500


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("test_basic_conv_with_padding", 25 * 9),
        ("test_basic_conv_without_padding", 9 * 9),
        ("test_conv_with_strides_padding", 12 * 9),
        ("test_conv_with_autopad_same", 9 * 9),
        ("test_convtranspose", 9 * 2 * 9),
        ("test_convtranspose_autopad_same", 9 * 2 * 9),
        ("test_convinteger_with_padding", 16 * 2 * 4),
        ("test_qlinearconv", 49),
        ("test_gemm_all_attributes", 3 * 4 * 5),
        ("test_matmul_4d", 1 * 2 * 3 * 4 * 3),
        ("test_matmulinteger", 4 * 3 * 2),
        ("test_einsum_batch_matmul", 5 * 2 * 3 * 4),
        ("test_lstm_defaults", 3 * 4 * 3 * (2 + 3)),
        ("test_gru_batchwise", 3 * 3 * 6 * (2 + 6)),
        ("test_attention_4d", 2 * 3 * 4 * 6 * (8 + 8)),
        ("test_attention_4d_gqa", 2 * 9 * 4 * 6 * (8 + 8)),
        ("test_attention_3d", 2 * 3 * 4 * 6 * (8 + 8)),
        ("test_attention_4d_with_past_and_present", 2 * 3 * 4 * 18 * (8 + 8)),
    ],
)
def test_macs_of_models_whose_shapes_are_in_their_source(analyses, name: str, macs: int) -> None:
    assert analyses[name][0].totals.macs == macs


def test_operators_that_add_axes_without_end_are_listed() -> None:
    adding = set()
    for _, model, inputs, outputs in cases():
        alone = [node.op_type for node in model.graph.node] if len(model.graph.node) == 1 else []
        if max(map(rank, outputs), default=0) > max(FIXED, *map(rank, inputs), 0):
            adding.update(alone)
    assert {"Unsqueeze"} <= adding <= {*_GROWING}


def rank(value: object) -> int:
    return max(map(np.ndim, value), default=0) if isinstance(value, list) else np.ndim(value)
