"""Kernel files: the samples, and complaints that point at a place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import SourceError
from convcost.weights import read_kernels, separability_of_file

SAMPLES = Path(__file__).parents[2] / "sample_configs" / "kernels"
RANKS = {
    "binomial5.yaml": {"binomial5": 1},
    "laplacian.yaml": {"laplacian4": 2, "laplacian8": 2},
    "sobel.yaml": {"sobel_x": 1, "sobel_y": 1},
}


def test_every_sample_is_pinned():
    assert {path.name for path in SAMPLES.iterdir()} == set(RANKS)


@pytest.mark.parametrize("name", RANKS)
def test_samples_have_the_ranks_their_text_says(name):
    found = separability_of_file(str(SAMPLES / name))
    assert {kernel.name: kernel.rank for kernel in found.kernels} == RANKS[name]
    document = json.loads(json.dumps(found.to_json()))
    assert (document["schema"], document["source"]["kind"]) == ("convcost/separability/1", "kernels")


def test_a_lone_kernel_is_called_after_its_file(tmp_path):
    path = tmp_path / "edge.yaml"
    path.write_text("version: 1\nkernel: [[1, -0.5e1], [.5, 2]]\n")
    assert read_kernels(str(path)) == {"edge": ((1, -5), (0.5, 2))}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("kernel:\n  - [1, 2]\n  - [3, x]", "3:9", "'x'"),
        ("kernel: [[1, '2']]", "1:14", "'2'"),
        ("kernel: [[1, true]]", "1:14", "true"),
        ("kernel: [[1, nan]]", "1:14", "'nan'"),
        ("kernel: [[1, ]\n , 3]", "2:4", "list"),
        ("kernel: [[1, 2], [3]]", "1:18", "a row of 1"),
        ("kernel: []", "1:9", "no rows"),
        ("kernel: [[]]", "1:10", "empty"),
        ("kernel: 3", "1:9", "list"),
        ("kernels: {}", "1:10", "empty"),
        ("kernels: {a: [[1]], b: [[x]]}", "1:26", "kernel 'b'"),
        ("kernels: [[1]]", "1:10", "mapping"),
        ("kernal: [[1]]", "1:1", "'kernal'"),
        ("layers: []", "1:1", "a layer spec has no weights"),
        ("kernel: [[1]]\nkernels: {a: [[1]]}", "1:1", "'kernel'"),
        ("version: 2\nkernel: [[1]]", "1:10", "version"),
        ("{}", "1:1", "kernel"),
        ("[[1]]", "1:1", "mapping"),
    ],
)
def test_what_is_no_kernel_is_refused_at_its_place(tmp_path, text, place, words):
    path = tmp_path / "kernel.yaml"
    path.write_text(text)
    with pytest.raises(SourceError) as caught:
        read_kernels(str(path))
    assert caught.value.message.startswith(f"{path}:{place}: ")
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        separability_of_file(str(tmp_path / "none.yaml"))


@given(st.text(alphabet="[]{}:,-kernels 019.e\n'\"x", max_size=60))
def test_any_text_is_kernels_or_one_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "kernel.yaml"
    path.write_text(text)
    try:
        found = separability_of_file(str(path))
    except SourceError as error:
        said = error.message
    else:
        said = json.dumps(found.to_json(), allow_nan=False)
    assert "\n" not in said
