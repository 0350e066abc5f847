"""What a model's code called: the module that was running, and the function of torch that it had called there."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from types import TracebackType
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode, resolve_name

from convcost.graph import Graph, Shape
from convcost.graph.caller import Caller
from convcost.sources.request import Request
from convcost.sources.torch.calling_code import calling_frame, is_named, is_operator
from convcost.sources.torch.capture import Subject, capture
from convcost.sources.torch.inputs import Arguments, tensors_in
from convcost.sources.torch.load import with_subject
from convcost.sources.torch.scopes import Scopes
from convcost.sources.torch.stored import Tree, tree_of
from convcost.sources.torch.used import used_nodes


def callers_of_request(request: Request) -> tuple[Graph, Mapping[str, Caller]]:
    """The request's graph, and by the names of its nodes, who called them. Raises what `load_torch` raises.

    A leaf with parameters that ran nothing called no node, and stands under a name of its own.
    """
    return with_subject(request, _called)


def callers_of_module(
    module: nn.Module, inputs: Sequence[object], keywords: Mapping[str, object]
) -> tuple[Graph, Mapping[str, Caller]]:
    """The same for a live module; see `graph_of`."""
    return _called(Subject(module=module, arguments=Arguments.of(inputs, keywords), target=type(module).__name__))


def _called(subject: Subject) -> tuple[Graph, Mapping[str, Caller]]:
    found: dict[str, Caller] = {}
    watch = _Watch()

    def run(
        module: nn.Module, scopes: Scopes, positional: tuple[object, ...], keywords: Mapping[str, object]
    ) -> object:
        watch.held = _held(tree_of(module))
        with watch:
            return subject.run(module, scopes, positional, keywords) if subject.run else module(*positional, **keywords)

    def told(name: str) -> None:
        found[name] = watch.current()

    graph = capture(replace(subject, run=run, told=told))
    used = used_nodes(graph)
    callers = {
        node.name: replace(caller, is_used=node.name in used, output=watch.outputs.get(caller.run))
        for node in graph.nodes
        for caller in (found[node.name],)
    }
    heard = {caller.run for caller in callers.values()}
    return graph, callers | {f"call {run}": caller for run, caller in watch.leaves.items() if run not in heard}


class _Run(NamedTuple):
    """A call of a module that has not ended."""

    number: int
    module: nn.Module
    input: Shape
    parameters: tuple[tuple[str, Shape], ...]


class _Watch(TorchFunctionMode):
    """A context in which `current()` says what calls torch. Costs a little for every call, so only for who asks.

    Of functions that call others, such as `F.multi_head_attention_forward`, the outermost is told.
    """

    def __init__(self) -> None:
        super().__init__()
        self.held: Mapping[int, int] = {}
        self.outputs: dict[int, Shape] = {}
        self.leaves: dict[int, Caller] = {}
        self._stack: list[_Run] = []
        self._numbers = count(1)
        self._function = ""
        self._by_name = True
        self._plain: tuple[int | float | str, ...] = ()
        self._named: frozenset[str] | None = None
        self._thread = threading.get_ident()

    def current(self) -> Caller:
        return replace(
            self._module(self._stack[-1]) if self._stack else Caller(),
            function=self._function,
            by_name=self._by_name,
            plain=self._plain,
            named=self._named,
            in_parts=not torch.is_inference_mode_enabled(),
        )

    def _module(self, run: _Run) -> Caller:
        return Caller(
            module=_class_name(run.module),
            run=run.number,
            is_leaf=_is_leaf(run.module),
            held=self.held.get(id(run.module), 1),
            input=run.input,
            parameters=run.parameters,
        )

    def __enter__(self) -> _Watch:
        self.leaves.clear()  # of an attempt that failed
        self._hooks = (
            register_module_forward_pre_hook(self._enter_module),
            register_module_forward_hook(self._leave_module, always_call=True),
        )
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, raised, trace)  # type: ignore[no-untyped-call]
        for hook in self._hooks:
            hook.remove()

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if self._function:
            return func(*args, **(kwargs or {}))
        frame = calling_frame(sys._getframe(1))
        self._function = _function_name(func, written_as_operator=is_operator(frame))
        self._by_name = is_named(frame, self._function)
        self._plain = tuple(item for item in (*args, *(kwargs or {}).values()) if isinstance(item, (int, float, str)))
        self._named = frozenset(name for name, item in (kwargs or {}).items() if isinstance(item, torch.Tensor))
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self._function, self._plain, self._named, self._by_name = "", (), None, True

    def _enter_module(self, module: nn.Module, arguments: object) -> None:
        if threading.get_ident() == self._thread:
            own = module.named_parameters() if _is_leaf(module) else ()
            parameters = tuple((name, tuple(parameter.shape)) for name, parameter in own)
            self._stack.append(_Run(next(self._numbers), module, _first_shape(arguments) or (), parameters))

    def _leave_module(self, module: nn.Module, arguments: object, result: object) -> None:
        if threading.get_ident() == self._thread:
            run, shape = self._stack.pop(), _first_shape(result)
            if shape is not None:
                self.outputs[run.number] = shape
            if run.parameters:
                self.leaves[run.number] = replace(self._module(run), output=shape)


def _first_shape(value: object) -> Shape | None:
    return next((tuple(tensor.shape) for tensor in tensors_in(value)), None)


def _is_leaf(module: nn.Module) -> bool:
    return not any(True for _ in module.children())


def _held(tree: Tree) -> Mapping[int, int]:
    """By how many ways down from the root each module is reached."""
    parents: dict[int, list[int]] = defaultdict(list)
    for _, parent in tree:
        for child in parent.children():
            parents[id(child)].append(id(parent))
    ways = {id(tree[0][1]): 1}

    def ways_to(module: int) -> int:
        if module not in ways:
            ways[module] = 0  # for a module that holds itself
            ways[module] = sum(ways_to(parent) for parent in parents[module])
        return ways[module]

    return {id(module): ways_to(id(module)) for _, module in tree}


def _class_name(module: nn.Module) -> str:
    """`nn.Conv2d` for torch's own classes, whichever file of torch they are written in."""
    kind = type(module)
    return f"nn.{kind.__name__}" if getattr(nn, kind.__name__, None) is kind else f"{kind.__module__}.{kind.__name__}"


def _function_name(function: Callable[..., object], *, written_as_operator: bool) -> str:
    """`torch.Tensor.__add__` for `x + y`, which torch itself reports as `torch.Tensor.add`."""
    name: str | None = resolve_name(function)
    if name is None:
        return getattr(function, "__name__", "") or torch.typename(function)
    place, _, word = name.rpartition(".")
    return f"{place}.__{word}__" if written_as_operator and not word.startswith("__") else name
