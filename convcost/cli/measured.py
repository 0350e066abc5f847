"""`--latency` of the commands that count: what was counted is measured too, and both go into one report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from convcost.analysis import Analysis, analyze_graph
from convcost.cli import failure
from convcost.cli.options import Measuring, Reading, Writing
from convcost.cli.output import check_destinations, deliver, stdout_for_reports
from convcost.cli.stored_device import device_for, read_stored
from convcost.cli.unmeasured import refuse_unmeasured
from convcost.latency import (
    INTERRUPTED,
    CandidateLatencies,
    Device,
    LayerLatencies,
    Measurement,
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
    targets: Sequence[str],
    reading: Reading,
    view: View,
    measuring: Measuring,
    writing: Writing,
    *,
    backward: bool,
    strict: bool,
) -> tuple[int, tuple[Analysis, ...]]:
    """Counts and measures every target, and then its layers. After an interrupt, the others are only counted.

    The exit code is 2 where a model was not measured; with `strict` also where its layers were not.
    """
    measuring.protocol()  # what is wrong with an option is said before anything is read
    check_destinations(writing)
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
    if report.partial:
        return failure.INTERRUPTED, analyses
    return refuse_unmeasured(_unmeasured(models, strict=strict), verbose=writing.verbose), analyses


def _unmeasured(models: Iterable[TimedModel], *, strict: bool) -> Iterator[tuple[str, NotMeasurable]]:
    """A compiled module is one piece: nobody asked for the times of its layers."""
    for model in models:
        if isinstance(model.total, NotMeasurable):
            yield model.analysis.target, model.total
        elif strict and isinstance(model.layers, NotMeasurable) and not model.total.setting.compiled:
            yield f"{model.analysis.target}, layer by layer", model.layers


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


def deliver_measured_comparison(
    costs: ComparisonReport, measuring: Measuring, writing: Writing, *, strict: bool
) -> int:
    """Measures every convolution in turn with its alternatives. What does not fit in memory is part of the report.

    The exit code is 2 where nothing at all was measured; with `strict`, where anything was not.
    """
    check_destinations(writing)
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
    if report.partial:
        return failure.INTERRUPTED
    refusals = list(_left_out(latencies))
    all_left_out = not any(isinstance(each, Measurement) for one in latencies for each in one.candidates)
    return refuse_unmeasured(refusals if strict or all_left_out else (), verbose=writing.verbose)


def _left_out(latencies: Iterable[CandidateLatencies]) -> Iterator[tuple[str, NotMeasurable]]:
    """What applies and was not measured all the same."""
    for each in latencies:
        for candidate, found in zip(each.layer.candidates, each.candidates, strict=True):
            if candidate.is_applicable and isinstance(found, NotMeasurable):
                yield f"{each.layer.name} as {candidate.label}", found


def _runtime(source: str) -> Runtime:
    return "onnxruntime" if source == "onnx" else "torch"
