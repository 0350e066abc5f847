"""Graph and kernels to Separability: which layers could become which family, and what of them would survive."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence

from convcost.alternatives import AnyConv, Grouped, NotApplicable
from convcost.alternatives.choice import convolutions, uncounted_note
from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.graph import Graph, Node, Weight
from convcost.weights.baseline import DRAWS, RandomKernels
from convcost.weights.families import FAMILIES, Family
from convcost.weights.fold import USUAL_EPSILON, batch_norm, fold, following_batch_norms
from convcost.weights.grouping import grouping
from convcost.weights.layout import Kernel, from_stored
from convcost.weights.ranks import family_energies
from convcost.weights.read import KernelReader
from convcost.weights.result import Finding, GroupingEnergies, LayerSeparability, Separability, SeparableKernels
from convcost.weights.single import separable_kernels
from convcost.weights.spectra import unit_scale
from convcost.weights.values import unreadable, value_finding

GROUPS = (2, 4, 8)
"""How many parts each of a layer's groups is split into, where that divides its channels."""


def separability(
    graph: Graph,
    kernels: KernelReader,
    *,
    layers: Sequence[str] = (),
    families: Sequence[Family] = FAMILIES,
    ranks: Sequence[int] = (),
    draws: int = DRAWS,
) -> Separability:
    """Every convolution whose name matches a glob of `layers` (none: all); `layer_separabilities`, collected."""
    return Separability(
        target=graph.target,
        source=graph.source,
        layers=tuple(layer_separabilities(graph, kernels, layers=layers, families=families, ranks=ranks, draws=draws)),
        draws=draws,
        notes=(*graph.notes, *uncounted_note(graph, layers)),
    )


def layer_separabilities(
    graph: Graph,
    kernels: KernelReader,
    *,
    layers: Sequence[str] = (),
    families: Sequence[Family] = FAMILIES,
    ranks: Sequence[int] = (),
    draws: int = DRAWS,
) -> Iterator[LayerSeparability]:
    """Layer after layer, for a caller that shows progress; one kernel is in memory at a time.

    `ranks` are those to show energies at; without any, the ranks at a quarter, half and three quarters of the
    layer's MACs. Raises `UsageError` when no convolution is chosen or a number is below 1, and `SourceError` when
    values are missing.
    """
    for what, least in (("a rank", min(ranks, default=1)), ("the number of random draws", draws)):
        if least < 1:
            raise UsageError(f"{what} is at least 1, not {least}")
    study = _Study(
        kernels=kernels,
        norms=following_batch_norms(graph),
        random=RandomKernels(draws=draws),
        families=tuple(families),
        ranks=tuple(ranks),
    )
    return (study.layer(node, conv) for node, conv in convolutions(graph, layers))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Study:
    kernels: KernelReader
    norms: Mapping[str, Node]
    random: RandomKernels
    families: tuple[Family, ...]
    ranks: tuple[int, ...]

    def layer(self, node: Node, conv: AnyConv) -> LayerSeparability:
        unfilled = LayerSeparability(
            name=node.name,
            kind=node.op.kind,
            weight=_stored_name(node),
            shape=conv.weight_shape,
            groups=conv.groups,
            macs=node.cost.macs,
        )
        operand = node.operands[1]
        problem = unreadable(operand, conv)
        if operand.weight is None or problem is not None:
            return dataclasses.replace(unfilled, findings=(problem,) if problem else ())
        kernel, folded, findings = self._as_it_runs(node, conv, operand.weight)
        problem = value_finding(kernel)
        if problem is not None:
            return dataclasses.replace(unfilled, folded=folded, findings=(*findings, problem))
        kernel = unit_scale(kernel)
        return dataclasses.replace(
            unfilled,
            folded=folded,
            findings=findings,
            separable=self._on_their_own(conv, kernel, operand.weight),
            families=tuple(
                family_energies(family, node, conv, kernel, self.random, self.ranks) for family in self.families
            ),
            groupings=tuple(self._groupings(node, conv, kernel)),
        )

    def _as_it_runs(self, node: Node, conv: AnyConv, weight: Weight) -> tuple[Kernel, str | None, tuple[Finding, ...]]:
        """The kernel with its batch norm folded in, the norm's name, and what must be said about that."""
        kernel = from_stored(conv, self.kernels.load(weight))
        following = self.norms.get(node.name)
        if following is None:
            return kernel, None, ()
        norm = batch_norm(following)
        if norm is None:
            message = f"'{following.name}' is not folded in: its scale and statistics are not stored with the model"
            return kernel, None, (Finding(code="not_folded", message=message),)
        scaled = fold(kernel, norm.factors(self.kernels))
        if not norm.assumes_epsilon(self.kernels):
            return scaled, norm.name, ()
        message = f"epsilon of '{norm.name}' is not known and taken as {USUAL_EPSILON:g}"
        return scaled, norm.name, (Finding(code="assumed_epsilon", message=message),)

    def _on_their_own(self, conv: AnyConv, kernel: Kernel, weight: Weight) -> SeparableKernels | None:
        """None where kernels are not two-dimensional, or are lines or points already."""
        if len(conv.kernel) != 2 or min(conv.kernel) == 1:
            return None
        return separable_kernels(kernel, weight.dtype, self.random)

    def _groupings(self, node: Node, conv: AnyConv, kernel: Kernel) -> Iterator[GroupingEnergies]:
        for parts in GROUPS:
            groups = parts * conv.groups
            stages = Grouped(groups=groups).rewrite(node, conv)
            if isinstance(stages, NotApplicable):
                continue  # a layer has the groupings that divide its channels, and no others
            found = grouping(kernel, groups)
            by_chance = self.random.mean(f"{groups} groups", kernel.shape, functools.partial(_reordered, groups=groups))
            yield GroupingEnergies(
                groups=groups,
                macs=sum(stage.cost.macs for stage in stages),
                in_order=found.in_order,
                in_order_random=1 / parts,
                reordered=found.reordered,
                reordered_random=by_chance,
                exhaustive=found.exhaustive,
            )


def _reordered(kernel: Kernel, *, groups: int) -> float:
    return grouping(kernel, groups).reordered


def _stored_name(node: Node) -> str:
    weight = node.operands[1].weight
    return weight.name if weight else ""
