"""Which machine a timing came from: a stored latency counts nowhere else."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from convcost.dataclasses import dataclass
from convcost.latency.setting import Setting

_DISTRIBUTIONS = {"torch": "torch", "onnxruntime": "onnxruntime"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What makes two timings comparable, as plain facts; no host or user name is among them."""

    facts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits, equal for equal facts."""
        text = "\n".join(f"{key}={value}" for key, value in sorted(self.facts.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def without(self, fact: str) -> Fingerprint:
        """The same for comparisons in which one fact does not matter."""
        return Fingerprint(facts={key: value for key, value in self.facts.items() if key != fact})

    def differences(self, other: Fingerprint) -> tuple[str, ...]:
        """What is not the same, in words ("processor: A, was B"), from the older `other` to this one."""
        keys = sorted({*self.facts, *other.facts})
        return tuple(
            f"{key}: {self.facts.get(key, 'unknown')}, was {other.facts.get(key, 'unknown')}"
            for key in keys
            if self.facts.get(key) != other.facts.get(key)
        )


def machine_fingerprint(
    runtime: str, *, threads: int = 1, accelerator: str | None = None, root: Path = Path("/")
) -> Fingerprint:
    """This machine with one runtime: processor, how many, system, runtime version, threads, and any accelerator."""
    facts = {
        "processor": processor_name(root),
        "processors": str(os.cpu_count() or 0),
        "system": f"{platform.system()} {platform.machine()}",
        "runtime": f"{runtime} {_version(runtime)}",
        "threads": str(threads),
    }
    return Fingerprint(facts={**facts, "accelerator": accelerator} if accelerator else facts)


def fingerprint_of(setting: Setting, device_name: str) -> Fingerprint:
    """This machine as a setting uses it; `device_name` counts where the processor does not do the work."""
    accelerator = device_name if setting.device != "cpu" else None
    return machine_fingerprint(setting.runtime, threads=setting.threads, accelerator=accelerator)


def processor_name(root: Path = Path("/")) -> str:
    """The processor's own name where the system shows it, else its architecture."""
    try:
        lines = (root / "proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip().lower() in ("model name", "hardware"):
            return " ".join(value.split())
    return platform.processor() or platform.machine()


def _version(runtime: str) -> str:
    try:
        return metadata.version(_DISTRIBUTIONS.get(runtime, runtime))
    except metadata.PackageNotFoundError:
        return "unknown"
