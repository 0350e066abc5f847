"""PyTorch's own reading of files, held to tensors and plain values: it would otherwise unpickle whatever they hold.

Only `unpickled` does, for those who ask for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from torch.torch_version import TorchVersion

from convcost.errors import MissingDependencyError, SourceError
from convcost.sources.torch.blame import first_line

_ONLY_WEIGHTS = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_ANYTHING = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"  # set by a user for other programs; torch refuses both at once

# Members of an exported program that torch gives to pickle itself, where no setting of torch.load reaches.
_PICKLED_MEMBER = "opaque_obj_"

HOLDS_TO_WEIGHTS = "2.10"
"""The first PyTorch whose `weights_only` is known to hold, and pyproject.toml's bound: before, files corrupted memory
(CVE-2026-24747), and before 2.6 ran code (CVE-2025-32434).
"""


def refuse_old_torch(path: Path) -> None:
    """Raises `MissingDependencyError` where the installed PyTorch would not hold a stranger's file to tensors."""
    if TorchVersion(torch.__version__) < HOLDS_TO_WEIGHTS:
        raise MissingDependencyError(
            f"'{path}' is not read with torch {torch.__version__}, in which a saved file can run code",
            hint=f"pip install 'torch>={HOLDS_TO_WEIGHTS}'",
        )


@contextmanager
def only_weights() -> Iterator[None]:
    """Every `torch.load` inside raises `UnpicklingError` for what is more than tensors, also where its caller asks
    for all: `torch.export.load` does, for example inputs that are none.
    """
    before = {name: os.environ.pop(name, None) for name in (_ONLY_WEIGHTS, _ANYTHING)}
    os.environ[_ONLY_WEIGHTS] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def refuse_pickled_members(path: Path, members: Iterable[str]) -> None:
    """Raises `SourceError` for an archive with a member that torch would unpickle in full."""
    if any(_PICKLED_MEMBER in name.lower() for name in members):
        raise pickled(path)


def pickled(path: Path) -> SourceError:
    """The refusal of an exported program that holds more than a program."""
    return SourceError(
        f"'{path}' holds pickled objects; convcost does not unpickle files, which could run any code",
        hint="export it again with tensors alone as its example inputs and constants, or name a factory",
    )


def unpickled(path: Path) -> nn.Module:
    """The module that a file holds, its weights on the default device; runs whatever code the file names.

    Raises `SourceError` for a file that holds no module, and for classes that cannot be imported here.
    """
    try:
        content: object = torch.load(path, map_location=torch.get_default_device(), weights_only=False)
    except (ImportError, AttributeError) as error:
        raise SourceError(
            f"'{path}' needs code that cannot be imported: {first_line(error)}",
            hint="a pickle holds no code: --pythonpath DIR names the folder that the module's class is imported from",
        ) from error
    except Exception as error:
        raise SourceError(f"'{path}' cannot be unpickled: {first_line(error)}", hint="save it again") from error
    if not isinstance(content, nn.Module):
        raise no_network(path, content)
    return content


def no_network(path: Path, content: object) -> SourceError:
    """The refusal of a file that holds something else than a module, by what that is."""
    entries = content if isinstance(content, Mapping) else {}
    inside = next((key for key, value in entries.items() if isinstance(value, nn.Module)), None)
    if inside is not None:
        return SourceError(
            f"'{path}' is a dict with a module under {inside!r}, not a module",
            hint=f"from Python: convcost.analyze(torch.load(path, weights_only=False)[{inside!r}], inputs=…)",
        )
    hint = "name the factory that builds the network: package.module:factory"
    if isinstance(content, Mapping):
        return SourceError(f"'{path}' is a state dict: weights without the network that uses them", hint=hint)
    return SourceError(f"'{path}' holds no network: what was saved is a {type(content).__name__}", hint=hint)
