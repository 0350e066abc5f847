"""ONNX files in ONNX Runtime: with their weights, without them, and broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from convcost.graph import Tensor
from convcost.latency.runners.onnx_session import file_session, input_values, missing_weights, open_onnx
from convcost.latency.runners.prepared import UnrunnableError, first_line
from convcost.latency.setting import Setting
from convcost.latency.workload import OnnxFile
from convcost.sources import Request
from convcost.sources.onnx import load_onnx

SETTING = Setting(runtime="onnxruntime")


def saved(tmp_path: Path, *, external: bool = False) -> str:
    """A convolution and a ReLU; `external` stores the kernel in a file beside it."""
    kernel = numpy_helper.from_array(np.ones((4, 3, 3, 3), dtype=np.float32), "conv.weight")
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "conv.weight"], ["c"], name="conv"),
            helper.make_node("Relu", ["c"], ["y"], name="relu"),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 6])],
        [kernel],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "net.onnx"
    onnx.save(model, path, save_as_external_data=external, location="net.data", size_threshold=0)
    return str(path)


def workload(path: str) -> OnnxFile:
    return OnnxFile(path=path, graph=load_onnx(Request(target=path)))


def test_a_file_runs_with_its_own_weights(tmp_path):
    for external in (False, True):
        path = saved(tmp_path, external=external)
        with open_onnx(workload(path), SETTING) as prepared:
            assert prepared.subject(2) > 0
            assert prepared.notes == ()


def test_a_file_whose_weights_are_missing_runs_with_random_ones_and_says_so(tmp_path):
    path = saved(tmp_path, external=True)
    (tmp_path / "net.data").unlink()
    assert set(missing_weights(path)) == {"conv.weight"}
    with open_onnx(workload(path), SETTING) as prepared:
        assert prepared.subject(1) > 0
        assert prepared.notes == ("1 weights are random, made in memory: the file came without them",)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["net.onnx"]


def test_made_up_weights_are_those_of_the_seed(tmp_path):
    path = saved(tmp_path, external=True)
    (tmp_path / "net.data").unlink()
    values = {"x": np.ones((1, 3, 8, 8), dtype=np.float32)}
    first, again, other = (
        file_session(path, Setting(runtime="onnxruntime", seed=seed))[0].run(None, values)[0] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_sessions_use_the_threads_asked_for(tmp_path):
    session, _ = file_session(saved(tmp_path), Setting(runtime="onnxruntime", threads=2))
    assert session.get_session_options().intra_op_num_threads == 2
    assert session.get_session_options().inter_op_num_threads == 1
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_a_broken_file_is_refused_in_the_runtime_s_words(tmp_path):
    path = tmp_path / "broken.onnx"
    graph = helper.make_graph(
        [helper.make_node("NoSuchOperator", ["x"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    with pytest.raises(UnrunnableError, match="NoSuchOperator") as caught:
        file_session(str(path), SETTING)
    assert "\n" not in caught.value.reason
    assert "[ONNXRuntimeError]" not in caught.value.reason
    assert "[ONNXRuntimeError]" in caught.value.detail


def test_where_in_the_runtime_s_own_code_an_error_arose_is_left_to_the_detail():
    said = (
        "[ONNXRuntimeError] : 1 : FAIL : Load model from /a b/net.onnx failed:/src/onnxruntime/core/graph/model.cc:256 "
        "onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::ModelOptions&) Unsupported model IR version"
    )
    assert first_line(RuntimeError(said)) == "Unsupported model IR version"
    assert first_line(RuntimeError("shape (2, 3) does not fit")) == "shape (2, 3) does not fit"
    assert first_line(RuntimeError("")) == "RuntimeError"


def test_an_input_of_unknown_shape_is_named(tmp_path):
    session, _ = file_session(saved(tmp_path), SETTING)
    with pytest.raises(UnrunnableError, match="'x'"):
        input_values(session, [Tensor(name="other", shape=(1,))], SETTING)


def test_a_provider_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(UnrunnableError, match="CUDAExecutionProvider"):
        file_session(saved(tmp_path), Setting(runtime="onnxruntime", device="cuda"))
