"""Kernels taken one by one: their rank, and the column and row that come closest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convcost.errors import UsageError
from convcost.graph import DType
from convcost.weights.baseline import RandomKernels
from convcost.weights.layout import Kernel
from convcost.weights.read import FloatArray
from convcost.weights.result import KernelSeparability, SeparableKernels
from convcost.weights.spectra import power_of_two_near
from convcost.weights.values import value_finding

# Distance from 1 to the next number of a type, as rounding of stored values is measured.
_ROUNDING: dict[DType, float] = {
    DType.FLOAT64: 2.0**-52,
    DType.FLOAT32: 2.0**-23,
    DType.FLOAT16: 2.0**-10,
    DType.BFLOAT16: 2.0**-7,
}


def separability_of_kernel(values: npt.ArrayLike, *, name: str = "") -> KernelSeparability:
    """Rank and best separable approximation of one two-dimensional kernel.

    Column and row are whole numbers where a scale makes the column so; their product is the approximation, by
    Eckart and Young the closest there is. Raises `UsageError` for anything but a rectangle of numbers.
    """
    kernel = _rectangle(values, name)
    shape = (kernel.shape[0], kernel.shape[1])
    finding = value_finding(kernel)
    if finding is not None:
        return KernelSeparability(
            name=name, shape=shape, rank=0 if finding.code == "zero" else None, findings=(finding,)
        )
    scale = power_of_two_near(kernel)
    kernel = kernel / scale
    left, singular, _ = np.linalg.svd(kernel, full_matrices=False)
    column = _readable(left[:, 0])
    row = column @ kernel / (column @ column)
    return KernelSeparability(
        name=name,
        shape=shape,
        rank=int(np.count_nonzero(singular > singular[0] * max(shape) * _ROUNDING[DType.FLOAT64])),
        singular_values=tuple((singular * scale).tolist()),
        column=tuple(column.tolist()),
        row=tuple((row * scale).tolist()),
        energy=float(singular[0] ** 2 / np.square(singular).sum()),
        error=float(np.linalg.norm(kernel - np.outer(column, row))) * scale,
    )


def separable_kernels(kernel: Kernel, stored_as: DType, random: RandomKernels) -> SeparableKernels:
    """Counts the two-dimensional kernels that are separable on their own, up to the rounding of `stored_as`."""
    tolerance = max(kernel.shape[-2:]) * _ROUNDING[stored_as]
    singular = _singular_values(kernel)
    separable = np.count_nonzero(singular[:, 1] <= tolerance * singular[:, 0])
    return SeparableKernels(
        separable=int(separable),
        kernels=len(singular),
        tolerance=tolerance,
        energy=_rank_one_energy(singular),
        random=random.mean("rank one", kernel.shape, lambda sample: _rank_one_energy(_singular_values(sample))),
    )


def _singular_values(kernel: Kernel) -> FloatArray:
    *_, height, width = kernel.shape
    return np.asarray(np.linalg.svd(kernel.reshape(-1, height, width), compute_uv=False), dtype=np.float64)


def _rank_one_energy(singular: FloatArray) -> float:
    return float(np.square(singular[:, 0]).sum() / np.square(singular).sum())


def _rectangle(values: npt.ArrayLike, name: str) -> FloatArray:
    what = f"kernel '{name}'" if name else "the kernel"
    hint = "a single kernel is a list of rows, equally long: [[1, 2, 1], [2, 4, 2]]"
    try:
        given = np.asarray(values)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{what} is not a rectangle of numbers", hint=hint) from None
    if given.dtype.kind not in "iuf":
        raise UsageError(f"{what} holds something other than real numbers", hint=hint)
    kernel: FloatArray = given.astype(np.float64)
    if kernel.ndim != 2 or not kernel.size:
        raise UsageError(f"{what} has shape {list(kernel.shape)}, not two dimensions of at least 1", hint=hint)
    return kernel


def _readable(column: FloatArray) -> FloatArray:
    """The column in whole numbers where a scale makes it so, else with a largest value of 1; the row takes the rest."""
    size = np.abs(column)
    least = column[np.argmin(np.where(size > 1e-9 * size.max(), size, np.inf))]
    whole: FloatArray = np.rint(column / least)
    if np.abs(column / least - whole).max() < 1e-9:
        whole = whole * (-1.0 if whole.sum() < 0 else 1.0)
        return whole + 0.0  # + 0.0 makes a plain zero of -0.0
    readable: FloatArray = column / column[np.argmax(size)]
    return readable
