"""The grammars of option values: each text read by all of them, and what was read written and read again."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator

from convcost.alternatives import parse_alternatives
from convcost.budgets.option_text import parse_budget, parse_increase, parse_layer_budget
from convcost.budgets.settings import check_environment, environment_rules
from convcost.cli.values import at_least_one, one_of, parse_dim, parse_input, seconds
from convcost.errors import ConvcostError
from convcost.reports.escape import markdown_name, markdown_text, printable, spreadsheet
from convcost.reports.query import query
from convcost.sources import source_of
from convcost.sources.torch.target import parse_target
from convcost.targets.git import _input_text
from convcost.targets.sweep import Axis
from convcost.units import Unit, format_percent, format_quantity, parse_percent, parse_quantity, write_quantity
from fuzz.door import Door

_SEEDS = (
    "1x3x224x224", "ids=1x128:int64", "x=1,3,8,8:float16", "batch=8", "batch=1,2,4,8", "resolution=128..512:32",
    "600M", "1.2G", "20MB", "8MiB", "1_000_000", "1,000", "5%", "+2.5 %", "macs=600M", "features.*:macs=25M",
    "macs=5%", "params=10k", "2.5s", "7", "depthwise_separable,grouped[groups=4,groups=8]",
    "spatial_factorized[rank=32,order=vh]", "torchvision:resnet50?num_classes=10", "net.py:build?depth=18&x=None",
    "totals.macs", "layers.0.macs", "layers.[conv1].macs", "git:HEAD:net.onnx", "table", "=cmd()", "macs=1,params=2",
)  # fmt: skip
_DOCUMENT = {"totals": {"macs": 1}, "layers": [{"name": "conv1", "macs": 1, "attributes": {}}], "a": [[1], {"b": None}]}


def check(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for read in _READERS:
        with contextlib.suppress(ConvcostError):
            read(text)
    for shown in (printable, markdown_text, markdown_name, spreadsheet):
        assert shown(text).isprintable()
    assert not spreadsheet(text).startswith(("=", "+", "-", "@"))


def seeds() -> Iterator[bytes]:
    yield from (text.encode() for text in _SEEDS)


def _read_quantity(text: str) -> None:
    for unit in Unit:
        value = parse_quantity(text, unit, metric="macs")
        assert parse_quantity(write_quantity(value, unit), unit, metric="macs") == value >= 0
        assert re.fullmatch(r"[\d.]+( [kMGTPE]?B?)?", format_quantity(value, unit)), "a figure of another form"


def _read_percent(text: str) -> None:
    share = parse_percent(text)
    if share is not None:
        assert share >= 0
        assert format_percent(share).endswith("%")


def _read_input(text: str) -> None:
    spec = parse_input(text)
    assert all(size > 0 for size in spec.shape)
    assert parse_input(_input_text(spec)) == spec, "a shape handed to another process reads as another"


def _read_axis(text: str) -> None:
    assert 0 < len(Axis.of(text).values) <= 256


def _read_dim(text: str) -> None:
    name, size = parse_dim(text)
    assert parse_dim(f"{name}={size}") == (name, size)


def _read_environment(text: str) -> None:
    check_environment({"CONVCOST_MAX": text, f"CONVCOST_{text}": ""})
    environment_rules({"CONVCOST_MAX": text, "CONVCOST_LAYER_MAX": text, "CONVCOST_MAX_INCREASE": text})


_READERS: tuple[Callable[[str], object], ...] = (
    _read_quantity,
    _read_percent,
    _read_input,
    _read_axis,
    _read_dim,
    _read_environment,
    parse_budget,
    parse_layer_budget,
    parse_increase,
    parse_alternatives,
    parse_target,
    source_of,
    lambda text: seconds(text, option="--max-time"),
    lambda text: at_least_one(text, option="--top"),
    lambda text: one_of(text, ("table", "json"), option="--format"),
    lambda text: query(_DOCUMENT, text),
)

DOOR = Door(
    check=check, seeds=seeds, words=("=", "x", "..", ":", "[", "]", ",", "%", "MiB", "?", "&", "٣", "1" * 20, "\0")
)
