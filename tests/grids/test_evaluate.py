"""Grids against the comparison of each of their layers on its own, read from a spec file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convcost
from convcost.alternatives import Candidate, parse_alternatives
from convcost.errors import ConvcostError
from convcost.grids import Block, Grid, evaluate
from convcost.grids.evaluate import METRICS

FAMILIES = (
    "standard,spatial_separable,spatial_factorized,spatial_factorized[rank=3],spatial_factorized[mid=in,order=hv],"
    "spatial_factorized[rank=8,order=hv],depthwise_separable,depthwise_separable[multiplier=3],"
    "depthwise_separable[multiplier=2,order=pw_dw],grouped[groups=2],grouped[groups=4,shuffle=true],bottleneck,"
    "bottleneck[rank=4],channel_lowrank,channel_lowrank[rank=6,order=pw_conv],tucker2,tucker2[rank_in=2,rank_out=4],"
    "cp,cp[rank=4],gsvd,gsvd[groups=2,rank=3],gsvd[groups=2,order=pw_conv],stacked,stacked[rank=4],stacked[mid=in],"
    "winograd,winograd[tile=4],fft,fft[size=8]"
)
ALTERNATIVES = parse_alternatives(FAMILIES)


def some(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(",".join)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Up to a few hundred configurations, among them many that are no layer, and every axis in any order."""
    axes = {
        "in_channels": draw(some(("1", "2", "4", "6", "8", "12"))),
        "out_channels": draw(some(("1", "2", "4", "8", "9", "16"))),
        "kernel": draw(some(("1", "2", "3", "5", "7"))),
        "input": draw(some(("1", "3", "6", "8", "14"))),
    }
    others = {
        "stride": some(("1", "2", "3")),
        "padding": some(("0", "1", "2", "same")),
        "dilation": some(("1", "2", "3")),
        "groups": some(("1", "2", "4", "8")),
        "batch": some(("1", "3")),
        "bias": some(("true", "false")),
    }
    for name in draw(st.lists(st.sampled_from(tuple(others)), max_size=3, unique=True)):
        axes[name] = draw(others[name])
    return Grid.of([f"{name}={axes[name]}" for name in draw(st.permutations(tuple(axes)))])


def point(grid: Grid, block: Block, at: tuple[int, ...]) -> dict[str, str]:
    """The attributes of one layer of a block, as a spec writes them."""
    return {
        axis.name: axis.shown[places[index]] for axis, places, index in zip(grid.axes, block.places, at, strict=True)
    }


def compared(folder: Path, attributes: Mapping[str, str], df: str) -> tuple[Candidate, ...] | str:
    """The candidates of that layer alone, or why there is none."""
    side = attributes["input"]
    lines = [f"  {name}: {value}" for name, value in attributes.items() if name != "input"]
    spec = folder / "layer.yaml"
    spec.write_text("\n".join(["layer:", "  type: conv", f"  input: [{side}, {side}]", *lines]), encoding="utf-8")
    try:
        (layer,) = convcost.compare(str(spec), alternatives=FAMILIES, df=df).layers  # type: ignore[arg-type]
    except ConvcostError as error:
        return error.message
    return layer.candidates


def says(template: str, reason: str) -> bool:
    """Whether a reason for many layers is that of one, letters and ellipses standing for its numbers."""
    pattern = re.sub(r"\\…|\b(M|N|g|D_K)\b", r"\\d+", re.escape(template).replace("…", r"\…"))
    return re.fullmatch(pattern, reason) is not None


@settings(max_examples=15, deadline=None)
@given(grid=grids(), most=st.sampled_from((7, 50, 1000)), df=st.sampled_from(("output", "input")), data=st.data())
def test_every_point_of_a_grid_is_what_comparing_the_layer_alone_gives(
    tmp_path_factory: pytest.TempPathFactory, grid: Grid, most: int, df: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("spec")
    blocks = list(evaluate(grid, ALTERNATIVES, df=df, most=most))  # type: ignore[arg-type]
    assert sum(block.standard.reasons.size for block in blocks) == grid.size
    for _ in range(3):
        block = data.draw(st.sampled_from(blocks))
        at = tuple(data.draw(st.integers(0, length - 1)) for length in block.shape)
        alone = compared(folder, point(grid, block, at), df)
        if isinstance(alone, str):
            assert not block.standard.applies[at]
            assert all(found.reasons[at] == block.standard.reasons[at] for found in block.alternatives)
            continue
        assert block.standard.applies[at]
        for found, candidate in zip(block.alternatives, alone, strict=True):
            reason = block.texts[found.reasons[at]]
            assert bool(reason) != candidate.is_applicable, candidate.alternative
            if candidate.reason is not None:
                assert says(reason, candidate.reason), (reason, candidate.reason)
                continue
            costs = (candidate.cost.macs, candidate.params, candidate.activation_bytes, candidate.cost.bytes_moved)
            assert tuple(found.counts[metric][at] for metric in range(len(METRICS))) == costs, candidate.alternative
