"""Reading four times as much does four times the work, told by calls and not by a clock."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from convcost.sources.onnx.wire import structure_of
from tests.nasty.wire_files import HEADER, delimited
from tests.sources.onnx.tiny import analyze, graph, node, ones

FEW, MANY = 100, 400
MOST = 1.15 * MANY / FEW


def calls(work: Callable[[], object]) -> int:
    """How many functions of Python and of C it calls."""
    counted = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def small_fields(count: int) -> bytes:
    return HEADER * count


def nodes(count: int) -> bytes:
    return HEADER + delimited(7, delimited(1, delimited(1, b"x") + delimited(2, b"y") + delimited(4, b"Relu")) * count)


def constants(count: int) -> bytes:
    value = delimited(5, delimited(1, b"value") + delimited(5, delimited(9, bytes(8))))
    return HEADER + delimited(7, delimited(1, delimited(4, b"Constant") + value) * count)


def tensors(count: int) -> bytes:
    return HEADER + delimited(7, delimited(5, b"\x08\x01\x10\x01" + delimited(9, bytes(5000))) * count)


def dims(count: int) -> bytes:
    return HEADER + delimited(7, delimited(5, b"\x08\x01" * count + delimited(9, bytes(5000))))


def attributes(count: int) -> bytes:
    ints = delimited(5, delimited(1, b"a") + b"\x40\x01" * 3)
    return HEADER + delimited(7, delimited(1, delimited(4, b"Constant") + ints * count))


@pytest.mark.parametrize("made", [small_fields, nodes, constants, tensors, dims, attributes])
def test_walking_the_wire_takes_time_in_proportion(made: Callable[[int], bytes]) -> None:
    few, many = (calls(lambda size=size: structure_of(made(size))) for size in (FEW, MANY))
    assert many <= MOST * few


def chain(count: int, name: Callable[[int], str]) -> object:
    made = [node("Conv", ["x" if not at else f"t{at - 1}", "w"], [f"t{at}"], name=name(at)) for at in range(count)]
    return graph(made, {"x": [1, 3, 8, 8]}, {"w": ones(3, 3, 1, 1)})


@pytest.mark.parametrize(
    "name",
    [lambda at: "", lambda at: "same", lambda at: f"/block{at}/conv/Conv", lambda at: f"/one/same/Conv_{at}"],
    ids=["none", "same", "modules", "one module"],
)
def test_counting_layers_takes_time_in_proportion(tmp_path: Path, name: Callable[[int], str]) -> None:
    analyze(chain(2, name), tmp_path)  # what is imported or made once
    few, many = (calls(lambda size=size: analyze(chain(size, name), tmp_path)) for size in (FEW, MANY))
    assert many <= MOST * few
