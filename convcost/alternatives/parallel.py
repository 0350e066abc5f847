"""What one of several devices holds, does and receives when they share a layer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Literal, NamedTuple, TypeAlias

from convcost.analysis import Json, Layer
from convcost.dataclasses import dataclass
from convcost.graph import Node
from convcost.graph.ops import Conv, ConvTranspose

Scheme: TypeAlias = Literal["data", "filter_group", "channel", "mixed"]
"""How work is split: by images, by a convolution's groups, by its output channels, or stage by stage by both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceShare:
    """One of `devices` devices, the busiest where the work does not divide.

    `input_bytes` and `activation_bytes` are what it reads of the layer's input and what it writes.
    `communication_bytes` is what it sends in a ring all-reduce of gradients (data), or what it receives in the forward
    pass until it has the whole output (the others).
    """

    scheme: Scheme
    devices: int
    macs: int
    params: int
    weight_bytes: int
    input_bytes: int
    activation_bytes: int
    communication: str
    communication_bytes: int

    @property
    def held_bytes(self) -> int:
        """Weights and maps together."""
        return self.weight_bytes + self.input_bytes + self.activation_bytes

    def to_json(self) -> dict[str, Json]:
        return {
            "scheme": self.scheme,
            "devices": self.devices,
            "macs": self.macs,
            "params": self.params,
            "weight_bytes": self.weight_bytes,
            "input_bytes": self.input_bytes,
            "activation_bytes": self.activation_bytes,
            "held_bytes": self.held_bytes,
            "communication": self.communication,
            "communication_bytes": self.communication_bytes,
        }


def device_shares(stages: Sequence[Layer], devices: int) -> tuple[DeviceShare, DeviceShare]:
    """The stages of one layer split by images, and split by channels."""
    return _by_images(stages, devices), _by_channels(stages, devices)


def add_shares(shares: Iterable[DeviceShare]) -> DeviceShare:
    """Several layers under one kind of split, one after the other on the same devices."""
    several = list(shares)
    schemes = {share.scheme for share in several}
    return DeviceShare(
        scheme=schemes.pop() if len(schemes) == 1 else "mixed",
        devices=several[0].devices,
        macs=sum(share.macs for share in several),
        params=sum(share.params for share in several),
        weight_bytes=sum(share.weight_bytes for share in several),
        input_bytes=sum(share.input_bytes for share in several),
        activation_bytes=sum(share.activation_bytes for share in several),
        communication=", ".join(dict.fromkeys(share.communication for share in several)),
        communication_bytes=sum(share.communication_bytes for share in several),
    )


def _by_images(stages: Sequence[Layer], devices: int) -> DeviceShare:
    """Each device takes its part of the batch with all weights, and gradients are added up over a ring."""
    data = stages[0].node.operands[0]
    axes = next(len(op.kernel) for op in map(_convolution, stages) if op is not None)
    batch = math.prod(data.shape[: -axes - 1])
    part = Fraction(-(-batch // devices), batch)
    weight_bytes = sum(stage.storage.weight_bytes for stage in stages)
    return DeviceShare(
        scheme="data",
        devices=devices,
        macs=_part_of(sum(stage.cost.macs for stage in stages), part),
        params=sum(stage.storage.params for stage in stages),
        weight_bytes=weight_bytes,
        input_bytes=_part_of(data.nbytes, part),
        activation_bytes=_part_of(sum(stage.activation_bytes for stage in stages), part),
        communication="gradient all-reduce",
        communication_bytes=_part_of(weight_bytes, Fraction(2 * (devices - 1), devices)),
    )


def _by_channels(stages: Sequence[Layer], devices: int) -> DeviceShare:
    """Each device makes its part of every stage's channels: whole groups where a stage has groups."""
    splits = [split for stage in stages if (split := _split(stage.node, devices)) is not None]
    steps = _steps(stages, devices)
    grouped = [split.is_grouped for split in splits]
    output = stages[-1].node.outputs[0].nbytes * stages[-1].node.repeat
    first = stages[0].node.operands[0]
    shared = list(zip(stages, steps, strict=True))
    return DeviceShare(
        scheme="filter_group" if all(grouped) else "mixed" if any(grouped) else "channel",
        devices=devices,
        macs=sum(_part_of(stage.cost.macs, step.part) for stage, step in shared),
        params=sum(_part_of(stage.storage.params, step.part) for stage, step in shared),
        weight_bytes=sum(_part_of(stage.storage.weight_bytes, step.part) for stage, step in shared),
        input_bytes=_part_of(first.nbytes, splits[0].part if splits[0].is_grouped else Fraction(1)),
        activation_bytes=sum(_part_of(stage.activation_bytes, step.part) for stage, step in shared),
        communication=", ".join(
            dict.fromkeys([*(step.means for step in steps if step.received), splits[-1].gathering])
        ),
        communication_bytes=sum(step.received for step in steps) + _part_of(output, 1 - steps[-1].part),
    )


class _Split(NamedTuple):
    part: Fraction
    is_grouped: bool

    @property
    def gathering(self) -> str:
        """What it is called when the parts come together."""
        return "concatenation" if self.is_grouped else "all-gather"


class _Step(NamedTuple):
    """The part of a stage's output that a device makes, the bytes it receives before, and what that is called."""

    part: Fraction
    received: int
    means: str


def _steps(stages: Sequence[Layer], devices: int) -> list[_Step]:
    """A dense stage reads the whole map, so a map that lies in parts is gathered first.

    A grouped one reads only its groups' channels: nothing moves before it if its parts are those that lie there,
    or if channels have just been sent to where they are read.
    """
    steps: list[_Step] = []
    held, arranged = Fraction(1), False
    for stage in stages:
        split = _split(stage.node, devices)
        arriving = stage.node.operands[0].nbytes * stage.node.repeat
        if split is None:
            # Channels change places: of the part it needs, a device has already what every other has too.
            missing = held * Fraction(devices - 1, devices) if held < 1 else Fraction(0)
            arranged = True
        else:
            fits = split.is_grouped and (arranged or held == split.part)
            missing = Fraction(0) if fits else 1 - held
            held, arranged = split.part, False
        steps.append(_Step(held, _part_of(arriving, missing), "all-gather" if split else "exchange"))
    return steps


def _convolution(stage: Layer) -> Conv | ConvTranspose | None:
    op = stage.node.op
    return op if isinstance(op, Conv | ConvTranspose) else None


def _split(node: Node, devices: int) -> _Split | None:
    """The busiest device's part of a stage's output channels, and whether it follows groups; None for movement."""
    op = node.op
    if not isinstance(op, Conv | ConvTranspose):
        return None
    units = op.groups if op.groups > 1 else op.out_channels
    return _Split(Fraction(-(-units // devices), units), op.groups > 1)


def _part_of(amount: int, part: Fraction) -> int:
    """Rounded up to a whole element or byte."""
    return math.ceil(amount * part)
