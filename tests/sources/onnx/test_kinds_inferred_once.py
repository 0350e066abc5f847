"""Nodes that are nearly alike keep apart what is not: every tensor of a graph has the form that running it gives.

The measure is onnx's reference implementation, which runs the same file and knows nothing of kinds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from convcost.graph import Graph
from tests.sources.onnx.tiny import graph, ints, load, model, node, ones

X = [2, 3, 4, 4]
Shape = tuple[int, ...]


class Case(NamedTuple):
    """One operator on `x`, several times: each with another of `operands` behind it, all of one shape and type."""

    operator: str
    operands: Sequence[Sequence[np.ndarray | None]]
    attributes: Mapping[str, object] = {}
    outputs: int = 1
    opset: int = 18
    takes_x: bool = True
    x: Sequence[int] = X

    def __str__(self) -> str:
        return f"{self.operator}-{self.opset}"


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def number(value: float, dtype: type = np.int64) -> np.ndarray:
    return np.array(value, dtype)


CASES = [
    Case("Reshape", [[ints(2, 3, 16)], [ints(2, 12, 4)], [ints(-1, 4, 4)], [ints(0, 0, -1)], [ints(2, 3, 16)]]),
    Case("Expand", [[ints(2, 3, 4, 4)], [ints(1, 1, 4, 4)], [ints(2, 1, 1, 4)]]),
    Case("Slice", [[ints(0, 1), ints(2, 2)], [ints(1, 0), ints(2, 9)], [ints(-2, -1), ints(2, 3)]]),
    Case("Slice", [[ints(0), ints(2), ints(1)], [ints(0), ints(2), ints(3)], [ints(0), ints(2), ints(-2)]]),
    Case("Slice", [[ints(3), ints(-9), ints(2), ints(-1)], [ints(3), ints(-9), ints(2), ints(-2)]]),
    Case("Tile", [[ints(1, 1, 2, 1)], [ints(2, 1, 1, 1)], [ints(1, 0, 1, 1)]]),
    Case("Pad", [[ints(0, 0, 1, 1, 0, 0, 1, 1)], [ints(1, 0, 0, 0, 0, 0, 0, 0)]]),
    Case("Pad", [[ints(1, 2), None, ints(2)], [ints(1, 2), None, ints(3)], [ints(2, 1), None, ints(-2)]]),
    Case("Resize", [[None, floats(1, 1, 2, 2)], [None, floats(1, 1, 0.5, 3)], [None, floats(1, 1, 1.3, 2.7)]]),
    Case("Resize", [[None, None, ints(2, 3, 8, 8)], [None, None, ints(2, 3, 2, 7)]], opset=13),
    Case("TopK", [[ints(1)], [ints(3)], [ints(2)]], outputs=2),
    Case("Split", [[ints(1, 3)], [ints(2, 2)], [ints(3, 1)]], {"axis": 2}, outputs=2),
    Case("Unsqueeze", [[ints(0)], [ints(2)], [ints(-1)]], opset=13),
    Case("ReduceSum", [[ints(1)], [ints(2)], [ints(-1)], [ints(0)], []], {"keepdims": 0}),
    Case("ReduceMax", [[ints(1, 2)], [ints(2, 0)], [ints(-1, 0)]], {"keepdims": 0}),
    Case("CumSum", [[number(0)], [number(2)]]),
    Case("Clip", [[], [number(0, np.float32)], [None, number(6, np.float32)]]),
    Case("Range", [[number(0), number(7), number(2)], [number(1), number(7), number(1)]], takes_x=False),
    Case("ConstantOfShape", [[ints(2, 3)], [ints(3, 2)], [ints(0, 3)]], takes_x=False),
    Case("OneHot", [[ints(0, 1), each, floats(0, 1)] for each in (number(5), number(6), number(2))], takes_x=False),
    Case("Squeeze", [[ints(0)], [ints(2)], [ints(-2)], []], x=[1, 3, 1, 4]),
]
BY_ATTRIBUTES = {
    "ReduceSum": (11, [{"axes": [1]}, {"axes": [2]}, {"axes": [1], "keepdims": 0}, {"keepdims": 0, "axes": [1]}, {}]),
    "Unsqueeze": (11, [{"axes": [0]}, {"axes": [2]}, {"axes": [0, 2]}]),
    "Slice": (
        9,
        [{"starts": [0], "ends": [2]}, {"starts": [1], "ends": [2]}, {"axes": [2], "starts": [1], "ends": [3]}],
    ),
    "Pad": (10, [{"pads": [0, 0, 1, 1, 0, 0, 1, 1]}, {"pads": [1, 0, 0, 0, 0, 0, 0, 0]}]),
    "Flatten": (13, [{}, {"axis": 0}, {"axis": 2}, {"axis": -1}]),
    "Transpose": (13, [{}, {"perm": [0, 2, 3, 1]}, {"perm": [1, 0, 2, 3]}]),
    "MaxPool": (12, [{"kernel_shape": [2, 2]}, {"kernel_shape": [3, 3]}, {"kernel_shape": [2, 2], "strides": [2, 2]}]),
    "Shape": (15, [{}, {"start": 1}, {"end": -1}, {"start": 1, "end": -1}]),
    "Cast": (13, [{"to": 1}, {"to": 7}, {"to": 11}, {"to": 9}]),
    "SpaceToDepth": (13, [{"blocksize": 2}, {"blocksize": 4}]),
}


def run(whole: ModelProto) -> dict[str, tuple[Shape, np.dtype[Any]]]:
    """What every value of the graph turns out to be where all inputs are of ones."""
    everything = ModelProto()
    everything.CopyFrom(whole)
    del everything.graph.value_info[:], everything.graph.output[:]
    names = [name for each in whole.graph.node for name in each.output if name]
    everything.graph.output.extend([ValueInfoProto(name=name) for name in names])
    feeds = {
        each.name: np.ones(
            [dim.dim_value for dim in each.type.tensor_type.shape.dim],
            helper.tensor_dtype_to_np_dtype(each.type.tensor_type.elem_type),
        )
        for each in whole.graph.input
    }
    results = ReferenceEvaluator(everything).run(names, feeds)
    return {name: (np.shape(result), np.asarray(result).dtype) for name, result in zip(names, results, strict=True)}


def found_forms(found: Graph) -> dict[str, tuple[Shape, int]]:
    """Shape and bits of an element of everything that the nodes write."""
    return {tensor.name: (tensor.shape, tensor.dtype.bits) for each in found.nodes for tensor in each.outputs}


def assert_as_run(whole: ModelProto, folder: Path) -> None:
    expected = run(whole)
    found = found_forms(load(whole, folder))
    assert found
    for name, (shape, bits) in found.items():
        ran_as, dtype = expected[name]
        assert (name, shape) == (name, ran_as)
        assert bits == 8 * dtype.itemsize, name


class Written(NamedTuple):
    nodes: list[NodeProto]
    weights: dict[str, np.ndarray]
    inputs: dict[str, Sequence[int]]


def written(case: Case, way: str) -> Written:
    """The case's nodes, each with one behind it that takes its result on; operands are given in one of the ways."""
    to = Written([], {}, {"x": case.x})
    for turn, operands in enumerate(case.operands):
        names = [given(value, f"v{turn}_{place}", way, to) for place, value in enumerate(operands)]
        results = [f"y{turn}_{place}" for place in range(case.outputs)]
        first = ["x"] if case.takes_x else []
        to.nodes.append(node(case.operator, [*first, *names], results, **case.attributes))
        to.nodes.append(node("Identity", [results[-1]], [f"after{turn}"]))
    return to


def given(value: np.ndarray | None, name: str, way: str, to: Written) -> str:
    if value is None:
        return ""
    if way == "stored":
        to.weights[name] = value
    elif way == "constants":
        to.nodes.append(node("Constant", [], [name], value=numpy_helper.from_array(value)))
    elif way == "computed" and value.dtype == np.int64:
        to.weights[f"{name}_less"], to.weights[f"{name}_one"] = value - 1, np.ones_like(value)
        to.nodes.append(node("Add", [f"{name}_less", f"{name}_one"], [name]))
    else:
        to.weights[f"{name}_as_is"] = value
        to.nodes.append(node("Identity", [f"{name}_as_is"], [name]))
    return name


def saved(parts: Written, opset: int) -> ModelProto:
    return model(graph(parts.nodes, parts.inputs, parts.weights), opset=opset)


def leaves_one_out(case: Case) -> bool:
    return any(value is None for operands in case.operands for value in operands)


@pytest.mark.parametrize(
    ("case", "way"),
    [
        pytest.param(case, way, id=f"{case}-{way}")
        for case in CASES
        for way in ("stored", "constants", "computed")
        if way != "computed" or not leaves_one_out(case)  # of which the oldest onnx infers no single node
    ],
)
def test_operands_of_one_shape_and_type_are_told_apart_by_their_values(tmp_path: Path, case: Case, way: str):
    assert_as_run(saved(written(case, way), case.opset), tmp_path)


@pytest.mark.parametrize("operator", BY_ATTRIBUTES)
def test_nodes_are_told_apart_by_their_attributes(tmp_path: Path, operator: str):
    opset, alternatives = BY_ATTRIBUTES[operator]
    nodes = []
    for turn, attributes in enumerate(alternatives):
        nodes.append(node(operator, ["x"], [f"y{turn}"], **attributes))
        nodes.append(node("Identity", [f"y{turn}"], [f"after{turn}"]))
    assert_as_run(model(graph(nodes, {"x": X}), opset=opset), tmp_path)


def test_nodes_are_told_apart_by_the_number_of_their_outputs(tmp_path: Path):
    halves, quarters = ["a", "b"], ["c", "d", "e", "f"]
    nodes = [node("Split", ["x"], names, axis=2) for names in (halves, quarters)]
    assert_as_run(model(graph([*nodes, node("Concat", ["a", "c"], ["y"], axis=2)], {"x": X}), opset=13), tmp_path)


def test_nodes_are_told_apart_by_the_place_of_an_operand_that_is_left_out(tmp_path: Path):
    weights = {"scales": floats(1, 1, 2, 2), "sizes": ints(2, 3, 7, 5)}
    nodes = [
        node("Resize", ["x", "", "scales"], ["a"]),
        node("Resize", ["x", "", "", "sizes"], ["b"]),
        node("Resize", ["x", "", "scales", ""], ["c"]),
    ]
    assert_as_run(model(graph(nodes, {"x": X}, weights), opset=13), tmp_path)


@pytest.mark.parametrize("operator", ["Add", "MatMul", "Concat"])
def test_reading_one_operand_twice_is_no_other_kind_than_reading_two(tmp_path: Path, operator: str):
    attributes = {"axis": 0} if operator == "Concat" else {}
    pairs = [("x", "x"), ("x", "other"), ("other", "x"), ("x", "x")]
    nodes = [node("Relu", ["x"], ["other"])]
    nodes += [node(operator, pair, [f"y{turn}"], **attributes) for turn, pair in enumerate(pairs)]
    whole = model(graph(nodes, {"x": X}))
    assert_as_run(whole, tmp_path)
    read = [tuple(tensor.name for tensor in each.operands) for each in load(whole, tmp_path).nodes[1:]]
    assert read == pairs


def test_what_an_operand_is_for_goes_by_its_place(tmp_path: Path):
    """The state and the cell that an LSTM starts from are of one shape, and either may be left out."""
    nodes = [
        node("LSTM", ["x", "w", "r", "", "", "start"], ["a"], hidden_size=4),
        node("LSTM", ["x", "w", "r", "", "", "", "start"], ["b"], hidden_size=4),
        node("LSTM", ["x", "w", "r", "", "", "start", "start"], ["c"], hidden_size=4),
    ]
    weights = {"w": ones(1, 16, 3), "r": ones(1, 16, 4)}
    whole = model(graph(nodes, {"x": [5, 2, 3], "start": [1, 2, 4]}, weights, outputs=["a", "b", "c"]))
    assert_as_run(whole, tmp_path)
    read = [[tensor.name for tensor in each.inputs] for each in load(whole, tmp_path).nodes]
    assert read == [["x", "start"], ["x", "start"], ["x", "start", "start"]]


@pytest.mark.parametrize("stored_first", [True, False])
def test_a_stored_operand_makes_another_layer_than_a_computed_one(tmp_path: Path, stored_first: bool):
    nodes = [node("MatMul", ["x", "w"], ["stored"]), node("MatMul", ["x", "y"], ["computed"])]
    inputs, weights = {"x": [2, 4], "y": [4, 4]}, {"w": ones(4, 4)}
    together = graph(nodes if stored_first else nodes[::-1], inputs, weights, outputs=["stored", "computed"])
    ops = {each.outputs[0].name: each.op for each in load(together, tmp_path).nodes}
    for each in nodes:
        assert ops[each.output[0]] == load(graph([each], inputs, weights), tmp_path).nodes[0].op


@pytest.mark.parametrize("known_first", [True, False])
@pytest.mark.parametrize("operator", ["Reshape", "Expand"])
def test_a_known_shape_says_nothing_of_one_that_is_given_at_run_time(tmp_path: Path, operator: str, known_first: bool):
    nodes = [node(operator, ["x", "stored"], ["known"]), node(operator, ["x", "given"], ["open"])]
    whole = graph(
        nodes if known_first else nodes[::-1],
        {"x": [1, 4], "given": [2]},
        {"stored": ints(4, 1) if operator == "Reshape" else ints(3, 4)},
        outputs=["known", "open"],
        dtypes={"given": 7},
    )
    found = found_forms(load(whole, tmp_path))
    assert found["known"][0] == ((4, 1) if operator == "Reshape" else (3, 4))
    assert found["open"][0] == (0,)


def test_values_that_are_computed_from_shapes_are_followed_for_every_block(tmp_path: Path):
    """As exporters write `x.view(x.shape[0], -1)`: the same nodes, another shape each time."""
    nodes, x = [], "x"
    for step in range(3):
        name = f"{step}/"
        nodes += [
            node("MaxPool", [x], [f"{name}pool"], kernel_shape=[2, 2]),
            node("Shape", [f"{name}pool"], [f"{name}shape"]),
            node("Gather", [f"{name}shape", "rows"], [f"{name}size"], axis=0),
            node("Concat", [f"{name}size", "rest"], [f"{name}sizes"], axis=0),
            node("Reshape", [f"{name}pool", f"{name}sizes"], [f"{name}flat"]),
        ]
        x = f"{name}pool"
    whole = model(graph(nodes, {"x": [3, 2, 6, 6]}, {"rows": ints(2), "rest": ints(-1)}))
    assert_as_run(whole, tmp_path)
    forms = found_forms(load(whole, tmp_path))
    assert [forms[f"{step}/flat"][0] for step in range(3)] == [(5, 30), (4, 24), (3, 18)]


UNTOLD = [
    node("NonZero", ["x"], ["open"]),
    node("Compress", ["x", "chosen"], ["open"], axis=1),
    node("Strange", ["x"], ["open"], domain="of.nobody"),
]


@pytest.mark.parametrize("untold", UNTOLD, ids=lambda each: each.op_type)
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_value_of_unknown_shape_leaves_all_others_as_they_are(tmp_path: Path, untold: NodeProto, place: str):
    known = [
        node("Reshape", ["x", "flat"], ["a"]),
        node("Reshape", ["x", "tall"], ["b"]),
        node("MatMul", ["a", "b"], ["c"]),
    ]
    nodes = [untold, *known] if place == "first" else [*known, untold]
    weights = {"flat": ints(2, 48), "tall": ints(48, 2), "chosen": np.array([True, False, True])}
    whole = graph([*nodes, node("Relu", ["open"], ["y"])], {"x": X}, weights, outputs=["c", "y"])
    found = found_forms(load(whole, tmp_path))
    assert [found[name][0] for name in "abc"] == [(2, 48), (48, 2), (2, 2)]
    assert found["y"][0] == (0,)


def test_a_shape_that_is_known_again_is_that_of_this_node(tmp_path: Path):
    """Reductions over the axis that is open, and Reshape, give a fixed shape whatever goes in."""
    nodes = [
        node("Compress", ["x", "chosen"], ["open"], axis=1),
        node("ReduceMax", ["open", "rows"], ["a"]),
        node("ReduceMax", ["open", "columns"], ["b"]),
        node("Reshape", ["open", "flat"], ["c"]),
        node("Reshape", ["open", "tall"], ["d"]),
        *[node("Relu", [name], [f"{name}_on"]) for name in "abcd"],
    ]
    weights = {"rows": ints(1, 2), "columns": ints(1, 3), "flat": ints(1, 96), "tall": ints(96, 1)}
    weights["chosen"] = np.ones(3, np.bool_)
    whole = graph(nodes, {"x": X}, weights, outputs=[f"{name}_on" for name in "abcd"])
    found = found_forms(load(whole, tmp_path))
    assert [found[f"{name}_on"][0] for name in "abcd"] == [(2, 1, 1, 4), (2, 1, 4, 1), (1, 96), (96, 1)]


def stated(whole: ModelProto, values: Iterable[tuple[str, int, Sequence[int | str] | None]]) -> ModelProto:
    whole.graph.value_info.extend([helper.make_tensor_value_info(*value) for value in values])
    return whole


TWO_OF_A_KIND = [
    node("Reshape", ["x", "flat"], ["a"]),
    node("Reshape", ["x", "tall"], ["b"]),
    node("MatMul", ["a", "b"], ["y"]),
]


def two_of_a_kind() -> ModelProto:
    return model(graph(TWO_OF_A_KIND, {"x": X}, {"flat": ints(2, 48), "tall": ints(48, 2)}))


@pytest.mark.parametrize(
    "statements",
    [
        [("a", 1, [2, 48]), ("b", 1, [48, 2])],
        [("b", 1, ["rows", "columns"])],
        [("a", 1, [2, 0]), ("b", 1, [-1, 2])],
        [("a", 1, None)],
        [("nobody", 1, [7])],
    ],
    ids=["right", "symbolic", "open", "bare", "of none"],
)
def test_what_a_file_states_rightly_changes_nothing(
    tmp_path: Path, statements: list[tuple[str, int, Sequence[int | str] | None]]
):
    bare = load(two_of_a_kind(), tmp_path)
    found = load(stated(two_of_a_kind(), statements), tmp_path)
    assert (found.nodes, found.notes) == (bare.nodes, ())


@pytest.mark.parametrize("shape", [[2, 47], [2, 48, 1], [9]])
def test_what_a_file_states_wrongly_is_noted_and_not_used(tmp_path: Path, shape: list[int]):
    bare = load(two_of_a_kind(), tmp_path)
    found = load(stated(two_of_a_kind(), [("a", 1, shape)]), tmp_path)
    assert found.nodes == bare.nodes
    assert len(found.notes) == 1
    assert "'a', contradict its inputs" in found.notes[0]


CHANGED = {
    "Cast": node("Cast", ["narrow"], ["changed"], to=1),
    "DequantizeLinear": node("DequantizeLinear", ["narrow", "scale", "zero"], ["changed"]),
}
READERS = {
    "Add": node("Add", ["changed", "x"], ["y"]),
    "Concat": node("Concat", ["changed", "changed"], ["y"], axis=0),
    "Gather": node("Gather", ["changed", "places"], ["y"]),
    "MatMul": node("MatMul", ["x", "changed"], ["y"]),
    "Where": node("Where", ["mask", "changed", "changed"], ["y"]),
}


@pytest.mark.parametrize("changed", CHANGED)
@pytest.mark.parametrize("reader", READERS)
def test_a_stored_tensor_that_is_cast_when_loaded_is_of_the_type_it_is_cast_to(
    tmp_path: Path, reader: str, changed: str
):
    weights = {"narrow": ones(4, 4, dtype=np.int8), "scale": number(0.5, np.float32), "zero": number(0, np.int8)}
    weights |= {"places": ints(0, 2), "mask": np.array([True, False, True, False])}
    narrow = node("Concat", ["narrow", "narrow"], ["as_stored"], axis=0)
    nodes = [CHANGED[changed], narrow, READERS[reader], node("Identity", ["y"], ["after"])]
    assert_as_run(model(graph(nodes, {"x": [4, 4]}, weights)), tmp_path)


def test_values_that_were_cast_still_give_shapes(tmp_path: Path):
    """Exporters write lists as 32 bits wide, and cast them where onnx asks for 64."""
    weights = {"flat": np.array([2, 48], np.int32), "tall": np.array([48, 2], np.int32)}
    nodes = [
        *[node("Cast", [name], [f"{name}_wide"], to=7) for name in weights],
        *[node("Reshape", ["x", f"{name}_wide"], [f"{name}_x"]) for name in weights],
        *[node("ConstantOfShape", [f"{name}_wide"], [f"{name}_filled"]) for name in weights],
    ]
    assert_as_run(model(graph(nodes, {"x": X}, weights)), tmp_path)


def test_long_graphs_of_few_kinds_agree_with_inference_of_the_whole(tmp_path: Path):
    """The measure is what the change took the place of: onnx's inference of the whole model, values included."""
    nodes: list[NodeProto] = []
    x = "x"
    for step in range(40):
        pads, size = ("one", 3) if step % 2 else ("none", 1)
        nodes += [
            node("Conv", [x, f"w{size}"], [f"c{step}"], pads=[size // 2] * 4),
            node("Pad", [f"c{step}", pads], [f"p{step}"]),
            node("Slice", [f"p{step}", "from", f"to{step % 3}", "axes"], [f"s{step}"]),
            node("Resize", [f"s{step}", "", "", "size"], [f"r{step}"]),
            node("Add", [f"r{step}", x], [f"x{step}"]),
        ]
        x = f"x{step}"
    weights = {"w1": ones(3, 3, 1, 1), "w3": ones(3, 3, 3, 3), "from": ints(0, 0), "axes": ints(2, 3)}
    weights |= {f"to{n}": ints(2 + n, 3) for n in range(3)} | {"size": ints(2, 3, 4, 4)}
    weights |= {"none": ints(*[0] * 8), "one": ints(0, 0, 1, 1, 0, 0, 1, 0)}
    whole = model(graph(nodes, {"x": X}, weights), opset=13)
    assert found_shapes(load(whole, tmp_path)) == shapes_of(shape_inference.infer_shapes(whole, data_prop=True).graph)


def found_shapes(found: Graph) -> dict[str, Shape]:
    return {name: shape for name, (shape, _) in found_forms(found).items()}


def shapes_of(inferred: GraphProto) -> dict[str, Shape]:
    return {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*inferred.value_info, *inferred.output)
    }
