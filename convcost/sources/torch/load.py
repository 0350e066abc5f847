"""From a request to a graph: find the model, build it without values where possible, decide its inputs, capture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from torch import nn

from convcost.errors import SourceError, UsageError
from convcost.graph import Graph
from convcost.sources.request import InputSpec, Request, is_archive
from convcost.sources.torch import archive, huggingface, libraries
from convcost.sources.torch.build import built
from convcost.sources.torch.capture import Subject, capture
from convcost.sources.torch.factory import call_factory, find_factory, importable
from convcost.sources.torch.inputs import Arguments, takes_no_inputs
from convcost.sources.torch.quiet import torch_unchanged
from convcost.sources.torch.target import Target, parse_target
from convcost.sources.torch.unpickling import refuse_old_torch, unpickled

_Result = TypeVar("_Result")


def load(request: Request) -> Graph:
    """See `load_torch`."""
    return with_subject(request, capture)


def with_subject(request: Request, use: Callable[[Subject], _Result]) -> _Result:
    """What `use` makes of the request's model, while a factory's own folder can still be imported from."""
    if request.dims:
        raise UsageError(
            f"'{request.target}' has no symbolic dimensions to set with --dim",
            hint="give sizes with --input 1x3x224x224",
        )
    if is_archive(request.target):
        return use(_archived(Path(request.target), request))
    target = parse_target(request.target)
    if target.place == "torchvision":
        return use(_from_torchvision(target, request))
    if target.place == "timm":
        return use(_from_timm(target, request))
    if target.place == "hf":
        return use(_from_huggingface(target, request))
    with importable(target):
        return use(_from_factory(target, request))


def graph_of_module(module: nn.Module, inputs: object, keywords: Mapping[str, object]) -> Graph:
    """See `graph_of`."""
    return capture(subject_of_module(module, inputs, keywords))


def subject_of_module(module: nn.Module, inputs: object, keywords: Mapping[str, object]) -> Subject:
    """A live module with what it is to be run on; without any, the example inputs it carries.

    Raises `SourceError` for what is no module, and for one that does not say what it takes.
    """
    if not isinstance(module, nn.Module):
        raise SourceError(f"this takes an nn.Module, not {type(module).__name__}")
    if type(module).__name__ == "OptimizedModule" and isinstance(module._orig_mod, nn.Module):
        module = module._orig_mod  # what torch.compile wraps is what costs
    arguments = Arguments.of(inputs, keywords)
    if not arguments.positional and not arguments.keywords:
        arguments = _default_inputs(module, None, "the module")
    return Subject(module=module, arguments=arguments, target=type(module).__name__)


def _from_torchvision(target: Target, request: Request) -> Subject:
    _, notes = libraries.import_library("torchvision")
    build = _builder(lambda: libraries.torchvision_model(target.name, target.arguments), target)
    return _subject_built(build, request, lambda module: libraries.torchvision_inputs(target.name), notes)


def _from_timm(target: Target, request: Request) -> Subject:
    _, notes = libraries.import_library("timm")
    build = _builder(lambda: libraries.timm_model(target.name, target.arguments), target)
    return _subject_built(build, request, libraries.timm_inputs, notes)


def _from_huggingface(target: Target, request: Request) -> Subject:
    config = huggingface.read_config(target.name)
    specs = huggingface.as_tokens(request.inputs)
    notes: list[str] = []

    def assumed(module: nn.Module) -> Arguments:
        arguments, note = huggingface.default_inputs(module, target.name)
        notes.append(note)
        return arguments

    build = _builder(lambda: huggingface.build(target.name, config, target.arguments), target)
    subject = _subject_built(build, replace(request, inputs=specs), assumed, ())
    left_out = huggingface.left_out(subject.module, config) if huggingface.HEAD not in target.arguments else ()
    return replace(subject, notes=(*subject.notes, *notes, *left_out))


def _builder(build: Callable[[], nn.Module], target: Target) -> Callable[[], nn.Module]:
    """A library's constructor as a factory, so that what it raises is told like what a user's raises."""
    return lambda: call_factory(build, {}, target.text)[0]


def _from_factory(target: Target, request: Request) -> Subject:
    factory, notes = libraries.tolerating_torchvision(lambda: find_factory(target))
    examples: list[object] = []

    def build() -> nn.Module:
        module, given = call_factory(factory, target.arguments, target.text)
        examples[:] = [given]
        return module

    return _subject_built(build, request, lambda module: _default_inputs(module, examples[0], target.text), notes)


def _subject_built(
    build: Callable[[], nn.Module],
    request: Request,
    default_inputs: Callable[[nn.Module], Arguments],
    notes: tuple[str, ...],
) -> Subject:
    with torch_unchanged():
        module, rebuild = built(build)

    def arguments_for(module: nn.Module) -> Arguments:
        return Arguments.from_specs(request.inputs, module) if request.inputs else default_inputs(module)

    return Subject(
        module=module,
        arguments=arguments_for(module),
        target=request.target,
        notes=notes,
        rebuild=rebuild,
        arguments_for=arguments_for,
    )


def _default_inputs(module: nn.Module, examples: object, text: str) -> Arguments:
    if examples is None:
        examples = next(
            (getattr(module, name) for name in ("example_inputs", "example_input_array") if hasattr(module, name)), None
        )
    if callable(examples):
        examples = examples()
    if isinstance(examples, Mapping):
        return Arguments(keywords=dict(examples))
    if examples is not None:
        return Arguments.of(examples, {})
    if takes_no_inputs(module):
        return Arguments()
    raise SourceError(
        f"{text} does not say what input it takes",
        hint="--input 1x3x224x224, or let the factory return (module, example_inputs)",
    )


def _archived(path: Path, request: Request) -> Subject:
    archive.check_readable(path)
    if not request.trust_pickle:
        refuse_old_torch(path)
    specs: Sequence[InputSpec] = request.inputs
    if path.suffix == ".pt2":
        module, examples, run = archive.load_exported(path)
        arguments = Arguments.from_specs(specs, module) if specs else examples
        return Subject(module=module, arguments=arguments, target=request.target, run=run)
    if request.trust_pickle and not archive.is_script(path):
        return _subject_built(
            lambda: unpickled(path), request, lambda module: _default_inputs(module, None, f"'{path}'"), notes=()
        )
    module = archive.load_script(path)
    arguments = Arguments.from_specs(specs, module) if specs else _default_inputs(module, None, f"'{path}'")
    return Subject(module=module, arguments=arguments, target=request.target)
