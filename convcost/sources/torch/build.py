"""Calling a constructor so that the weights it makes take no memory, as far as it lets itself be called that way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from convcost.errors import ConvcostError

META = torch.device("meta")


class _EmptyOnMeta(TorchFunctionMode):
    """Only uninitialised memory, which is how layers make their weights, goes to meta; values stay values."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        keywords = dict(kwargs or {})
        if func is torch.empty and keywords.get("device") is None:
            keywords["device"] = META
        return func(*args, **keywords)


def built(build: Callable[[], nn.Module]) -> tuple[nn.Module, Callable[[], nn.Module] | None]:
    """The module, with the way to build it again with values if it has none.

    Some constructors compute with tensors (regnet's widths, schedules of drop rates): for them only the
    weights go to meta, and for those that read their own weights nothing does.
    """
    without_values: tuple[Callable[[], AbstractContextManager[object]], ...] = (lambda: META, _EmptyOnMeta)
    for construction in without_values:
        try:
            with construction():
                return build(), build
        except ConvcostError as error:
            if not isinstance(error.__cause__, Exception):
                raise
    return build(), None
