"""Measuring for real, on networks so small that nothing is claimed about their speed."""

from __future__ import annotations

import gc
import importlib.util
import subprocess
import sys
import time

import pytest
import torch
from torch import nn

from convcost.alternatives import Grouped, SpatialSeparable, Standard, compare_graph
from convcost.errors import MissingDependencyError, SourceError, UsageError
from convcost.graph import DType, Graph, Node, Tensor
from convcost.graph.ops import Softmax
from convcost.latency import (
    GraphNodes,
    Measurement,
    NotMeasurable,
    OnnxFile,
    Protocol,
    Setting,
    TorchModule,
    calibrate,
    default_runtime,
    measure,
    measure_candidates,
    measure_layers,
    was_interrupted,
)
from convcost.latency.calibration import product_graph
from convcost.latency.workload import graph_of, graph_of_nodes, needed_bytes
from convcost.sources.torch import graph_of as captured
from tests.latency.runners.graphs import layer, network
from tests.latency.runners.test_onnx import saved, workload

QUICK = Protocol(warm_up=0.005, min_time=0.01, max_time=0.1)
TORCH = Setting(runtime="torch")
ONNX = Setting(runtime="onnxruntime")
TINY = "type: conv, in_channels: 2, out_channels: 4, kernel: 3, input: [6, 6]"


@pytest.mark.parametrize("setting", [TORCH, ONNX], ids=lambda setting: setting.runtime)
def test_a_spec_is_measured_in_either_runtime(tmp_path, setting):
    (found,) = measure({"net": GraphNodes(graph=network(tmp_path))}, setting, QUICK).values()
    assert isinstance(found, Measurement)
    assert found.setting.runtime == setting.runtime
    assert found.samples.times
    assert min(found.samples.times) > 0
    assert found.device_name


def test_a_file_is_measured_by_onnx_runtime(tmp_path):
    file = workload(saved(tmp_path))
    assert default_runtime(file) == "onnxruntime"
    assert isinstance(measure({"net": file}, ONNX, QUICK)["net"], Measurement)


def test_what_cannot_run_says_why_and_the_others_are_measured(tmp_path):
    x, y = (Tensor(name=name, shape=(2, 3)) for name in "xy")
    softmax = Graph(nodes=(Node(name="soft", op=Softmax(), operands=(x,), outputs=(y,)),), inputs=(x,), outputs=(y,))

    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("shapes do not fit\nmore")

    workloads = {
        "softmax": GraphNodes(graph=softmax),
        "broken": TorchModule(module=Broken(), args=(torch.ones(1),)),
        "fine": GraphNodes(graph=layer(tmp_path, TINY)),
    }
    found = measure(workloads, TORCH, QUICK)
    assert list(found) == list(workloads)
    assert "'soft' (Softmax)" in found["softmax"].reason
    assert found["broken"].reason == "torch cannot run it: shapes do not fit"
    assert isinstance(found["fine"], Measurement)
    assert not was_interrupted(found)


def test_a_model_that_fails_later_is_one_error(tmp_path):
    class Moody(nn.Module):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            Moody.calls += 1
            if Moody.calls > 1:
                raise RuntimeError("out of luck")
            return x

    with pytest.raises(SourceError, match="out of luck") as caught:
        measure({"net": TorchModule(module=Moody(), args=(torch.ones(1),))}, TORCH, QUICK)
    assert caught.value.hint
    assert gc.isenabled()


def interrupting(after: int) -> nn.Module:
    class Interrupting(nn.Module):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            if self.calls > after:
                raise KeyboardInterrupt
            time.sleep(0.001)  # as long as a sample, so that the calls before the first one are few on any machine
            return x

    return Interrupting()


def test_an_interrupt_leaves_a_partial_measurement_and_everything_restored():
    module, threads = interrupting(after=300), torch.get_num_threads()
    setting = Setting(runtime="torch", threads=threads + 1)
    protocol = Protocol(warm_up=0.001, warm_up_share=0.01, min_time=10)
    found = measure({"net": TorchModule(module=module, args=(torch.ones(1),))}, setting, protocol)
    assert isinstance(found["net"], Measurement)
    assert found["net"].samples.partial
    assert found["net"].to_json()["partial"] is True
    assert was_interrupted(found)
    assert torch.get_num_threads() == threads
    assert module.training
    assert gc.isenabled()


def test_an_interrupt_before_the_first_sample_says_so_for_all(tmp_path):
    workloads = {
        "gone": TorchModule(module=interrupting(after=0), args=(torch.ones(1),)),
        "unmet": GraphNodes(graph=layer(tmp_path, TINY)),
    }
    found = measure(workloads, TORCH, QUICK)
    assert {each.reason for each in found.values()} == {"interrupted before its first sample"}
    assert was_interrupted(found)


def test_memory_is_refused_with_the_bytes_before_anything_is_allocated(tmp_path):
    huge = layer(tmp_path, "type: conv, in_channels: 4096, out_channels: 4096, kernel: 3, input: [512, 512]")
    (compared,) = compare_graph(huge, [SpatialSeparable()]).layers
    textbook = graph_of_nodes([stage.node for stage in compared.candidates[0].stages])
    for setting in (TORCH, ONNX):
        found = measure({"textbook": GraphNodes(graph=textbook)}, setting, QUICK)["textbook"]
        assert isinstance(found, NotMeasurable)
        # 4096 * 4096 maps of 510 x 512 float32.
        assert found.needed_bytes > 4096 * 4096 * 510 * 512 * 4
        assert "TB" in found.reason


def test_a_runtime_that_is_not_installed_is_one_line_and_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError) as caught:
        measure({"net": GraphNodes(graph=layer(tmp_path, TINY))}, ONNX, QUICK)
    assert caught.value.hint == "pip install 'convcost[ort]'"


def test_only_torch_compiles():
    with pytest.raises(UsageError, match="only torch"):
        measure({}, Setting(runtime="onnxruntime", compiled=True))


@pytest.mark.parametrize("threads", [0, -1, 1_000_000])
def test_threads_that_no_machine_has_use_for_are_refused_before_a_runtime_ends_the_program(threads: int) -> None:
    with pytest.raises(UsageError, match=r"a machine with [0-9]+ processors? takes 1 to [0-9]+ threads, not"):
        Setting(runtime="torch", threads=threads)


def test_a_module_without_a_graph_has_no_onnx_form():
    found = measure({"net": TorchModule(module=nn.ReLU(), args=(torch.ones(1),))}, ONNX, QUICK)["net"]
    assert "exported" in found.reason
    with pytest.raises(ValueError, match="captured"):
        graph_of(TorchModule(module=nn.ReLU()))


def test_candidates_are_measured_beside_the_layer_and_the_layer_itself_once(tmp_path):
    graph = layer(tmp_path, "type: conv, in_channels: 4, out_channels: 8, kernel: 3, input: [8, 8]")
    (compared,) = compare_graph(graph, [Standard(), Grouped(groups=4), Grouped(groups=3)]).layers
    found = measure_candidates(compared, TORCH, QUICK)
    standard, grouped, inapplicable = found.candidates
    assert standard is found.standard
    assert isinstance(grouped, Measurement)
    assert "3 groups" in inapplicable.reason
    assert found.verdict(1).startswith("4.0x fewer MACs")
    assert found.verdict(0).startswith("as many MACs")


def assert_layers_add_up(workload, setting, protocol=QUICK):
    total = measure({"net": workload}, setting, protocol)["net"]
    layers = measure_layers(workload, total, protocol)
    assert layers.total == pytest.approx(total.median)
    names = {node.name for node in workload.graph.nodes}
    assert set(layers.layers) | set(layers.timed_with) <= names
    return layers


def test_onnx_runtime_layers_add_up_and_fused_ones_name_their_carrier(tmp_path):
    layers = assert_layers_add_up(workload(saved(tmp_path)), ONNX)
    assert len(layers.layers) == 1
    (carrier,) = layers.layers
    assert list(layers.timed_with.values()) == [carrier]


def test_layers_of_a_spec_add_up_in_both_runtimes(tmp_path):
    graph = network(tmp_path)
    in_torch = assert_layers_add_up(GraphNodes(graph=graph), TORCH)
    assert set(in_torch.layers) == {node.name for node in graph.nodes}
    in_onnx = assert_layers_add_up(GraphNodes(graph=graph), ONNX)
    assert len(in_onnx.layers) + len(in_onnx.timed_with) == len(graph.nodes)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.relu(self.conv(x)) + x)


def test_torch_layers_add_up_and_no_hook_stays_behind():
    module = Block()
    graph = captured(module, ((1, 3, 8, 8),))
    layers = assert_layers_add_up(TorchModule(module=module, args=(torch.ones(1, 3, 8, 8),), graph=graph), TORCH)
    # The ReLU module is called twice and gives each of its layers its own time; the sum is the block's own.
    assert set(layers.layers) == {node.name for node in graph.nodes}
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_a_layer_of_many_steps_is_timed_as_one():
    module = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.ones(1, 4, 8)
    graph = captured(module, (x, x, x))
    layers = assert_layers_add_up(TorchModule(module=module, args=(x, x, x), graph=graph), TORCH)
    assert layers.timed_with
    assert set(layers.timed_with.values()) <= set(layers.layers)


def test_layers_are_refused_where_there_are_none(tmp_path):
    workload = GraphNodes(graph=layer(tmp_path, TINY))
    total = measure({"net": workload}, TORCH, QUICK)["net"]
    assert "not captured" in measure_layers(TorchModule(module=nn.ReLU()), total).reason


def test_the_profile_leaves_no_file_behind(tmp_path, monkeypatch):
    file = workload(saved(tmp_path))
    total = measure({"net": file}, ONNX, QUICK)["net"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    measure_layers(file, total, QUICK)
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]


def test_a_part_of_a_network_has_its_own_inputs_and_outputs(tmp_path):
    graph = network(tmp_path)
    part = graph_of_nodes(graph.nodes[2:5])
    assert [tensor.name for tensor in part.inputs] == [graph.nodes[1].outputs[0].name]
    assert [tensor.name for tensor in part.outputs] == [graph.nodes[4].outputs[0].name]
    assert needed_bytes(part) < needed_bytes(graph)


def test_calibration_measures_products_and_copies(monkeypatch):
    monkeypatch.setattr("convcost.latency.calibration._SIDE", {"cpu": 32})
    monkeypatch.setattr("convcost.latency.runners.copying._MOST_ON_CPU", 1 << 16)
    for setting in (TORCH, Setting(runtime="onnxruntime", threads=2)):
        found = calibrate(setting, QUICK)
        assert found.device.peaks[DType.FLOAT32] == pytest.approx(32**3 / found.products[DType.FLOAT32].p10)
        assert found.device.bytes_per_second > 0
        assert found.device.threads == setting.threads
        assert found.device.machine.facts["threads"] == str(setting.threads)
        assert set(found.device.peaks) == {
            dtype for dtype, product in found.products.items() if isinstance(product, Measurement)
        }


def test_calibration_without_float32_is_one_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SourceError, match="no CUDA device"):
        calibrate(Setting(runtime="torch", device="cuda"), QUICK)


def test_the_product_costs_what_the_peak_is_computed_from():
    assert product_graph(DType.FLOAT32, 10).nodes[0].cost.macs == 1000


def test_an_onnx_file_in_torch_is_built_from_its_graph_or_refused_by_name(tmp_path):
    found = measure({"net": OnnxFile(path="unused.onnx", graph=layer(tmp_path, TINY))}, TORCH, QUICK)["net"]
    assert isinstance(found, Measurement)


def test_importing_latency_loads_no_runtime():
    heavy = {"torch", "onnx", "onnxruntime", "numpy"}
    code = f"import sys, convcost.latency, convcost.latency.wording; print(*({heavy} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []


def test_too_little_time_is_not_taken_for_an_interrupt(tmp_path):
    found = measure({"net": GraphNodes(graph=network(tmp_path))}, TORCH, Protocol(max_time=1e-9))
    assert isinstance(found["net"], NotMeasurable)
    assert "--max-time" in found["net"].reason
    assert not was_interrupted(found)
