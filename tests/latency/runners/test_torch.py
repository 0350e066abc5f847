"""Modules are run as they are, and left as they were."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from convcost.latency.runners.prepared import UnrunnableError
from convcost.latency.runners.torch_module import open_module, prepared_module, torch_threads
from convcost.latency.setting import Setting
from convcost.latency.workload import TorchModule

SETTING = Setting(runtime="torch")


def small() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5))


def workload(module: nn.Module) -> TorchModule:
    return TorchModule(module=module, args=(torch.empty(1, 3, 8, 8, device="meta"),))


def test_a_module_runs_in_evaluation_mode_and_is_left_as_it_was():
    module = small()
    module[3].eval()
    before = copy.deepcopy(module.state_dict())
    modes = [part.training for part in module.modules()]
    with open_module(workload(module), SETTING) as prepared:
        assert not module.training
        assert prepared.subject(3) > 0
        assert prepared.notes == ()
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_an_exported_program_which_has_no_modes_runs_as_it_was_exported():
    exported = torch.export.export(small().eval(), (torch.ones(1, 3, 8, 8),)).module()
    with open_module(workload(exported), SETTING) as prepared:
        assert prepared.subject(1) > 0


def test_threads_come_back_when_an_exception_leaves_the_measurement():
    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="broken"), torch_threads(before + 1):
        raise ValueError("broken")
    assert torch.get_num_threads() == before


def test_threads_and_modes_come_back_after_a_model_failed():
    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("broken")

    module, threads = Broken(), torch.get_num_threads()
    setting = Setting(runtime="torch", threads=threads + 1)
    with open_module(workload(module), setting) as prepared:
        assert torch.get_num_threads() == threads + 1
        with pytest.raises(RuntimeError, match="broken"):
            prepared.subject(1)
    assert torch.get_num_threads() == threads
    assert module.training
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_threads_nest():
    before = torch.get_num_threads()
    with torch_threads(1), torch_threads(2):
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before


def test_a_module_without_values_gets_random_ones_in_a_copy():
    with torch.device("meta"):
        module = small()
    with open_module(workload(module), SETTING) as prepared:
        assert prepared.subject(1) > 0
        assert any("random" in note for note in prepared.notes)
    assert all(parameter.is_meta for parameter in module.parameters())


def test_tied_weights_stay_tied_when_filled():
    with torch.device("meta"):
        module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        module[1].weight = module[0].weight
    with prepared_module(TorchModule(module=module), SETTING) as (filled, _):
        assert filled[0].weight is filled[1].weight
        assert not filled[0].weight.is_meta


def test_inputs_are_the_caller_s_values_but_not_the_caller_s_tensors():
    seen = []

    class InPlace(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.clone())
            return x.add_(1)

    given = torch.ones(3)
    with open_module(TorchModule(module=InPlace(), args=(given,)), SETTING) as prepared:
        prepared.subject(1)
    assert seen[0].tolist() == [1.0, 1.0, 1.0]
    assert given.tolist() == [1.0, 1.0, 1.0]


def test_nested_and_keyword_inputs_are_made():
    class Nested(nn.Module):
        def forward(self, pair: tuple[torch.Tensor, torch.Tensor], *, scale: dict[str, torch.Tensor]) -> torch.Tensor:
            return (pair[0] + pair[1]) * scale["by"]

    meta = torch.empty(2, device="meta")
    nested = TorchModule(module=Nested(), args=((meta, meta),), kwargs={"scale": {"by": meta}})
    with open_module(nested, SETTING) as prepared:
        assert prepared.subject(1) > 0


def test_a_module_that_does_not_fit_is_refused(tmp_path):
    with torch.device("meta"):
        module = nn.Linear(1000, 1000)
    limited = Setting(runtime="torch", max_bytes=1_000_000)
    with pytest.raises(UnrunnableError) as caught, prepared_module(TorchModule(module=module), limited):
        pass
    assert caught.value.needed_bytes == 4_004_000


def test_without_a_gpu_cuda_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with (
        pytest.raises(UnrunnableError, match="no CUDA device"),
        open_module(workload(small()), Setting(runtime="torch", device="cuda")),
    ):
        pass


def test_a_compiled_module_runs_without_gradients(monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda module: compiled.append(module) or module)
    with open_module(workload(small()), Setting(runtime="torch", compiled=True)) as prepared:
        assert prepared.subject(1) > 0
    assert len(compiled) == 1
