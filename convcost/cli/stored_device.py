"""The device file that `convcost device` stored here, for measurements of the machine that it describes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from convcost.reports.escape import printable

if TYPE_CHECKING:
    from convcost.latency import Device, Measurement, NotMeasurable

STORED = "convcost-device.yaml"


def read_stored() -> Device | None:
    """The stored device, None where there is none; raises `SourceError` for a file that says something else."""
    if not Path(STORED).is_file():
        return None
    from convcost.latency import read_device

    return read_device(STORED)


def device_for(stored: Device | None, found: Iterable[Measurement | NotMeasurable], *, quiet: bool) -> Device | None:
    """The stored device, named as such, if it was measured on the machine of the first measurement.

    Otherwise none, and stderr says why it is not used.
    """
    from convcost.latency import Measurement, fingerprint_of

    measured = next((each for each in found if isinstance(each, Measurement)), None)
    if stored is None or measured is None:
        return None
    differences = stored.differences(fingerprint_of(measured.setting, measured.device_name))
    if not differences:
        return replace(stored, source=f"{stored.source or 'no source given'}, stored in {STORED}")
    if not quiet:
        sys.stderr.write(printable(f"note: {STORED} is not used: {'; '.join(differences)}") + "\n")
    return None
