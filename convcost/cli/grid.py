"""`convcost compare --grid`: a design space in a few numbers, or row by row into files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from convcost.alternatives import COUNTED_MAPS, DEFAULT_ALTERNATIVES, Alternative, CountedMap, parse_alternatives
from convcost.cli.output import deliver, destinations, write_stdout
from convcost.cli.values import one_of
from convcost.cli.waiting import waiting
from convcost.cli.whole_files import open_whole
from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.grids import Grid, GridSummary, Rows, Tally
from convcost.grids.axes import EXAMPLE
from convcost.grids.files import ROW_FORMATS, BinaryStream, row_writer
from convcost.grids.part import parts
from convcost.processes import cores
from convcost.reports.grid import GridReport, rows_text

if TYPE_CHECKING:
    from convcost.cli.compare import Comparing
    from convcost.cli.options import Writing

_MOST_THREADS = 8
"""More would wait for the one that writes, each with a block in its hands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Where rows go, by format (no path: stdout), and how to write the summary, if that is wanted at all."""

    rows: tuple[tuple[str, Path | None], ...]
    summary: Writing | None

    @property
    def stdout_alone(self) -> bool:
        """Whether all is done once nobody reads stdout any more."""
        return self.summary is None and [path for _, path in self.rows] == [None]


def deliver_grid(axes: Sequence[str], comparing: Comparing, writing: Writing) -> int:
    """Evaluates the grid block by block, and writes its rows or its summary; raises `ConvcostError`."""
    rows = Rows(grid=Grid.of(axes), alternatives=_alternatives(comparing.alternatives), pareto=comparing.pareto)
    df = cast("CountedMap", one_of(comparing.df, COUNTED_MAPS, option="--df"))
    wanted = _wanted(writing)
    try:
        with waiting("counting"):
            summary = _evaluate(rows, df, wanted)
    except _ReaderGoneError:
        return 0
    if wanted.summary is not None:
        deliver(GridReport(summary=summary), wanted.summary)
    elif not writing.quiet:
        sys.stderr.write(f"note: {rows_text(summary)}\n")
    return 0


def _evaluate(rows: Rows, df: CountedMap, wanted: _Wanted) -> GridSummary:
    tally = Tally(len(rows.alternatives))
    formats = tuple(dict.fromkeys(name for name, _ in wanted.rows))
    with contextlib.ExitStack() as streams:
        opened = [(name, streams.enter_context(_stream(path, wanted))) for name, path in wanted.rows]
        writers = [
            (name, streams.enter_context(contextlib.closing(row_writer(name, stream, rows)))) for name, stream in opened
        ]
        counted = parts(rows, df=df, formats=formats, threads=min(cores(), _MOST_THREADS))
        for part in streams.enter_context(contextlib.closing(counted)):
            tally.merge(part.tally)
            for name, writer in writers:
                writer.write(part.encoded[name])
        summary = tally.summary(rows, df)
        if not summary.layers:  # found out before the files are in place
            reason, _ = summary.no_layers[0]
            raise UsageError(f"no configuration of the grid is a layer: {reason}", hint=EXAMPLE)
        return summary


def _alternatives(text: str | None) -> tuple[Alternative, ...]:
    if text is None:
        return DEFAULT_ALTERNATIVES
    found = parse_alternatives(text)
    if any("all" in each.options().values() for each in found):
        raise UsageError("a grid takes no grouped[groups=all]", hint="name the numbers: grouped[groups=2,groups=4]")
    return found


def _wanted(writing: Writing) -> _Wanted:
    """Sorts destinations: CSV and Parquet are for rows, what people and programs read for the summary."""
    destinations(writing, also=ROW_FORMATS)
    rows: list[tuple[str, Path | None]] = []
    exports = []
    for text in writing.export:
        format_name, _, path = text.partition("=")
        if format_name in ROW_FORMATS and path:
            rows.append((format_name, Path(path)))
        else:
            exports.append(text)
    main = _main_format(writing)
    if main is None:
        return _Wanted(rows=tuple(rows), summary=replace(writing, export=exports))
    rows.insert(0, (main, Path(writing.output) if writing.output else None))
    if not exports:
        return _Wanted(rows=tuple(rows), summary=None)
    format_name, _, path = exports[0].partition("=")
    return _Wanted(rows=tuple(rows), summary=replace(writing, format=format_name, output=path, export=exports[1:]))


def _main_format(writing: Writing) -> str | None:
    """The format of rows that `-f` or the name of the `-o` file asks for; None for the summary."""
    if writing.query is not None:
        return None
    if writing.format in ROW_FORMATS:
        return writing.format
    suffix = Path(writing.output or "").suffix.removeprefix(".").lower()
    return suffix if writing.format == "table" and suffix in ROW_FORMATS else None


@contextlib.contextmanager
def _stream(path: Path | None, wanted: _Wanted) -> Iterator[BinaryStream]:
    if path is None:
        yield _Stdout(alone=wanted.stdout_alone)
    else:
        with open_whole(path) as stream:
            yield stream


class _ReaderGoneError(Exception):
    """Nobody reads stdout any more, as after `| head`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stdout:
    """Where rows go without a file. Only if it is `alone` does a reader that has gone away end the run."""

    alone: bool

    def write(self, data: bytes | memoryview) -> None:
        if not write_stdout(str(data, "utf-8")) and self.alone:
            raise _ReaderGoneError
