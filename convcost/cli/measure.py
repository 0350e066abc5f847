"""`convcost measure`: how long models really take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from convcost.cli import failure
from convcost.cli.options import Reading, Strictness, Timing, Writing

if TYPE_CHECKING:
    from convcost.latency import Measurement, NotMeasurable, Workload
    from convcost.reports.measurement import MeasurementReport


def measure(
    target: Annotated[list[str], typer.Argument(metavar="TARGET", help="A model file or import target.")],
    timing: Timing,
    reading: Reading,
    writing: Writing,
    strictness: Strictness,
) -> int:
    """Latency of one or more models, honestly measured.

    After a warm-up, until the median is known within 1 %, or the time is up. Several models of one runtime are
    measured in turn with each other, and each is set beside the first. Ctrl-C ends it with a report of what was
    measured until then, marked partial.
    """
    from convcost.cli.models import refuse_unknown
    from convcost.cli.output import check_destinations, deliver, stdout_for_reports
    from convcost.cli.unmeasured import refuse_unmeasured

    timing.protocol()  # what is wrong with an option is said before anything is read
    timing.setting("torch")
    check_destinations(writing)
    with stdout_for_reports():
        workloads = _workloads(target, timing, reading)
    with stdout_for_reports("measuring"):
        report = _measured(workloads, timing)
    deliver(report, writing, notes=report.notes())
    if report.partial:
        return failure.INTERRUPTED
    refusals = ((each.analysis.target, each.refusal) for each in report.models if each.refusal is not None)
    strict = [model.analysis for model in report.models] if strictness.strict else []
    return refuse_unmeasured(refusals, verbose=writing.verbose) or refuse_unknown(strict)


def _workloads(targets: Sequence[str], timing: Timing, reading: Reading) -> list[Workload]:
    from convcost.targets.workload import workload_of

    limit = timing.bytes_allowed()
    return [workload_of(reading.request(target), max_bytes=limit) for target in targets]


def _measured(workloads: Sequence[Workload], timing: Timing) -> MeasurementReport:
    """Models of one runtime are measured in turn; after an interrupt, no further runtime begins."""
    from convcost.analysis import analyze_graph
    from convcost.latency import INTERRUPTED, default_runtime, was_interrupted
    from convcost.latency import measure as measure_together
    from convcost.latency.workload import graph_of
    from convcost.reports.measurement import MeasuredModel, MeasurementReport

    settings = [timing.setting(default_runtime(workload)) for workload in workloads]
    found: dict[str, Measurement | NotMeasurable] = {}
    for setting in dict.fromkeys(settings):
        together = {str(at): workloads[at] for at, own in enumerate(settings) if own == setting}
        stopped = was_interrupted(found)
        found |= (
            dict.fromkeys(together, INTERRUPTED) if stopped else measure_together(together, setting, timing.protocol())
        )
    models = tuple(
        MeasuredModel(analysis=analyze_graph(graph_of(workload)), setting=setting, latency=found[str(at)])
        for at, (workload, setting) in enumerate(zip(workloads, settings, strict=True))
    )
    return MeasurementReport(models=models, partial=was_interrupted(found))
