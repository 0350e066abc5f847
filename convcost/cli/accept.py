"""Today's numbers accepted: the baseline written, and limits lowered, whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from convcost.analysis import Analysis
from convcost.budgets import Budget, LayerBudget, Verdicts
from convcost.budgets.baseline import Baseline, changes_in
from convcost.budgets.ratchet import rewritten, tightenings
from convcost.budgets.settings import headroom_of
from convcost.cli.gating import Accepting
from convcost.cli.plan import Plan
from convcost.cli.references import baseline_path, read_baseline
from convcost.cli.timing import Timings, is_compared, latency_baseline_path, read_latency_baseline
from convcost.cli.whole_files import write_whole
from convcost.errors import UsageError
from convcost.located import read_text
from convcost.reports.escape import printable


def refuse_what_cannot_be_accepted(plan: Plan, accepting: Accepting) -> None:
    """Raises `UsageError` where there is no limit to lower, or nothing that could be written to."""
    limited = any(rule.terms.limit_at for rule in plan.rules if isinstance(rule, Budget | LayerBudget))
    if accepting.ratchet and not limited:
        raise UsageError("--ratchet lowers the limits of a config, and there are none", hint="convcost init writes one")
    if accepting.update_baseline and plan.settings["base_ref"].value:
        hint = "without --base-ref, --update-baseline writes a file"
        raise UsageError("a revision is no baseline that can be updated", hint=hint)


def accepting_files(plan: Plan, accepting: Accepting) -> list[Path]:
    """The files that accepting today's numbers writes, known before anything is measured."""
    found = [baseline_path(plan)] if accepting.update_baseline else []
    if found and any(is_compared(model, plan) for model in plan.models):
        found.append(latency_baseline_path(plan))
    return [*found, Path(plan.config.file)] if accepting.ratchet else found


def accept(
    accepting: Accepting, plan: Plan, analyses: Mapping[str, Analysis], timings: Timings, results: Iterable[Verdicts]
) -> None:
    """Writes what the options ask for, now that the report is out."""
    if accepting.update_baseline:
        _write_baselines(plan, analyses, timings)
    if accepting.ratchet:
        _lower_limits(plan, results)


def _write_baselines(plan: Plan, analyses: Mapping[str, Analysis], timings: Timings) -> None:
    """Merges these models into the baselines, of cost and of latency, and says on stderr what rose and what fell."""
    path = baseline_path(plan)
    before = read_baseline(plan) or Baseline(file=str(path), models={})
    after = before.merged(analyses)
    lines = [line for name, now in analyses.items() for line in changes_in(before.analysis(name), now, name=name)]
    said = [f"{path}: {line}" for line in lines or ["nothing changed"]]
    latency, more = _latency_baseline(plan, timings)
    write_whole({path: after.text(), **latency})
    _say([*said, *more])


def _latency_baseline(plan: Plan, timings: Timings) -> tuple[dict[Path, str], list[str]]:
    """The latency baseline's new content, where a budget compares latencies, and what is new in it."""
    compared = [timings.by_model[model.name] for model in plan.models if is_compared(model, plan)]
    names = [model.name for model in plan.models if is_compared(model, plan)]
    if not names:
        return {}, []
    from convcost.budgets.latency_baseline import LatencyBaseline
    from convcost.latency import fingerprint_of

    path = latency_baseline_path(plan)
    baseline = read_latency_baseline(plan) or LatencyBaseline(file=str(path), machines={})
    lines = []
    for name, timing in zip(names, compared, strict=True):
        if timing.measured is None:
            lines.append(f"{path}: {name}: left as it was, for it was not measured: {timing.unmeasured}")
            continue
        here = fingerprint_of(timing.measured.setting, timing.measured.device_name)
        lines.append(f"{path}: {baseline.change(name, timing.measured, here)}")
        baseline = baseline.merged(here, {name: timing.measured})
    return {path: baseline.text()}, lines


def _lower_limits(plan: Plan, results: Iterable[Verdicts]) -> None:
    """Writes the config with its limits lowered to what was measured plus headroom, and says which."""
    verdicts = [verdict for result in results for verdict in result]
    changes = tightenings(verdicts, headroom_of(plan.settings["headroom"].value))
    file = plan.config.file
    if changes:
        write_whole({Path(file): rewritten(read_text(file, as_written=True), changes)})
    _say([change.text() for change in changes] or [f"{file}: no limit can be lowered"])


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stderr.write(f"{printable(line)}\n")
