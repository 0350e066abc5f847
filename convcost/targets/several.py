"""Many targets at once, on every core, with results in the order they were asked for."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from functools import partial

from convcost.analysis import Analysis, Json
from convcost.dataclasses import dataclass
from convcost.errors import ConvcostError, SourceError
from convcost.processes import cores, in_order
from convcost.sources.request import Request, is_onnx, is_saved, is_spec
from convcost.targets.analyze import analysis_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A target that could not be analyzed, in the words of its error; `trace` is where that was raised."""

    target: str
    message: str
    hint: str
    trace: str

    def to_json(self) -> dict[str, Json]:
        return {"target": self.target, "error": {"message": self.message, "hint": self.hint}}


def analyses_of(requests: Sequence[Request], *, backward: bool = False) -> tuple[Analysis, ...]:
    """Every target analyzed; the first in order that cannot be read raises its error."""
    return tuple(in_order(partial(_read, backward=backward), requests, jobs=cores(), may_share=_is_shared))


def outcomes_of(
    requests: Sequence[Request], *, backward: bool = False, jobs: int | None = None
) -> Iterator[Analysis | Failure]:
    """The same one after the other, as soon as those before are there; what cannot be read is one of them.

    `jobs` is how many are read at a time, by default as many as there are cores; results are the same at any number.
    """
    done = 0
    try:
        read = partial(_outcome, backward=backward)
        for outcome in in_order(read, requests, jobs=jobs or cores(), may_share=_is_shared):
            done += 1
            yield outcome
    except SourceError as error:  # which file it was cannot be told any more
        yield from (_failure(request, error.message, error.hint) for request in requests[done:])


def _outcome(request: Request, *, backward: bool) -> Analysis | Failure:
    try:
        return _read(request, backward=backward)
    except ConvcostError as error:
        return _failure(request, error.message, error.hint)
    except Exception as error:
        hint = "this is a fault in convcost: please report it, with what -v prints"
        return _failure(request, f"{request.target}: {type(error).__name__}: {error}", hint)


def _failure(request: Request, message: str, hint: str) -> Failure:
    return Failure(target=request.target, message=message, hint=hint, trace=traceback.format_exc())


def _read(request: Request, *, backward: bool) -> Analysis:
    try:
        return analysis_of(request, backward=backward)
    except ConvcostError as error:
        if not request.label:
            raise
        raise SourceError(f"{request.label}: {error.message}", hint=error.hint) from error


def _is_shared(request: Request) -> bool:
    """PyTorch takes each process seconds to load, and its threads must not be forked."""
    return is_onnx(request.target) or is_spec(request.target) or is_saved(request.target)
