"""Which module is running, seen through hooks that are always taken out again."""

from __future__ import annotations

import threading
from types import TracebackType

from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from convcost.sources.torch.stored import Tree


class Scopes:
    """A context in which `current` is the path of the innermost running module of a tree.

    A module met under two names has the first one it is registered by; one outside the tree
    counts as part of its caller. Modules running in other threads are none of our business.
    """

    def __init__(self, tree: Tree) -> None:
        self._paths = {id(module): path for path, module in tree}
        self._stack = [""]
        self._thread = threading.get_ident()
        self.current = ""

    def __enter__(self) -> Scopes:
        self._hooks = (
            register_module_forward_pre_hook(self._enter_module),
            register_module_forward_hook(self._leave_module, always_call=True),
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()

    def _enter_module(self, module: nn.Module, arguments: object) -> None:
        if threading.get_ident() != self._thread:
            return
        self.current = self._paths.get(id(module), self.current)
        self._stack.append(self.current)

    def _leave_module(self, module: nn.Module, arguments: object, result: object) -> None:
        if threading.get_ident() != self._thread:
            return
        # Called after a module that raised, too, so that the stack never holds one that has ended.
        self._stack.pop()
        self.current = self._stack[-1]
