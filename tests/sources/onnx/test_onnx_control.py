"""A branch costs its dearest arm, a loop its body as often as it runs, and what depends on data is unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import GraphProto, TensorProto, helper, numpy_helper, shape_inference

from convcost.errors import SourceError
from tests.sources.onnx.tiny import analyze, graph, ints, load, model, node, ones

BOOL = {"c": TensorProto.BOOL}


def arm(nodes, weights=None, outputs=None) -> GraphProto:
    return graph(nodes, {}, weights, outputs)


def branching(**others: object) -> GraphProto:
    cheap = arm([node("Relu", ["x"], ["r"])])
    dear = arm([node("MatMul", ["x", "w"], ["m"]), node("Relu", ["m"], ["r"])], {"w": ones(8, 8)})
    choice = node("If", ["c"], ["y"], then_branch=cheap, else_branch=dear)
    return graph([choice, node("Tanh", ["y"], ["z"])], {"c": [], "x": [2, 8]}, dtypes=BOOL, **others)


def test_a_branch_costs_its_dearest_arm(tmp_path: Path) -> None:
    found = analyze(branching(), tmp_path)
    assert (found.unknown, found.totals.macs, found.totals.params) == ((), 2 * 64, 64)
    assert [layer.operator for layer in found.layers] == ["MatMul", "Relu", "If", "Tanh"]


def test_a_known_condition_picks_its_arm(tmp_path: Path) -> None:
    content = branching(weights={"c": np.array(True)})
    del content.input[0]
    assert analyze(content, tmp_path).totals.macs == 0


def test_the_weights_of_an_arm_that_is_never_taken_are_stored_all_the_same(tmp_path: Path) -> None:
    arms = [arm([node("MatMul", ["x", name], ["m"])], {name: ones(8, 8)}) for name in ("v", "w")]
    choice = node("If", ["c"], ["y"], then_branch=arms[0], else_branch=arms[1])
    totals = analyze(graph([choice], {"x": [2, 8]}, {"c": np.array(True)}), tmp_path).totals
    assert (totals.macs, totals.params) == (2 * 64, 2 * 64)


def test_weights_of_an_arm_that_is_never_taken_leave_others_their_names(tmp_path: Path) -> None:
    arms = [arm([node("MatMul", ["x", "w"], ["m"])], {"w": ones(8, size)}) for size in (4, 8)]
    choice = node("If", ["c"], ["y"], then_branch=arms[0], else_branch=arms[1])
    found = load(graph([choice], {"x": [2, 8]}, {"c": np.array(False)}), tmp_path)
    assert next(weight for weight in found.weights if weight.name == "w").shape == (8, 8)


def test_an_arm_that_is_never_taken_stores_the_weights_of_the_arms_in_it(tmp_path: Path) -> None:
    inner = arm([node("MatMul", ["x", "w"], ["m"])], {"w": ones(8, 8)})
    nested = arm([node("If", ["c"], ["n"], then_branch=inner, else_branch=inner)])
    choice = node("If", ["c"], ["y"], then_branch=arm([node("Relu", ["x"], ["r"])]), else_branch=nested)
    totals = analyze(graph([choice], {"x": [2, 8]}, {"c": np.array(True)}), tmp_path).totals
    assert (totals.macs, totals.params) == (0, 2 * 64)


def test_an_arm_that_is_never_taken_stores_the_values_of_its_constant_nodes(tmp_path: Path) -> None:
    values = node("Constant", [], ["w"], value=numpy_helper.from_array(ones(8, 8)))
    cheap, dear = arm([node("Relu", ["x"], ["r"])]), arm([values, node("MatMul", ["x", "w"], ["m"])])
    choice = node("If", ["c"], ["y"], then_branch=cheap, else_branch=dear)
    totals = analyze(graph([choice], {"x": [2, 8]}, {"c": np.array(True)}), tmp_path).totals
    assert (totals.macs, totals.params) == (0, 64)


def test_an_arm_tells_what_the_tensors_around_it_are_for(tmp_path: Path) -> None:
    """Scale and shift of the normalisation are parameters, mean and variance are not."""
    normal = arm([node("BatchNormalization", ["x", "g", "b", "m", "v"], ["r"])])
    plain = arm([node("Relu", ["x"], ["r"])])
    choice = node("If", ["c"], ["y"], then_branch=normal, else_branch=plain)
    content = graph([choice], {"c": [], "x": [2, 4]}, {name: ones(4) for name in "gbmv"}, dtypes=BOOL)
    totals = analyze(content, tmp_path).totals
    assert (totals.params, totals.buffers) == (8, 8)


def test_unknown_operators_in_the_cheaper_arm_are_not_hidden(tmp_path: Path) -> None:
    content = branching()
    cheap = next(item.g for item in content.node[0].attribute if item.name == "then_branch")
    cheap.node[0].domain = "com.example"
    found = analyze(content, tmp_path)
    assert (found.totals.macs, [op.operator for op in found.unknown]) == (128, ["If"])


def test_a_larger_result_of_the_cheaper_arm_is_not_hidden(tmp_path: Path) -> None:
    """What reads it would cost fifty times as much."""
    dear = arm([node("MatMul", ["x", "w"], ["r"])], {"w": ones(8, 8)})
    cheap = arm([node("Relu", ["long"], ["r"])])
    choice = node("If", ["c"], ["y"], then_branch=cheap, else_branch=dear)
    nodes = [choice, node("MatMul", ["y", "v"], ["z"])]
    found = analyze(graph(nodes, {"c": [], "x": [2, 8], "long": [100, 8]}, {"v": ones(8, 8)}, dtypes=BOOL), tmp_path)
    assert (found.totals.macs, [op.operator for op in found.unknown]) == (2 * 64 + 2 * 64, ["If"])


def test_many_branchings_are_counted_without_asking_onnx_of_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes time by their square."""
    asked = []
    infer = shape_inference.infer_shapes
    monkeypatch.setattr(
        shape_inference,
        "infer_shapes",
        lambda model: (asked.extend(n.op_type for n in model.graph.node), infer(model))[1],
    )
    for count in (256, 257):
        names = ["x", *(f"t{at}" for at in range(count))]
        arms = [[arm([node(kind, [name], [f"{name}{kind}"])]) for kind in ("Relu", "Tanh")] for name in names[:-1]]
        nodes = [
            node("If", ["c"], [name], then_branch=first, else_branch=second)
            for name, (first, second) in zip(names[1:], arms, strict=True)
        ]
        asked.clear()
        found = analyze(graph(nodes, {"c": [], "x": [2, 8]}, dtypes=BOOL), tmp_path)
        assert (found.unknown, found.totals.other_ops) == ((), 16 * count)
        assert asked.count("If") == (count if count == 256 else 0)


def test_results_of_the_same_size_and_different_shapes_are_told(tmp_path: Path) -> None:
    dear = arm([node("MatMul", ["x", "w"], ["r"])], {"w": ones(8, 8)})
    choices = []
    for name, shape in (("same", "flat"), ("other", "column"), ("third", "column")):
        cheap = arm([node("Reshape", ["x", shape], ["r"])])
        choices.append(node("If", ["c"], [name], then_branch=cheap, else_branch=dear))
    shapes = {"flat": ints(2, 8), "column": ints(8, 2)}
    found = analyze(graph(choices, {"c": [], "x": [2, 8]}, shapes, dtypes=BOOL), tmp_path)
    assert found.unknown == ()
    (note,) = found.notes
    assert "first at 'other' ([2, 8] or [8, 2])" in note


def loop(trips: str = "trips", condition: str = "", body_condition: str = "Identity") -> GraphProto:
    inputs = {"i": [], "go": [], "h": [2, 8]}
    body = graph(
        [
            node(body_condition, ["go"], ["on"]),
            node("MatMul", ["h", "w"], ["m"]),
            node("Add", ["m", "x"], ["next"]),
            node("ReduceSum", ["next"], ["seen"], keepdims=0),
        ],
        inputs,
        outputs=["on", "next", "seen"],
        dtypes={"i": TensorProto.INT64, "go": TensorProto.BOOL, "on": TensorProto.BOOL},
    )
    nodes = [node("Loop", [trips, condition, "x"], ["last", "all"], body=body), node("Relu", ["last"], ["y"])]
    return graph(nodes, {"x": [2, 8]}, {"trips": ints(5), "w": ones(8, 8), "yes": np.array(True)}, outputs=["y", "all"])


@pytest.mark.parametrize("condition", ["", "yes"])
def test_a_loop_of_known_length_costs_its_body_that_often(tmp_path: Path, condition: str) -> None:
    found = analyze(loop(condition=condition), tmp_path)
    assert (found.unknown, found.totals.macs, found.totals.params) == ((), 5 * 2 * 64, 64)
    assert load(loop(), tmp_path).outputs[1].shape == (5,)


def test_bodies_side_by_side_may_use_the_same_names(tmp_path: Path) -> None:
    (once,) = [item for item in loop().node if item.op_type == "Loop"]
    scan = helper.make_node("Scan", ["x"], ["rows"], num_scan_inputs=1)
    scan.attribute.append(helper.make_attribute("body", graph([node("Relu", ["h"], ["r"])], {"h": [8]}, outputs=["r"])))
    nodes = [once, node("Loop", ["trips", "", "last"], ["later", "others"], body=once.attribute[0].g), scan]
    nodes += [node("Relu", ["rows"], ["h"]), node("Add", ["later", "h"], ["m"])]
    content = graph(nodes, {"x": [2, 8]}, {"trips": ints(5), "w": ones(8, 8)}, outputs=["all", "others", "m"])
    found = analyze(content, tmp_path)
    assert (found.unknown, found.totals.macs) == ((), 2 * 5 * 2 * 64)
    assert load(content, tmp_path).outputs[2].shape == (2, 8)


def test_a_loop_that_a_computed_condition_ends_is_unknown(tmp_path: Path) -> None:
    content = loop(body_condition="Not")
    assert analyze(content, tmp_path).unknown[0].operator == "Loop"


def test_a_loop_whose_length_is_an_input_is_unknown(tmp_path: Path) -> None:
    content = loop(trips="n")
    content.input.append(helper.make_tensor_value_info("n", TensorProto.INT64, []))
    assert analyze(content, tmp_path).unknown[0].operator == "Loop"


def test_a_loop_that_is_unknown_stores_the_weights_of_its_body(tmp_path: Path) -> None:
    content = loop(trips="n")
    content.input.append(helper.make_tensor_value_info("n", TensorProto.INT64, []))
    weight = next(tensor for tensor in content.initializer if tensor.name == "w")
    content.node[0].attribute[0].g.initializer.append(weight)
    content.initializer.remove(weight)
    totals = analyze(content, tmp_path).totals
    assert (totals.macs, totals.params) == (0, 64)


def test_a_loop_whose_body_fails_after_lowering_stores_its_weights_once(tmp_path: Path) -> None:
    content = loop(body_condition="Not")
    weight = next(tensor for tensor in content.initializer if tensor.name == "w")
    content.node[0].attribute[0].g.initializer.append(weight)
    content.initializer.remove(weight)
    assert analyze(content, tmp_path).totals.params == 64


def test_a_loop_that_grows_what_it_carries_is_unknown(tmp_path: Path) -> None:
    content = loop()
    add = content.node[0].attribute[0].g.node[2]
    add.CopyFrom(node("Concat", ["m", "x"], ["next"], axis=0))
    (unknown,) = analyze(content, tmp_path).unknown[:1]
    assert (unknown.operator, unknown.reason) == (
        "Loop",
        "it carries [2, 8] into its first step and [4, 8] out of it",
    )


def test_a_scan_costs_its_body_per_slice(tmp_path: Path) -> None:
    body = graph(
        [
            node("MatMul", ["slice", "w"], ["m"]),
            node("Add", ["state", "m"], ["next"]),
            node("Identity", ["next"], ["seen"]),
        ],
        {"state": [2, 3], "slice": [2, 4]},
        outputs=["next", "seen"],
    )
    scan = node("Scan", ["s", "x"], ["last", "all"], body=body, num_scan_inputs=1, scan_input_axes=[1])
    content = graph([scan], {"s": [2, 3], "x": [2, 7, 4]}, {"w": ones(4, 3)}, outputs=["last", "all"])
    found = analyze(content, tmp_path)
    assert (found.unknown, found.totals.macs) == ((), 7 * 2 * 4 * 3)
    assert load(content, tmp_path).outputs[1].shape == (7, 2, 3)


def test_what_a_loop_stacks_is_in_memory_while_its_body_runs(tmp_path: Path) -> None:
    """A step of 4,000 bytes makes a slice of 4 and lets go of all else, but not of the 400 bytes of all slices."""
    body = graph(
        [node("Expand", ["slice", "size"], ["big"]), node("ReduceSum", ["big", "axis"], ["seen"], keepdims=0)],
        {"slice": [1]},
    )
    scan = node("Scan", ["x"], ["all"], body=body, num_scan_inputs=1)
    content = graph([scan], {"x": [100, 1]}, {"size": ints(1000), "axis": ints(0)})
    found = analyze(content, tmp_path)
    slices = 100 * 4
    assert found.totals.activation_bytes == slices + 100 * (4 + 4000 + 4)
    assert found.totals.peak_activation_bytes == slices + slices + 4000 + 4
    # A step reads a slice and writes it, expands it, sums what it got, and puts the sum with the others.
    assert found.totals.bytes_moved == 100 * ((4 + 4) + (4 + 4000) + (4000 + 4) + (4 + 4))


def test_a_loop_lets_go_of_the_state_it_was_given(tmp_path: Path) -> None:
    """Three tensors of 64 bytes at once: a state, its product, and `x` that every step adds; then the sum alone."""
    content = loop()
    assert analyze(content, tmp_path).totals.peak_activation_bytes == 5 * 4 + 3 * 64
    del content.output[1]
    content.node[0].attribute[0].g.node[2].input[1] = "m"
    assert analyze(content, tmp_path).totals.peak_activation_bytes == 5 * 4 + 2 * 64


def test_a_scan_that_is_unknown_stores_the_weights_of_its_body(tmp_path: Path) -> None:
    body = graph([node("MatMul", ["h", "w"], ["m"])], {"h": [2, 8]}, {"w": ones(8, 8)})
    scan = node("Scan", ["x"], ["all"], body=body, num_scan_inputs=1, scan_input_axes=[0, 1])
    found = analyze(graph([scan], {"x": [7, 2, 8]}), tmp_path)
    assert ([op.operator for op in found.unknown], found.totals.params) == (["Scan"], 64)


def test_loops_in_loops_multiply(tmp_path: Path) -> None:
    inner = loop()
    body = graph(
        [node("Identity", ["go2"], ["on2"]), *inner.node],
        {"j": [], "go2": [], "x": [2, 8]},
        outputs=["on2", "y"],
        dtypes={"j": TensorProto.INT64, "go2": TensorProto.BOOL, "on2": TensorProto.BOOL},
    )
    nodes = [node("Loop", ["outer", "", "start"], ["end"], body=body)]
    weights = {"trips": ints(5), "outer": ints(3), "w": ones(8, 8)}
    found = analyze(graph(nodes, {"start": [2, 8]}, weights), tmp_path)
    assert (found.unknown, found.totals.macs) == ((), 15 * 2 * 64)


def test_functions_that_multiply_without_end_are_refused(tmp_path: Path) -> None:
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]
    functions = [
        helper.make_function(
            "local",
            f"F{level}",
            ["a"],
            ["b"],
            [
                node(f"F{level + 1}" if level < 40 else "Relu", ["a"], ["m"], domain="local" if level < 40 else ""),
                node(f"F{level + 1}" if level < 40 else "Relu", ["m"], ["b"], domain="local" if level < 40 else ""),
            ],
            opsets,
        )
        for level in range(41)
    ]
    whole = model(graph([node("F0", ["x"], ["y"], domain="local")], {"x": [4]}), functions=functions)
    whole.opset_import.append(opsets[1])
    with pytest.raises(SourceError, match="expand to"):
        load(whole, tmp_path)


def test_functions_that_call_themselves_are_refused(tmp_path: Path) -> None:
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]
    function = helper.make_function("local", "F", ["a"], ["b"], [node("F", ["a"], ["b"], domain="local")], opsets)
    whole = model(graph([node("F", ["x"], ["y"], domain="local")], {"x": [4]}), functions=[function])
    whole.opset_import.append(opsets[1])
    with pytest.raises(SourceError, match="calls itself"):
        load(whole, tmp_path)


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([("Relu", ["x"], ["y"]), ("Relu", ["x"], ["y"])], "written twice"),
        ([("Relu", ["missing"], ["y"])], "which nothing before it writes"),
        ([("Relu", ["later"], ["y"]), ("Relu", ["x"], ["later"])], "which nothing before it writes"),
    ],
)
def test_a_graph_that_contradicts_itself_is_refused(tmp_path: Path, nodes: list, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        load(graph([node(*item) for item in nodes], {"x": [4]}), tmp_path)
