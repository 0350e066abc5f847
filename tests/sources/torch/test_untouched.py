"""A module that was counted is the module that was given, whatever it does and however it ends."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn
from torch.nn.modules import module as module_hooks

from convcost.errors import ConvcostError
from convcost.sources.torch import graph_of
from tests.sources.torch.networks import Calls, Residual, Untidy


@pytest.fixture(autouse=True)
def torch_as_users_have_it():
    torch.backends.mha.set_fastpath_enabled(True)
    torch.set_default_dtype(torch.float32)


def state_of(module):
    """Everything about a module that a caller can see."""
    return {
        path: (
            type(child),
            child.training,
            {
                name: describe(value)
                for name, value in vars(child).items()
                if name not in ("_parameters", "_buffers", "_modules")
            },
            {name: (id(value), describe(value)) for name, value in child._parameters.items()},
            {name: (id(value), describe(value)) for name, value in child._buffers.items()},
            list(child._modules),
        )
        for path, child in module.named_modules()
    }


def describe(value):
    if isinstance(value, torch.Tensor):
        return (id(value), value.requires_grad, str(value.device), value.tolist())
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    if isinstance(value, dict):
        return {key: describe(item) for key, item in value.items()}
    return id(value)


def state_of_torch():
    return (
        torch.random.get_rng_state().tolist(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.backends.mha.get_fastpath_enabled(),
        list(module_hooks._global_forward_hooks),
        list(module_hooks._global_forward_pre_hooks),
        torch.get_default_device(),
        torch.set_autocast_enabled,
        torch.cuda.is_bf16_supported,
    )


def count(module, *inputs):
    try:
        return graph_of(module, inputs)
    except ConvcostError as error:
        return error


@pytest.mark.parametrize(
    "ends_with",
    [None, ValueError("no"), NotImplementedError("not on meta"), RuntimeError("Inference tensors cannot be saved")],
    ids=str,
)
def test_nothing_is_left_behind(ends_with):
    module = Untidy(ends_with).train()
    module.rnn.eval()
    before, torch_before = state_of(module), state_of_torch()
    count(module, (1, 3, 8, 8))
    assert state_of(module) == before
    assert state_of_torch() == torch_before


def test_nothing_is_left_behind_by_an_interrupt():
    module = Untidy(KeyboardInterrupt())
    before, torch_before = state_of(module), state_of_torch()
    with pytest.raises(KeyboardInterrupt):
        graph_of(module, ((1, 3, 8, 8),))
    assert state_of(module) == before
    assert state_of_torch() == torch_before


def test_a_second_count_is_the_first():
    module = Untidy()
    assert count(module, (1, 3, 8, 8)) == count(module, (1, 3, 8, 8))


def test_a_count_after_a_failure_is_the_count_without_one():
    module = Residual()
    expected = count(module, (1, 4, 8, 8))
    assert isinstance(count(module, (1, 5, 8, 8)), ConvcostError)
    assert count(module, (1, 4, 8, 8)) == expected


def test_training_flags_stay_apart_and_eval_is_what_counts():
    module = Residual().train()
    module.bn1.eval()
    graph = count(module, (1, 4, 8, 8))
    assert "dropout" not in {node.name for node in graph.nodes}
    assert [child.training for child in module.children()] == [True, False, True, True, True]


def test_batchnorm_statistics_do_not_move_on_real_tensors():
    module = Calls(lambda self, x: self.bn(x) if x.sum() > 0 else x, bn=nn.BatchNorm1d(4)).train()
    graph = count(module, torch.full((8, 4), 3.0))
    assert "real tensors" in graph.notes[0]
    assert module.bn.running_mean.tolist() == [0.0] * 4
    assert module.bn.num_batches_tracked.item() == 0


def test_an_input_changed_in_place_is_a_copy():
    x = torch.full((2, 4), -1.0)
    count(Calls(lambda self, x: torch.relu_(x) if x.sum() < 0 else x), x)
    assert x.tolist() == [[-1.0] * 4] * 2


def test_hooks_of_the_user_stay_and_run():
    module, calls = Residual(), []
    module.conv1.register_forward_hook(lambda *_: calls.append("ran"))
    count(module, (1, 4, 8, 8))
    assert calls == ["ran"]
    assert len(module.conv1._forward_hooks) == 1


def test_scripted_modules_keep_their_mode_and_buffers():
    module = torch.jit.script(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)))
    graph = count(module, (3, 4))
    assert module.training
    assert module[1].training
    assert module[1].num_batches_tracked.item() == 0
    assert graph.nodes[0].name == "0"


def test_modules_of_other_threads_do_not_shift_names():
    running, finish = threading.Event(), threading.Event()

    def waits(self, x):
        running.set()
        finish.wait(10)
        return x

    def starts_a_thread(self, x):
        thread = threading.Thread(target=self.other, args=(None,))
        thread.start()
        running.wait(10)
        doubled = x * 2
        finish.set()
        thread.join()
        return doubled

    graph = count(Calls(starts_a_thread, other=Calls(waits)), (1, 4))
    assert [node.name for node in graph.nodes] == ["mul"]


@pytest.mark.parametrize("kept", [list, tuple, lambda modules: dict(enumerate(modules))], ids=["list", "tuple", "dict"])
def test_modules_that_torch_does_not_know_of_are_left_as_they_were_too(kept):
    class Hiding(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = kept([nn.BatchNorm1d(4), nn.Dropout()])

        def forward(self, x):
            for module in self.hidden.values() if isinstance(self.hidden, dict) else self.hidden:
                x = module(x)
            return x

    model = Hiding()
    norm = model.hidden[0]
    graph = graph_of(model, ((2, 4),))
    assert norm.training
    assert norm.num_batches_tracked.item() == 0
    assert norm.running_mean.tolist() == [0.0] * 4
    assert "dropout" not in {node.name for node in graph.nodes}


def test_of_two_threads_the_second_waits_for_torchs_switches():
    entered, left = threading.Event(), threading.Event()

    def outlasts(self, x):
        entered.set()
        left.wait(10)
        return x

    def first(self, x):
        other.start()
        entered.wait(0.2)  # all of it, because the other may not enter
        return x

    other = threading.Thread(target=lambda: graph_of(Calls(outlasts), ((2,),)))
    before = state_of_torch()
    graph_of(Calls(first), ((2,),))
    left.set()
    other.join()
    assert state_of_torch() == before
