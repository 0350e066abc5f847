"""Convolutions in the forms that counters get wrong."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by

from tests.conformance.case import Cases
from tests.sources.torch.networks import Calls

CASES = Cases()
CONV = "out positions * out channels * in channels per group * kernel taps"
TRANSPOSED = "in positions * in channels * out channels per group * kernel taps"


class _Blur(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("kernel", torch.full((4, 1, 3, 3), 1 / 9))

    def forward(self, x):
        return F.conv2d(x, self.kernel, groups=4)


class _MaskedDeformable(nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = nn.Conv2d(4, 18, 3, padding=1, bias=False)
        self.mask = nn.Conv2d(4, 9, 3, padding=1, bias=False)
        self.weight = nn.Parameter(torch.zeros(8, 2, 3, 3))

    def forward(self, x):
        mask, bias = self.mask(x).sigmoid(), x.new_zeros(8)
        geometry = (1, 1, 1, 1, 1, 1, 2, 1)
        return torch.ops.torchvision.deform_conv2d(x, self.weight, self.offset(x), mask, bias, *geometry, True)


CASES.add(
    "conv2d_unbatched",
    lambda: nn.Conv2d(3, 8, 3, bias=False),
    (3, 9, 9),
    says=CONV,
    macs="7*7 * 8 * 3 * 9",
    params="8*3*9",
)
CASES.add("conv1d_unbatched", lambda: nn.Conv1d(4, 6, 3), (4, 10), says=CONV, macs="8 * 6 * 4 * 3", params="6*4*3 + 6")
CASES.add(
    "conv2d_same_even",
    lambda: nn.Conv2d(3, 8, 4, padding="same", bias=False),
    (1, 3, 20, 20),
    says=CONV,
    macs="20*20 * 8 * 3 * 16",
    params="8*3*16",
)
CASES.add(
    "conv2d_same_dilated",
    lambda: nn.Conv2d(4, 8, 3, padding="same", dilation=3, bias=False),
    (1, 4, 10, 14),
    says=CONV,
    macs="10*14 * 8 * 4 * 9",
    params="8*4*9",
)
CASES.add(
    "conv2d_circular",
    lambda: nn.Conv2d(4, 8, 3, padding=1, padding_mode="circular", bias=False),
    (1, 4, 12, 12),
    says=CONV,
    macs="12*12 * 8 * 4 * 9",
    params="8*4*9",
)
CASES.add(
    "conv1d_reflect",
    lambda: nn.Conv1d(4, 8, 5, padding=2, padding_mode="reflect"),
    (2, 4, 15),
    says=CONV,
    macs="2*15 * 8 * 4 * 5",
    params="8*4*5 + 8",
)
CASES.add(
    "conv2d_uneven",
    lambda: nn.Conv2d(4, 8, (3, 5), stride=(2, 1), padding=(1, 4), dilation=(1, 2), groups=2),
    (1, 4, 16, 12),
    says=CONV,
    macs="8*12 * 8 * 2 * 15",
    params="8*2*15 + 8",
)
CASES.add(
    "conv3d_strided_groups",
    lambda: nn.Conv3d(4, 8, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1), groups=4, bias=False),
    (2, 4, 5, 8, 8),
    says=CONV,
    macs="2*5*4*4 * 8 * 1 * 9",
    params="8*1*9",
)
CASES.add(
    "conv_transpose1d",
    lambda: nn.ConvTranspose1d(8, 4, 5, stride=3, padding=1, output_padding=2, groups=4),
    (2, 8, 7),
    says=TRANSPOSED,
    macs="2*7 * 8 * 1 * 5",
    params="8*1*5 + 4",
)
CASES.add(
    "conv_transpose2d_depthwise",
    lambda: nn.ConvTranspose2d(8, 8, 3, stride=2, groups=8, bias=False),
    (1, 8, 6, 6),
    says=TRANSPOSED,
    macs="6*6 * 8 * 1 * 9",
    params="8*1*9",
)
CASES.add(
    "conv_transpose3d_dilated",
    lambda: nn.ConvTranspose3d(4, 6, 2, dilation=2, bias=False),
    (1, 4, 4, 5, 6),
    says=TRANSPOSED,
    macs="4*5*6 * 4 * 6 * 8",
    params="4*6*8",
)
CASES.add(
    "conv_transpose2d_output_size",
    lambda: Calls(lambda self, x: self.up(x, output_size=(12, 11)), up=nn.ConvTranspose2d(4, 6, 3, 2, 1, bias=False)),
    (1, 4, 6, 6),
    says=TRANSPOSED,
    macs="6*6 * 4 * 6 * 9",
    params="4*6*9",
)
CASES.add(
    "conv_tbc",
    lambda: Calls(
        lambda self, x: torch.conv_tbc(x, self.weight, self.bias, 1),
        weight=nn.Parameter(torch.zeros(3, 4, 6)),
        bias=nn.Parameter(torch.zeros(6)),
    ),
    (10, 2, 4),
    says="steps * batch * out channels * in channels * kernel taps",
    macs="10*2 * 6 * 4 * 3",
    params="3*4*6 + 6",
    exports=False,
)
CASES.add(
    "unfold_matmul",
    lambda: Calls(lambda self, x: self.weight @ F.unfold(x, 3), weight=nn.Parameter(torch.zeros(8, 36))),
    (1, 4, 8, 8),
    says="rows of the matrix * its columns * windows",
    macs="8 * 36 * 6*6",
    params="8*36",
)
CASES.add(
    "conv2d_kernel_in_a_buffer",
    _Blur,
    (1, 4, 8, 8),
    says=f"{CONV}; a buffer is no parameter",
    macs="6*6 * 4 * 1 * 9",
)
CASES.add(
    "conv2d_kernel_made_by_a_linear",
    lambda: Calls(
        lambda self, x, code: F.conv2d(x, self.hyper(code).view(8, 4, 3, 3)), hyper=nn.Linear(5, 288, bias=False)
    ),
    (1, 4, 8, 8),
    (5,),
    says=f"code * kernel elements + {CONV}",
    macs="5*288 + 6*6 * 8 * 4 * 9",
    params="5*288",
)
CASES.add(
    "deform_conv_masked_groups",
    _MaskedDeformable,
    (2, 4, 8, 8),
    says=f"offset and mask convolutions, then {CONV}; sampling is other ops",
    macs="2*8*8*18*4*9 + 2*8*8*9*4*9 + 2*8*8*8*2*9",
    params="18*4*9 + 9*4*9 + 8*2*9",
    exports=False,
)
CASES.add(
    "shared_conv_two_sizes",
    lambda: Calls(
        lambda self, x: self.conv(x).sum() + self.conv(F.max_pool2d(x, 2)).sum(),
        conv=nn.Conv2d(4, 4, 3, padding=1, bias=False),
    ),
    (1, 4, 16, 16),
    says=f"{CONV}, once for each size",
    macs="(16*16 + 8*8) * 4 * 4 * 9",
    params="4*4*9",
)
CASES.add(
    "conv2d_one_row_of_output",
    lambda: nn.Conv2d(4, 8, (7, 1), bias=False),
    (3, 4, 7, 5),
    says=CONV,
    macs="3*1*5 * 8 * 4 * 7",
    params="8*4*7",
)
