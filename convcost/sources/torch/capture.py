"""Runs a module once and returns what it did: without values where that works, with real tensors where not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from convcost.dataclasses import dataclass
from convcost.errors import ConvcostError, SourceError
from convcost.graph import Graph, Tensor
from convcost.sources.naming import LayerNames
from convcost.sources.torch.blame import first_line, where
from convcost.sources.torch.borrow import Borrowed, borrowed
from convcost.sources.torch.build import META
from convcost.sources.torch.call import dtype_of
from convcost.sources.torch.gradients import no_gradients_recorded
from convcost.sources.torch.held import HeldBytes
from convcost.sources.torch.inputs import Arguments, named_tensors, tensors_in
from convcost.sources.torch.quiet import torch_unchanged
from convcost.sources.torch.recorder import Recorder, Scope
from convcost.sources.torch.scopes import Scopes
from convcost.sources.torch.stored import Tree, tree_of
from convcost.sources.torch.values import Values

_MATERIALISED_LIMIT = 8 * 2**30
# How torch says that a model takes a gradient, saves tensors for one or writes to them later, as inference forbids.
_REFUSALS = ("nference", "does not require grad")
# Modules that are one contraction to their users, whatever they do to its operands first.
_CONTRACTING = (_ConvNd, nn.Linear, nn.RNNBase, nn.RNNCellBase)

Runner = Callable[[nn.Module, Scopes, tuple[object, ...], Mapping[str, object]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A module with what to run it on. `rebuild` gives it with values, for a module that has none.

    `arguments_for` gives the arguments anew for such a module, with the values that its factory made beside it.
    `run` is how it is called, and may say which scope is current where modules do not. `told` hears the name of every
    node while what made it is running.
    """

    module: nn.Module
    arguments: Arguments
    target: str
    notes: tuple[str, ...] = ()
    rebuild: Callable[[], nn.Module] | None = None
    arguments_for: Callable[[nn.Module], Arguments] | None = None
    run: Runner | None = None
    told: Callable[[str], None] | None = None


def capture(subject: Subject) -> Graph:
    """The graph of one forward pass in eval mode. Raises `SourceError` when the model fails on real tensors too."""
    with torch_unchanged():
        try:
            return _run(subject, META)
        except ConvcostError:
            raise
        except Exception as refusal:
            return _run_on_values(subject, refusal)


def _run_on_values(subject: Subject, refusal: Exception) -> Graph:
    reason = f"{first_line(refusal)}{where(refusal)}"
    if _bytes_without_values(subject.module) > _MATERIALISED_LIMIT:
        raise SourceError(
            f"the model cannot run without values, and is too large to be given some: {reason}",
            hint="check --input: its shape or element type may not be what the model takes",
        ) from refusal
    module = subject.module
    if subject.rebuild is not None and _bytes_without_values(module):
        module = subject.rebuild()
    note = f"run once with real tensors, because the meta device could not: {reason}"
    try:
        return _run(replace(subject, module=module, notes=(*subject.notes, note)), _home(module))
    except ConvcostError:
        raise
    except Exception as error:
        raise SourceError(
            f"the model's forward pass raised {first_line(error)}{where(error)}",
            hint="check --input NAME=SHAPE[:DTYPE] against what the model's forward takes",
        ) from error


def _home(module: nn.Module) -> torch.device:
    devices = (tensor.device for tensor in module.parameters() if not tensor.is_meta)
    return next(devices, torch.device("cpu"))


def _bytes_without_values(module: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in module.parameters() if tensor.is_meta)


def _run(subject: Subject, device: torch.device) -> Graph:
    try:
        return _record(subject, device)
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _REFUSALS):
            raise
        return _record(subject, device, inference=False)


def _record(subject: Subject, device: torch.device, *, inference: bool = True) -> Graph:
    module = subject.module
    tree = tree_of(module)
    with borrowed(tree, device, frozen=not inference) as tensors, no_gradients_recorded(inference=inference):
        values = _values_of(tensors)
        positional, keywords = subject.arguments.on(device, input_dtype(module))
        inputs = _learn_inputs(positional, keywords, module, values)
        scopes = Scopes(tree)
        held = HeldBytes(tensors_in((positional, keywords)))
        names, scope = _layer_names(tree, subject.told), _scope_of(module, scopes)
        recorder = Recorder(values, names, scope, held, without_values=device == META)
        with scopes, recorder.autocast, recorder:
            result = (subject.run or _call)(module, scopes, positional, keywords)
        return Graph(
            nodes=tuple(recorder.nodes),
            inputs=inputs,
            outputs=tuple(values.of(tensor) for tensor in tensors_in(result)),
            weights=values.weights,
            notes=(*subject.notes, *recorder.autocast.notes),
            target=subject.target,
            source="torch",
            eager_peak_bytes=held.peak,
        )


def _call(module: nn.Module, scopes: Scopes, positional: tuple[object, ...], keywords: Mapping[str, object]) -> object:
    return module(*positional, **keywords)


def _values_of(tensors: Borrowed) -> Values:
    values = Values()
    for attribute, name in tensors.attributes:
        values.name_constant(attribute, name)
    values.store(tensors.weights, tensors.stored)
    return values


def _layer_names(tree: Tree, told: Callable[[str], None] | None) -> LayerNames:
    containers = {path for path, module in tree if any(True for _ in module.children())}
    contracting = (path for path, module in tree if isinstance(module, _CONTRACTING))
    weighted = (path for path, module in tree if any(_is_matrix(value) for value in module._parameters.values()))
    return LayerNames(containers, contracting=contracting, weighted=weighted, told=told)


def _is_matrix(parameter: nn.Parameter | None) -> bool:
    return parameter is not None and parameter.dim() > 1


def _scope_of(module: nn.Module, scopes: Scopes) -> Scope:
    """The running module's path; TorchScript runs no hooks, but its weights tell whose they are."""
    if not isinstance(module, torch.jit.ScriptModule):
        return lambda operands: scopes.current

    def owner(operands: tuple[Tensor, ...]) -> str:
        names = (tensor.weight.name for tensor in operands if tensor.weight is not None)
        return next(names, "").rpartition(".")[0]

    return owner


def input_dtype(module: nn.Module) -> torch.dtype:
    """Inputs given as shapes take the type of the model's weights: a half-precision model wants half precision."""
    types = (tensor.dtype for tensor in module.parameters() if tensor.is_floating_point())
    return next(types, torch.get_default_dtype())


def _learn_inputs(
    positional: tuple[object, ...], keywords: Mapping[str, object], module: nn.Module, values: Values
) -> tuple[Tensor, ...]:
    taken = {weight.name for weight in values.weights}
    inputs: list[Tensor] = []
    for name, tensor in named_tensors(positional, keywords, module):
        unused = name
        while unused in taken:
            unused += "_input"
        taken.add(unused)
        inputs.append(Tensor(name=unused, shape=tuple(tensor.shape), dtype=dtype_of(tensor)))
        values.learn(tensor, inputs[-1])
    return tuple(inputs)
