"""What a user asks a source to read, before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from convcost.graph import DType, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """One `--input [NAME=]1x3x224x224[:dtype]`; without a name, inputs are taken in order."""

    shape: Shape
    name: str | None = None
    dtype: DType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A target with the input shapes and symbolic dimensions to read it at.

    `label` is what complaints call it where it is one of several: its line in a config, and its name there.
    `trust_pickle` lets a pickled module run whatever code its file names; only the person who runs convcost may say so.
    """

    target: str
    inputs: tuple[InputSpec, ...] = ()
    dims: Mapping[str, int] = field(default_factory=dict)
    trust_pickle: bool = False
    label: str = ""


def is_saved(target: str) -> bool:
    """Whether a target is a saved report, by its look; a model's configuration (`hf:config.json`) is none."""
    return target.endswith(".json") and not target.startswith("hf:")
