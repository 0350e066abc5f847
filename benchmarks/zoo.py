"""Every torchvision and timm model against what is published of it and against torch's own counter.

python -m benchmarks.zoo [PATTERN ...] [--every N] [--fresh]

Counts on the meta device. What is done is kept in build/zoo.jsonl, and a run goes on where the last one stopped, with
what did not agree once more; --fresh counts everything anew, --every 20 takes each twentieth entry, a pattern such as
`timm:vit_*` names some.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from convcost.analysis import Analysis, analyze_graph
from convcost.sources import InputSpec, Request
from convcost.sources.torch.capture import Subject, capture
from convcost.sources.torch.libraries import SHIM_NOTE, import_library
from convcost.sources.torch.load import with_subject
from convcost.sources.torch.quiet import torch_unchanged

RECORD = Path(__file__).parents[1] / "build" / "zoo.jsonl"
FRAMES = 16
FAMILIES = ("models", "models.segmentation", "models.video", "models.quantization")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model as it is to be counted; `giga_macs` and `params` where they are published."""

    key: str
    target: str
    shape: tuple[int, ...] = ()
    giga_macs: float | None = None
    params: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came out of one entry; `quarrels` says in words what differs, and is empty where nothing does."""

    key: str
    macs: int = 0
    params: int = 0
    quarrels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def entries() -> Iterator[Entry]:
    """The published weights of torchvision, then all of timm."""
    yield from torchvision_entries()
    timm, _ = import_library("timm")
    yield from (Entry(key=f"timm:{name}", target=f"timm:{name}") for name in timm.list_models())


def torchvision_entries() -> Iterator[Entry]:
    """One for each published set of weights that says how many operations its model takes."""
    zoo, _ = import_library("torchvision")
    for family in FAMILIES:
        module = zoo.models if family == "models" else getattr(zoo.models, family.removeprefix("models."))
        for name in zoo.models.list_models(module=module):
            for weights in zoo.models.get_model_weights(name):
                if "_ops" in weights.meta:
                    yield _published(name, family, weights)


def _published(name: str, family: str, weights: Any) -> Entry:
    meta, preset = weights.meta, weights.transforms()
    arguments: dict[str, object] = {"num_classes": len(meta["categories"] or range(1000))}
    # Auxiliary heads, as the published weights have them: drawn by a constructor alone, some differ.
    if "googlenet" in name or "inception" in name:
        arguments["aux_logits"] = "inception" in name
    if name.startswith(("deeplabv3", "fcn")):
        arguments["aux_loss"] = True
    size = getattr(preset, "crop_size", None) or preset.resize_size
    side = (size[0], size[-1])
    if name.startswith("vit_"):
        arguments["image_size"] = side[0]
    query = "&".join(f"{key}={value}" for key, value in arguments.items())
    frames = (FRAMES,) if family.endswith("video") else ()
    return Entry(
        key=f"torchvision:{name}:{weights.name}",
        target=f"torchvision:{name}?{query}",
        shape=(1, 3, *frames, *side),
        giga_macs=meta["_ops"],
        params=meta["num_params"],
    )


def outcome(entry: Entry) -> Outcome:
    """Counts one entry; whatever goes wrong is a quarrel too."""
    begun = time.perf_counter()
    inputs = (InputSpec(shape=entry.shape),) if entry.shape else ()
    try:
        found = with_subject(Request(target=entry.target, inputs=inputs), lambda subject: _judged(entry, subject))
    except Exception as error:  # one model must not end the run
        found = Outcome(key=entry.key, quarrels=(f"{type(error).__name__}: {error}",))
    return Outcome(**(asdict(found) | {"seconds": round(time.perf_counter() - begun, 2)}))


def _judged(entry: Entry, subject: Subject) -> Outcome:
    analysis = analyze_graph(capture(subject))
    beside = _with_published(entry, analysis) if entry.params else _with_torch(analysis, subject)
    return Outcome(
        key=entry.key,
        macs=analysis.totals.macs,
        params=analysis.totals.params,
        quarrels=(*_unknown(analysis), *beside),
        notes=tuple(note for note in analysis.notes if note != SHIM_NOTE),
    )


def _unknown(analysis: Analysis) -> Iterator[str]:
    for op in analysis.unknown:
        yield f"unknown {op.operator} in {len(op.layers)} layers: {op.reason}"


def _with_published(entry: Entry, analysis: Analysis) -> Iterator[str]:
    if round(analysis.totals.macs / 1e9, 3) != round(entry.giga_macs or 0, 3):
        yield f"{analysis.totals.macs / 1e9:.3f} GMACs, published are {entry.giga_macs}"
    if analysis.totals.params != entry.params:
        yield f"{analysis.totals.params:,} params, published are {entry.params:,}"


def _with_torch(analysis: Analysis, subject: Subject) -> Iterator[str]:
    params = sum(parameter.numel() for parameter in subject.module.parameters())
    if analysis.totals.params != params:
        yield f"{analysis.totals.params:,} params, the module has {params:,}"
    flops = flops_by_torch(subject)
    if 2 * analysis.totals.macs != flops:
        yield f"{analysis.totals.macs:,} MACs, torch's counter has {flops / 2:,.1f}"


def flops_by_torch(subject: Subject) -> int:
    """FlopCounterMode on the meta device, the fused fast path off; on values where meta cannot."""
    with torch_unchanged():
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            return _counted(subject, subject.module, torch.device("meta"))
        except Exception:
            if subject.rebuild is None:
                raise
            return _counted(subject, subject.rebuild(), torch.device("cpu"))


def _counted(subject: Subject, module: torch.nn.Module, device: torch.device) -> int:
    positional, keywords = subject.arguments.on(device, torch.float32)
    # Its tracker of modules trips over parameters that are handed to a module as they are, if they want gradients.
    module.eval().requires_grad_(False)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*positional, **keywords)
    return counter.get_total_flops()


def recorded() -> dict[str, Outcome]:
    """What earlier runs left, by key."""
    if not RECORD.exists():
        return {}
    rows = (json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines())
    return {row["key"]: Outcome(**row) for row in rows}


def chosen(patterns: Sequence[str], every: int) -> list[Entry]:
    """The entries whose key matches any pattern (all without one), thinned out."""
    found = [e for e in entries() if not patterns or any(fnmatch.fnmatch(e.key, pattern) for pattern in patterns)]
    return found[::every]


def run(todo: Sequence[Entry], judge: Callable[[Entry], Outcome] = outcome) -> None:
    """Counts one entry after the other; every outcome is on disk before the next begins."""
    RECORD.parent.mkdir(exist_ok=True)
    with RECORD.open("a", encoding="utf-8") as record:
        for number, entry in enumerate(todo, start=1):
            sys.stderr.write(f"\r\x1b[K{number}/{len(todo)} {entry.key}")
            sys.stderr.flush()
            found = judge(entry)
            record.write(json.dumps(asdict(found)) + "\n")
            record.flush()
            for quarrel in found.quarrels:
                sys.stderr.write(f"\r\x1b[K{entry.key}: {quarrel[:300]}\n")
    sys.stderr.write("\r\x1b[K")


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many agree, and every one that does not."""
    quarrelling = [found for found in outcomes if found.quarrels]
    lines = [f"{len(outcomes) - len(quarrelling)} of {len(outcomes)} models agree exactly"]
    lines += [f"  {found.key}: {quarrel}" for found in quarrelling for quarrel in found.quarrels]
    noted = [found for found in outcomes if found.notes]
    lines += [f"{len(noted)} with notes"] + [f"  {found.key}: {note}" for found in noted for note in found.notes]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("patterns", nargs="*", metavar="PATTERN")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    if options.fresh:
        RECORD.unlink(missing_ok=True)
    wanted = chosen(options.patterns, options.every)
    done = recorded()
    run([entry for entry in wanted if entry.key not in done or done[entry.key].quarrels])
    done = recorded()
    print(summary([done[entry.key] for entry in wanted]))


if __name__ == "__main__":
    main()
