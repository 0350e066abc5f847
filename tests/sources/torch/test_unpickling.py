"""Pickled modules: unpickled for those who ask for it, by the command line alone."""

from __future__ import annotations

import pytest
import torch
from torch.torch_version import TorchVersion

from convcost.errors import SourceError
from convcost.sources import InputSpec, Request, load
from convcost.sources.torch import graph_of, load_runnable
from tests.sources.torch.networks import Residual

SHAPE = (1, 4, 8, 8)


def request(path, *, trusted=True):
    return Request(target=str(path), inputs=(InputSpec(shape=SHAPE),), trust_pickle=trusted)


def refusal(path):
    with pytest.raises(SourceError) as raised:
        load(request(path))
    assert "\n" not in raised.value.message
    return raised.value


@pytest.mark.parametrize("zipped", [True, False])
def test_a_trusted_pickle_counts_as_the_module_it_holds(tmp_path, zipped):
    path = tmp_path / "net.pt"
    torch.save(Residual(), path, _use_new_zipfile_serialization=zipped)
    live, read = graph_of(Residual(), (SHAPE,)), load(request(path))
    assert [(node.name, node.cost) for node in read.nodes] == [(node.name, node.cost) for node in live.nodes]


def test_nothing_is_unpickled_unless_it_is_asked_for(tmp_path):
    path = tmp_path / "net.pt"
    torch.save(Residual(), path)
    with pytest.raises(SourceError, match="does not unpickle") as raised:
        load(request(path, trusted=False))
    assert "--trust-pickle" in raised.value.hint


def test_a_trusted_pickle_is_read_with_any_torch(tmp_path, monkeypatch):
    path = tmp_path / "net.pt"
    torch.save(Residual(), path)
    monkeypatch.setattr(torch, "__version__", TorchVersion("2.9.1"))
    assert load(request(path)).nodes


def test_what_is_run_has_the_values_that_were_saved(tmp_path):
    module, path = Residual(), tmp_path / "net.pt"
    torch.save(module, path)
    found = load_runnable(request(path), seed=0, fits=lambda graph: True).module
    for saved, read in zip(module.parameters(), found.parameters(), strict=True):
        assert torch.equal(saved, read)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_read_as_such_however_trusted(tmp_path):
    path = tmp_path / "net.pt"
    torch.jit.script(Residual()).save(path)
    assert load(request(path)).nodes


def test_a_state_dict_is_said_to_hold_no_network(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save(Residual().state_dict(), path)
    error = refusal(path)
    assert "a state dict" in error.message
    assert "package.module:factory" in error.hint


def test_a_checkpoint_with_a_module_inside_says_where_it_is(tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save({"epoch": 3, "model": Residual()}, path)
    error = refusal(path)
    assert "under 'model'" in error.message
    assert "['model']" in error.hint


def test_another_object_is_said_to_hold_no_network(tmp_path):
    path = tmp_path / "list.pt"
    torch.save([1, 2], path)
    assert "a list" in refusal(path).message


def test_a_class_that_cannot_be_imported_asks_for_its_folder(tmp_path):
    path = tmp_path / "net.pt"
    torch.save(Residual(), path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"tests.sources.torch.networks", b"tests.sources.torch.networkz"))
    error = refusal(path)
    assert "cannot be imported" in error.message
    assert "--pythonpath" in error.hint


def test_a_damaged_pickle_is_an_error(tmp_path):
    path = tmp_path / "net.pt"
    torch.save(Residual(), path)
    path.write_bytes(path.read_bytes()[:-100])
    assert "cannot be unpickled" in refusal(path).message
