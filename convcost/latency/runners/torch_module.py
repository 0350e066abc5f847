"""Running an `nn.Module`: eager or compiled, on CPU or GPU, and leaving it and torch as they were."""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.utils import _pytree as pytree

from convcost.graph import DType
from convcost.latency.fingerprint import processor_name
from convcost.latency.protocol import Subject
from convcost.latency.runners.cuda import captured, event_timed
from convcost.latency.runners.memory import check_fits
from convcost.latency.runners.prepared import Prepared, UnrunnableError, host_timed
from convcost.latency.runners.random_values import DTYPES, Values, random_input, random_weight
from convcost.latency.runners.torch_gpu import require_gpu
from convcost.latency.setting import Setting
from convcost.latency.workload import TorchModule, needed_bytes

_MADE_UP = "weights are random, made in memory: the model came without values"


@contextmanager
def open_module(workload: TorchModule, setting: Setting) -> Iterator[Prepared]:
    """The module ready to be timed in evaluation mode; threads and modes are restored afterwards, come what may.

    Raises `UnrunnableError` for a device that is not there and for what does not fit in memory.
    """
    with torch_threads(setting.threads), callable_module(workload, setting) as (call, notes):
        if setting.device == "cpu":
            yield Prepared(subject=host_timed(call), device_name=processor_name(), notes=notes)
        else:
            yield _on_gpu(call, setting, notes)


def _on_gpu(call: Callable[[], object], setting: Setting, notes: tuple[str, ...]) -> Prepared:
    gpu = require_gpu()
    flush = gpu.flusher() if setting.cold_cache else None
    eager = event_timed(call, gpu, flush)

    def settle() -> tuple[Subject, tuple[str, ...]]:
        replay, note = captured(call, gpu)
        return event_timed(replay, gpu, flush), (note,)

    # What the compiler made launches its kernels its own way.
    return Prepared(subject=eager, device_name=gpu.name, notes=notes, settle=None if setting.compiled else settle)


@contextmanager
def callable_module(workload: TorchModule, setting: Setting) -> Iterator[tuple[Callable[[], object], tuple[str, ...]]]:
    """A call of the module on arguments that are allocated once, and notes about what was made up for it."""
    with prepared_module(workload, setting) as (module, notes):
        # Compiling wraps the module and leaves it as it is; the compiler's own cache stays warm for the process.
        runnable: nn.Module = torch.compile(module) if setting.compiled else module  # type: ignore[assignment]
        yield call_of(runnable, workload, setting), notes


def call_of(module: nn.Module, workload: TorchModule, setting: Setting) -> Callable[[], object]:
    """A call of the module on the workload's arguments, which are allocated here, once."""
    args, kwargs = _arguments(workload, setting)

    def call() -> object:
        # A compiled module guards against inference mode and would compile anew.
        with torch.no_grad() if setting.compiled else torch.inference_mode():
            return module(*args, **kwargs)

    return call


@contextmanager
def prepared_module(workload: TorchModule, setting: Setting) -> Iterator[tuple[nn.Module, tuple[str, ...]]]:
    """The module in evaluation mode on the setting's device, or a copy of it where it lives elsewhere."""
    if setting.device == "cuda":
        gpu = require_gpu()
        check_fits(_bytes_needed(workload), setting, gpu.free_memory)
    else:
        check_fits(_bytes_needed(workload), setting)
    module, notes = _on_device(workload.module, setting)
    with _evaluating(module):
        yield module, notes


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Sets how many threads an operator may use; torch's own number comes back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    training = {part: part.training for part in module.modules()}
    # An exported program refuses to change modes: it runs as it was exported.
    with contextlib.suppress(NotImplementedError):
        module.eval()
    try:
        yield
    finally:
        for part, was_training in training.items():
            part.training = was_training


def _bytes_needed(workload: TorchModule) -> int:
    if workload.graph is not None:
        return needed_bytes(workload.graph)
    return sum(tensor.nbytes for tensor in _stored(workload.module))


def _on_device(module: nn.Module, setting: Setting) -> tuple[nn.Module, tuple[str, ...]]:
    devices = {tensor.device.type for tensor in _stored(module)}
    if devices <= {setting.device}:
        return module, ()
    moved = copy.deepcopy(module)
    if "meta" in devices:
        _fill(moved, setting)
    return moved.to(setting.device), (_MADE_UP,) if "meta" in devices else ()


def _stored(module: nn.Module) -> Iterator[torch.Tensor]:
    return itertools.chain(module.parameters(), module.buffers())


def _fill(module: nn.Module, setting: Setting) -> None:
    """Gives every parameter and buffer on the meta device random values; tied ones stay tied."""
    generator = np.random.default_rng(setting.seed)
    made: dict[int, torch.Tensor] = {}

    def materialise(tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.is_meta:
            return tensor
        if id(tensor) not in made:
            values = random_weight(tuple(tensor.shape), _dtype(tensor), generator)
            filled = as_tensor(values, tensor.dtype)
            is_parameter = isinstance(tensor, nn.Parameter)
            made[id(tensor)] = nn.Parameter(filled, requires_grad=False) if is_parameter else filled
        return made[id(tensor)]

    for part in module.modules():
        for table in (part._parameters, part._buffers):
            for name, tensor in table.items():
                if tensor is not None:
                    table[name] = materialise(tensor)  # type: ignore[assignment]


def _arguments(workload: TorchModule, setting: Setting) -> tuple[tuple[object, ...], dict[str, object]]:
    generator = np.random.default_rng(setting.seed)

    def own(value: object) -> object:
        if not isinstance(value, torch.Tensor):
            return value
        if value.is_meta:
            value = as_tensor(random_input(tuple(value.shape), _dtype(value), generator), value.dtype)
        return value.detach().to(setting.device, copy=True)

    args, kwargs = pytree.tree_map(own, (workload.args, dict(workload.kwargs)))
    return args, kwargs


def as_tensor(values: Values, dtype: torch.dtype) -> torch.Tensor:
    """Values of NumPy as a tensor; element types that only one of the two knows go through float32."""
    try:
        return torch.from_numpy(values).to(dtype)
    except TypeError:
        return torch.from_numpy(values.astype(np.float32)).to(dtype)


def _dtype(tensor: torch.Tensor) -> DType:
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in DTYPES:
        raise UnrunnableError(f"random values of type {name} cannot be made")
    return DTYPES[name]
