"""What changed between two models, and what only looks as if it had."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn

import convcost
from convcost.analysis import Analysis
from convcost.analysis.metrics import metric_named
from convcost.budgets import Difference, difference

MACS = metric_named("macs")


def counted(*layers: nn.Module, shape: tuple[int, ...] = (1, 8, 16, 16)) -> Analysis:
    return convcost.analyze(nn.Sequential(*layers), inputs=(shape,))


def said(found: Difference) -> list[tuple[str, str, str]]:
    return [(change.change, change.pair.name, change.reason(MACS)) for change in found.changes]


def test_a_model_does_not_differ_from_itself(mobilenet: Analysis) -> None:
    found = difference(mobilenet, mobilenet)
    assert not found
    assert found.unchanged == len(mobilenet.layers)


def test_a_lost_group_is_the_only_change_and_said_in_words(
    mobilenet: Analysis, mobilenet_without_groups: Analysis
) -> None:
    found = difference(mobilenet, mobilenet_without_groups)
    reason = "groups 96 → 1: depthwise became dense, 96x"
    assert said(found) == [("changed", "features.2.conv.1.0", reason)]


def test_folded_batch_norms_are_explained_rather_than_reported(mobilenet: Analysis, mobilenet_folded: Analysis) -> None:
    found = difference(mobilenet, mobilenet_folded)
    assert found.changes == ()
    (folding,) = found.foldings
    assert folding.text() == (
        "52 BatchNorm layers were folded into the convolutions before them: -17,056 params, the same MACs"
    )
    (back,) = difference(mobilenet_folded, mobilenet).foldings
    assert back.text().startswith("52 BatchNorm layers are no longer folded")


def test_a_batch_norm_that_was_merely_dropped_is_no_folding_where_the_convolution_changed_too() -> None:
    old = counted(nn.Conv2d(8, 8, 3, bias=False), nn.BatchNorm2d(8))
    new = counted(nn.Conv2d(8, 8, 5, bias=True))
    found = difference(old, new)
    assert found.foldings == ()
    assert [change.change for change in found.changes] == ["changed", "removed"]


def test_a_dropped_batch_norm_is_no_folding_where_only_the_bias_fits() -> None:
    old = counted(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8))
    new = counted(nn.Conv2d(8, 8, 3, padding=2, dilation=2, bias=True))
    assert difference(old, new).foldings == ()


def test_an_epsilon_stored_in_32_bits_is_the_same_epsilon() -> None:
    double, single = (counted(nn.BatchNorm2d(8, eps=eps)) for eps in (1e-5, float(torch.tensor(1e-5))))
    assert not difference(double, single)
    assert difference(double, counted(nn.BatchNorm2d(8, eps=1e-3)))


def test_renamed_layers_are_matched_by_what_they_are_before_where_they_stand() -> None:
    small, large = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 5, padding=2)
    old = convcost.analyze(nn.Sequential(OrderedDict(a=small, b=large)), inputs=((1, 8, 16, 16),))
    new = convcost.analyze(nn.Sequential(OrderedDict(c=large, d=small)), inputs=((1, 8, 16, 16),))
    assert said(difference(old, new)) == [("renamed", "c", "was b"), ("renamed", "d", "was a")]


def test_the_foldings_and_changes_account_for_the_whole_difference_in_params(
    mobilenet: Analysis, mobilenet_folded: Analysis
) -> None:
    (folding,) = difference(mobilenet, mobilenet_folded).foldings
    gap = mobilenet_folded.totals.params - mobilenet.totals.params
    sides = [(pair.old, pair.new) for pair in folding.pairs]
    assert gap == sum((new.storage.params if new else 0) - (old.storage.params if old else 0) for old, new in sides)


def test_a_renamed_layer_is_renamed_and_not_removed_and_added() -> None:
    old = counted(nn.Conv2d(8, 16, 3))
    with torch.device("meta"):
        new = convcost.analyze(nn.ModuleDict({"stem": nn.Conv2d(8, 16, 3)})["stem"], inputs=((1, 8, 16, 16),))
    assert [change.change for change in difference(old, new).changes] == ["renamed"]


def test_an_added_and_a_removed_layer_are_said_to_be() -> None:
    plain, longer = counted(nn.Conv2d(8, 8, 3)), counted(nn.Conv2d(8, 8, 3), nn.Sigmoid())
    assert [change[:2] for change in said(difference(plain, longer))] == [("added", "1")]
    assert [change[:2] for change in said(difference(longer, plain))] == [("removed", "1")]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (nn.Conv2d(8, 8, 5, padding=2), "kernel 3 → 5, padding 1 → 2: 2.78x"),
        (nn.Conv2d(8, 8, 3, padding=1, stride=2), "stride 1 → 2, output 1×8×16×16 → 1×8×8×8: 0.25x"),
        (nn.Conv2d(8, 8, 3, padding=1, groups=8), "groups 1 → 8: conv became depthwise, 0.125x"),
        (nn.Conv2d(8, 8, 3, padding=1, groups=2), "groups 1 → 2: 0.5x"),
        (nn.Conv2d(8, 8, (1, 3), padding=(0, 1)), "kernel 3 → 1×3, padding 1 → 0×1: 0.333x"),
        (nn.Conv2d(8, 8, 3, padding=1, bias=False), "params 584 → 576"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_attribute_changes_are_spelled_out(changed: nn.Module, reason: str) -> None:
    found = difference(counted(nn.Conv2d(8, 8, 3, padding=1)), counted(changed))
    assert said(found) == [("changed", "0", reason)]


def test_a_result_written_in_place_is_said_to_be() -> None:
    apart, in_place = counted(nn.Conv2d(8, 8, 3), nn.ReLU()), counted(nn.Conv2d(8, 8, 3), nn.ReLU(inplace=True))
    size = f"{8 * 14 * 14 * 4:,}"
    assert said(difference(apart, in_place)) == [("changed", "1", f"in place now: activation_bytes {size} → 0")]
    assert said(difference(in_place, apart)) == [("changed", "1", f"no longer in place: activation_bytes 0 → {size}")]


def test_a_larger_input_is_said_first() -> None:
    conv = nn.Conv2d(8, 8, 3)
    found = difference(counted(conv), counted(conv, shape=(1, 8, 32, 32)))
    assert found.input_changes() == ("input 1×8×16×16 → 1×8×32×32",)


def test_what_rose_comes_largest_first() -> None:
    old = counted(nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1))
    new = counted(nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 5))
    assert [change.pair.name for change in difference(old, new).risen(MACS)] == ["2", "1"]
