"""What would survive of trained kernels, as tables."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest

from convcost.reports import Style, render
from convcost.reports.separability import SeparabilityReport
from convcost.weights import Separability, separability_of_file, separability_of_kernel
from tests.weights.models import separability_of_every_kind

KERNELS = Path(__file__).parents[2] / "sample_configs" / "kernels"
MODEL = separability_of_every_kind()
FORM = "spatial-factorised vh"


def with_layers(*names: str) -> Separability:
    return dataclasses.replace(MODEL, layers=tuple(each for each in MODEL.layers if each.name in names))


def table(found: Separability, **options: bool) -> str:
    return render("table", SeparabilityReport(separability=found, **options))


def cells(text: str, start: str) -> list[str]:
    line = next(line.strip() for line in text.splitlines() if line.strip().startswith(start))
    return line.removeprefix(start).replace(" %", "%").split()


def test_a_layer_says_what_half_the_macs_keep_and_what_a_random_kernel_would() -> None:
    (dense,) = with_layers("dense").layers
    (family,) = (each for each in dense.families if each.label == "channel-lowrank conv-pw")
    half = family.half_macs
    assert half is not None
    said = cells(table(with_layers("dense")), family.label)
    shares = [f"{100 * value:.1f}%" for value in (half.energy, half.random, half.energy - half.random)]
    # (9·6 + 8)·R of 9·6·8 MACs a position: half are 216 = 62 · 3.48.
    assert (said[0], said[3:6]) == ("3", shares)
    assert said[6:] == [str(dict(family.rank_for)[0.95]), "8"]


def test_the_norm_that_was_folded_in_is_named() -> None:
    assert "dense: conv 8×6×3×3, with bn folded in" in table(with_layers("dense"))
    assert "depthwise: depthwise 8×1×3×3 g8\n" in table(with_layers("depthwise"))


def test_groups_are_set_beside_the_ranked_forms() -> None:
    text = table(with_layers("dense"))
    # The published share of the golden kernel in 2 groups, in order and reordered.
    assert "53.3%" in cells(text, "grouped g=2 ")
    assert "55.6%" in cells(text, "grouped g=2, reordered")
    assert "50.0%" in cells(text, "grouped g=2 ")


def test_kernels_that_are_separable_on_their_own_are_counted() -> None:
    (dense,) = with_layers("dense").layers
    assert dense.separable is not None
    assert f"{dense.separable.separable} of 48 kernels are separable on their own" in table(with_layers("dense"))


def test_a_form_that_does_not_apply_says_why() -> None:
    text = table(with_layers("pointwise"))
    assert f"{FORM} does not apply: a 1×1 kernel is a point" in text
    assert "channel-lowrank conv-pw" in text


def test_values_without_a_spectrum_are_findings() -> None:
    text = table(with_layers("nan", "inf", "zero"))
    assert "finding: 1 of 576 values are NaN" in text
    assert "finding: 2 of 576 values are infinite" in text
    assert "finding: all values are zero" in text


def test_many_layers_take_one_row_each_with_what_keeps_most() -> None:
    text = table(MODEL)
    (dense, *_) = MODEL.layers
    best = max((each for each in dense.families if each.half_macs), key=lambda each: each.half_macs.energy)
    assert cells(text, "dense")[1:3] == best.label.split()
    assert cells(text, "nan")[1:] == ["nan"]
    assert "nan: 1 of 576 values are NaN" in text
    assert "6 convolutions" in text
    assert "6 convolutions" not in table(MODEL, every_row=True)


def test_findings_of_many_layers_are_cut_and_counted() -> None:
    (nan,) = with_layers("nan").layers
    text = table(dataclasses.replace(MODEL, layers=(nan,) * 13))
    assert text.count("values are NaN") == 10
    assert "… 3 more findings: -v" in text


def test_ranks_asked_for_have_a_table() -> None:
    text = table(with_layers("dense"), ranks=True)
    shown = text[text.index("dense at the ranks asked for") :]
    (dense,) = with_layers("dense").layers
    assert len([line for line in shown.splitlines() if FORM in line]) == len(dense.families[0].points)
    assert "at other ranks" in table(with_layers("dense"), every_row=True)
    assert "at other ranks" not in table(with_layers("dense"))


def test_no_share_is_minus_zero() -> None:
    (dense,) = with_layers("dense").layers
    (family, *_) = dense.families
    assert family.half_macs is not None
    even = dataclasses.replace(family.half_macs, random=np.nextafter(family.half_macs.energy, 1))
    layer = dataclasses.replace(dense, families=(dataclasses.replace(family, half_macs=even),))
    assert cells(table(dataclasses.replace(MODEL, layers=(layer,))), FORM)[5] == "0.0%"


def test_single_kernels_show_their_factors() -> None:
    text = table(separability_of_file(str(KERNELS / "sobel.yaml")))
    assert cells(text, "sobel_x") == ["3×3", "1", "100.0%", "0", "1", "2", "1", "1", "0", "-1"]
    laplacian = table(separability_of_file(str(KERNELS / "laplacian.yaml")))
    assert cells(laplacian, "laplacian4")[1:4] == ["2", "99.0%", "0.4495"]


def test_a_kernel_without_a_spectrum_says_why() -> None:
    values = {"flat": [[0, 0], [0, 0]], "wild": [[np.nan, 1], [1, 1]]}
    kernels = tuple(separability_of_kernel(rows, name=name) for name, rows in values.items())
    text = table(Separability(target="k.yaml", source="kernels", kernels=kernels))
    assert cells(text, "flat")[:2] == ["2×2", "0"]
    assert cells(text, "wild")[:2] == ["2×2", "–"]
    assert "wild: 1 of 4 values are NaN" in text


@pytest.mark.parametrize("width", [80, 140])
def test_tables_fit_the_terminal(width: int) -> None:
    wide = separability_of_kernel(np.random.default_rng(0).random((11, 11)), name="wide")
    kernels = Separability(target="k.yaml", source="kernels", kernels=(wide,))
    files = (separability_of_file(str(KERNELS / name)) for name in ("sobel.yaml", "laplacian.yaml"))
    for found in (MODEL, with_layers("dense"), *files, kernels):
        text = render("table", SeparabilityReport(separability=found), Style(width=width))
        assert max(map(len, text.splitlines())) <= width


def test_csv_has_a_row_per_layer_and_form() -> None:
    rows = list(csv.DictReader(io.StringIO(render("csv", SeparabilityReport(separability=MODEL)))))
    (dense,) = [each for each in rows if (each["layer"], each["family"]) == ("dense", FORM)]
    half = MODEL.layers[0].families[0].half_macs
    assert half is not None
    assert (int(dense["rank"]), float(dense["energy"])) == (half.rank, half.energy)
    assert [each["finding"] for each in rows if each["layer"] in {"nan", "inf", "zero"}] == ["nan", "inf", "zero"]
    kernels = render("csv", SeparabilityReport(separability=separability_of_file(str(KERNELS / "sobel.yaml"))))
    assert [row["rank"] for row in csv.DictReader(io.StringIO(kernels))] == ["1", "1"]
