"""`convcost device`: what this machine can do at best."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convcost.cli.options import Running, Writing
from convcost.cli.stored_device import STORED


def device(
    *,
    save: Annotated[
        str, typer.Option("--save", metavar="FILE", help="Where the device file goes (default convcost-device.yaml).")
    ] = STORED,
    running: Running,
    writing: Writing,
) -> int:
    """What this machine can do at best, kept in a small file.

    The peak of each element type in a large matrix product, and the memory bandwidth in a large copy. With
    --device-file, analyze and compare then say what bounds each layer; with --latency they use the file stored in
    the current folder by themselves, if it was measured on this machine with as many threads.
    """
    from convcost.cli.output import check_destinations, deliver, stdout_for_reports
    from convcost.cli.whole_files import write_whole
    from convcost.latency import calibrate, device_text
    from convcost.reports.device import DeviceReport

    setting, protocol = running.setting("torch"), running.protocol()
    check_destinations(writing, beside=[Path(save)])
    with stdout_for_reports("measuring"):
        calibration = calibrate(setting, protocol)
    write_whole({Path(save): device_text(calibration.device)})
    report = DeviceReport(calibration=calibration, saved=save)
    deliver(report, writing, notes=report.notes())
    return 0
