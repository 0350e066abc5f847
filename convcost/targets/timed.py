"""A model measured, where it is to be compared in turn with what it was."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from convcost.dataclasses import dataclass
from convcost.errors import ConvcostError
from convcost.latency import (
    Measurement,
    NotMeasurable,
    OtherProcess,
    Protocol,
    Runnable,
    Runtime,
    Setting,
    default_runtime,
    measure,
    was_interrupted,
)
from convcost.sources.request import Request, at_revision, is_onnx
from convcost.targets import served
from convcost.targets.git import Revision, file_at, is_file, tree_at
from convcost.targets.workload import workload_of
from convcost.targets.written import request_json


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
    now: Request,
    before: Request | None,
    setting: Callable[[Runtime], Setting],
    protocol: Protocol,
    *,
    apart: bool = False,
) -> Timed:
    """Measures a model, in turn with `before` if there is one, in the runtime that suits it.

    Where one runs in a process of its own, so does the other: a process that has just begun is not one that has read
    and counted models. `apart` asks for one, for times that are set beside those of other processes. What cannot be
    read or run is part of the answer, for whether it matters is not decided here.
    """
    with contextlib.ExitStack() as stack:
        earlier = _opened(before, stack) if before else None
        apart = isinstance(earlier, OtherProcess) or (apart and at_revision(now.target) is None)
        current = process_here(now) if apart else _opened(now, stack)
        if isinstance(current, NotMeasurable):
            return Timed(now=current)
        workloads = {"now": current}
        if earlier is not None and not isinstance(earlier, NotMeasurable):
            workloads["before"] = earlier
        try:
            found = measure(workloads, setting(_runtime(now, current)), protocol)
        except ConvcostError as error:
            return Timed(now=_refusal(error))
    return Timed(now=found["now"], before=found.get("before", earlier if isinstance(earlier, NotMeasurable) else None))


@contextlib.contextmanager
def opened_workload(request: Request) -> Iterator[Runnable]:
    """As `workload_of`, and for `git:REF:TARGET`: a file is copied, a factory's code runs in a process of its own."""
    past = at_revision(request.target)
    if past is None:
        yield workload_of(request)
        return
    revision, there = Revision.of(past[0]), replace(request, target=past[1])
    if is_file(there.target):
        with file_at(revision, there.target) as copy:
            yield workload_of(replace(there, target=copy))
        return
    with tree_at(revision, request.pythonpath) as (folder, environment):
        yield _process(there, folder, environment)


def process_here(request: Request) -> OtherProcess:
    """A process that runs the target as this one would, with what this one may import."""
    return _process(request, ".", {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})


def _process(request: Request, folder: str, environment: Mapping[str, str]) -> OtherProcess:
    command = (sys.executable, "-P", "-m", served.__name__, request_json(request))
    return OtherProcess(command=command, folder=folder, environment=environment)


def _runtime(request: Request, workload: Runnable) -> Runtime:
    """What suits the model; another process has not said yet what it is."""
    if isinstance(workload, OtherProcess) and is_onnx(request.target):
        return "onnxruntime"
    return default_runtime(workload)


def _opened(request: Request, stack: contextlib.ExitStack) -> Runnable | NotMeasurable:
    try:
        return stack.enter_context(opened_workload(request))
    except ConvcostError as error:
        return _refusal(error)


def _refusal(error: ConvcostError) -> NotMeasurable:
    return NotMeasurable(reason=f"{error.message} ({error.hint})" if error.hint else error.message)
