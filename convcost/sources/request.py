"""What a user asks a source to read, before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from convcost.dataclasses import dataclass
from convcost.graph import DType, Shape

ONNX_FILES = (".onnx", ".onnx.gz")
SPEC_FILES = (".yaml", ".yml")
ARCHIVES = (".pt2", ".pt", ".pth")
REPORTS = (".json",)
"""The endings that files of each kind are told by."""


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
    `pythonpath` is what this process may import from besides; another revision is given its own of these folders.
    """

    target: str
    inputs: tuple[InputSpec, ...] = ()
    dims: Mapping[str, int] = field(default_factory=dict)
    trust_pickle: bool = False
    pythonpath: tuple[str, ...] = ()
    label: str = ""


def without_arguments(target: str) -> str:
    """What a target is told by: the arguments of a factory may end like the name of a file.

    >>> without_arguments("net.py:build?config=a.yaml"), without_arguments("really?.yaml")
    ('net.py:build', 'really?.yaml')
    """
    place = target.partition("?")[0]
    return place if ":" in place else target


def is_spec(target: str) -> bool:
    """Whether a target is a spec file, by its look."""
    return without_arguments(target).endswith(SPEC_FILES)


def is_onnx(target: str) -> bool:
    """Whether a target is an ONNX file, packed or not, by its look."""
    return without_arguments(target).endswith(ONNX_FILES)


def is_archive(target: str) -> bool:
    """Whether a target is a program or module that torch saved, by its look."""
    return without_arguments(target).endswith(ARCHIVES)


def is_saved(target: str) -> bool:
    """Whether a target is a saved report, by its look; a model's configuration (`hf:config.json`) is none."""
    return without_arguments(target).endswith(REPORTS) and ":hf:" not in f":{target}"


def at_revision(target: str) -> tuple[str, str] | None:
    """The revision and the target of `git:REF:TARGET`; None for a target of the working tree."""
    scheme, _, rest = target.partition(":")
    revision, _, there = rest.partition(":")
    return (revision, there) if scheme == "git" and revision and there else None
