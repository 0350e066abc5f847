"""What a machine can do at best, and the small file that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from convcost.dataclasses import dataclass
from convcost.graph import DType
from convcost.latency.fingerprint import Fingerprint
from convcost.located import Located, LocatedMapping, LocatedScalar, integer_of, mapping_of, read_yaml, shown, text_of

_GIGA = 1e9
_KEYS = ("version", "name", "source", "threads", "gmacs_per_second", "gigabytes_per_second", "machine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Peak multiply-accumulates per second by element type, and memory traffic in bytes per second.

    `source` says where the figures come from: a datasheet, or this program on a date. `machine` is set where
    they were measured, at `threads` threads.
    """

    name: str
    peaks: Mapping[DType, float]
    bytes_per_second: float
    source: str = ""
    threads: int | None = None
    machine: Fingerprint | None = field(default=None)

    def differences(self, here: Fingerprint) -> tuple[str, ...]:
        """What makes this another machine than `here`, in words; whichever runtime measured the peaks, they hold."""
        if self.machine is None:
            return ("it does not say on which machine it was measured",)
        return here.without("runtime").differences(self.machine.without("runtime"))

    def intensity_at_ridge(self, dtype: DType) -> float | None:
        """MACs per byte from which a layer is compute-bound; None without a peak for the type."""
        peak = self.peaks.get(dtype)
        return peak / self.bytes_per_second if peak else None


def read_device(path: str) -> Device:
    """A device file. Raises `SourceError` with the place of anything it should not say."""
    title = "a device file"
    document = mapping_of(read_yaml(path), title)
    document.check_keys(_KEYS, of=title)
    integer_of(document.required("version", of=title), "version", least=1, most=1)
    threads = document.entries.get("threads")
    machine = document.entries.get("machine")
    return Device(
        name=text_of(document.required("name", of=title), "name"),
        peaks=_peaks(mapping_of(document.required("gmacs_per_second", of=title), "gmacs_per_second")),
        bytes_per_second=_positive(document.required("gigabytes_per_second", of=title), "gigabytes_per_second") * _GIGA,
        source=text_of(document.entries["source"], "source") if "source" in document.entries else "",
        threads=integer_of(threads, "threads", least=1, most=2**20) if threads is not None else None,
        machine=_machine(mapping_of(machine, "machine")) if machine is not None else None,
    )


def device_text(device: Device) -> str:
    """The YAML that `read_device` reads."""
    import yaml

    described: dict[str, object] = {"version": 1, "name": device.name}
    if device.source:
        described["source"] = device.source
    if device.threads is not None:
        described["threads"] = device.threads
    described["gmacs_per_second"] = {
        dtype.value: round(peak / _GIGA, 3)
        for dtype, peak in sorted(device.peaks.items(), key=lambda item: item[0].value)
    }
    described["gigabytes_per_second"] = round(device.bytes_per_second / _GIGA, 3)
    if device.machine is not None:
        described["machine"] = dict(device.machine.facts)
    return yaml.safe_dump(described, sort_keys=False, allow_unicode=True)


def _peaks(mapping: LocatedMapping) -> dict[DType, float]:
    types = {str(dtype.value): dtype for dtype in DType}
    mapping.check_keys(types, of="gmacs_per_second")
    if not mapping.entries:
        raise mapping.where.error("gmacs_per_second names no element type", hint="such as {float32: 1000}")
    return {types[key]: _positive(value, key) * _GIGA for key, value in mapping.entries.items()}


def _machine(mapping: LocatedMapping) -> Fingerprint:
    return Fingerprint(facts={key: text_of(value, key) for key, value in mapping.entries.items()})


def _positive(value: Located, key: str) -> float:
    number = value.value if isinstance(value, LocatedScalar) else None
    if isinstance(number, int | float) and not isinstance(number, bool) and 0 < number < float("inf"):
        return float(number)
    raise value.where.error(f"{key} must be a number above zero, not {shown(value)}", hint=f"such as {key}: 1000")
