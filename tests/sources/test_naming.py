"""Names of layers: by module, by function where a module has more than one op, by the owner of a weight."""

from __future__ import annotations

import pytest

from convcost.graph import DType, Tensor, Weight
from convcost.graph.ops import Activation, DeformConv, Elementwise, Linear, Move, Op, Reduce, Softmax
from convcost.sources.naming import LayerNames, containers_of, function_name

LINEAR = Linear(in_features=1, out_features=1)
RELU = Activation(function="relu")
VIEW = Move(action="view", shapes=((1,),), view=True)


def reading(name: str) -> tuple[Tensor, ...]:
    """The operands of an op: some data, and the weight of this name."""
    return (Tensor(name="x", shape=(1,)), Tensor.of(Weight(name=name, shape=(1,), dtype=DType.FLOAT32)))


@pytest.mark.parametrize(
    ("weight", "owner"),
    [
        ("attn.q.weight", "attn.q"),
        ("attn.in_proj_weight", "attn.in_proj"),
        ("attn.q.weight_v", "attn.q"),
        ("attn.in_proj_weight_orig", "attn.in_proj"),
        ("attn.rnn.weight_hh_l0_reverse", "attn.rnn"),
        ("attn.rnn.weight_ih_l0", "attn.rnn"),
        ("attn.q_bias_weight", "attn.q"),
        ("attn.weight", "attn"),
        ("attn.q.weight_", "attn.linear"),
        ("attn.q.weight_V", "attn.linear"),
        ("attn.q.weight_ih_l1", "attn.linear"),
        ("attn.qweight", "attn.linear"),
        ("attn.table", "attn.linear"),
        ("other.q.weight", "attn.linear"),
        ("attnq.weight", "attn.linear"),
    ],
)
def test_a_contraction_is_named_by_the_owner_of_a_weight_below_the_module(weight: str, owner: str) -> None:
    assert LayerNames(["", "attn"]).name("attn", LINEAR, reading(weight)) == owner


def test_a_weight_without_an_owner_names_nothing() -> None:
    assert LayerNames([]).name("", LINEAR, reading("_weight_weight")) == "linear"
    assert LayerNames([]).name("", LINEAR, reading("weight")) == "linear"


def test_an_op_derived_from_a_contraction_is_one() -> None:
    deformed = DeformConv(
        in_channels=1, out_channels=1, kernel=(1, 1), stride=(1, 1), pads=((0, 0), (0, 0)), dilation=(1, 1)
    )
    assert LayerNames([]).name("", deformed, reading("head.offset.weight")) == "head.offset"
    assert LayerNames([]).name("", RELU, reading("head.offset.weight")) == "relu"


@pytest.mark.parametrize(
    ("op", "word"),
    [
        (RELU, "relu"),
        (Elementwise(function="add"), "add"),
        (Reduce(function="mean", axes=(0,)), "mean"),
        (VIEW, "view"),
        (LINEAR, "linear"),
        (Softmax(), "softmax"),
    ],
)
def test_the_function_is_the_finest_word_for_what_an_op_does(op: Op, word: str) -> None:
    assert function_name(op) == word


def test_the_first_op_of_a_leaf_has_its_name_and_further_ones_add_the_function() -> None:
    names = LayerNames(["", "block"])
    assert [names.name(path, RELU, ()) for path in ("block.act", "block.act", "block.act", "block", "")] == [
        "block.act",
        "block.act.relu",
        "block.act.relu_1",
        "block.relu",
        "relu",
    ]


def test_a_number_skips_names_that_are_taken() -> None:
    names = LayerNames([""])
    assert [names.name(path, RELU, ()) for path in ("relu_1", "", "", "")] == ["relu_1", "relu", "relu_1_1", "relu_2"]


def test_in_a_module_that_owns_a_matrix_moves_wait_for_the_contraction_and_activations_do_not() -> None:
    plain = (Tensor(name="x", shape=(1,)),)
    names = LayerNames([], weighted=["fc", "head"])
    assert [names.name("fc", op, plain) for op in (VIEW, LINEAR, VIEW)] == ["fc.view", "fc", "fc.view_1"]
    assert [names.name("head", op, plain) for op in (RELU, LINEAR)] == ["head", "head.linear"]


def test_in_a_contracting_module_everything_waits_for_the_contraction() -> None:
    plain = (Tensor(name="x", shape=(1,)),)
    names = LayerNames([], contracting=["rnn"])
    assert [names.name("rnn", op, plain) for op in (RELU, VIEW, LINEAR)] == ["rnn.relu", "rnn.view", "rnn"]


def test_every_name_given_is_told() -> None:
    told: list[str] = []
    names = LayerNames([], told=told.append)
    assert [names.name("act", RELU, ()) for _ in range(2)] == told == ["act", "act.relu"]


@pytest.mark.parametrize(
    ("paths", "containers"),
    [
        ([], set()),
        ([""], set()),
        (["a"], {""}),
        (["a.b.c", "a.b.d", "e"], {"", "a", "a.b"}),
        (["a..b"], {"", "a", "a."}),
        ([".a"], {""}),
    ],
)
def test_containers_are_all_that_something_lies_below(paths: list[str], containers: set[str]) -> None:
    assert containers_of(paths) == containers
