"""Records every operator of a run as graph nodes, at the moment it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import torch
from torch._ops import HigherOrderOperator, OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from convcost.errors import ConvcostError
from convcost.graph import Cost, Node, Origin, Tensor
from convcost.graph.ops import Unknown
from convcost.sources.naming import LayerNames
from convcost.sources.torch.autocast import Autocast
from convcost.sources.torch.blame import calling_line
from convcost.sources.torch.call import Call, Lowered, Lowering, Step, dtype_of, refuse_nested, tensors_among
from convcost.sources.torch.gradients import Gradients
from convcost.sources.torch.held import HeldBytes
from convcost.sources.torch.lowering.move import move
from convcost.sources.torch.plan import DETACH, Plan
from convcost.sources.torch.remembered import Remembered
from convcost.sources.torch.storage import looks_the_same, mixes_devices, sharer
from convcost.sources.torch.values import Values

Scope: TypeAlias = Callable[[tuple[Tensor, ...]], str]

# Checks of a tensor's own description: they compute nothing, and would refuse a stand-in on another device.
_ASSERTIONS = frozenset(
    {"aten._assert_tensor_metadata", "aten._assert_async", "aten._assert_scalar", "aten._functional_assert_async"}
)
_NOT_LOWERED = "convcost has no lowering for this operator"


class MetaRefusedError(RuntimeError):
    """Running without values would give a wrong answer; the run has to be repeated with real tensors."""


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's base class is not annotated
    """A dispatch mode that lowers each operator call to nodes.

    With `without_values`, real tensors that meet meta tensors are replaced by meta stand-ins.
    """

    supports_higher_order_operators = True

    def __init__(
        self, values: Values, names: LayerNames, scope: Scope, held: HeldBytes, *, without_values: bool
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.nodes: list[Node] = []
        self.values = values
        self._names = names
        self._scope = scope
        self._held = held
        self._without_values = without_values
        self._plans: dict[OpOverload, Plan] = {}
        self._gradients = Gradients()
        self._remembered = Remembered(held)
        self.autocast = Autocast()

    def __torch_dispatch__(
        self,
        func: OpOverload | HigherOrderOperator,
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        keywords = kwargs or {}
        if isinstance(func, HigherOrderOperator):
            return self._higher_order(func, args, keywords)
        plan = self._plans.get(func)
        if plan is None:
            plan = self._plans[func] = Plan(func)
        if self.autocast.device is not None:
            with self:
                args, keywords = self.autocast.cast(func, args, keywords)
        if plan.decomposes:
            with self, self.autocast.inside(func, args):
                result = func.decompose(*args, **keywords)
            if result is not NotImplemented:
                return result
            plan.decomposes = False
        return None if plan.signature.name in _ASSERTIONS else self._whole(plan, args, keywords)

    def _whole(self, plan: Plan, args: tuple[object, ...], keywords: Mapping[str, object]) -> object:
        """Runs and records an operator that is not taken apart."""
        operands = tensors_among(args, keywords)
        if self._without_values and mixes_devices(operands):
            args, keywords = self._stand_in(plan, args, keywords)
            operands = tensors_among(args, keywords)
        if self.autocast.looks_past(plan.signature.function, args):
            in_parts = partial(self.autocast.run_in_parts, plan.signature.function, args, keywords)
            result, _ = self._held.run(plan.signature.name, operands, in_parts)
        elif plan.rememberable and self._without_values:
            result = self._remembered.run(plan.signature, args, keywords)
        else:
            call = partial(plan.signature.function, *args, **keywords)
            result, _ = self._held.run(plan.signature.name, operands, call)
        self._record(plan, args, keywords, operands, tensors_among((result,)))
        return result

    def _higher_order(
        self, operator: HigherOrderOperator, args: tuple[object, ...], keywords: Mapping[str, object]
    ) -> object:
        """Of a `cond` the dearer arm, as for every branch; the body of any other such operator is not seen."""
        name: str = operator.name()  # type: ignore[no-untyped-call]  # torch does not annotate it
        match name, args:
            case "cond", (_, arm, other, (*given,)) if callable(arm) and callable(other):
                return self._dearer_arm(arm, other, given)
        result = operator(*args, **keywords)
        results = tensors_among((result,))
        self._held.lose_track()
        shapes = tuple(tuple(tensor.shape) for tensor in results)
        op = Unknown(operator=name, reason="what a higher-order operator runs is not traced", shapes=shapes)
        operands = tuple(self.values.of(tensor) for tensor in tensors_among(args, keywords))
        self._add(Step(op, operands), name, results, (None,) * len(results), {})
        return result

    def _dearer_arm(
        self, arm: Callable[..., object], other: Callable[..., object], operands: Sequence[object]
    ) -> object:
        self._held.lose_track()  # both arms run here, and only one of them elsewhere
        start = len(self.nodes)
        with self:
            result = arm(*operands)
        middle = len(self.nodes)
        with self:
            other_result = other(*operands)
        first, second = _cost(self.nodes[start:middle]), _cost(self.nodes[middle:])
        first_is_dearer = (first.macs, first.other_ops) >= (second.macs, second.other_ops)
        dropped = slice(middle, None) if first_is_dearer else slice(start, middle)
        uncounted = any(isinstance(node.op, Unknown) for node in self.nodes[dropped])
        del self.nodes[dropped]
        if uncounted:
            reason = "the arm that seems cheaper holds operators that are not counted"
            self._add(Step(Unknown(operator="cond", reason=reason), ()), "cond", (), (), {})
        return result if first_is_dearer else other_result

    def _stand_in(
        self, plan: Plan, args: tuple[object, ...], keywords: Mapping[str, object]
    ) -> tuple[tuple[object, ...], Mapping[str, object]]:
        if plan.signature.mutates and args and isinstance(args[0], torch.Tensor) and not args[0].is_meta:
            raise MetaRefusedError(f"{plan.signature.name} writes a computed value into a tensor made on the CPU")
        swap = tree_map_only(
            torch.Tensor, lambda t: t if t.is_meta else self.values.stand_in(t), (args, dict(keywords))
        )
        return swap[0], swap[1]

    def _record(
        self,
        plan: Plan,
        args: tuple[object, ...],
        keywords: Mapping[str, object],
        operands: tuple[torch.Tensor, ...],
        results: tuple[torch.Tensor, ...],
    ) -> None:
        refuse_nested(results)
        if not results and plan.lowering is None and not plan.signature.mutates:
            return  # a question about a tensor, such as its size or one of its values
        sources = self._shared_with(plan, operands, results)
        made = [result for result, source in zip(results, sources, strict=True) if source is None]
        self._held.hold(made)
        if (plan.detaches or not plan.signature.mutates) and self._passes_through(plan, sources, results):
            return
        call = Call(
            plan.signature,
            args,
            keywords,
            tuple(self.values.of(operand) for operand in operands),
            tuple(tuple(result.shape) for result in results),
            self.values,
        )
        steps = self._lower(plan, call, sources)
        inner: dict[str, Tensor] = {}
        for step in steps:
            operands_now = (
                tuple(inner.get(operand.name, operand) for operand in step.operands) if inner else step.operands
            )
            self._add(step._replace(operands=operands_now), call.signature.name, results, sources, inner)

    def _shared_with(
        self, plan: Plan, operands: tuple[torch.Tensor, ...], results: tuple[torch.Tensor, ...]
    ) -> tuple[torch.Tensor | None, ...]:
        """For every result, the operand whose memory it shares."""
        if not (plan.shares or plan.signature.mutates) or not operands:
            return (None,) * len(results)
        return tuple(sharer(result, operands) for result in results)

    def _passes_through(
        self, plan: Plan, sources: tuple[torch.Tensor | None, ...], results: tuple[torch.Tensor, ...]
    ) -> bool:
        """Whether nothing happened (the results are the operands, or views of weights), so that no node is due."""
        values: list[Tensor] = []
        for source, result in zip(sources, results, strict=True):
            if source is None:
                return False
            value = self.values.of(source)
            same = source is result or looks_the_same(source, result)
            weight = value.weight
            if weight is None:
                if plan.detaches or not same:
                    return False
            elif weight.trainable and (plan.detaches or self._gradients.off):
                value = self.values.view_of_weight(weight, result, trainable=False)
            elif not same:
                value = self.values.view_of_weight(weight, result)
            values.append(value)
        for result, value in zip(results, values, strict=True):
            self.values.learn(result, value)
        return bool(results)

    def _lower(self, plan: Plan, call: Call, sources: tuple[torch.Tensor | None, ...]) -> tuple[Step, ...]:
        shared = bool(sources) and all(source is not None for source in sources)
        if shared and (plan.metadata_only or (plan.shares and not plan.signature.mutates)):
            return (move(call, view=True),)
        if plan.lowering is None:
            return (self._unknown(call, _NOT_LOWERED),)
        return self._lowered(plan.lowering, call)

    def _lowered(self, lowering: Lowering, call: Call) -> tuple[Step, ...]:
        try:
            lowered: Lowered = lowering(call)
        except (ConvcostError, LookupError, ValueError, TypeError) as error:
            return (self._unknown(call, f"its arguments were not understood: {error}"),)
        return (lowered,) if isinstance(lowered, Step) else lowered

    @staticmethod
    def _unknown(call: Call, reason: str) -> Step:
        op = Unknown(operator=call.signature.name, reason=reason, shapes=call.results)
        return Step(op, (*call.operands, *call.boxed()))

    def _add(
        self,
        step: Step,
        operator: str,
        results: tuple[torch.Tensor, ...],
        sources: tuple[torch.Tensor | None, ...],
        inner: dict[str, Tensor],
    ) -> None:
        path = self._scope(step.operands)
        name = self._names.name(path, step.op, step.operands)
        if step.outputs is None:
            outputs = tuple(
                self._result(f"{name}:{index}", result, source)
                for index, (result, source) in enumerate(zip(results, sources, strict=True))
            )
            for result, value in zip(results, outputs, strict=True):
                self.values.learn(result, value)
        else:
            # What passes between the steps of one call is named after the node, as everything else is.
            outputs = tuple(replace(value, name=f"{name}:{index}") for index, value in enumerate(step.outputs))
            inner.update((before.name, value) for before, value in zip(step.outputs, outputs, strict=True))
        file, line = calling_line() or (None, None)
        origin = Origin(operator=operator, node=path, file=file, line=line)
        stops = operator == DETACH or self._gradients.off
        self.nodes.append(
            Node(
                name=name,
                op=step.op,
                operands=step.operands,
                outputs=outputs,
                origin=origin,
                stops_gradients=stops,
            )
        )

    def _result(self, name: str, result: torch.Tensor, source: torch.Tensor | None) -> Tensor:
        shape, dtype = tuple(result.shape), dtype_of(result)
        if source is None:
            return Tensor(name=name, shape=shape, dtype=dtype)
        owner = self.values.of(source)
        if owner.weight is not None:
            return Tensor(name=name, shape=shape, dtype=dtype, weight=owner.weight, alias=owner.weight.name)
        return Tensor(name=name, shape=shape, dtype=dtype, alias=owner.buffer)


def _cost(nodes: Sequence[Node]) -> Cost:
    return Cost.total(node.cost for node in nodes)
