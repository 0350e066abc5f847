"""The latencies that budgets ask for: measured, and set beside another revision's or the stored ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from convcost.budgets import LatencyIncrease, TimedReference, Timing
from convcost.budgets.codes import SLOWER
from convcost.budgets.timing import hold_latency
from convcost.cli.output import stdout_for_reports
from convcost.cli.plan import CheckedModel, Plan
from convcost.cli.references import baseline_path
from convcost.dataclasses import dataclass
from convcost.errors import UsageError

if TYPE_CHECKING:
    from convcost.budgets.latency_baseline import LatencyBaseline
    from convcost.latency import Measurement, NotMeasurable
    from convcost.targets.timed import Timed

_CONFIRMED_BY = 3
"""Measurements that have to agree that a model became slower."""

_ACCEPTED_OF = 3
"""Processes of which the middle one's times are stored: each has its own luck, for as long as it lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """What was measured, by the models' names; a model without a latency budget is not among them."""

    by_model: Mapping[str, Timing]
    interrupted: bool = False

    def of(self, model: CheckedModel) -> Timing | None:
        return self.by_model.get(model.name)


def measure_models(plan: Plan, given: Mapping[str, str | None], *, accept: bool = False) -> Timings:
    """Runs every model that a latency budget holds for; after an interrupt no further one.

    `given` are the options of the command line that say how; raises `UsageError` where nothing is measured. With
    `accept`, what is measured now is what it is set beside, because it will be the baseline.
    """
    wanted = [model for model in plan.models if plan.latency_rules(model)]
    if not wanted:
        _refuse_unused(given)
        return Timings(by_model={})
    from convcost.latency import INTERRUPTED

    stored = None if plan.settings["base_ref"].value else read_latency_baseline(plan)
    found: dict[str, Timing] = {}
    stopped = False
    for model in wanted:
        if stopped:
            found[model.name] = Timing(unmeasured=INTERRUPTED.reason)
        else:
            found[model.name], stopped = _settled(model, plan, stored, accept=accept)
    return Timings(by_model=found, interrupted=stopped)


def _settled(model: CheckedModel, plan: Plan, stored: LatencyBaseline | None, *, accept: bool) -> tuple[Timing, bool]:
    """A model's timing, measured until it can be believed, and whether that was interrupted."""
    if accept:
        timed = _middle(model, plan)
        return _accepted(timed, plan), timed.interrupted
    timed = _measured(model, plan)
    timing = _timing(model, timed, plan, stored)
    while not timed.interrupted and _is_doubtful(timing, model, plan):
        timed = _measured(model, plan)
        timing = replace(_timing(model, timed, plan, stored), earlier=(*timing.earlier, timing))
    return timing, timed.interrupted


def _middle(model: CheckedModel, plan: Plan) -> Timed:
    """For times to be stored, the middle process of three; the first that fails or is interrupted ends it."""
    from convcost.latency import Measurement

    found: list[tuple[float, Timed]] = []
    for _ in range(_ACCEPTED_OF if is_compared(model, plan) else 1):
        timed = _measured(model, plan)
        if not isinstance(timed.now, Measurement) or timed.interrupted:
            return timed
        found.append((timed.now.p10, timed))
    return sorted(found, key=lambda each: each[0])[len(found) // 2][1]


def _is_doubtful(timing: Timing, model: CheckedModel, plan: Plan) -> bool:
    """Two runs of one model can differ by where they came to lie in memory: what looks slower is measured anew."""
    return len(timing.earlier) + 1 < _CONFIRMED_BY and any(
        hold_latency(rule, timing).code is SLOWER for rule in plan.latency_rules(model)
    )


def latency_baseline_path(plan: Plan) -> Path:
    """Beside the cost baseline, by its name: `convcost-baseline-latency.json`."""
    path = baseline_path(plan)
    return path.with_name(f"{path.stem}-latency.json")


def read_latency_baseline(plan: Plan) -> LatencyBaseline | None:
    """The latency baseline, or None where there is none; raises `SourceError` for one that cannot be read."""
    path = latency_baseline_path(plan)
    if not path.exists():
        return None
    from convcost.budgets.latency_baseline import LatencyBaseline
    from convcost.targets.saved import read_json

    return LatencyBaseline.read(read_json(str(path)), file=str(path))


def is_compared(model: CheckedModel, plan: Plan) -> bool:
    """Whether a budget sets the model's latency beside what it was."""
    return any(isinstance(rule, LatencyIncrease) for rule in plan.latency_rules(model))


def _measured(model: CheckedModel, plan: Plan) -> Timed:
    from convcost.targets.timed import measure_beside

    running, name = plan.running, plan.settings["base_ref"].value
    before = None
    if name and is_compared(model, plan):
        before = replace(model.request, target=f"git:{name}:{model.request.target}")
    apart = before is None and is_compared(model, plan)
    with stdout_for_reports(f"measuring {model.name}"):
        return measure_beside(model.request, before, running.setting, running.protocol(), apart=apart)


def _timing(model: CheckedModel, timed: Timed, plan: Plan, stored: LatencyBaseline | None) -> Timing:
    from convcost.latency import NotMeasurable, fingerprint_of

    now = timed.now
    if isinstance(now, NotMeasurable):
        return Timing(unmeasured=now.reason)
    if not is_compared(model, plan):
        return Timing(measured=now)
    if plan.settings["base_ref"].value:
        return _beside_revision(now, timed.before, plan.settings["base_ref"].value)
    if stored is None:
        missing = f"there is no {latency_baseline_path(plan)}: convcost check --update-baseline writes it"
        return Timing(measured=now, missing=missing)
    return stored.timing(model.name, now, fingerprint_of(now.setting, now.device_name))


def _accepted(timed: Timed, plan: Plan) -> Timing:
    from convcost.latency import NotMeasurable

    if isinstance(timed.now, NotMeasurable):
        return Timing(unmeasured=timed.now.reason)
    origin = str(latency_baseline_path(plan))
    return Timing(
        measured=timed.now,
        reference=TimedReference(times=timed.now.samples.times, origin=origin, in_turn=False),
    )


def _beside_revision(now: Measurement, before: Measurement | NotMeasurable | None, name: str) -> Timing:
    from convcost.latency import Measurement

    if isinstance(before, Measurement):
        reference = TimedReference(times=before.samples.times, origin=name, in_turn=True)
        return Timing(measured=now, reference=reference)
    return Timing(measured=now, missing=before.reason if before else f"{name} was not measured")


def _refuse_unused(given: Mapping[str, str | None]) -> None:
    unused = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if unused:
        raise UsageError(
            f"{unused[0]} says how to measure latency, and no budget asks for it",
            hint=f"add --max latency=12ms, or leave {unused[0]} out",
        )
