"""The values of a stored tensor, one tensor at a time, from a file or from a live module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from convcost.errors import SourceError
from convcost.graph import ByteRange, DType, Weight

if TYPE_CHECKING:
    import torch

FloatArray: TypeAlias = npt.NDArray[np.float64]

_STORED_AS: dict[DType, str] = {
    DType.FLOAT64: "<f8",
    DType.FLOAT32: "<f4",
    DType.FLOAT16: "<f2",
    DType.BFLOAT16: "<u2",  # the upper half of a float32, which NumPy has no type for
    DType.INT64: "<i8",
    DType.INT32: "<i4",
    DType.INT16: "<i2",
    DType.INT8: "<i1",
    DType.UINT64: "<u8",
    DType.UINT32: "<u4",
    DType.UINT16: "<u2",
    DType.UINT8: "<u1",
    DType.BOOL: "<u1",
}


class KernelReader(Protocol):
    """Where the values of a graph's weights can be had; nothing is kept between two calls."""

    def load(self, weight: Weight) -> FloatArray:
        """The values in float64, in the weight's own shape. Raises `SourceError` where they are not to be had."""

    def epsilon(self, variance: Weight) -> float | None:
        """What the batch normalisation with this running variance adds to it, where the graph does not say."""


class FileKernels:
    """Values at the byte ranges that a source recorded; a file is opened for each tensor and closed again."""

    def load(self, weight: Weight) -> FloatArray:
        return load_kernel(weight)

    def epsilon(self, variance: Weight) -> float | None:
        return None


class ModuleKernels:
    """Values of a live `nn.Module`, on whatever device they are; each is copied only when asked for."""

    def __init__(self, module: torch.nn.Module) -> None:
        self._modules = dict(module.named_modules(remove_duplicate=False))
        self._tensors: dict[str, torch.Tensor] = {
            **dict(module.named_parameters(remove_duplicate=False)),
            **dict(module.named_buffers(remove_duplicate=False)),
        }

    def load(self, weight: Weight) -> FloatArray:
        import torch

        tensor = self._tensors.get(weight.name)
        if tensor is None:
            raise SourceError(f"the module has no parameter or buffer '{weight.name}'")
        if tensor.is_meta:
            raise SourceError(
                f"'{weight.name}' has a shape but no values: the module was built on the meta device",
                hint="build the module on a real device and load its trained weights",
            )
        if tensor.is_quantized:
            tensor = tensor.dequantize()
        array: FloatArray = tensor.detach().to(device="cpu", dtype=torch.float64).numpy().reshape(weight.shape)
        return array

    def epsilon(self, variance: Weight) -> float | None:
        owner = variance.name.rpartition(".")[0]
        found = getattr(self._modules.get(owner), "eps", None)
        return float(found) if isinstance(found, int | float) else None


def load_kernel(weight: Weight) -> FloatArray:
    """Reads `weight.stored`, and that much of the file alone. Raises `SourceError`, naming the file that is missing."""
    if weight.stored is None:
        raise SourceError(
            f"the values of '{weight.name}' are not stored with the model",
            hint="give a trained .onnx file, or a PyTorch module with its weights loaded",
        )
    if weight.dtype not in _STORED_AS:
        raise SourceError(f"'{weight.name}' holds {weight.dtype.value} elements, whose values convcost does not read")
    raw = _read(weight, weight.stored, np.dtype(_STORED_AS[weight.dtype]))
    if weight.dtype is DType.BFLOAT16:
        raw = (raw.astype("<u4") << 16).view("<f4")
    return raw.astype(np.float64).reshape(weight.shape)


def _read(weight: Weight, stored: ByteRange, element: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
    if stored.length != weight.nbytes:
        raise SourceError(
            f"'{weight.name}' should be {weight.nbytes:,} bytes in '{stored.path}' but {stored.length:,} are stored",
            hint="save the model with raw tensor data (onnx.save does)",
        )
    path = Path(stored.path)
    try:
        _refuse_outside(path, stored)
        if path.stat().st_size < stored.offset + stored.length:
            raise SourceError(
                f"'{stored.path}' ends before the values of '{weight.name}'",
                hint="the file is cut short: copy it again",
            )
        return np.fromfile(path, dtype=element, count=weight.numel, offset=stored.offset)
    except FileNotFoundError:
        raise SourceError(
            f"the weights file '{stored.path}' is missing; it holds '{weight.name}'",
            hint="put the file where the model expects it; costs alone need no weights",
        ) from None
    except (OSError, RuntimeError) as error:  # the latter for links in a circle
        reason = (error.strerror if isinstance(error, OSError) else None) or "unreadable"
        raise SourceError(f"cannot read '{weight.name}' from '{stored.path}': {reason}") from None


def _refuse_outside(path: Path, stored: ByteRange) -> None:
    """A link may lead to where the model file itself really lies, as in caches of downloads, and nowhere else."""
    if stored.beside is None:
        return
    model = Path(stored.beside)
    folders = (model.parent.resolve(), model.resolve().parent)
    if not any(path.resolve().is_relative_to(folder) for folder in folders):
        raise SourceError(
            f"'{stored.path}' is a link out of the model's folder", hint="put the weights themselves beside the model"
        )
