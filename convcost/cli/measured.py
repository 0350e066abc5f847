"""`--latency` of the commands that count: what was counted is measured too, and both go into one report."""

from __future__ import annotations

from convcost.cli import failure
from convcost.cli.options import Measuring, Writing
from convcost.cli.output import deliver, stdout_for_reports
from convcost.latency import Runtime, measure_comparison
from convcost.reports.comparison import ComparisonReport
from convcost.reports.measured_comparison import MeasuredComparisonReport


def deliver_measured_comparison(costs: ComparisonReport, measuring: Measuring, writing: Writing) -> int:
    """Measures every convolution in turn with its alternatives. What does not fit in memory is part of the report."""
    setting = measuring.setting(_runtime(costs.comparison.source), cold_cache=measuring.device == "cuda")
    with stdout_for_reports("measuring"):
        latencies = measure_comparison(costs.comparison, setting, measuring.protocol())
    report = MeasuredComparisonReport(costs=costs, latencies=latencies)
    deliver(report, writing, notes=report.notes())
    return failure.INTERRUPTED if report.partial else 0


def _runtime(source: str) -> Runtime:
    return "onnxruntime" if source == "onnx" else "torch"
