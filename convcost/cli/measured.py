"""`--latency` of the commands that count: what was counted is measured too, and both go into one report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from convcost.analysis import Analysis, analyze_graph
from convcost.cli import failure
from convcost.cli.options import Measuring, Reading, Writing
from convcost.cli.output import deliver, stdout_for_reports
from convcost.cli.stored_device import device_for, read_stored
from convcost.latency import (
    INTERRUPTED,
    Device,
    LayerLatencies,
    NotMeasurable,
    Runtime,
    Workload,
    default_runtime,
    measure,
    measure_comparison,
    measure_layers,
)
from convcost.latency.workload import graph_of
from convcost.reports import Report
from convcost.reports.analysis import AnalysisReport
from convcost.reports.comparison import ComparisonReport
from convcost.reports.measured_comparison import MeasuredComparisonReport
from convcost.reports.roofline import RooflineReport
from convcost.reports.roofline_comparison import RooflineComparisonReport
from convcost.reports.timed_analysis import TimedAnalysisReport, TimedModel
from convcost.reports.view import View
from convcost.targets.workload import workload_of


def deliver_timed_analyses(
    targets: Sequence[str], reading: Reading, view: View, measuring: Measuring, writing: Writing, *, backward: bool
) -> tuple[int, tuple[Analysis, ...]]:
    """Counts and measures every target, and then its layers. After an interrupt, the others are only counted."""
    measuring.protocol()  # what is wrong with an option is said before anything is read
    named, stored = measuring.limits(), read_stored()
    with stdout_for_reports():
        limit = measuring.bytes_allowed()
        workloads = [workload_of(reading.request(target), max_bytes=limit) for target in targets]
    models: list[TimedModel] = []
    with stdout_for_reports("measuring"):
        for workload in workloads:
            stopped = any(model.interrupted for model in models)
            models.append(_timed(workload, measuring, backward=backward, stopped=stopped))
    analyses = tuple(model.analysis for model in models)
    device = named or device_for(stored, (model.total for model in models), quiet=writing.quiet)
    report = TimedAnalysisReport(costs=AnalysisReport(analyses=analyses, view=view), models=tuple(models))
    deliver(_bounded(report, view, device), writing, notes=report.notes())
    return (failure.INTERRUPTED if report.partial else 0), analyses


def _bounded(report: TimedAnalysisReport, view: View, device: Device | None) -> Report:
    if device is None:
        return report
    layers = [model.layers for model in report.models]
    return RooflineReport(
        inner=report,
        analyses=report.costs.analyses,
        view=view,
        device=device,
        times=tuple(each if isinstance(each, LayerLatencies) else None for each in layers),
    )


def _timed(workload: Workload, measuring: Measuring, *, backward: bool, stopped: bool) -> TimedModel:
    analysis = analyze_graph(graph_of(workload), backward=backward)
    setting = measuring.setting(default_runtime(workload))
    total = INTERRUPTED if stopped else measure({"": workload}, setting, measuring.protocol())[""]
    if isinstance(total, NotMeasurable):
        return TimedModel(analysis=analysis, total=total, layers=total)
    return TimedModel(analysis=analysis, total=total, layers=measure_layers(workload, total, measuring.protocol()))


def deliver_measured_comparison(costs: ComparisonReport, measuring: Measuring, writing: Writing) -> int:
    """Measures every convolution in turn with its alternatives. What does not fit in memory is part of the report."""
    named, stored = measuring.limits(), read_stored()
    setting = replace(measuring.setting(_runtime(costs.comparison.source)), cold_cache=measuring.device == "cuda")
    with stdout_for_reports("measuring"):
        latencies = measure_comparison(costs.comparison, setting, measuring.protocol())
    device = named or device_for(stored, (each.standard for each in latencies), quiet=writing.quiet)
    report = MeasuredComparisonReport(costs=costs, latencies=latencies, device=device)
    bounded: Report = report
    if device is not None:
        bounded = RooflineComparisonReport(
            inner=report, comparison=costs.comparison, device=device, latencies=latencies
        )
    deliver(bounded, writing, notes=report.notes())
    return failure.INTERRUPTED if report.partial else 0


def _runtime(source: str) -> Runtime:
    return "onnxruntime" if source == "onnx" else "torch"
