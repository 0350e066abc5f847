"""ONNX files that are well-formed messages and say what no model may: most were found by fuzzing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from onnx import (
    AttributeProto,
    FunctionProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

from tests.nasty.nasty import Nasty

_HUGE = 2**63 - 1
_KERNEL = numpy_helper.from_array(np.ones((3, 3, 1, 1), np.float32), "w")
_OPSETS = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]
NASTY_NAMES = (
    "a\x1b[31mred\x1b[0m", "a\u202eevil", "[red]markup[/red]", "=cmd|'/c calc'!A1", "::error::x\n::add-mask::y",
    "%0A::error::z", "<script>alert(1)</script>", "|a|b|", "a\r\nb", "`x`", "\u2028", "a\tb", "x" * 100_000,
    "/" * 100_000, "a." * 50_000,
)  # fmt: skip


def _node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **others: object) -> NodeProto:
    return helper.make_node(operator, list(inputs), list(outputs), **others)


_RELU = _node("Relu", ["x"], ["y"])
_RELU_OF_T = _node("Relu", ["t"], ["y"])


def _value(name: str, shape: Sequence[int | str] | None, kind: int = TensorProto.FLOAT) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _file(
    *nodes: NodeProto,
    shape: Sequence[int] = (1, 3, 8, 8),
    stored: Sequence[TensorProto] = (),
    functions: Sequence[FunctionProto] = (),
    opset: int = 20,
) -> bytes:
    """The nodes with an input `x`; what the last one writes comes out."""
    outputs = [_value(name, None) for name in [*nodes[-1].output, "x"][:1]]
    graph = helper.make_graph(list(nodes), "g", [_value("x", shape)], outputs, list(stored))
    imports = [helper.make_opsetid("", opset), _OPSETS[1]]
    made: ModelProto = helper.make_model(graph, opset_imports=imports, ir_version=10, functions=list(functions))
    return bytes(made.SerializeToString())


def _constant(name: str, *values: int) -> NodeProto:
    return _node("Constant", [], [name], value_ints=list(values))


def _function(name: str, nodes: Sequence[NodeProto]) -> FunctionProto:
    return helper.make_function("local", name, ["a"], ["b"], list(nodes), _OPSETS)


def _call(name: str, given: str, result: str) -> NodeProto:
    return _node(name, [given], [result], domain="local")


def _laughs(levels: int) -> bytes:
    """Every function calls the next one twice."""
    functions = [
        _function(f"f{level}", [_call(f"f{level + 1}", "a", "t"), _call(f"f{level + 1}", "t", "b")])
        for level in range(levels)
    ]
    last = _function(f"f{levels}", [_node("Relu", ["a"], ["b"])])
    return _file(_call("f0", "x", "y"), functions=[*functions, last])


def _cycle() -> bytes:
    functions = [_function("f", [_call("g", "a", "b")]), _function("g", [_call("f", "a", "b")])]
    return _file(_call("f", "x", "y"), functions=functions)


def _chain(length: int) -> bytes:
    functions = [_function(f"f{at}", [_call(f"f{at + 1}", "a", "b")]) for at in range(length)]
    return _file(_call("f0", "x", "y"), functions=[*functions, _function(f"f{length}", [_node("Relu", ["a"], ["b"])])])


def _elsewhere(location: str) -> bytes:
    """A convolution whose weights are said to lie in another file."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[8, 3, 3, 3], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value=location)
    return _file(_node("Conv", ["x", "w"], ["y"]), stored=[weight])


def _named() -> bytes:
    nodes = [
        _node("Conv", ["x" if not at else f"t{at - 1}", "w"], [f"t{at}"], name=name)
        for at, name in enumerate(NASTY_NAMES)
    ]
    return _file(*nodes, stored=[_KERNEL])


def _gru(hidden: int) -> bytes:
    stored = [numpy_helper.from_array(np.ones((1, 12, 4), np.float32), name) for name in "wr"]
    return _file(_node("GRU", ["x", "w", "r"], ["y"], hidden_size=hidden), shape=(2, 1, 4), stored=stored)


def _on_no_type(operator: str, **attributes: object) -> bytes:
    model = ModelProto.FromString(_file(_node(operator, ["x"], ["t"], **attributes), _RELU))
    model.graph.input.add(name="untyped")
    model.graph.node[0].input[0] = "untyped"
    return bytes(model.SerializeToString())


def _pool_over_no_axes() -> NodeProto:
    node = _node("MaxPool", ["x"], ["y"])
    node.attribute.append(helper.make_attribute("kernel_shape", [], attr_type=AttributeProto.INTS))
    return node


def _loop(level: int) -> GraphProto:
    """A loop's body that runs a loop of 2^30 steps, which does the same."""
    nodes = [_node("Identity", [f"c{level}"], [f"d{level}"])]
    if level:
        inner = _node("Loop", [f"n{level}", "", f"s{level}"], [f"r{level}"], body=_loop(level - 1))
        nodes += [_node("Constant", [], [f"n{level}"], value_int=2**30), inner]
    else:
        nodes.append(_node("Relu", ["s0"], ["r0"]))
    bound = [
        _value(f"i{level}", [], TensorProto.INT64),
        _value(f"c{level}", [], TensorProto.BOOL),
        _value(f"s{level}", [1, 3]),
    ]
    results = [_value(f"d{level}", [], TensorProto.BOOL), _value(f"r{level}", [1, 3])]
    return helper.make_graph(nodes, f"body{level}", bound, results)


def _gathers(count: int) -> bytes:
    """Each doubles the axes, among nodes whose shapes are known only when they run."""
    nodes = [_node("Gather", [f"t{at - 1}" if at else "x"] * 2, [f"t{at}"]) for at in range(count)]
    return _file(_node("NonZero", ["x"], ["n"]), _node("Add", ["n", "n"], ["m"]), *nodes, shape=(1, 1))


def _long_axis_name(count: int) -> bytes:
    """A branch states the shape of what an unknown operator gives, by a name of a megabyte that all others hand on."""
    nodes = [_node("Foo", ["x"], ["t"]), *(_node("Relu", ["t"], [f"t{at}"]) for at in range(count))]
    branch = helper.make_graph(nodes, "branch", [], [_value("t", ["n" * 1_000_000])])
    return _file(_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch), shape=(1,))


def _scan_of_one_input() -> bytes:
    body = helper.make_graph([_node("Relu", ["a"], ["b"])], "body", [_value("a", [3])], [_value("b", [3])])
    return _file(_node("Scan", ["x", "x"], ["y"], body=body, num_scan_inputs=2))


def _layers(count: int, name: str) -> bytes:
    nodes = [_node("Relu", ["x" if not at else f"t{at - 1}"], [f"t{at}"], name=name) for at in range(count)]
    return _file(*nodes)


def _names_that_number_each_other(count: int) -> bytes:
    nodes = [_node("Relu", ["x"], [f"t{at}"], name="a" + "_1" * at) for at in range(count)]
    return _file(*nodes, _node("Relu", ["x"], ["y"], name="a"))


def _stored(*dims: int, kind: int = TensorProto.INT64, raw: bytes = b"123") -> TensorProto:
    return TensorProto(name="s", data_type=kind, dims=list(dims), raw_data=raw)


_SEPARABILITY = ("separability", "@")
_NOT_THERE = "the values of 'w' are not stored with the model"

MODEL_FILES = (
    # Sizes
    Nasty(name="sizes_below_zero.onnx", content=_file(_RELU, shape=(-1, -5)), says="is not fixed"),
    Nasty(name="sizes_of_63_bits.onnx", content=_file(_node("MatMul", ["x", "x"], ["y"]), shape=(_HUGE,) * 8)),
    Nasty(name="rank_64_of_63_bits.onnx", content=_file(_RELU, shape=(_HUGE,) * 64)),
    Nasty(name="rank_20000.onnx", content=_file(_RELU, shape=(2,) * 20_000), says="20,000 dimensions"),
    Nasty(name="list_of_2_to_the_62.onnx", content=_file(_node("Mul", ["x", "x"], ["y"]), shape=(2**62,))),
    Nasty(name="stored_2_to_the_124.onnx", content=_file(_RELU, stored=[_stored(2**62, 2**62)])),
    Nasty(
        name="reshape_to_2_to_the_40_axes.onnx",
        content=_file(
            _constant("n", 2**40), _node("ConstantOfShape", ["n"], ["s"]), _node("Reshape", ["x", "s"], ["y"])
        ),
    ),
    Nasty(
        name="range_without_end.onnx",
        content=_file(_constant("a", 0), _constant("b", 2**62), _node("Range", ["a", "b", "a"], ["y"])),
    ),
    Nasty(
        name="tiled_2_to_the_124_times.onnx",
        content=_file(_constant("n", *[2**31] * 4), _node("Tile", ["x", "n"], ["y"])),
    ),
    Nasty(
        name="loops_in_loops.onnx",
        content=_file(_constant("n", 2**30), _node("Loop", ["n", "", "x"], ["y"], body=_loop(11)), shape=(1, 3)),
    ),
    Nasty(name="size_of_66_bits.onnx", content=_file(_node("Size", ["x"], ["y"]), shape=(2**62, 16))),
    Nasty(
        name="read_at_65_bits.onnx",
        content=_file(
            _node("ConvTranspose", ["x", "w"], ["t"], strides=[8, 1]),
            _RELU_OF_T,
            shape=(1, 3, 2**62, 1),
            stored=[_KERNEL],
        ),
    ),
    Nasty(
        name="one_hot_of_infinite_depth.onnx",
        content=_file(
            _node("Constant", [], ["d"], value_float=math.inf), _node("OneHot", ["x", "d", "x"], ["y"]), shape=(2,)
        ),
    ),
    Nasty(
        name="loop_without_end.onnx",
        content=_file(
            _node("Constant", [], ["n"], value_float=math.nan),
            _node("Loop", ["n", "", "x"], ["t"], body=_loop(0)),
            _node("Constant", [], ["m"], value_float=-math.inf),
            _node("Loop", ["m", "", "x"], ["y"], body=_loop(0)),
            shape=(1, 3),
        ),
    ),
    # Functions
    Nasty(name="functions_in_a_circle.onnx", content=_cycle(), says="calls itself"),
    Nasty(name="functions_of_2_to_the_60_nodes.onnx", content=_laughs(60), says="expand to 1,152,921,504,606,846,976"),
    Nasty(name="functions_of_2_to_the_21_nodes.onnx", content=_laughs(21), says="expand to 2,097,152"),
    Nasty(name="functions_3000_deep.onnx", content=_chain(3000), says="local function"),
    # Names
    *(
        Nasty(name="names.onnx", content=_named(), command=("analyze", "@", "--format", form))
        for form in ("table", "json", "csv", "markdown")
    ),
    *(
        Nasty(
            name="names.onnx",
            content=_named(),
            code=1,
            command=("check", "@", "--isolated", "--max", "macs=1", "--layer-max", "*:macs=1", "--format", form),
        )
        for form in ("table", "markdown", "github", "gitlab", "junit", "sarif")
    ),
    Nasty(name="ten_thousand_of_one_name.onnx", content=_layers(10_000, "same")),
    Nasty(name="names_that_number_each_other.onnx", content=_names_that_number_each_other(1500)),
    # Weights elsewhere
    *(
        Nasty(name=f"weights_{at}.onnx", content=_elsewhere(place))
        for at, place in enumerate(["../../etc/passwd", "a\0b"])
    ),
    *(
        Nasty(name=f"weights_{at}.onnx", content=_elsewhere(place), says=_NOT_THERE, command=_SEPARABILITY)
        for at, place in enumerate(["../../etc/passwd", "a\0b", "/etc/passwd", "./../w", "a/../../w", "..\\w", "C:\\w"])
    ),
    # Nodes that are not what their operator says
    Nasty(name="relu_without_output.onnx", content=_file(_node("Relu", ["x"], []))),
    Nasty(name="conv_without_output.onnx", content=_file(_node("Conv", ["x", "w"], [""]), _RELU, stored=[_KERNEL])),
    Nasty(name="shape_without_output.onnx", content=_file(_node("Shape", ["x"], []), _RELU)),
    Nasty(name="sum_of_nothing.onnx", content=_file(_node("Min", [], ["t"]), _RELU)),
    Nasty(
        name="norm_by_its_second_output.onnx", content=_file(_node("LayerNormalization", ["x", "x"], ["", "m"]), _RELU)
    ),
    Nasty(name="scan_of_one_input.onnx", content=_scan_of_one_input()),
    Nasty(name="cast_to_nothing.onnx", content=_file(_constant("c", 1), _node("Cast", ["c"], ["t"], to=0), _RELU)),
    Nasty(name="attention_of_one_output.onnx", content=_file(_node("LinearAttention", ["x"] * 3, ["y"]), opset=27)),
    Nasty(name="version_of_63_bits.onnx", content=_file(_node("Foo", ["x"], ["y"]), opset=2**62)),
    Nasty(
        name="equation_without_end.onnx",
        content=_file(_node("Einsum", ["x"], ["y"], equation="...i...")),
        says="not an equation",
    ),
    Nasty(
        name="convolution_by_nothing.onnx",
        content=_file(_node("Conv", ["x", "w"], ["y"], strides=[0, 0], dilations=[-1, 2**62]), stored=[_KERNEL]),
        says="at least 1",
    ),
    Nasty(
        name="pool_of_nothing.onnx", content=_file(_node("MaxPool", ["x"], ["y"], kernel_shape=[0, 0], strides=[0, -1]))
    ),
    Nasty(name="pattern_on_no_type.onnx", content=_on_no_type("RegexFullMatch", pattern="a")),
    Nasty(name="eye_of_no_type.onnx", content=_on_no_type("EyeLike", dtype=-1)),
    Nasty(
        name="gather_at_sizes_below_zero.onnx",
        content=_file(
            _constant("p", 0, -9, 0, -9),
            _node("Pad", ["x", "p"], ["i"]),
            _node("GatherND", ["x", "i"], ["y"]),
            shape=(4, 4),
        ),
    ),
    Nasty(
        name="expanded_to_2_to_the_40_axes.onnx",
        content=_file(
            _constant("n", 2**40), _node("ConstantOfShape", ["n"], ["s"]), _node("Expand", ["x", "s"], ["y"])
        ),
    ),
    Nasty(name="axis_of_a_long_name.onnx", content=_long_axis_name(2000)),
    Nasty(name="gathered_to_2_to_the_40_axes.onnx", content=_gathers(40), says="65 dimensions"),
    Nasty(
        name="known_values_of_33_axes.onnx",
        content=_file(_constant("a", 1), _constant("s", *[1] * 33), _node("Expand", ["a", "s"], ["t"]), _RELU),
    ),
    Nasty(
        name="split_into_more_than_it_says.onnx",
        content=_file(_node("Split", ["x"], ["a", "b", "c"], num_outputs=2), shape=(4, 6)),
    ),
    Nasty(
        name="split_into_2_to_the_62.onnx",
        content=_file(_node("Split", ["x"], ["a", "b"], num_outputs=2**62), shape=(4, 6)),
    ),
    Nasty(
        name="layer_norm_of_an_axis_of_33_bits.onnx",
        content=_file(_node("LayerNormalization", ["x", "x"], ["y", "mean"], axis=2**31), shape=(4, 6)),
    ),
    Nasty(
        name="gather_by_less_than_no_axes.onnx",
        content=_file(_constant("i", 0, 1), _node("GatherND", ["x", "i"], ["y"], batch_dims=-7), shape=(4, 6)),
    ),
    *[
        Nasty(name=f"{operator}_of_nothing.onnx".lower(), content=_file(_node(operator, inputs, ["y"])))
        for operator in ("Softmax", "Gemm", "Conv", "Concat", "LayerNormalization", "Where", "Einsum")
        for inputs in ([""] if operator == "Softmax" else [],)
    ],
    Nasty(name="gru_below_zero.onnx", content=_gru(hidden=-(2**31))),
    Nasty(name="pool_over_no_axes.onnx", content=_file(_pool_over_no_axes(), shape=(1, 3))),
    # Stored values that are not what they say
    Nasty(
        name="three_bytes_for_three_numbers.onnx",
        content=_file(_node("Reshape", ["x", "s"], ["y"]), stored=[_stored(3)]),
    ),
    Nasty(name="type_99.onnx", content=_file(_RELU, stored=[_stored(3, kind=99)]), says="element type 99"),
    Nasty(
        name="texts_as_sizes.onnx",
        content=_file(
            _node("Reshape", ["x", "s"], ["y"]), stored=[helper.make_tensor("s", TensorProto.STRING, [2], [b"a", b"b"])]
        ),
    ),
    Nasty(
        name="scaled_by_nan.onnx",
        content=_file(
            _node("Resize", ["x", "", "s"], ["y"]),
            stored=[numpy_helper.from_array(np.array([np.nan, np.inf, -1, 1e30], np.float32), "s")],
        ),
    ),
)
