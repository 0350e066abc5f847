"""MobileNetV2 as it is, and as it is after one depthwise layer lost its groups: the bug that a total hides."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import nn

import convcost
from convcost.analysis import Analysis

SHAPE = (1, 3, 224, 224)


def _analyze(change: Callable[[nn.Module], None] = lambda network: None) -> Analysis:
    with torch.device("meta"):
        network = torchvision.models.mobilenet_v2()
        change(network)
    return convcost.analyze(network, inputs=(SHAPE,))


@pytest.fixture(scope="session")
def mobilenet() -> Analysis:
    return _analyze()


@pytest.fixture(scope="session")
def mobilenet_without_groups() -> Analysis:
    def drop_groups(network: nn.Module) -> None:
        layer = network.features[2].conv[1]
        old = layer[0]
        layer[0] = nn.Conv2d(old.in_channels, old.out_channels, 3, stride=2, padding=1, bias=False)

    return _analyze(drop_groups)


@pytest.fixture(scope="session")
def mobilenet_folded() -> Analysis:
    def fold(network: nn.Module) -> None:
        for module in [each for each in network.modules() if isinstance(each, nn.Sequential)]:
            for conv, norm in zip(range(len(module)), range(1, len(module)), strict=False):
                if isinstance(module[conv], nn.Conv2d) and isinstance(module[norm], nn.BatchNorm2d):
                    module[conv].bias = nn.Parameter(torch.zeros(module[conv].out_channels))
                    module[norm] = nn.Identity()

    return _analyze(fold)
