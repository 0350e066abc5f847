from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from convcost.graph import Cost

COUNTS = st.integers(0, 10**18)
COSTS = st.builds(Cost, macs=COUNTS, other_ops=COUNTS, bytes_read=COUNTS, bytes_written=COUNTS)


@given(COSTS, COSTS, COSTS)
def test_costs_add_in_any_order(a: Cost, b: Cost, c: Cost) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Cost() == a


@given(COSTS, st.integers(0, 6))
def test_repeating_is_adding(cost: Cost, times: int) -> None:
    assert times * cost == cost * times == sum([cost] * times, Cost()) == Cost.total([cost] * times)


@given(COSTS, COSTS, st.integers(0, 6))
def test_repeating_distributes_over_adding(a: Cost, b: Cost, times: int) -> None:
    assert times * (a + b) == times * a + times * b


@given(COSTS, COSTS)
def test_what_is_derived_adds_too(a: Cost, b: Cost) -> None:
    assert (a + b).flops == a.flops + b.flops
    assert (a + b).bytes_moved == a.bytes_moved + b.bytes_moved


def test_flops_are_two_per_mac_and_one_per_other_op() -> None:
    assert Cost(macs=10, other_ops=3).flops == 23


def test_intensity_is_flops_per_byte_and_undefined_where_nothing_moves() -> None:
    assert Cost(macs=10, other_ops=4, bytes_read=4, bytes_written=2).arithmetic_intensity == 4.0
    assert Cost(macs=10).arithmetic_intensity is None
