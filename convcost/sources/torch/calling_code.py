"""How a function of torch was called, read off the calling code: as an operator, by its name, or from a variable."""

from __future__ import annotations

import dis
from functools import cache
from types import CodeType, FrameType, ModuleType
from typing import NamedTuple

import torch

# Through these a function of torch that is written in Python hands its call on.
_TORCH_FILES = frozenset(
    module.__file__ for module in (torch.overrides, torch.nn.functional, torch.functional, torch._jit_internal)
)
_LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_FAST", "LOAD_METHOD", "LOAD_ATTR")


class _Callee(NamedTuple):
    """What the code calls: `F` and `relu` of `F.relu(x)`; empty for code without positions."""

    base: str = ""
    last: str = ""


def calling_frame(frame: FrameType) -> FrameType:
    """The first frame, from this one up, that is not torch handing a call on."""
    while frame.f_code.co_filename in _TORCH_FILES and frame.f_back is not None:
        frame = frame.f_back
    return frame


def is_operator(frame: FrameType) -> bool:
    """Whether what the frame waits for is written `x + y` rather than `x.add(y)`."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "BINARY_OP"


def is_named(frame: FrameType, function: str) -> bool:
    """Whether the frame looks the function up where torch keeps it, so that a patch of torch would be called."""
    if function.startswith("torch.Tensor."):
        return True
    callee = _callee(frame.f_code, frame.f_lasti)
    word = function.rpartition(".")[2]
    if not callee.base:
        return word in frame.f_code.co_names
    held_by = frame.f_locals.get(callee.base, frame.f_globals.get(callee.base))
    return callee.last == word and isinstance(held_by, ModuleType)


@cache
def _callee(code: CodeType, at: int) -> _Callee:
    """The names that start where the call starts: the first is the base, the longest stands before the arguments."""
    instructions = list(dis.get_instructions(code))
    # The instruction may have moved on to its own cache already.
    call = max((each for each in instructions if each.offset <= at), key=lambda each: each.offset).positions
    if call is None or call.lineno is None:
        return _Callee()
    start, end = (call.lineno, call.col_offset), (call.end_lineno or 0, call.end_col_offset or 0)
    named = [
        ((spot.end_lineno or 0, spot.end_col_offset or 0), str(each.argval))
        for each in instructions
        if each.opname in _LOADS and (spot := each.positions) and (spot.lineno, spot.col_offset) == start
    ]
    inside = sorted((ends, name) for ends, name in named if ends < end)
    return _Callee(base=inside[0][1], last=inside[-1][1]) if inside else _Callee()
