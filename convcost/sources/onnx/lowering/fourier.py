"""Fourier transforms, whose complex numbers ONNX writes as pairs along a last axis."""

from __future__ import annotations

from convcost.graph import DType, Shape, Tensor
from convcost.graph.ops import Elementwise, Fourier, Move
from convcost.graph.ops.fourier import Spectrum
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers

_COMPLEX: dict[DType, DType] = {
    DType.FLOAT16: DType.COMPLEX32,
    DType.FLOAT32: DType.COMPLEX64,
    DType.FLOAT64: DType.COMPLEX128,
}
_SIGNALS = 2
_SIGNALS_OF_NUMBERS = 3


@lowers("DFT")
def lower_dft(call: Call) -> Lowered:
    """Data is `(*, 1)` where real and `(*, 2)` where complex; one axis of it is transformed, cut or filled to a length.

    The pairs of its input and output are seen as numbers, and as pairs again, which moves nothing.
    """
    data, result = call.operand(0), call.result()
    _require_numbers(data)
    axis = _axis(call, data)
    onesided, inverse = (bool(call.attributes.integer(name, 0)) for name in ("onesided", "inverse"))
    spectrum: Spectrum = "complex" if data.shape[-1] == 2 else "real"
    if onesided and inverse:
        spectrum = "inverse_real"
    length = _length(call, data, axis, halved=spectrum == "inverse_real")
    taken = length // 2 + 1 if spectrum == "inverse_real" else length
    numbers = _of_length(call, _numbers(call, data), axis, taken)
    back = length if spectrum == "inverse_real" else 0
    op = Fourier(axes=(axis,), spectrum=spectrum, onesided=onesided, length=back)
    dtype = data.dtype if spectrum == "inverse_real" else _COMPLEX[data.dtype]
    output = call.step(op, numbers, dtype=dtype)
    pairs = Move(action="pairs", shapes=(result,), view=True)
    return Lowered(op=pairs, operands=(output,), view_of=output, dtype=data.dtype)


@lowers("STFT")
def lower_stft(call: Call) -> Lowered:
    """A window of the signal at every step, which overlap where they lie, times factors; each transformed by itself."""
    signal = call.operand(0)
    if len(signal.shape) == _SIGNALS_OF_NUMBERS:
        _require_numbers(signal)
        signal = _numbers(call, signal)
    if len(signal.shape) != _SIGNALS or signal.dtype not in (*_COMPLEX, *_COMPLEX.values()):
        raise NotCountedError(f"its operand of shape {list(signal.shape)} is no batch of signals")
    shape = _framed(call, signal)
    frames = call.step(Move(action="frames", shapes=(shape,), view=True), signal)
    if (factors := call.argument(2)) is not None:
        frames = call.step(Elementwise(function="mul"), frames, factors)
    spectrum: Spectrum = "real" if signal.dtype in _COMPLEX else "complex"
    op = Fourier(axes=(2,), spectrum=spectrum, onesided=bool(call.attributes.integer("onesided", 1)))
    output = call.step(op, frames, dtype=_COMPLEX.get(signal.dtype, signal.dtype))
    pairs = Move(action="pairs", shapes=((*output.shape, 2),), view=True)
    return Lowered(op=pairs, operands=(output,), view_of=output, dtype=call.operand(0).dtype)


def _framed(call: Call, signal: Tensor) -> Shape:
    """Frames are as long as their factors where the file does not say how long."""
    factors, step, length = call.argument(2), call.integers(1), call.integers(3)
    if call.argument(3) is None and factors is not None:
        length = factors.shape
    if step is None or length is None or len(step) != 1 or len(length) != 1:
        raise NotCountedError("the length of its frames, or the step between them, is known only when it runs")
    batch, samples = signal.shape
    if step[0] < 1 or not 1 <= length[0] <= samples:
        raise NotCountedError(f"frames of {length[0]} every {step[0]} do not fit signals of {samples}")
    return batch, 1 + (samples - length[0]) // step[0], length[0]


def _require_numbers(data: Tensor) -> None:
    if not data.shape or data.shape[-1] not in (1, 2) or data.dtype not in _COMPLEX:
        raise NotCountedError(f"its operand of shape {list(data.shape)} is neither real nor made of pairs")


def _axis(call: Call, data: Tensor) -> int:
    """An attribute, by default 1, before opset 20, and then an input, by default the last but one."""
    axis = call.attributes.integer("axis", 1)
    if call.opset >= 20:
        given = call.integers(2) if call.argument(2) is not None else (-2,)
        if given is None or len(given) != 1:
            raise NotCountedError("the axis that it transforms is known only when it runs")
        axis = given[0]
    if not -len(data.shape) <= axis < len(data.shape) or axis % len(data.shape) == len(data.shape) - 1:
        raise NotCountedError(f"axis {axis} of an operand of shape {list(data.shape)} cannot be transformed")
    return axis % len(data.shape)


def _length(call: Call, data: Tensor, axis: int, *, halved: bool) -> int:
    if call.argument(1) is None:
        size = data.shape[axis]
        return 2 * (size - 1) if halved else size
    given = call.integers(1)
    if given is None or len(given) != 1 or given[0] < 1:
        raise NotCountedError("the length of its transform is known only when it runs")
    return given[0]


def _numbers(call: Call, data: Tensor) -> Tensor:
    """The tensor without its last axis: of complex numbers where that held pairs."""
    op = Move(action="numbers", shapes=(data.shape[:-1],), view=True)
    return call.step(op, data, dtype=data.dtype if data.shape[-1] == 1 else _COMPLEX[data.dtype])


def _of_length(call: Call, data: Tensor, axis: int, length: int) -> Tensor:
    """Zeros are appended by a copy; a tensor that is cut is the memory it is cut from."""
    size = data.shape[axis]
    if size == length:
        return data
    shape = (*data.shape[:axis], length, *data.shape[axis + 1 :])
    if size > length:
        return call.step(Move(action="slice", shapes=(shape,), view=True), data)
    return call.step(Move(action="pad", shapes=(shape,)), data)
