"""Targets built with values, to be run."""

from __future__ import annotations

from pathlib import Path

import torch

from convcost.sources import Request
from convcost.sources.request import InputSpec
from convcost.sources.torch import load_runnable
from convcost.sources.torch.runnable import Runnable

SOURCE = """
import torch
def build():
    return torch.nn.Linear(3, 2), (torch.full((1, 3), 7.0),)
"""


def built(tmp_path: Path, *, seed: int = 0, fits: bool = True, inputs: tuple[InputSpec, ...] = ()) -> Runnable:
    path = tmp_path / "net.py"
    path.write_text(SOURCE)
    request = Request(target=f"{path}:build", inputs=inputs)
    return load_runnable(request, seed=seed, fits=lambda graph: fits)


def test_a_module_is_built_with_the_weights_of_the_seed(tmp_path):
    state = torch.random.get_rng_state()
    first, again, other = (built(tmp_path, seed=seed).module.weight for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_arguments_keep_their_values_and_shapes_get_some(tmp_path):
    assert built(tmp_path).args[0].tolist() == [[7.0, 7.0, 7.0]]
    (made,) = built(tmp_path, inputs=(InputSpec(shape=(4, 3)),)).args
    assert (tuple(made.shape), made.device.type) == ((4, 3), "cpu")


def test_the_graph_is_that_of_the_module(tmp_path):
    found = built(tmp_path)
    assert [node.op.kind for node in found.graph.nodes] == ["linear"]


def test_what_does_not_fit_is_never_given_values(tmp_path):
    assert built(tmp_path, fits=False).module.weight.is_meta


def test_exported_programs_run_as_they_were_exported(tmp_path):
    program = torch.export.export(torch.nn.Linear(3, 2).eval(), (torch.ones(1, 3),))
    torch.export.save(program, tmp_path / "net.pt2")
    found = load_runnable(Request(target=str(tmp_path / "net.pt2")), seed=0, fits=lambda graph: True)
    assert tuple(found.module(*found.args).shape) == (1, 2)
