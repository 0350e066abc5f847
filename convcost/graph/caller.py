"""Who called an operator: what counters that hook into modules, or patch functions, go by."""

from __future__ import annotations

from convcost.dataclasses import dataclass
from convcost.graph.tensor import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The innermost module that ran (its class, as in `nn.Conv2d`), and the outermost function it had called.

    Of the module: `run` numbers its calls, so that operators of one call share it; `is_leaf` is one without children,
    `held` how often its parents hold it; `input` and `output` are the shapes of its first tensors, the latter None
    where it gave none; `parameters` are the names and shapes of a leaf's own.

    Of the function: `plain` are the numbers and words among its arguments, in their order, `named` the tensors it was
    given by keyword, None where nobody knows. `by_name` tells that the calling code names the function, rather than
    holding it in a variable of another name, where no patch of torch reaches it.

    `is_used` tells whether what the operator gave reaches an output, or memory that outlives the run. `in_parts` that
    torch takes operators apart before they are seen, as it does where gradients may be recorded.
    """

    module: str = ""
    run: int = 0
    is_leaf: bool = False
    held: int = 1
    function: str = ""
    by_name: bool = True
    plain: tuple[int | float | str, ...] = ()
    named: frozenset[str] | None = None
    input: Shape = ()
    output: Shape | None = None
    parameters: tuple[tuple[str, Shape], ...] = ()
    is_used: bool = True
    in_parts: bool = False
