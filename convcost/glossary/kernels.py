"""Words of separability: what cheaper forms would keep of trained kernels."""

from __future__ import annotations

from collections.abc import Mapping

KERNELS: Mapping[tuple[str, ...], str] = {
    ("family", "families", "form"): "a cheaper form a kernel could be brought into, with a free rank.",
    ("rank",): "the size that a low-rank form leaves free: the smaller, the cheaper and the less is kept.",
    ("full_rank",): "the rank at which a form keeps everything.",
    ("rank_for", "rank_for_95", "rank for 95 %"): "the smallest rank that keeps a share of the kernel's energy.",
    ("energy", "kept", "kept by rank 1"): "the share of a kernel's energy (its squares, added) that a form keeps. "
    "Energy is not accuracy.",
    ("random_energy", "by chance"): "what the form keeps of a random kernel of the same shape: nothing had to be "
    "learned for that much.",
    ("excess",): "energy kept above what is kept by chance; only that was learned.",
    ("random_draws",): "over how many random kernels the chance is averaged.",
    ("half_macs", "keeps most at half the macs"): "what a form keeps at the largest rank that costs at most half the "
    "layer's MACs.",
    ("groupings",): "what is kept when the kernel is cut into groups of channels.",
    (
        "reordered_energy",
    ): "what is kept in groups of channels once the channels are reordered so that the groups keep the most.",
    (
        "reordered_random_energy",
    ): "what groups of channels keep of a random kernel of the same shape, reordered for the most too.",
    ("exhaustive",): "whether every order of channels was tried; else it is the best a local search found.",
    ("batch_norm",): "folded: a batch norm that follows is multiplied into the kernel before it is looked at.",
    ("folded",): "the batch norm that was folded into the kernel.",
    ("weight",): "the stored tensor that holds the kernel.",
    ("kernels",): "the two-dimensional kernels that were looked at, one by one; in a count, how many there are.",
    ("separable",): "whether a kernel is a column times a row; in a count, how many are.",
    ("separable_kernels",): "how many of a layer's two-dimensional kernels are a column times a row on their own.",
    ("tolerance",): "the share of energy a kernel may miss and still count as separable.",
    ("singular_values",): "the strengths of the column-times-row terms a kernel is the sum of, largest first.",
    ("column", "row"): "the column and the row whose product comes closest to the kernel; of a finding's place, the "
    "column in the file.",
}
