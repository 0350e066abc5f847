"""A model measured, where it is to be compared in turn with what it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from convcost.errors import ConvcostError
from convcost.latency import (
    Measurement,
    NotMeasurable,
    Protocol,
    Runtime,
    Setting,
    Workload,
    default_runtime,
    measure,
    was_interrupted,
)
from convcost.sources.request import Request
from convcost.targets.git import Revision, at_revision, file_at
from convcost.targets.workload import workload_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A model's measurement and, where it was asked for, that of the same model before; each may say why it is none."""

    now: Measurement | NotMeasurable
    before: Measurement | NotMeasurable | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the user broke the measurement off."""
        both = {"now": self.now, **({"before": self.before} if self.before else {})}
        return was_interrupted(both)


def measure_beside(
    now: Request, before: Request | None, setting: Callable[[Runtime], Setting], protocol: Protocol
) -> Timed:
    """Measures a model, in turn with `before` if there is one, in the runtime that suits it.

    What cannot be read or run is part of the answer, for whether that matters is not decided here.
    """
    with contextlib.ExitStack() as stack:
        current = _opened(now, stack)
        if isinstance(current, NotMeasurable):
            return Timed(now=current, before=None)
        earlier = _opened(before, stack) if before else None
        workloads = {"now": current}
        if earlier is not None and not isinstance(earlier, NotMeasurable):
            workloads["before"] = earlier
        try:
            found = measure(workloads, setting(default_runtime(current)), protocol)
        except ConvcostError as error:
            return Timed(now=_refusal(error))
    return Timed(now=found["now"], before=found.get("before", earlier if isinstance(earlier, NotMeasurable) else None))


@contextlib.contextmanager
def opened_workload(request: Request) -> Iterator[Workload]:
    """As `workload_of` for a target of the working tree, and for the file that `git:REF:FILE` names."""
    past = at_revision(request.target)
    if past is None:
        yield workload_of(request)
        return
    with file_at(Revision.of(past[0]), past[1]) as copy:
        yield workload_of(replace(request, target=copy))


def _opened(request: Request, stack: contextlib.ExitStack) -> Workload | NotMeasurable:
    try:
        return stack.enter_context(opened_workload(request))
    except ConvcostError as error:
        return _refusal(error)


def _refusal(error: ConvcostError) -> NotMeasurable:
    return NotMeasurable(reason=f"{error.message} ({error.hint})" if error.hint else error.message)
