"""Who called an operator: what counters that hook into modules, or patch functions, go by."""

from __future__ import annotations

from convcost.dataclasses import dataclass
from convcost.graph.tensor import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The innermost module that ran (its class, as in `nn.Conv2d`), and the outermost function it had called.

    `is_leaf` is a module without children, `held` how often its parents hold it. `input` is the shape of the
    module's first tensor, `plain` the numbers and words among the function's arguments, in their order, and
    `named` the tensors it was given by keyword, None where nobody knows. `by_name` tells that the calling code names the
    function, rather than holding it in a variable of another name, where no patch of torch reaches it. `is_used` tells whether what it gave reaches an output, or memory that outlives the run.
    """

    module: str = ""
    is_leaf: bool = False
    held: int = 1
    function: str = ""
    by_name: bool = True
    plain: tuple[int | float | str, ...] = ()
    named: frozenset[str] | None = None
    input: Shape = ()
    is_used: bool = True
