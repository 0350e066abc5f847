"""What convcost says of the memory of inference, beside what torch tracks of it: `python -m benchmarks.peak_memory`.

Every model is captured by convcost, without values, and then runs three times for real on the CPU, in eval mode and
without gradients, under observers that share no code with convcost:

- *held*: torch's own `MemTracker`, which adds every storage when an operator makes it and takes it off when Python has
  let go of it; the caller's inputs included, parameters and buffers taken off. Beside it: `eager_peak_bytes`.
- *needed*: the same storages, each from the first operator that touches it to the last one; outputs to the end. Beside
  it: `peak_activation_bytes`. No line of Python decides over this figure, so it is the same for an ONNX file.
- *allocated*: every allocation that torch's profiler sees, so also what a kernel takes for itself and gives back; not
  the inputs, which were there before. Nothing in convcost predicts it: it differs from processor to processor.

The fused fast path of `nn.MultiheadAttention` is off, as it is in convcost. Writes docs/memory.md.
"""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn
from torch.distributed._tools.mem_tracker import MemTracker
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks.__main__ import processor
from convcost.analysis import analyze_graph
from convcost.sources.torch import graph_of
from convcost.sources.torch.libraries import import_library

PAGE = Path(__file__).parents[1] / "docs" / "memory.md"
PACKAGES = ("convcost", "torch", "torchvision", "transformers")
IMAGE = (1, 3, 224, 224)
TARGET = 0.05

Network = tuple[nn.Module, torch.Tensor]

INTRODUCTION = """# Memory, beside what torch tracks

Written by `make bench-memory`: what convcost says of the memory of inference, beside real runs on the CPU.

- *Held* is torch's own tracker of living tensors (`MemTracker`; inputs included, weights not), beside
  `eager_peak_bytes`.
- *Needed* is the same tensors, each ending at its last use, beside `peak_activation_bytes`.
- *Allocated* is the allocator's peak by torch's profiler: with what kernels take for themselves and give back, without
  the inputs. convcost does not predict it; the last column says how far above *needed* it lies.

Errors over the target of 5 % are bold. What the figures mean: [conventions.md](conventions.md#two-peaks).
"""

REASONS = """squeezenet1_0: torch's max pooling also writes the place of every maximum, eight bytes each, which nothing
reads and other runtimes do not write; *held* has it, *needed* leaves it out. LSTM: what a recurrent layer holds on the
way differs from device to device, so convcost gives no figure for *held*."""


def torchvision_model(name: str, side: int = 224, **arguments: object) -> Callable[[], Network]:
    """Builds one with random weights, which its memory does not depend on."""

    def build() -> Network:
        zoo, _ = import_library("torchvision")
        return zoo.models.get_model(name, weights=None, **arguments), torch.zeros(1, 3, side, side)

    return build


def recurrent() -> Network:
    return nn.LSTM(256, 512, num_layers=2, batch_first=True), torch.zeros(1, 128, 256)


def gpt2() -> Network:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config()), torch.zeros(1, 256, dtype=torch.long)


MODELS: Mapping[str, Callable[[], Network]] = {
    **{
        name: torchvision_model(name)
        for name in (
            "alexnet",
            "vgg16",
            "squeezenet1_0",
            "resnet50",
            "densenet121",
            "mobilenet_v2",
            "mobilenet_v3_large",
            "shufflenet_v2_x1_0",
            "efficientnet_b0",
            "regnet_y_400mf",
            "convnext_tiny",
            "vit_b_16",
            "swin_t",
            "maxvit_t",
        )
    },
    "googlenet": torchvision_model("googlenet", aux_logits=False, init_weights=False),
    "inception_v3": torchvision_model("inception_v3", side=299, init_weights=False),
    "fcn_resnet50": torchvision_model("fcn_resnet50", weights_backbone=None),
    "deeplabv3_mobilenet_v3_large": torchvision_model("deeplabv3_mobilenet_v3_large", weights_backbone=None),
    "LSTM, 2 layers of 512, 128 steps": recurrent,
    "GPT-2, 256 tokens": gpt2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """All in bytes: torch's three figures, and convcost's for the first two, where it has one."""

    held: int
    needed: int
    allocated: int
    says_held: int | None
    says_needed: int


class Uses(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's base class is not annotated
    """Notes for every storage but the stored ones its size, and the first and last call that touched it."""

    def __init__(self, stored: Iterable[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # Every storage is kept here, so that no two of the run have one identity.
        self.storages = {tensor.untyped_storage()._cdata: tensor.untyped_storage() for tensor in stored}
        self.stored = frozenset(self.storages)
        self.spans: dict[int, tuple[int, int]] = {}
        self.step = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]  # torch's protocol
        result = func(*args, **(kwargs or {}))
        self.touch((args, kwargs, result))
        self.step += 1
        return result

    def touch(self, values: object) -> None:
        for tensor in tensors_of(values):
            storage = tensor.untyped_storage()
            if storage._cdata not in self.stored:
                self.storages[storage._cdata] = storage
                first, _ = self.spans.get(storage._cdata, (self.step, 0))
                self.spans[storage._cdata] = (first, self.step)

    def keep(self, result: object) -> None:
        """What a model returns is still there after its last call."""
        self.step -= 1
        self.touch(result)
        self.step += 1

    def peak(self) -> int:
        sizes = {key: self.storages[key].nbytes() for key in self.spans}
        return max(
            sum(sizes[key] for key, (first, last) in self.spans.items() if first <= step <= last)
            for step in range(self.step)
        )


def needed(module: nn.Module, given: torch.Tensor) -> int:
    with Uses([*module.parameters(), *module.buffers()]) as uses:
        result = module(given)
    uses.keep(result)
    peak: int = uses.peak()
    return peak


def held(module: nn.Module, given: torch.Tensor) -> int:
    tracker = MemTracker()
    tracker.track_external(module, given)
    with tracker:
        module(given)
    (snapshot,) = tracker.get_tracker_snapshot("peak").values()
    sizes: dict[str, int] = {str(getattr(kind, "value", kind)): nbytes for kind, nbytes in snapshot.items()}
    return sizes["Total"] - sizes["Parameter"] - sizes["Buffer"]


def allocated(module: nn.Module, given: torch.Tensor) -> int:
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        module(given)
    events = [event for event in profiled.profiler.kineto_results.events() if event.name() == "[memory]"]
    peak = now = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        now += event.nbytes()
        peak = max(peak, now)
    return peak


def peaks(build: Callable[[], Network]) -> Peaks:
    module, given = build()
    module.eval()
    analysis = analyze_graph(graph_of(module, (given,)))
    with torch.no_grad():
        module(given)  # what is made once and kept, such as packed weights, is no part of the figures
        return Peaks(
            held=held(module, given),
            needed=needed(module, given),
            allocated=allocated(module, given),
            says_held=analysis.eager_peak_bytes,
            says_needed=analysis.totals.peak_activation_bytes,
        )


def tensors_of(values: object) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)]


def row(name: str, found: Peaks) -> str:
    cells = (
        name,
        megabytes(found.held),
        *beside(found.says_held, found.held),
        megabytes(found.needed),
        *beside(found.says_needed, found.needed),
        megabytes(found.allocated),
        f"{found.allocated / found.needed - 1:+.0%}",
    )
    return f"| {' | '.join(cells)} |"


def megabytes(nbytes: int) -> str:
    return f"{nbytes / 1e6:.2f}"


def beside(said: int | None, measured: int) -> tuple[str, str]:
    """What convcost says, and how far off that is; in bold where it is more than it should be."""
    if said is None:
        return "none", "–"
    off = said / measured - 1
    text = "0" if said == measured else f"{off:+.1%}"
    return megabytes(said), f"**{text}**" if abs(off) > TARGET else text


def page(found: Mapping[str, Peaks]) -> str:
    head = ("model", "held", "convcost", "error", "needed", "convcost", "error", "allocated", "over needed")
    rows = [f"| {' | '.join(head)} |", f"| --- {'| ---: ' * (len(head) - 1)}|"]
    rows += [row(name, each) for name, each in found.items()]
    installed = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    conditions = (
        f"In MB of 10⁶ bytes, batch 1, {datetime.date.today().isoformat()}: {processor()}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}; {installed}."
    )
    return "\n".join([INTRODUCTION, *rows, "", REASONS, "", conditions, ""])


def main() -> None:
    torch.backends.mha.set_fastpath_enabled(False)
    found: dict[str, Peaks] = {}
    for name, build in MODELS.items():
        found[name] = peaks(build)
        print(row(name, found[name]), flush=True)
    PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
