"""Random layers cost what the textbook formula says, and no text at all makes the reader fall over."""

from __future__ import annotations

import contextlib
import math

import yaml
from hypothesis import given
from hypothesis import strategies as st

from convcost.analysis import analyze_graph
from convcost.errors import ConvcostError
from convcost.sources.spec.layers import LAYER_TYPES


@st.composite
def conv_layers(draw):
    """A layer's mapping that is valid, every optional key there or not."""
    axes = draw(st.integers(1, 3))

    def per_axis(low, high):
        sizes = st.integers(low, high)
        return sizes | st.lists(sizes, min_size=axes, max_size=axes)

    layer = {"type": draw(st.sampled_from(["conv", "conv_transpose", "depthwise", "pointwise"]))}
    groups = draw(st.integers(1, 3))
    optional = {"stride": per_axis(1, 3), "bias": st.booleans(), "batch": st.integers(1, 3)}
    layer["in_channels"] = groups * draw(st.integers(1, 4))
    if layer["type"] == "depthwise":
        optional["multiplier"] = st.integers(1, 3)
    else:
        layer |= {"out_channels": groups * draw(st.integers(1, 4)), "groups": groups}
    if layer["type"] != "pointwise":
        layer["kernel"] = draw(per_axis(1, 3))
        pairs = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)).map(list), min_size=axes, max_size=axes)
        words = ["valid"] if layer["type"] == "conv_transpose" else ["valid", "same"]
        optional |= {"dilation": per_axis(1, 2), "padding": per_axis(0, 1) | pairs | st.sampled_from(words)}
    layer |= draw(st.fixed_dictionaries({}, optional=optional))
    layer["input"] = draw(st.lists(st.integers(5, 9), min_size=axes, max_size=axes))
    return layer


def output_size(size, kernel, stride, dilation, padding):
    if padding == "same":
        return math.ceil(size / stride)
    return (size + padding - (kernel - 1) * dilation - 1) // stride + 1


def expected_macs(layer):
    sizes = layer["input"]

    def each(key, default):
        value = layer.get(key, default)
        return value if isinstance(value, list) else [value] * len(sizes)

    inputs, kernel = layer["in_channels"], each("kernel", 1)
    groups = inputs if layer["type"] == "depthwise" else layer.get("groups", 1)
    outputs = layer.get("out_channels", inputs * layer.get("multiplier", 1))
    pads = [
        "same" if p == "same" else 0 if p == "valid" else sum(p) if isinstance(p, list) else 2 * p
        for p in each("padding", 0)
    ]
    if layer["type"] == "conv_transpose":
        positions = math.prod(sizes)
    else:
        windows = zip(sizes, kernel, each("stride", 1), each("dilation", 1), pads, strict=True)
        positions = math.prod(output_size(*window) for window in windows)
    return layer.get("batch", 1) * positions * inputs * (outputs // groups) * math.prod(kernel)


@given(conv_layers())
def test_a_layer_costs_its_formula(spec, layer):
    totals = analyze_graph(spec(yaml.safe_dump({"layer": layer})).graph).totals
    assert totals.macs == expected_macs(layer)


WORDS = [
    *("version", "layer", "layers", "type", "conv", "linear", "pool", "norm", "flatten", "input", "kernel", "block"),
    *("repeat", "name", "padding", "same", "in_channels", "out_channels", "alternatives", "grouped", "batch", "dtype"),
]
SCALARS = st.one_of(
    st.sampled_from(WORDS), st.integers(-2, 9), st.none(), st.booleans(), st.floats(), st.text(max_size=3)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=25,
)
# Mostly right, so that what follows the first complaint is reached as well.
PLAUSIBLE = st.one_of(*[st.integers(1, 4)] * 5, st.lists(st.integers(0, 3), min_size=2, max_size=2), TREES)
REQUIRED = {
    "conv": ("out_channels", "kernel"),
    "conv_transpose": ("out_channels", "kernel"),
    "pointwise": ("out_channels",),
    "linear": ("out_features",),
}


def chained_layers(word):
    required = REQUIRED.get(word, ("kernel",) if "kernel" in LAYER_TYPES[word].keys else ())
    optional = [key for key in LAYER_TYPES[word].keys if key not in required and not key.startswith("in_")]
    free = st.dictionaries(st.sampled_from(["repeat", "name", *optional]), PLAUSIBLE, max_size=2)
    needed = st.fixed_dictionaries({"type": st.just(word), **dict.fromkeys(required, st.integers(1, 4))})
    return st.builds(lambda rest, layer: rest | layer, free | st.just({}), needed)


LAYERS = st.one_of(*map(chained_layers, LAYER_TYPES), TREES)
BLOCKS = st.fixed_dictionaries({"block": st.lists(LAYERS, min_size=1, max_size=3), "repeat": PLAUSIBLE})
NETWORKS = st.fixed_dictionaries(
    {
        "input": st.lists(st.integers(1, 20), min_size=2, max_size=4),
        "layers": st.lists(LAYERS | BLOCKS, min_size=1, max_size=3),
    }
)


@given(st.one_of(TREES.map(yaml.safe_dump), NETWORKS.map(yaml.safe_dump), NETWORKS.map(yaml.safe_dump), st.text()))
def test_no_text_makes_anything_but_a_convcost_error(spec, text):
    with contextlib.suppress(ConvcostError):
        analyze_graph(spec(text).graph)
