"""What a second opinion is set beside, and which differences the sums prove."""

from __future__ import annotations

import pytest

from convcost.analysis import analyze_graph
from convcost.analysis.cross_check import CrossCheck, Opinion, cross_check
from convcost.graph import Graph, Node, Origin, Tensor
from convcost.graph.ops import Attention, MatMul, Op

SIDE = 4
PRODUCT = SIDE**3


def op_node(name: str, module: str, operator: str, op: Op) -> Node:
    shape = (1, 1, SIDE, SIDE) if isinstance(op, Attention) else (SIDE, SIDE)
    operands = tuple(Tensor(name=each, shape=shape) for each in ("abc" if isinstance(op, Attention) else "ab"))
    outputs = (Tensor(name=f"{name}:0", shape=shape),)
    return Node(name=name, op=op, operands=operands, outputs=outputs, origin=Origin(operator=operator, node=module))


def checked(
    *nodes: tuple[str, str, Op],
    products: dict[str, int] | None = None,
    additions: dict[str, dict[str, int]] | None = None,
    unruled: dict[str, set[str]] | None = None,
) -> CrossCheck:
    """A graph of `(module, operator, op)`, and a peer that says what it is given to say."""
    opinion = Opinion(
        peer="fvcore",
        version="1",
        products=products or {},
        additions=additions or {},
        unruled={path: frozenset(names) for path, names in (unruled or {}).items()},
        ran_on="cpu",
    )
    return cross_check(analyze_graph(_graph(nodes)), opinion)


def _graph(nodes: tuple[tuple[str, str, Op], ...]) -> Graph:
    made = tuple(op_node(f"n{at}", module, operator, op) for at, (module, operator, op) in enumerate(nodes))
    inputs = {tensor.name: tensor for node in made for tensor in node.inputs}
    return Graph(nodes=made, inputs=tuple(inputs.values()))


def reasons(check: CrossCheck) -> dict[str, list[tuple[str, int]]]:
    return {each.module: [(reason.text, reason.amount) for reason in each.reasons] for each in check.disagreements}


def test_modules_that_both_count_alike_are_only_numbered() -> None:
    check = checked(("a", "aten.mm", MatMul()), ("b", "aten.mm", MatMul()), products={"a": PRODUCT, "b": PRODUCT})
    assert (check.agreeing, check.disagreements, check.opinion.total) == (2, (), 2 * PRODUCT)


def test_what_a_peer_adds_to_products_is_named_by_operator() -> None:
    check = checked(("a", "aten.mm", MatMul()), products={"a": PRODUCT}, additions={"a": {"batch_norm": 9}})
    assert reasons(check) == {"a": [("counts batch_norm, which is no product", 9)]}
    assert [(each.theirs, each.unexplained) for each in check.disagreements] == [(PRODUCT + 9, 0)]


def test_an_addition_and_a_lack_of_one_size_do_not_pass_as_agreement() -> None:
    check = checked(("a", "aten.mv", MatMul()), additions={"a": {"batch_norm": PRODUCT}}, unruled={"a": {"mv"}})
    assert check.agreeing == 0
    assert reasons(check) == {
        "a": [("has no rule for mv", -PRODUCT), ("counts batch_norm, which is no product", PRODUCT)]
    }


def test_an_operator_without_a_rule_explains_its_own_products_only() -> None:
    nodes = (("a", "aten.mv", MatMul()), ("a", "aten.mm", MatMul()))
    proven = checked(*nodes, products={"a": PRODUCT}, unruled={"a": {"mv", "relu"}})
    assert reasons(proven) == {"a": [("has no rule for mv", -PRODUCT)]}
    too_few = checked(*nodes, products={}, unruled={"a": {"mv"}})
    assert reasons(too_few) == {"a": []}
    assert [each.unexplained for each in too_few.disagreements] == [-2 * PRODUCT]


def test_operators_of_another_name_are_known_by_what_they_do() -> None:
    check = checked(("a", "aten._other_name", Attention()), unruled={"a": {"scaled_dot_product_attention"}})
    assert reasons(check) == {"a": [("has no rule for scaled_dot_product_attention", -2 * PRODUCT)]}


@pytest.mark.parametrize(
    ("module", "fused", "explained"),
    [
        ("att", {"att": {"_native_multi_head_attention"}}, True),
        ("att.inner", {"att": {"_native_multi_head_attention"}}, False),
        ("layer.linear", {"layer": {"_transformer_encoder_layer_fwd"}}, True),
        ("layers", {"layer": {"_transformer_encoder_layer_fwd"}}, False),
    ],
)
def test_the_fast_path_hides_the_module_it_stands_for(module: str, fused: dict[str, set[str]], explained: bool) -> None:
    check = checked((module, "aten.mm", MatMul()), unruled=fused)
    assert [each.unexplained == 0 for each in check.disagreements] == [explained]


def test_a_peer_that_counts_more_products_is_unexplained() -> None:
    check = checked(("a", "aten.mm", MatMul()), products={"a": PRODUCT + 1}, unruled={"a": {"mm"}})
    assert [(each.reasons, each.unexplained) for each in check.disagreements] == [((), 1)]
    assert check.unexplained == 1


def test_a_module_only_the_peer_knows_is_not_lost() -> None:
    check = checked(("a", "aten.mm", MatMul()), products={"a": PRODUCT, "b": 5})
    assert [(each.module, each.ours, each.theirs) for each in check.disagreements] == [("b", 0, 5)]
