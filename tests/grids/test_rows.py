"""A grid's rows, as CSV that any reader takes, against the blocks they are written from."""

from __future__ import annotations

import csv
import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.alternatives import DEFAULT_ALTERNATIVES, parse_alternatives, undominated
from convcost.grids import Grid, Rows, evaluate, spreadsheet
from convcost.grids.evaluate import METRICS
from convcost.grids.files import encoded, row_writer
from convcost.grids.rows import written

GRID = Grid.of(["kernel=1,3", "padding=same,0", "in_channels=4,6,4000", "out_channels=4,8", "input=2,100000"])


def records(rows: Rows, most: int = 1000) -> list[dict[str, str]]:
    stream = io.BytesIO()
    writer = row_writer("csv", stream, rows)
    for block in evaluate(rows.grid, rows.alternatives, most=most):
        writer.write(encoded("csv", rows, block))
    writer.close()
    return list(csv.DictReader(io.StringIO(stream.getvalue().decode())))


def expected(rows: Rows) -> list[dict[str, str]]:
    """The same rows, one number after the other."""
    (block,) = evaluate(rows.grid, rows.alternatives)
    found = []
    for at in itertools.product(*map(range, rows.grid.shape)):
        shown = {axis.name: axis.shown[index] for axis, index in zip(rows.grid.axes, at, strict=True)}
        for label, each in zip(rows.labels, block.alternatives, strict=True):
            reason = block.texts[each.reasons[at]]
            counts = {name: "" if reason else str(each.counts[metric][at]) for metric, name in enumerate(METRICS)}
            found.append({**shown, "alternative": label, **counts, "reason": reason})
    exists = block.standard.applies.reshape(-1).repeat(len(rows.alternatives))
    return [row for row, is_layer in zip(found, exists, strict=True) if is_layer]


@pytest.mark.parametrize("most", [1, 5, 1000])
def test_rows_are_the_same_however_the_grid_is_cut(most: int) -> None:
    rows = Rows(grid=GRID, alternatives=DEFAULT_ALTERNATIVES)
    assert records(rows, most) == expected(rows)


@pytest.mark.parametrize("layers", [1, 7])
def test_rows_go_on_where_a_stretch_written_at_once_ends(layers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "_AT_ONCE", layers)
    rows = Rows(grid=GRID, alternatives=DEFAULT_ALTERNATIVES)
    assert records(rows) == expected(rows)


def test_the_pareto_filter_keeps_what_comparing_marks() -> None:
    rows = Rows(grid=GRID, alternatives=DEFAULT_ALTERNATIVES, pareto=True)
    everything = expected(Rows(grid=GRID, alternatives=DEFAULT_ALTERNATIVES))
    kept = []
    for _, layer in itertools.groupby(everything, key=lambda row: [row[axis.name] for axis in GRID.axes]):
        applicable = [row for row in layer if not row["reason"]]
        points = [(int(row["macs"]), int(row["params"]), int(row["activation_bytes"])) for row in applicable]
        kept.extend(row for row, mark in zip(applicable, undominated(points), strict=True) if mark)
    assert records(rows) == kept
    assert 0 < len(kept) < len(everything)


@given(count=st.integers(0, 2**40))
def test_every_number_is_written_as_python_writes_it(count: int) -> None:
    batch = min(count, 999_999_999) or 1
    grid = Grid.of([f"batch=1,{batch}", "kernel=1", "in_channels=1", "out_channels=1", "input=1", "bias=false"])
    rows = Rows(grid=grid, alternatives=parse_alternatives("standard"))
    assert [row["macs"] for row in records(rows)] == [str(size) for size in dict.fromkeys((1, batch))]


@pytest.mark.parametrize("text", ["standard", "grouped", "grouped[groups=8,shuffle=true]", "tucker2[rank_in=2]"])
def test_alternatives_are_named_as_they_are_asked_for(text: str) -> None:
    (alternative,) = parse_alternatives(text)
    assert written(alternative) == text
