"""Saved models: exported programs and TorchScript. Pickles are told apart, and unpickled only on request."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import fx, nn
from torch.fx.node import Node as FxNode

from convcost.errors import SourceError
from convcost.sources.request import InputSpec, is_archive
from convcost.sources.torch.blame import first_line
from convcost.sources.torch.call import dtype_of
from convcost.sources.torch.capture import Runner
from convcost.sources.torch.inputs import Arguments
from convcost.sources.torch.scopes import Scopes
from convcost.sources.torch.unpickling import no_network, only_weights, pickled, refuse_pickled_members

ALWAYS_ALLOWED = 64 << 20
"""Bytes that the members of any archive may unpack to."""

UNPACKED_PER_BYTE = 50
"""The same for larger archives; real code packs about ten to one."""

_LFS = b"version https://git-lfs"


def check_readable(path: Path) -> None:
    """Raises `SourceError` for what cannot be an archive at all."""
    try:
        if path.is_dir():
            raise SourceError(f"'{path}' is a directory")
        with path.open("rb") as file:
            start = file.read(len(_LFS))
    except FileNotFoundError as error:
        raise SourceError(f"there is no file '{path}'") from error
    except (OSError, ValueError) as error:  # the latter for a name with a NUL in it
        raise SourceError(f"'{path}' cannot be read: {first_line(error)}") from error
    if not start:
        raise SourceError(f"'{path}' is empty")
    if start == _LFS:
        raise SourceError(f"'{path}' is a Git LFS pointer, not the model itself", hint="git lfs pull")
    _refuse_bomb(path)


def _refuse_bomb(path: Path) -> None:
    """PyTorch packs code alone, and unpacks each member whole."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # no archive: whoever reads it says so
    most = max(ALWAYS_ALLOWED, UNPACKED_PER_BYTE * path.stat().st_size)
    if unpacked > most:
        raise SourceError(
            f"'{path}' unpacks to {unpacked:,} bytes, more than {most:,}",
            hint="save it with torch, which stores weights",
        )


def is_program(target: str) -> bool:
    """Whether a target is a saved program, which runs none of the modules it was made of; a pickled module is none."""
    return is_archive(target) and (target.endswith(".pt2") or is_script(Path(target)))


def is_script(path: Path) -> bool:
    """Whether a file is a TorchScript archive rather than something pickled."""
    return any("/code/" in name or name.endswith("/constants.pkl") for name in _member_names(path))


def load_script(path: Path) -> nn.Module:
    """A TorchScript module, without the values of its weights where its code allows.

    Raises `SourceError` for a pickle: unpickling runs whatever code the file holds.
    """
    if not is_script(path):
        raise _refused_pickle(path)
    try:
        module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except Exception as error:
        raise SourceError(f"'{path}' is not readable TorchScript: {first_line(error)}") from error
    assert isinstance(module, nn.Module)
    return module


def _member_names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return []


def _refused_pickle(path: Path) -> SourceError:
    try:
        content: object = torch.load(path, map_location="meta", weights_only=True)
    except Exception:
        return SourceError(
            f"'{path}' is a pickled object or damaged; convcost does not unpickle files, which could run any code",
            hint="save it with torch.export.save(…), name its factory, or add --trust-pickle if you would run the file",
        )
    return no_network(path, content)


def load_exported(path: Path) -> tuple[nn.Module, Arguments, Runner]:
    """An exported program as a module, the inputs it was exported with, and how to run it by its own scopes.

    Raises `SourceError` for a file that torch.export cannot read, or not without unpickling objects.
    """
    refuse_pickled_members(path, _member_names(path))
    try:
        with only_weights():
            program = torch.export.load(path)
        module = program.module()
    except UnpicklingError as error:
        raise pickled(path) from error
    except Exception as error:
        raise SourceError(
            f"'{path}' is not an exported program this PyTorch reads: {first_line(error)}",
            hint="save it with torch.export.save(torch.export.export(model, args), path)",
        ) from error
    assert isinstance(module, fx.GraphModule)
    return module, _exported_inputs(module), _interpret


def _exported_inputs(module: fx.GraphModule) -> Arguments:
    placeholders = [node for node in module.graph.nodes if node.op == "placeholder"]
    values = [node.meta.get("val") for node in placeholders]
    if not all(isinstance(value, torch.Tensor) for value in values):
        return Arguments()
    return Arguments(
        positional=tuple(
            InputSpec(shape=tuple(int(size) for size in value.shape), dtype=dtype_of(value)) for value in values
        )
    )


class _ScopedInterpreter(fx.Interpreter):
    """Runs the graph node by node, saying whose module each node came from."""

    def __init__(self, module: fx.GraphModule, scopes: Scopes) -> None:
        super().__init__(module)
        self._scopes = scopes

    def run_node(self, n: FxNode) -> object:
        stack = n.meta.get("nn_module_stack")
        if stack:
            path, _ = list(stack.values())[-1]
            self._scopes.current = path
        return super().run_node(n)


def _interpret(
    module: nn.Module, scopes: Scopes, positional: tuple[object, ...], keywords: Mapping[str, object]
) -> object:
    assert isinstance(module, fx.GraphModule)
    return _ScopedInterpreter(module, scopes).run(*positional, *keywords.values())
