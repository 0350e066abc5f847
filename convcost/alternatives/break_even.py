"""The rank at which a low-rank form stops paying, found by counting its rewrites."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable

from convcost.alternatives.base import AnyConv, NotApplicable, RankedAlternative
from convcost.alternatives.counting import CountedMap, count_stages
from convcost.dataclasses import dataclass
from convcost.graph import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """The largest ranks that cost no more MACs, and no more parameters, than the layer itself; 0 where none does.

    At the rank itself a form may cost exactly as much; one step above it costs more. None where rank does not matter: a
    kernel that is not learnable has no parameters at any.
    """

    macs: int | None
    params: int | None

    def to_json(self) -> dict[str, int | None]:
        return {"macs": self.macs, "params": self.params}


def break_even(
    layer: Node, conv: AnyConv, alternative: RankedAlternative, *, df: CountedMap = "output"
) -> BreakEven | NotApplicable:
    """Whatever rank the alternative has itself; its other options count."""
    step = alternative.rank_step(conv)
    smallest = alternative.at_rank(step).rewrite(layer, conv)
    if isinstance(smallest, NotApplicable):
        return smallest

    @functools.cache
    def cost(steps: int) -> tuple[int, int]:
        return _cost(alternative.at_rank(steps * step).rewrite(layer, conv), df)

    macs, params = _cost((layer,), df)
    most_macs = _largest_within(macs, lambda steps: cost(steps)[0])
    most_params = _largest_within(params, lambda steps: cost(steps)[1])
    return BreakEven(
        macs=None if most_macs is None else step * most_macs,
        params=None if most_params is None else step * most_params,
    )


def _cost(stages: tuple[Node, ...] | NotApplicable, df: CountedMap) -> tuple[int, int]:
    if isinstance(stages, NotApplicable):
        raise ValueError(f"a ranked alternative applies at its smallest rank but not above: {stages.reason}")
    counted = count_stages(stages, df)
    return sum(stage.cost.macs for stage in counted), sum(stage.storage.params for stage in counted)


def _largest_within(limit: int, cost: Callable[[int], int]) -> int | None:
    """The largest number of steps, from 0, whose rising cost stays within the limit; None if it does not rise."""
    first, second = cost(1), cost(2)
    if first == second:
        return None
    if first > limit:
        return 0
    # Most costs rise evenly: then this is the answer, and two counts prove it.
    likely = 1 + (limit - first) // (second - first)
    if cost(likely) <= limit < cost(likely + 1):
        return likely
    above = likely
    while cost(above) <= limit:
        above *= 2
    return bisect.bisect_right(range(1, above), limit, key=cost)
