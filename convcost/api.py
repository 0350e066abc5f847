"""The public functions: each is one way through the house, from a target or a module to a result."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from convcost.analysis import Analysis, analyze_graph
from convcost.errors import UsageError
from convcost.graph import Graph
from convcost.sources.request import InputSpec, Request, is_spec

if TYPE_CHECKING:
    from torch import nn

    from convcost.alternatives import Alternative, Comparison, CountedMap
    from convcost.budgets import Difference, Verdicts
    from convcost.latency import Measurement, Processor, Runtime, Workload

Target: TypeAlias = "str | os.PathLike[str]"
Inputs: TypeAlias = "Sequence[object] | Mapping[str, Sequence[int]]"
"""For a target: a shape per input, in order or by name. For a module: what `forward` takes, tensors or shapes."""


def load(
    target: Target,
    inputs: Inputs | None = None,
    dims: Mapping[str, int] | None = None,
    *,
    trust_pickle: bool = False,
) -> Graph:
    """The network a path or import target names, before anything is counted.

    `dims` gives symbolic dimensions their sizes. `trust_pickle` unpickles a module that was saved with `torch.save`,
    which runs any code its file names. Raises `SourceError` for what cannot be read.
    """
    from convcost import sources

    return sources.load(_request(target, inputs, dims, trust_pickle))


def analyze(
    model: Target | nn.Module,
    inputs: Inputs | None = None,
    kwargs: Mapping[str, object] | None = None,
    dims: Mapping[str, int] | None = None,
    *,
    backward: bool = False,
    trust_pickle: bool = False,
) -> Analysis:
    """What a model costs: `.totals`, `.layers`, and the `.unknown` that could not be counted.

    `kwargs` are keyword arguments of a module's `forward`, `dims` the symbolic dimensions of a target. A target
    may also be a saved report, or `git:REF:TARGET`. `backward` counts the gradients of training too, apart from
    the totals; `trust_pickle` is as in `load`. Raises `ConvcostError` for what cannot be read or run.
    """
    if isinstance(model, str | os.PathLike):
        from convcost.targets import analysis_of

        _refuse_kwargs(kwargs)
        return analysis_of(_request(model, inputs, dims, trust_pickle), backward=backward)
    return analyze_graph(_graph(model, inputs, kwargs, dims), backward=backward)


def compare(  # noqa: PLR0913 - the command's options, by the same names
    model: Target | nn.Module,
    inputs: Inputs | None = None,
    kwargs: Mapping[str, object] | None = None,
    dims: Mapping[str, int] | None = None,
    *,
    alternatives: str | Sequence[Alternative] | None = None,
    layers: Sequence[str] = (),
    kinds: Sequence[str] = (),
    min_kernel: int | None = None,
    df: CountedMap = "output",
    devices: int | None = None,
    trust_pickle: bool = False,
) -> Comparison:
    """Every convolution (whose name matches a glob of `layers`, whose kind is in `kinds`) beside its alternatives.

    Those whose kernel has a side of `min_kernel`: without it all of a spec's, and all that layers or kinds were asked
    for; of any other model those of 2, for pointwise layers are what most alternatives are made of. With `devices`,
    what one of so many would hold and do; `trust_pickle` is as in `load`.

    `alternatives` is as on the command line, `"depthwise_separable,grouped[groups=4]"`; without it, those the
    spec lists or the built-in set. The layer as it is comes first, listed or not. Raises `UsageError` where
    there is no convolution to compare.
    """
    from convcost.alternatives import DEFAULT_ALTERNATIVES, Standard, compare_graph, parse_alternatives

    chosen = parse_alternatives(alternatives) if isinstance(alternatives, str) else alternatives
    if isinstance(model, str | os.PathLike) and is_spec(os.fspath(model)):
        least = 1
        graph, listed = _read_spec(os.fspath(model), _input_specs(inputs or ()), dims or {})
        chosen = chosen or listed
    else:
        least = 1 if layers or kinds else 2
        graph = _graph(model, inputs, kwargs, dims, trust_pickle=trust_pickle)
    chosen = chosen or DEFAULT_ALTERNATIVES
    if not any(isinstance(alternative, Standard) for alternative in chosen):
        chosen = (Standard(), *chosen)
    return compare_graph(
        graph,
        chosen,
        layers=layers,
        kinds=kinds,
        min_kernel=least if min_kernel is None else min_kernel,
        df=df,
        devices=devices,
    )


def measure(  # noqa: PLR0913 - the command's options, by the same names
    model: Target | nn.Module,
    inputs: Inputs | None = None,
    kwargs: Mapping[str, object] | None = None,
    dims: Mapping[str, int] | None = None,
    *,
    runtime: Runtime | None = None,
    device: Processor = "cpu",
    threads: int = 1,
    max_time: float = 10.0,
    max_bytes: int | None = None,
    trust_pickle: bool = False,
) -> Measurement:
    """How long one run of a model takes on this machine: `.median`, `.p10`, `.interval` in seconds, `.complaints`.

    A module is run as it is, in eval mode and without gradients. By default ONNX Runtime runs ONNX files, and torch all
    else. `max_time` is in seconds, `max_bytes` the most memory it may take (None: half of what is free). After an
    interrupt, `.samples.partial` is set. Raises `SourceError` for what cannot be measured, and `ConvcostError` as
    `analyze` does.
    """
    from convcost.targets.measure import measured

    workload = _workload(model, inputs, kwargs, dims, max_bytes=max_bytes, trust_pickle=trust_pickle)
    return measured(workload, runtime=runtime, device=device, threads=threads, max_time=max_time, max_bytes=max_bytes)


def check(
    model: Analysis | Target | nn.Module,
    budgets: Mapping[str, int | str],
    inputs: Inputs | None = None,
    kwargs: Mapping[str, object] | None = None,
    dims: Mapping[str, int] | None = None,
) -> Verdicts:
    """Whether a model keeps to its budgets, such as `{"macs": "600M", "params": 3_600_000}`; iterates over verdicts.

    Raises `UsageError` for a metric or value that does not exist.
    """
    from convcost.budgets import Budget, check_analysis

    limits = [Budget.of(metric, limit) for metric, limit in budgets.items()]
    analysis = model if isinstance(model, Analysis) else analyze(model, inputs, kwargs, dims)
    return check_analysis(analysis, limits)


def diff(
    old: Analysis | Target | nn.Module, new: Analysis | Target | nn.Module, inputs: Inputs | None = None
) -> Difference:
    """What changed between two models, layer by layer; `inputs` are those of both. False where nothing did.

    Either may be an analysis, a saved report or `git:REF:TARGET`. Raises `ConvcostError` for what cannot be read.
    """
    from convcost.budgets import difference

    before, after = (each if isinstance(each, Analysis) else analyze(each, inputs) for each in (old, new))
    return difference(before, after)


def _workload(
    model: Target | nn.Module,
    inputs: Inputs | None,
    kwargs: Mapping[str, object] | None,
    dims: Mapping[str, int] | None,
    *,
    max_bytes: int | None,
    trust_pickle: bool,
) -> Workload:
    from convcost.targets.workload import workload_of, workload_of_module

    if isinstance(model, str | os.PathLike):
        _refuse_kwargs(kwargs)
        return workload_of(_request(model, inputs, dims, trust_pickle), max_bytes=max_bytes)
    return workload_of_module(model, _inputs_of_module(inputs, dims), kwargs)


def _graph(
    model: Target | nn.Module,
    inputs: Inputs | None,
    kwargs: Mapping[str, object] | None,
    dims: Mapping[str, int] | None,
    *,
    trust_pickle: bool = False,
) -> Graph:
    if isinstance(model, str | os.PathLike):
        _refuse_kwargs(kwargs)
        return load(model, inputs, dims, trust_pickle=trust_pickle)
    from convcost.sources.torch import graph_of

    return graph_of(model, _inputs_of_module(inputs, dims), dict(kwargs or {}))


def _inputs_of_module(inputs: Inputs | None, dims: Mapping[str, int] | None) -> Sequence[object]:
    if dims:
        raise UsageError("dims belong to a target with symbolic dimensions", hint="give a module inputs of that size")
    if isinstance(inputs, Mapping):
        raise UsageError("a module takes its inputs in order", hint="pass named ones as kwargs={...}")
    return tuple(inputs or ())


def _request(target: Target, inputs: Inputs | None, dims: Mapping[str, int] | None, trust_pickle: bool) -> Request:
    return Request(
        target=os.fspath(target),
        inputs=_input_specs(inputs or ()),
        dims=dict(dims or {}),
        trust_pickle=trust_pickle,
    )


def _refuse_kwargs(kwargs: Mapping[str, object] | None) -> None:
    if kwargs:
        raise UsageError(
            "kwargs belong to an nn.Module",
            hint="write a factory's arguments into the target: package:factory?depth=3",
        )


def _read_spec(
    path: str, inputs: tuple[InputSpec, ...], dims: Mapping[str, int]
) -> tuple[Graph, tuple[Alternative, ...]]:
    from convcost.alternatives import build_alternatives
    from convcost.alternatives.options import refuse_too_many
    from convcost.sources.spec import read_spec

    spec = read_spec(path, inputs=inputs, dims=dims)
    listed: list[Alternative] = []
    for wanted in spec.alternatives:
        options = {key: [_option(item) for item in _several(value)] for key, value in wanted.options}
        try:
            listed.extend(build_alternatives(wanted.name, options))
            refuse_too_many(listed)
        except UsageError as error:  # raised again with its place in the file
            raise wanted.where.error(error.message, hint=error.hint) from error
    return spec.graph, tuple(listed)


def _several(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _option(value: object) -> int | str:
    """Whole numbers as they are; anything else as text, which the alternative takes or refuses by its name."""
    return value if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _input_specs(inputs: Inputs) -> tuple[InputSpec, ...]:
    if isinstance(inputs, Mapping):
        return tuple(InputSpec(name=name, shape=_shape(shape)) for name, shape in inputs.items())
    return tuple(item if isinstance(item, InputSpec) else InputSpec(shape=_shape(item)) for item in inputs)


def _shape(value: object) -> tuple[int, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(size, int) for size in value):
        raise UsageError(f"{value!r} is not a shape", hint="inputs is a sequence of shapes: inputs=((1, 3, 224, 224),)")
    return tuple(value)
