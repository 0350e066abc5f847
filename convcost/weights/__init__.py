"""Numbers read from trained kernels: how much of each would survive a cheaper form."""

from __future__ import annotations

from convcost.weights.baseline import RandomKernels
from convcost.weights.decompose import decompose
from convcost.weights.families import FAMILIES, Family, gsvd_families
from convcost.weights.kernel_file import read_kernels, separability_of_file
from convcost.weights.read import FileKernels, KernelReader, ModuleKernels, load_kernel
from convcost.weights.result import (
    FamilyEnergies,
    Finding,
    GroupingEnergies,
    KernelSeparability,
    LayerSeparability,
    RankPoint,
    Separability,
    SeparableKernels,
)
from convcost.weights.separability import layer_separabilities, separability
from convcost.weights.single import separability_of_kernel

__all__ = [
    "FAMILIES",
    "Family",
    "FamilyEnergies",
    "FileKernels",
    "Finding",
    "GroupingEnergies",
    "KernelReader",
    "KernelSeparability",
    "LayerSeparability",
    "ModuleKernels",
    "RandomKernels",
    "RankPoint",
    "Separability",
    "SeparableKernels",
    "decompose",
    "gsvd_families",
    "layer_separabilities",
    "load_kernel",
    "read_kernels",
    "separability",
    "separability_of_file",
    "separability_of_kernel",
]
