"""`convcost analyze` of many targets: each is written as soon as it is read, and one that cannot be ends no other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import BinaryIO

from convcost.analysis import Analysis, Json
from convcost.cli import failure
from convcost.cli.models import refuse_unknown
from convcost.cli.options import Reading, Writing
from convcost.cli.output import QUERY, destinations, say_notes, stdout_for_reports, style_of, write_stdout
from convcost.cli.whole_files import open_whole
from convcost.dataclasses import dataclass
from convcost.errors import ConvcostError
from convcost.reports import Report, Style
from convcost.reports.streamed import Pieces, QueryPieces, pieces
from convcost.sources.request import Request
from convcost.targets import Failure, outcomes_of
from convcost.targets.folders import expand
from convcost.targets.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """How to read many: how many at a time (None: one for each core), and where to note what is done."""

    jobs: int | None
    resume: str | None
    backward: bool
    strict: bool


def analyze_each(
    targets: Sequence[str],
    several: Several,
    report_of: Callable[[Analysis], Report],
    reading: Reading,
    writing: Writing,
) -> int:
    """Writes every report in the order of the targets, folders opened up; exit code 2 where one could not be read.

    Files are in place when all is done. Raises `ConvcostError` for what concerns all of them.
    """
    requests = [reading.request(target) for target in expand(targets)]
    uncounted: list[Analysis] = []
    failures: list[Json] = []
    with contextlib.ExitStack() as open_until_done:
        sinks = _sinks(writing, open_until_done)
        outcomes = open_until_done.enter_context(contextlib.closing(_outcomes(requests, several)))
        for outcome in _quietly(outcomes):
            if isinstance(outcome, Failure):
                _say(outcome, writing)
                failures.append(outcome.to_json())
                continue
            report = report_of(outcome)
            _write(sinks, [sink.pieces.of(report) for sink in sinks])
            if not sinks:
                return 0
            say_notes((f"{outcome.target}: {note}" for note in outcome.notes), writing)
            if several.strict and outcome.unknown:
                uncounted.append(outcome)
        _write(sinks, [sink.pieces.end(failures) for sink in sinks])
    return max(failure.UNUSABLE if failures else 0, refuse_unknown(uncounted))


def _outcomes(requests: Sequence[Request], several: Several) -> Generator[Analysis | Failure, None, None]:
    if several.resume is None:
        yield from outcomes_of(requests, backward=several.backward, jobs=several.jobs)
        return
    with Journal(several.resume, backward=several.backward) as journal:
        keys = [journal.key(request) for request in requests]
        done = [journal.recall(key) for key in keys]
        left = [request for request, known in zip(requests, done, strict=True) if known is None]
        fresh = outcomes_of(left, backward=several.backward, jobs=several.jobs)
        for key, known in zip(keys, done, strict=True):
            outcome = known or next(fresh)
            if known is None and isinstance(outcome, Analysis):
                journal.keep(key, outcome)
            yield outcome


def _quietly(outcomes: Iterator[Analysis | Failure]) -> Iterator[Analysis | Failure]:
    """While the next one is read, stdout is kept from whatever code reads it."""
    while True:
        with stdout_for_reports():
            outcome = next(outcomes, None)
        if outcome is None:
            return
        yield outcome


def _say(outcome: Failure, writing: Writing) -> None:
    if writing.verbose:
        failure.say_detail(outcome.trace)
    named = outcome.message if outcome.target in outcome.message else f"{outcome.target}: {outcome.message}"
    failure.say(ConvcostError(named, hint=outcome.hint))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sink:
    """A format, and what takes its text: False when nobody reads it any more."""

    pieces: Pieces
    write: Callable[[str], bool]


def _sinks(writing: Writing, open_until_done: contextlib.ExitStack) -> list[_Sink]:
    files = destinations(writing)
    sinks = []
    if not writing.output:
        main = QUERY if writing.query is not None else writing.format
        sinks.append(_Sink(pieces=_pieces(main, writing, style_of(writing)), write=write_stdout))
    for name, path in files:
        stream = open_until_done.enter_context(open_whole(path))
        sinks.append(_Sink(pieces=_pieces(name, writing, Style()), write=_into(stream)))
    return sinks


def _pieces(name: str, writing: Writing, style: Style) -> Pieces:
    return QueryPieces(writing.query) if name == QUERY and writing.query is not None else pieces(name, style)


def _into(stream: BinaryIO) -> Callable[[str], bool]:
    return lambda text: stream.write(text.encode(errors="replace")) >= 0


def _write(sinks: list[_Sink], texts: Sequence[str]) -> None:
    """Drops the sinks that nobody reads."""
    for sink, text in zip(list(sinks), texts, strict=True):
        if not sink.write(text):
            sinks.remove(sink)
