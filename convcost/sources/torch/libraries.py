"""Models by name from torchvision and timm, never with pretrained weights."""

from __future__ import annotations

import importlib
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import ModuleType
from typing import TypeVar

import torch
from torch import nn

from convcost.errors import MissingDependencyError, SourceError, UsageError
from convcost.sources.request import InputSpec
from convcost.sources.torch.inputs import Arguments

_Result = TypeVar("_Result")

_DEFAULT_SIDE = 224
_VIDEO_FRAMES = 16
# torchvision registers kernels for these at import; a torch built for other hardware does not have them.
_TORCHVISION_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
SHIM_NOTE = (
    "torchvision's compiled operators do not fit this build of torch: their schemas were declared, "
    "which counting is content with and running is not"
)
_declared: list[torch.library.Library] = []


def declare_torchvision_operators() -> None:
    """Declares the operator schemas without which torchvision's Python code cannot be imported; once per process."""
    if _declared:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _TORCHVISION_SCHEMAS:
        if not hasattr(torch.ops.torchvision, schema.partition("(")[0]):
            library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)


def tolerating_torchvision(use: Callable[[], _Result]) -> tuple[_Result, tuple[str, ...]]:
    """Calls `use` again with the schemas declared if torchvision misses them, and says so in a note."""
    try:
        return use(), ()
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    declare_torchvision_operators()
    return use(), (SHIM_NOTE,)


def import_library(name: str) -> tuple[ModuleType, tuple[str, ...]]:
    """torchvision or timm, with any note about how; raises `MissingDependencyError` when it is not installed."""
    try:
        library, _ = tolerating_torchvision(lambda: importlib.import_module(name))
    except ModuleNotFoundError as error:
        missing = error.name or name
        raise MissingDependencyError(f"'{name}:' targets need {missing}", hint=f"pip install {missing}") from error
    return library, (SHIM_NOTE,) if _declared else ()


def torchvision_model(name: str, arguments: Mapping[str, object]) -> nn.Module:
    """A torchvision model by its registered name, without weights. Raises `SourceError` for an unknown name."""
    models = importlib.import_module("torchvision.models")
    _check_known(name, models.list_models(), "torchvision")
    _refuse_weights(arguments, ("weights", "weights_backbone", "pretrained", "pretrained_backbone"))
    parameters = inspect.signature(models.get_model_builder(name)).parameters
    off: dict[str, object] = {key: None for key in ("weights", "weights_backbone") if key in parameters}
    with warnings.catch_warnings():
        # Two builders announce a change in how they will draw their weights, of which none is read.
        warnings.simplefilter("ignore", FutureWarning)
        module = models.get_model(name, **(off | dict(arguments)))
    assert isinstance(module, nn.Module)
    return module


def torchvision_inputs(name: str) -> Arguments:
    """The input that the model's published weights were measured on; 224×224 where none are published."""
    models = importlib.import_module("torchvision.models")
    try:
        preset = models.get_model_weights(name).DEFAULT.transforms()
    except (ValueError, AttributeError):
        preset = None
    family = models.get_model_builder(name).__module__
    if ".detection" in family:
        return Arguments(positional=([InputSpec(shape=(3, 800, 800))],))
    if ".optical_flow" in family:
        frame = InputSpec(shape=(1, 3, 520, 960))
        return Arguments(positional=(frame, frame))
    side = _side(getattr(preset, "crop_size", None) or getattr(preset, "resize_size", None))
    if ".video" in family:
        return Arguments(positional=(InputSpec(shape=(1, 3, _VIDEO_FRAMES, *side)),))
    return Arguments(positional=(InputSpec(shape=(1, 3, *side)),))


def _side(size: object) -> tuple[int, int]:
    sizes = [int(side) for side in size] if isinstance(size, (list, tuple)) else [_DEFAULT_SIDE]
    return (sizes[0], sizes[-1])


def timm_model(name: str, arguments: Mapping[str, object]) -> nn.Module:
    """A timm model by name, never pretrained. Raises `SourceError` for an unknown name."""
    timm = importlib.import_module("timm")
    if not timm.is_model(name):
        _check_known(name.partition(".")[0], timm.list_models(), "timm")
    _refuse_weights(arguments, ("pretrained", "checkpoint_path"))
    module = timm.create_model(name, pretrained=False, **arguments)
    assert isinstance(module, nn.Module)
    return module


def timm_inputs(module: nn.Module) -> Arguments:
    """The size in the model's own configuration."""
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None) or {}
    shape = config.get("test_input_size") if config.get("fixed_input_size") is None else None
    size = config.get("input_size") or shape or (3, _DEFAULT_SIDE, _DEFAULT_SIDE)
    return Arguments(positional=(InputSpec(shape=(1, *(int(side) for side in size))),))


def _check_known(name: str, known: list[str], library: str) -> None:
    if name not in known:
        close = get_close_matches(name, known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else f"see {library}'s list_models()"
        raise SourceError(f"{library} has no model '{name}'", hint=hint)


def _refuse_weights(arguments: Mapping[str, object], names: tuple[str, ...]) -> None:
    for name in names:
        if arguments.get(name):
            raise UsageError(
                f"'{name}' asks for pretrained weights, which convcost never loads",
                hint="leave it out: costs do not depend on the weights' values",
            )
