"""One family of one layer: the ranks that matter, what each costs, and what each keeps beyond chance."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from fractions import Fraction

from convcost.alternatives import AnyConv, NotApplicable
from convcost.dataclasses import dataclass
from convcost.graph import Node
from convcost.weights.baseline import RandomKernels
from convcost.weights.families import Family
from convcost.weights.layout import Kernel
from convcost.weights.result import SHARES, FamilyEnergies, RankPoint
from convcost.weights.spectra import Spectrum

HALF = Fraction(1, 2)
QUARTERS = (Fraction(1, 4), HALF, Fraction(3, 4))
"""Without ranks asked for, a family is shown at the ranks that cost these parts of the layer's MACs."""


def family_energies(
    family: Family, layer: Node, conv: AnyConv, kernel: Kernel, random: RandomKernels, ranks: Sequence[int]
) -> FamilyEnergies:
    """The family's energies for a kernel that is finite and not all zero.

    Ranks are the alternative's; one that a layer cannot have (above the full rank, or no multiple of its groups)
    is taken down to the next that it can.
    """
    step = family.ranked.rank_step(conv)
    smallest = family.macs(layer, conv, step)
    if isinstance(smallest, NotApplicable):
        return FamilyEnergies(label=family.label, name=family.name, options=family.options(), reason=smallest.reason)
    ranked = _Ranked(
        family=family,
        layer=layer,
        conv=conv,
        kept=family.spectrum(kernel),
        chance=random.spectrum(family, kernel.shape),
    )
    full = ranked.kept.full_rank
    blocks = {min(rank // step, full) for rank in ranks} if ranks else {ranked.most_within(part) for part in QUARTERS}
    half = ranked.most_within(HALF)
    return FamilyEnergies(
        label=family.label,
        name=family.name,
        options=family.options(),
        full_rank=full * step,
        rank_for=tuple((share, ranked.kept.rank_for(share) * step) for share in SHARES),
        points=tuple(ranked.point(rank) for rank in sorted(blocks) if rank),
        half_macs=ranked.point(half) if half else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranked:
    """Ranks here are those that each block of the unfolding is cut at; `step` of them make the alternative's."""

    family: Family
    layer: Node
    conv: AnyConv
    kept: Spectrum
    chance: Spectrum

    def macs(self, rank: int) -> int:
        counted = self.family.macs(self.layer, self.conv, rank * self.family.ranked.rank_step(self.conv))
        if isinstance(counted, NotApplicable):
            raise ValueError(f"{self.family.label} applies at its smallest rank but not at {rank}: {counted.reason}")
        return counted

    def point(self, rank: int) -> RankPoint:
        return RankPoint(
            rank=rank * self.family.ranked.rank_step(self.conv),
            macs=self.macs(rank),
            energy=self.kept.at(rank),
            random=self.chance.at(rank),
        )

    def most_within(self, part: Fraction) -> int:
        """The largest rank that costs at most this part of the layer's MACs; 0 where none does."""
        limit = int(self.layer.cost.macs * part)
        return bisect.bisect_right(range(1, self.kept.full_rank + 1), limit, key=self.macs)
