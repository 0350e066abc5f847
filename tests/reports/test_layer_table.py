"""Rows that add up."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.analysis import analyze_graph
from convcost.analysis.metrics import METRICS
from convcost.reports import render
from convcost.reports.analysis import AnalysisReport
from convcost.reports.layer_table import layer_records, layer_table
from convcost.reports.view import View
from tests.networks import chain_of_linears, small_network

ADDED_UP = ("macs", "params", "activation_bytes", "other_ops", "flops", "weight_bytes")
VIEWS = [
    View(),
    View(every_row=True),
    View(top=1),
    View(top=1, sort="name"),
    View(by="kind"),
    View(by="module", depth=2),
    View(by="module", top=1, unit="flops"),
    View(sort="activation_bytes"),
]


def totals_of(view: View, *, unknown: bool = False) -> dict[str, tuple[int, int]]:
    """Per column, the sum of all rows but the last, and the last row, which is the total."""
    table = layer_table(analyze_graph(small_network(unknown=unknown)), view)
    *parts, total = (*table.rows, *table.summary)
    at = {column.key: index for index, column in enumerate(table.columns)}
    return {
        key: (sum(row[at[key]] for row in parts if isinstance(row[at[key]], int)), total[at[key]]) for key in ADDED_UP
    }


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("view", VIEWS, ids=repr)
def test_rows_shown_add_up_to_the_total(view: View, unknown: bool) -> None:
    for added, total in totals_of(view, unknown=unknown).values():
        assert added == total


def test_an_output_of_unknown_shape_is_a_question() -> None:
    graph = small_network(unknown=True)
    *nodes, mystery = graph.nodes
    shapeless = dataclasses.replace(graph.outputs[0], shape=(0,))
    nodes.append(dataclasses.replace(mystery, outputs=(shapeless,)))
    table = layer_table(analyze_graph(dataclasses.replace(graph, nodes=tuple(nodes), outputs=(shapeless,))), View())
    output = [column.key for column in table.columns].index("output")
    assert next(row for row in table.rows if "head.mystery" in row)[output] == "?"


def test_what_no_input_reaches_has_a_row() -> None:
    names = [row[0] for row in layer_table(analyze_graph(small_network()), View()).summary]
    assert names == ["… 1 more layer", "(not used by this input)", "Total"]


def test_layers_without_macs_and_params_fold_unless_every_row_is_asked_for() -> None:
    analysis = analyze_graph(small_network())
    assert [row[0] for row in layer_table(analysis, View()).rows] == ["stem.conv"]
    assert [row[0] for row in layer_table(analysis, View(every_row=True)).rows] == ["stem.conv", "stem.relu"]


def test_sorting_by_a_metric_shows_the_layers_that_have_it() -> None:
    rows = layer_table(analyze_graph(small_network()), View(sort="other_ops")).rows
    assert [row[0] for row in rows] == ["stem.relu", "stem.conv"]


def test_an_unknown_op_is_never_folded_and_never_a_zero() -> None:
    table = layer_table(analyze_graph(small_network(unknown=True)), View())
    row = next(row for row in table.rows if row[0] == "head.mystery")
    at = [column.key for column in table.columns].index("macs")
    assert row[at] == "?"
    assert table.summary[-1][0] == "Total (at least)"


def test_top_without_an_order_means_the_costliest() -> None:
    graph = chain_of_linears(["a"], features=2)
    big = chain_of_linears(["b"], features=8)
    both = [*analyze_graph(graph).layers, *analyze_graph(big).layers]
    analysis = analyze_graph(small_network())
    from dataclasses import replace

    table = layer_table(replace(analysis, layers=tuple(both)), View(top=1))
    assert [row[0] for row in table.rows] == ["b"]


def test_execution_order_is_the_default() -> None:
    names = ["z", "a", "m"]
    assert [row[0] for row in layer_table(analyze_graph(chain_of_linears(names)), View()).rows] == names


@given(st.sampled_from(VIEWS))
def test_csv_columns_add_up_to_the_totals(view: View) -> None:
    analysis = analyze_graph(small_network())
    report = AnalysisReport(analyses=(analysis,), view=view)
    rows = list(csv.DictReader(io.StringIO(render("csv", report))))
    for metric in METRICS:
        if metric.measure:
            assert sum(int(row[metric.name]) for row in rows) == metric.total(analysis.totals)


def test_csv_holds_every_layer_and_leaves_the_uncounted_empty() -> None:
    table = layer_records([analyze_graph(small_network(unknown=True))], View())
    at = {column.key: index for index, column in enumerate(table.columns)}
    by_name = {row[at["layer"]]: row for row in table.rows}
    assert set(by_name) == {"stem.conv", "stem.relu", "head.mystery", "(not used by this input)"}
    assert by_name["head.mystery"][at["macs"]] is None
    assert by_name["stem.conv"][at["macs"]] == 27_648
