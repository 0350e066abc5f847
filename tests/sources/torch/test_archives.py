"""Saved models: exported programs and TorchScript are read, pickles are named for what they are."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import tomllib
import zipfile
from pathlib import Path

import pytest
import torch
from torch.torch_version import TorchVersion

from convcost.analysis import analyze_graph
from convcost.errors import ConvcostError
from convcost.sources import InputSpec, Request, load
from convcost.sources.torch import graph_of
from convcost.sources.torch.unpickling import HOLDS_TO_WEIGHTS
from tests.sources.torch.networks import Residual

SHAPE = (1, 4, 8, 8)
PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def read(path, *shapes):
    return load(Request(target=str(path), inputs=tuple(InputSpec(shape=shape) for shape in shapes)))


def contractions(graph):
    return [(node.name, node.cost.macs) for node in graph.nodes if node.cost.macs]


@pytest.fixture(scope="module")
def live():
    return graph_of(Residual(), (SHAPE,))


def test_an_exported_program_counts_as_the_module_it_came_from(tmp_path, live):
    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(Residual().eval(), (torch.zeros(SHAPE),)), path)
    graph = read(path)
    assert contractions(graph) == contractions(live)
    assert [node.name for node in graph.nodes] == [node.name for node in live.nodes]
    assert analyze_graph(graph).totals.params == analyze_graph(live).totals.params


def test_an_exported_program_of_primitives_counts_alike(tmp_path, live):
    path = tmp_path / "core.pt2"
    exported = torch.export.export(Residual().eval(), (torch.zeros(SHAPE),)).run_decompositions()
    torch.export.save(exported, path)
    assert contractions(read(path)) == contractions(live)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("compiled", ["script", "trace"])
def test_torchscript_counts_as_the_module_it_came_from(tmp_path, live, compiled):
    path = tmp_path / "net.pt"
    module = Residual().eval()
    script = torch.jit.script(module) if compiled == "script" else torch.jit.trace(module, torch.zeros(SHAPE))
    script.save(path)
    graph = read(path, SHAPE)
    assert contractions(graph) == contractions(live)
    assert analyze_graph(graph).totals.params == analyze_graph(live).totals.params


class Trap:
    """Running this is what unpickling would do."""

    def __reduce__(self):
        return (pytest.fail, ("the file was unpickled",))


def refusal(path, *shapes):
    with pytest.raises(ConvcostError) as raised:
        read(path, *shapes)
    assert "\n" not in raised.value.message
    return raised.value


def test_a_pickled_module_is_refused_unread(tmp_path):
    path = tmp_path / "net.pt"
    torch.save({"net": Trap()}, path)
    error = refusal(path, SHAPE)
    assert "does not unpickle" in error.message
    assert "factory" in error.hint


def test_a_plain_pickle_is_refused_unread(tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(pickle.dumps(Trap()))
    assert "does not unpickle" in refusal(path, SHAPE).message


@pytest.fixture
def torch_of(monkeypatch):
    return lambda version: monkeypatch.setattr(torch, "__version__", TorchVersion(version))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".pt2"])
@pytest.mark.parametrize("version", ["2.5.1", "2.9.1+cu128", "2.10.0a0+gitb558c98"])
def test_nothing_saved_is_read_where_weights_only_does_not_hold(tmp_path, monkeypatch, torch_of, suffix, version):
    path = tmp_path / f"net{suffix}"
    torch.save(Residual().state_dict(), path)
    for module, reader in ((torch, "load"), (torch.jit, "load"), (torch.export, "load")):
        monkeypatch.setattr(module, reader, lambda *given, **options: pytest.fail("the file was read"))
    torch_of(version)
    error = refusal(path, SHAPE)
    assert version in error.message
    assert error.hint == "pip install 'torch>=2.10'"


@pytest.mark.parametrize("version", ["2.10.0", "2.13.0+cpu", "3.0"])
def test_a_torch_in_which_weights_only_holds_is_read_with(tmp_path, torch_of, version):
    path = tmp_path / "weights.pth"
    torch.save(Residual().state_dict(), path)
    torch_of(version)
    assert "a state dict" in refusal(path, SHAPE).message


def test_the_torch_that_files_are_read_with_is_the_one_that_is_asked_for():
    extras = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert f"torch>={HOLDS_TO_WEIGHTS}" in extras["torch"]


def test_a_state_dict_is_said_to_hold_no_network(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(Residual().state_dict(), path)
    assert "a state dict" in refusal(path, SHAPE).message


def exported(path, *, example_inputs=None, more=()):
    """An exported program with other bytes for its example inputs, and more members."""
    program = io.BytesIO()
    torch.export.save(torch.export.export(Residual().eval(), (torch.zeros(SHAPE),)), program)
    with zipfile.ZipFile(program) as whole, zipfile.ZipFile(path, "w") as archive:
        for name in whole.namelist():
            given = example_inputs if "sample_inputs" in name else None
            archive.writestr(name, whole.read(name) if given is None else given)
        for name in more:
            archive.writestr(f"{whole.namelist()[0].partition('/')[0]}/{name}", pickle.dumps(Trap()))


def test_an_exported_program_whose_example_inputs_are_pickled_is_refused_unread(tmp_path):
    trap = io.BytesIO()
    torch.save(Trap(), trap)
    path = tmp_path / "net.pt2"
    exported(path, example_inputs=trap.getvalue())
    assert "does not unpickle" in refusal(path).message


def test_an_exported_program_with_pickled_constants_is_refused_unread(tmp_path):
    path = tmp_path / "net.pt2"
    exported(path, more=("data/constants/opaque_obj_0",))
    assert "does not unpickle" in refusal(path).message


@pytest.mark.parametrize("name", ["TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"])
def test_a_users_own_rule_for_pickles_is_there_again_afterwards(tmp_path, monkeypatch, live, name):
    monkeypatch.setenv(name, "1")
    path = tmp_path / "net.pt2"
    exported(path)
    before = dict(os.environ)
    assert contractions(read(path)) == contractions(live)
    assert dict(os.environ) == before


@pytest.mark.parametrize("suffix", [".pt", ".pt2"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"not an archive at all", "not"),
        (b"PK\x03\x04 truncated", "not"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path, suffix, content, said):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    assert said in refusal(path, SHAPE).message


def test_missing_files_and_directories_are_told_apart(tmp_path):
    assert "no file" in refusal(tmp_path / "gone.pt").message
    (tmp_path / "folder.pt").mkdir()
    assert "is a directory" in refusal(tmp_path / "folder.pt").message


@pytest.mark.parametrize("suffix", [".pt", ".pt2", ".pth"])
def test_an_archive_that_unpacks_to_far_more_is_refused_packed(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("net/data.pkl", "w") as member:
        for _ in range(65):
            member.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    assert "unpacks to 68,157,440 bytes" in refusal(path, SHAPE).message


@pytest.mark.parametrize("name", ["../../evil", "{}/evil", "..\\..\\evil"])
def test_members_that_point_out_of_an_archive_are_written_nowhere(tmp_path, live, name):
    folder = tmp_path / "in" / "ner"
    folder.mkdir(parents=True)
    exported(folder / "net.pt2", more=(name.format(tmp_path),))
    with contextlib.suppress(ConvcostError):
        read(folder / "net.pt2")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["net.pt2"]


def test_an_archive_with_a_damaged_table_is_refused(tmp_path):
    path = tmp_path / "net.pt2"
    exported(path)
    whole = path.read_bytes()
    at = whole.rindex(b"PK\x01\x02")
    path.write_bytes(whole[:at] + b"\xff" * 40 + whole[at + 40 :])
    assert "\n" not in refusal(path).message
