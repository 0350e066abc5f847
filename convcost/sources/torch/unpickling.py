"""PyTorch's own reading of files, held to tensors and plain values: it would otherwise unpickle whatever they hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from convcost.errors import SourceError

_ONLY_WEIGHTS = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_ANYTHING = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"  # set by a user for other programs; torch refuses both at once

# Members of an exported program that torch gives to pickle itself, where no setting of torch.load reaches.
_PICKLED_MEMBER = "opaque_obj_"


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
