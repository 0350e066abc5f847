"""One model at several sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcost.errors import ConvcostError, SourceError, UsageError
from convcost.sources import InputSpec, Request
from convcost.targets.sweep import Axis, sweep
from tests.sources.onnx import tiny

SAMPLES = Path(__file__).parents[2] / "sample_configs"
MOBILENET = str(SAMPLES / "mobilenet_v1.yaml")
MOBILENET_AT_224 = 568_740_352

FACTORIES = """
import torch
from torch import nn

def one():
    return nn.Conv2d(3, 8, 3, padding=1, bias=False), (torch.ones(1, 3, 8, 8),)

class Two(nn.Module):
    def forward(self, tokens, image):
        return tokens.to(image.dtype) @ image.flatten(1).T

def two():
    return Two(), {"image": torch.ones(2, 3, 4, 4), "tokens": torch.zeros(2, 48, dtype=torch.int64)}

class Uneven(nn.Module):
    def forward(self, x, y):
        return x @ y

def uneven():
    return Uneven(), (torch.ones(2, 3), torch.ones(3, 4))

class Nested(nn.Module):
    def forward(self, images):
        return images[0] @ images[0].T

def nested():
    return Nested(), ([torch.ones(2, 3)],)
"""


@pytest.fixture
def factories(tmp_path: Path) -> str:
    path = tmp_path / "factories.py"
    path.write_text(FACTORIES)
    return str(path)


def macs(request: Request, text: str) -> list[int]:
    return [point.analysis.totals.macs for point in sweep(request, Axis.of(text)).points]


def open_network(folder: Path, shape: tuple[int | str | None, ...] = ("N", 3, "H", "W")) -> str:
    """A convolution of 3·8·9 MACs for every output position, whose input leaves its axes open."""
    content = tiny.graph(
        [tiny.node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])],
        {"x": shape},
        {"w": tiny.ones(8, 3, 3, 3)},
    )
    return tiny.save(content, folder)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("batch=1,2,4,8", (1, 2, 4, 8)),
        ("resolution=128..512:128", (128, 256, 384, 512)),
        ("n=1..3", (1, 2, 3)),
        ("n=2..7:3,64", (2, 5, 64)),
        ("a=b=4", (4,)),
        ("batch=2, 2, 1", (2, 1)),
    ],
)
def test_values_are_listed_or_run_from_first_to_last(text: str, values: tuple[int, ...]) -> None:
    assert Axis.of(text).values == values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("batch", "is not NAME=VALUES"),
        ("=1", "is not NAME=VALUES"),
        ("batch=", "has '' for a value"),
        ("batch=1,x", "has 'x' for a value"),
        ("batch=0", "size or step of zero"),
        ("batch=1..9:0", "size or step of zero"),
        ("batch=9..1", "runs from 9 down to 1"),
        ("batch=1..999999999", "asks for 999999999 values"),
    ],
)
def test_anything_else_is_an_error(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        Axis.of(text)
    assert caught.value.hint


@pytest.mark.parametrize("target", [MOBILENET, "torchvision:mobilenet_v2", str(SAMPLES / "onnx" / "mobilenet_v2.onnx")])
def test_macs_grow_with_the_area_where_only_convolutions_see_it(target: str) -> None:
    small, large = macs(Request(target=target), "resolution=128,256")
    classifier = 1024 * 1000 if target == MOBILENET else 1280 * 1000
    assert large - classifier == 4 * (small - classifier)


@pytest.mark.parametrize("target", [MOBILENET, "torchvision:resnet18"])
def test_macs_are_linear_in_the_batch(target: str) -> None:
    one, two, eight = macs(Request(target=target), "batch=1,2,8")
    assert (two, eight) == (2 * one, 8 * one)


def test_only_one_axis_of_what_was_asked_for_changes() -> None:
    request = Request(target=MOBILENET, inputs=(InputSpec(shape=(3, 3, 192, 192)),))
    shapes = [point.analysis.inputs[0].shape for point in sweep(request, Axis.of("batch=1,2")).points]
    assert shapes == [(1, 3, 192, 192), (2, 3, 192, 192)]


def test_symbolic_dimensions_are_swept_by_their_names(tmp_path: Path) -> None:
    target = open_network(tmp_path)
    assert macs(Request(target=target, dims={"H": 4, "W": 5}), "N=1,3") == [216 * 20, 216 * 60]
    assert macs(Request(target=target, dims={"N": 1, "W": 5}), "H=4,8") == [216 * 20, 216 * 40]


def test_batch_and_resolution_find_the_open_axes_of_a_file(tmp_path: Path) -> None:
    target = open_network(tmp_path)
    assert macs(Request(target=target, dims={"H": 4, "W": 5}), "batch=1,3") == [216 * 20, 216 * 60]
    assert macs(Request(target=target, dims={"N": 2}), "resolution=4,8") == [2 * 216 * 16, 2 * 216 * 64]


def test_axes_that_are_open_without_a_name_need_a_shape_to_start_from(tmp_path: Path) -> None:
    target = open_network(tmp_path, (None, 3, None, None))
    with pytest.raises(ConvcostError, match="is not fixed"):
        macs(Request(target=target), "batch=1,2")
    given = Request(target=target, inputs=(InputSpec(shape=(1, 3, 4, 4)),))
    assert macs(given, "batch=1,2") == [216 * 16, 216 * 32]
    assert macs(given, "resolution=4,8") == [216 * 16, 216 * 64]


def test_a_modules_inputs_keep_their_names_and_element_types(factories: str) -> None:
    found = sweep(Request(target=f"{factories}:two"), Axis.of("batch=2,5"))
    assert [point.analysis.totals.macs for point in found.points] == [2 * 2 * 48, 5 * 5 * 48]
    last = {tensor.name: (tensor.shape, tensor.dtype.value) for tensor in found.points[-1].analysis.inputs}
    assert last == {"image": ((5, 3, 4, 4), "float32"), "tokens": ((5, 48), "int64")}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("one", "seq=1,2", "no symbolic dimension 'seq' to sweep"),
        ("uneven", "batch=1,2", "no common first axis to sweep as its batch: 2 and 3"),
        ("uneven", "resolution=1,2", "no input of four dimensions"),
        ("nested", "batch=1,2", "takes its input 'images.0' inside a list or dict"),
    ],
)
def test_an_axis_that_cannot_be_told_is_an_error(factories: str, name: str, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        sweep(Request(target=f"{factories}:{name}"), Axis.of(text))
    assert caught.value.hint


def test_a_file_names_the_dimensions_it_has(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no input has a dimension named 'seq'") as caught:
        sweep(Request(target=open_network(tmp_path)), Axis.of("seq=1,2"))
    assert caught.value.hint == "sweep H, N, W, batch, resolution"


def test_a_dimension_cannot_be_fixed_and_swept(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--dim and --sweep both give 'N' a size"):
        sweep(Request(target=open_network(tmp_path), dims={"N": 1}), Axis.of("N=1,2"))


def test_saved_reports_have_one_size() -> None:
    with pytest.raises(UsageError, match="is a saved report"):
        sweep(Request(target="report.json"), Axis.of("batch=1"))


def test_the_value_at_which_a_model_fails_is_named() -> None:
    with pytest.raises(SourceError, match=r"at resolution 128: .*Wrong image height"):
        sweep(Request(target="torchvision:vit_b_16"), Axis.of("resolution=224,128"))


def test_a_file_made_for_one_size_is_not_counted_at_another() -> None:
    with pytest.raises(SourceError, match=r"at batch 2: .*\[2, 512, 1, 1\] cannot be seen as \[1, 512\]"):
        sweep(Request(target=str(SAMPLES / "onnx" / "resnet18.onnx")), Axis.of("batch=1,2"))
