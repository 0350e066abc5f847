"""An analysis in another counter's convention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from convcost.analysis import Analysis, Layer
from convcost.conventions.assumed import assumed_caller
from convcost.conventions.rule import Call, Convention, Expression, Rule, Term
from convcost.graph.caller import Caller

_WRITTEN = {"torch.Tensor.__matmul__": "@", "torch.functional.einsum": "einsum"}
_UNUSED = "results that nothing uses, which are left out unless they are asked for their size"
_COMPLEX = "products of complex numbers, counted as one each"


class _Part(NamedTuple):
    """What one rule makes of one layer: `amount` more than our MACs; of what it counts, `hooked` by a module's hook."""

    why: str
    amount: int
    exact: bool
    hooked: int


def express(analysis: Analysis, convention: Convention, callers: Mapping[str, Caller] | None) -> Expression:
    """The terms between our total and the counter's, in order of first appearance, alike ones added up.

    `callers` by layer, and beside them those of modules that ran none; None for a network that has no modules, whose
    operators are taken for modules of their kind.
    """
    calls = _calls(analysis, callers)
    parts = (*_parts(calls, convention), *_idle(calls, convention, callers or {}))
    return Expression(
        analysis=analysis,
        convention=convention,
        terms=(*_added_up(parts), *(_averaged(analysis, parts) if convention.per_item else ())),
        notes=(*_notes(analysis, convention, assumed=callers is None), *_in_parts(calls, convention)),
    )


def _calls(analysis: Analysis, callers: Mapping[str, Caller] | None) -> list[Call]:
    if callers is None:
        return [Call(layer=layer, caller=assumed_caller(layer)) for layer in analysis.layers]
    leading: dict[int, Layer] = {}
    for layer in analysis.layers:
        first = leading.setdefault(callers[layer.name].run, layer)
        if layer.cost.macs > first.cost.macs:
            leading[callers[layer.name].run] = layer
    return [
        Call(layer=layer, caller=caller, leads=leading[caller.run] is layer)
        for layer in analysis.layers
        for caller in (callers[layer.name],)
    ]


def _parts(calls: Sequence[Call], convention: Convention) -> Iterator[_Part]:
    dark = frozenset(_path(call) for call in calls if call.caller.module in convention.eclipsing)
    for call in calls:
        rules = [rule for rule in convention.rules_of(call) if _meets(rule, call, dark)]
        if convention.prunes and rules and not call.caller.is_used:
            # A trace also uses what it asks for a size, and no graph of ours tells that it did.
            yield _Part(_UNUSED, -call.layer.cost.macs, exact=False, hooked=0)
            continue
        if call.macs and not any(rule.products for rule in rules):
            yield _Part(_unseen(call), -call.layer.cost.macs, exact=True, hooked=0)
        elif call.macs and call.real_products > 1:
            yield _Part(_COMPLEX, call.macs * call.layer.node.repeat - call.layer.cost.macs, exact=True, hooked=0)
        for rule in rules:
            part = _part(call, rule)
            yield part
            if part.hooked and (more := convention.times_held(call.caller.held) - 1):
                again = more * part.hooked
                yield _Part("modules in several places of the model, counted for each", again, part.exact, again)


def _idle(calls: Sequence[Call], convention: Convention, callers: Mapping[str, Caller]) -> Iterator[_Part]:
    """Of modules that ran nothing, such as one that gives a parameter as it is."""
    if convention.idle is None:
        return
    layers = {call.layer.name for call in calls}
    for name, caller in callers.items():
        if name not in layers:
            yield _Part("modules that run nothing", convention.idle(caller), exact=caller.output is not None, hooked=0)


def _meets(rule: Rule, call: Call, dark: frozenset[str]) -> bool:
    return isinstance(call.op, rule.ops) and not (rule.hooked and dark and _is_below(_path(call), dark))


def _part(call: Call, rule: Rule) -> _Part:
    amount = (rule.adds(call) if rule.adds is not None else 0) * call.layer.node.repeat
    counted = amount + (call.macs * call.layer.node.repeat if rule.products else 0)
    return _Part(rule.why, amount, exact=rule.exact(call), hooked=counted if rule.hooked else 0)


def _unseen(call: Call) -> str:
    function = call.caller.function
    written = _WRITTEN.get(function) or function.replace("torch.nn.functional.", "F.").removeprefix("torch.")
    what = f"{call.op.kind.replace('_', ' ')} products not seen"
    return f"{what} ({written})" if written else what


def _path(call: Call) -> str:
    origin = call.layer.node.origin
    return origin.node if origin else ""


def _is_below(path: str, above: frozenset[str]) -> bool:
    return any(path[:at] in above for at, letter in enumerate(path) if letter == ".")


def _added_up(parts: Sequence[_Part]) -> Iterator[Term]:
    found: dict[str, list[_Part]] = {}
    for part in parts:
        if part.amount or not part.exact:
            found.setdefault(part.why, []).append(part)
    for why, alike in found.items():
        amount = sum(part.amount for part in alike)
        yield Term(why=why, amount=amount, layers=len(alike), exact=all(part.exact for part in alike))


def _averaged(analysis: Analysis, parts: Sequence[_Part]) -> Iterator[Term]:
    """Of several inputs the counter is told by their names, and takes the batch for one."""
    batch = analysis.inputs[0].shape[0] if len(analysis.inputs) == 1 and analysis.inputs[0].shape else 1
    hooked = [part.hooked for part in parts if part.hooked]
    if batch > 1 and hooked:
        amount = sum(hooked) // batch - sum(hooked)
        yield Term(why=f"of what modules count, the average over {batch} items", amount=amount, layers=len(hooked))


def _notes(analysis: Analysis, convention: Convention, *, assumed: bool) -> Iterator[str]:
    if assumed:
        yield (
            "there are no PyTorch modules here: every operator is taken for the module of its kind, and what an "
            "exporter folded away is not added"
        )
    if analysis.is_lower_bound:
        yield "operators that convcost cannot count are in neither total"
    if not assumed and convention.per_item and any("." in tensor.name for tensor in analysis.inputs[:1]):
        yield f"the first input holds several tensors: {convention.name} may divide by their number"


def _in_parts(calls: Iterable[Call], convention: Convention) -> Iterator[str]:
    if convention.by_operator and any(call.caller.in_parts for call in calls):
        yield (
            "the model asks for gradients while it runs, so that torch shows its operators in pieces: "
            f"{convention.name} may see them whole"
        )
