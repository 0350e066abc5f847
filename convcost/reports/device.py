"""A calibrated machine as a report: its peaks, its bandwidth, and from where on a layer is bound by arithmetic."""

from __future__ import annotations

from convcost import __version__
from convcost.analysis import Json
from convcost.dataclasses import dataclass
from convcost.latency import Calibration, Measurement, NotMeasurable
from convcost.latency.wording import health_text
from convcost.reports.document import Column, Document, Fact, Kind, Table

SCHEMA = "convcost/device/1"

_GIGA = 1e9
_COLUMNS = (
    Column(key="dtype", title="Type", kind=Kind.TEXT),
    Column(key="gmacs_per_second", title="G MACs/s", kind=Kind.RATE),
    Column(key="macs_per_byte", title="Compute-bound from\nMACs/byte", kind=Kind.RATE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """`saved` is the device file that was written."""

    calibration: Calibration
    saved: str

    def documents(self) -> tuple[Document, ...]:
        device = self.calibration.device
        health = [found.health for found in self.calibration.products.values() if isinstance(found, Measurement)]
        return (
            Document(
                title=device.name,
                subtitle=(f"{device.source}, at {device.threads} thread{'s' if device.threads != 1 else ''}",),
                tables=(self.records(),),
                facts=(
                    Fact(label="Memory", value=f"{device.bytes_per_second / _GIGA:.1f} GB/s"),
                    *(Fact(label="Machine", value=health_text(each)) for each in health[-1:]),
                    Fact(label="Stored in", value=self.saved),
                ),
                notes=self.notes(),
            ),
        )

    def records(self) -> Table:
        device = self.calibration.device
        return Table(
            columns=_COLUMNS,
            rows=tuple(
                (str(dtype.value), peak / _GIGA, device.intensity_at_ridge(dtype))
                for dtype, peak in device.peaks.items()
            ),
        )

    def to_json(self) -> Json:
        device = self.calibration.device
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            "name": device.name,
            "source": device.source,
            "threads": device.threads,
            "gmacs_per_second": {str(dtype.value): peak / _GIGA for dtype, peak in device.peaks.items()},
            "gigabytes_per_second": device.bytes_per_second / _GIGA,
            "machine": dict(device.machine.facts) if device.machine else None,
            "saved": self.saved,
            "notes": list(self.notes()),
        }

    def notes(self) -> tuple[str, ...]:
        """Which types were left out and why, and why a figure deserves doubt.

        A crowded machine is steady and yet below its peak, so that it counts against a known median as well.
        """
        found = []
        for dtype, product in self.calibration.products.items():
            if isinstance(product, NotMeasurable):
                found.append(f"{dtype.value} is left out: {product.reason}")
            else:
                doubts = dict.fromkeys((*product.complaints, *product.health.complaints))
                found += [f"doubtful: {dtype.value}: {each}" for each in doubts]
        return tuple(found)
