"""Other counters, run on the module that convcost counted: fvcore's and torch's own, each by its public interface."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version

import torch
from torch import nn
from torch._ops import HigherOrderOperator, OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from convcost.dataclasses import dataclass
from convcost.errors import ConvcostError, MissingDependencyError, SourceError, UsageError
from convcost.graph import FLOPS_PER_MAC, Graph
from convcost.sources.request import Request
from convcost.sources.torch.archive import is_program
from convcost.sources.torch.blame import first_line, where
from convcost.sources.torch.borrow import borrowed
from convcost.sources.torch.build import META
from convcost.sources.torch.capture import Subject, capture, input_dtype
from convcost.sources.torch.load import with_subject
from convcost.sources.torch.quiet import torch_unchanged
from convcost.sources.torch.scopes import Scopes
from convcost.sources.torch.stored import Tree, tree_of

_MOST_BYTES = 8 * 2**30
_CPU = torch.device("cpu")
# What fvcore counts one for each multiply-accumulate; the rest of its table is arithmetic of other kinds.
_FVCORE_PRODUCTS = frozenset({"addmm", "bmm", "conv", "einsum", "linear", "matmul", "mm"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerCount:
    """What a peer says of a module tree, by path: its multiply-accumulates, what else it adds to them by the name
    of the operator, and the operators it met without having a rule for them."""

    version: str
    products: Mapping[str, int]
    additions: Mapping[str, Mapping[str, int]]
    unruled: Mapping[str, frozenset[str]]
    ran_on: str


_Count = Callable[[nn.Module, Tree, Sequence[object], Mapping[str, object], str], PeerCount]


def ask(request: Request, peer: str) -> tuple[Graph, PeerCount]:
    """The request's graph, and what `fvcore` or `torch` counts on the same module. Raises `SourceError`."""
    if peer == "fvcore":
        _require_fvcore()
    if is_program(request.target):
        raise UsageError(
            f"{request.target} is a saved program, and {peer} needs the modules it was made of",
            hint="cross-check the factory: package.module:factory or file.py:factory",
        )
    return with_subject(request, lambda subject: (capture(subject), _opinion(subject, peer)))


def _require_fvcore() -> None:
    if importlib.util.find_spec("fvcore") is None:
        raise MissingDependencyError("--cross-check fvcore needs fvcore", hint="pip install 'convcost[torch]'")


def _opinion(subject: Subject, peer: str) -> PeerCount:
    """Without values where the peer can do without them; fvcore's trace cannot."""
    with torch_unchanged():
        # As its users run it: what the fused kernels hide from it is a difference worth knowing.
        torch.backends.mha.set_fastpath_enabled(True)
        try:
            if peer == "torch":
                try:
                    return _run(subject, subject.module, META, _count_by_torch)
                except Exception:  # whatever it is that needs values gets them, and is told if it fails again
                    return _run(subject, _with_values(subject), _CPU, _count_by_torch)
            return _run(subject, _with_values(subject), _CPU, _count_by_fvcore)
        except ConvcostError:
            raise
        except Exception as error:
            raise SourceError(
                f"{peer} could not count '{subject.target}': {first_line(error)}{where(error)}",
                hint="the numbers of convcost alone: leave out --cross-check",
            ) from error


def _with_values(subject: Subject) -> nn.Module:
    if (needed := sum(tensor.nbytes for tensor in subject.module.parameters() if tensor.is_meta)) > _MOST_BYTES:
        raise SourceError(
            f"'{subject.target}' holds {needed:,} bytes of parameters, too many to be given values",
            hint="leave out --cross-check, or check a smaller model of the family",
        )
    return subject.rebuild() if subject.rebuild is not None else subject.module


def _run(subject: Subject, module: nn.Module, device: torch.device, count: _Count) -> PeerCount:
    tree = tree_of(module)
    with borrowed(tree, device), torch.no_grad():
        positional, keywords = subject.arguments.on(device, input_dtype(module))
        return count(module, tree, positional, keywords, device.type)


def _count_by_torch(
    module: nn.Module, tree: Tree, positional: Sequence[object], keywords: Mapping[str, object], device: str
) -> PeerCount:
    counter = FlopCounterMode(display=False)
    scopes = Scopes(tree)
    unruled, products = _Unruled(counter, scopes), _Products(counter, scopes)
    with scopes, unruled, counter, products:
        module(*positional, **keywords)
    return PeerCount(
        version=torch.__version__.partition("+")[0],
        products={path: flops // FLOPS_PER_MAC for path, flops in products.flops.items()},
        additions={},
        unruled={path: frozenset(names) for path, names in unruled.found.items()},
        ran_on=device,
    )


class _Products(TorchDispatchMode):
    """Above the counter: what its total grows by belongs to the module that runs."""

    def __init__(self, counter: FlopCounterMode, scopes: Scopes) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops: dict[str, int] = defaultdict(int)
        self._counter, self._scopes = counter, scopes

    def __torch_dispatch__(
        self,
        func: OpOverload | HigherOrderOperator,
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        before = self._counter.get_total_flops()
        result = func(*args, **(kwargs or {}))
        self.flops[self._scopes.current] += self._counter.get_total_flops() - before
        return result


class _Unruled(TorchDispatchMode):
    """Below the counter: the operators that reach it, after whatever it takes apart, without a rule of its table."""

    def __init__(self, counter: FlopCounterMode, scopes: Scopes) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: dict[str, set[str]] = defaultdict(set)
        self._counter, self._scopes = counter, scopes

    def __torch_dispatch__(
        self,
        func: OpOverload | HigherOrderOperator,
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if isinstance(func, OpOverload) and func.overloadpacket not in self._counter.flop_registry:
            self.found[self._scopes.current].add(func._schema.name.partition("::")[2])
        return func(*args, **(kwargs or {}))


def _count_by_fvcore(
    module: nn.Module, tree: Tree, positional: Sequence[object], keywords: Mapping[str, object], device: str
) -> PeerCount:
    analysis = importlib.import_module("fvcore.nn").FlopCountAnalysis(module, _in_order(module, positional, keywords))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    counted: dict[str, Mapping[str, float]] = analysis.by_module_and_operator()
    unruled = {path: dict(analysis.unsupported_ops(path)) for path in counted}
    own = _without_children(counted)
    return PeerCount(
        version=version("fvcore"),
        products={path: sum(n for op, n in ops.items() if op in _FVCORE_PRODUCTS) for path, ops in own.items()},
        additions={
            path: {op: n for op, n in ops.items() if op not in _FVCORE_PRODUCTS and n} for path, ops in own.items()
        },
        unruled={
            path: frozenset(op.partition("::")[2] for op, times in ops.items() if times)
            for path, ops in _without_children(unruled).items()
        },
        ran_on=device,
    )


def _in_order(module: nn.Module, positional: Sequence[object], keywords: Mapping[str, object]) -> tuple[object, ...]:
    """The arguments by place alone, as fvcore takes them."""
    bound = inspect.signature(module.forward).bind(*positional, **keywords)
    if bound.kwargs:
        bound.apply_defaults()
    if bound.kwargs:
        raise UsageError("fvcore takes no keyword arguments", hint="cross-check with torch")
    return bound.args


def _without_children(totals: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, int]]:
    """Each module's own share, from totals that hold those of the modules below it."""
    own = {path: {op: int(n) for op, n in ops.items()} for path, ops in totals.items()}
    for path, ops in totals.items():
        above = _nearest_above(path, totals.keys())
        for op, n in ops.items() if above is not None else ():
            own[above or ""][op] -= int(n)
    return own


def _nearest_above(path: str, known: Iterable[str]) -> str | None:
    while path:
        path = path.rpartition(".")[0]
        if path in known:
            return path
    return None
