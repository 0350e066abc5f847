"""Small networks in which counters' rules come apart, and by whose names the models of libraries are asked about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by
from torch.nn.utils import prune
from torch.utils.checkpoint import checkpoint

Shapes: TypeAlias = tuple[tuple[int, ...], ...]

TORCHVISION = (
    *("alexnet", "vgg16", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "mobilenet_v2"),
    *("mobilenet_v3_large", "densenet121", "googlenet", "inception_v3", "squeezenet1_0", "shufflenet_v2_x1_0"),
    *("mnasnet1_0", "efficientnet_b0", "efficientnet_v2_s", "regnet_y_400mf", "convnext_tiny", "vit_b_16", "swin_t"),
    *("swin_v2_t", "maxvit_t"),
)
LARGER = {"inception_v3": 299}  # the side of the image, where it is not 224
TIMM = ("vit_tiny_patch16_224", "mixer_s32_224", "mobilenetv3_small_050", "resnetv2_50")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What builds it, and the shapes of its inputs."""

    build: Callable[[], nn.Module]
    inputs: Shapes


class Modules(nn.Sequential):
    """Every kind of module that some counter has a rule for, on images."""

    def __init__(self, *, bias: bool = True, scale: bool = True) -> None:
        super().__init__(
            nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect", bias=bias),
            nn.BatchNorm2d(6, affine=scale),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.ConvTranspose2d(6, 4, 3, stride=2, groups=2, bias=bias),
            nn.InstanceNorm2d(4, affine=scale),
            nn.LeakyReLU(),
            nn.AvgPool2d(2),
            nn.GroupNorm(2, 4, affine=scale),
            nn.PReLU(4),
            nn.Upsample(scale_factor=2),
            nn.ELU(),
            nn.Upsample(size=(9, 7), mode="bilinear"),
            nn.SiLU(),
            nn.Conv2d(4, 4, 3, groups=4, bias=bias),
            nn.ReLU6(),
            nn.AdaptiveMaxPool2d(4),
            nn.GELU(),
            nn.AdaptiveAvgPool2d((3, 2)),
            nn.Softmax(1),
            nn.Flatten(),
            nn.LayerNorm(24, elementwise_affine=scale),
            nn.Hardswish(),
            nn.Linear(24, 5, bias=bias),
        )


class Volumes(nn.Sequential):
    """The same in one and three dimensions."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv3d(2, 4, 3),
            nn.BatchNorm3d(4),
            nn.ConvTranspose3d(4, 2, 2, stride=2),
            nn.MaxPool3d(2),
            nn.AvgPool3d(2),
            nn.AdaptiveAvgPool3d(2),
            nn.Flatten(2),
            nn.Conv1d(2, 3, 3),
            nn.BatchNorm1d(3),
            nn.ConvTranspose1d(3, 4, 2),
            nn.Upsample(scale_factor=2, mode="linear"),
            nn.AdaptiveAvgPool1d(5),
            nn.Linear(5, 4),
        )


class Functions(nn.Module):
    """Work that no module does, written in every way there is."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.matrix = nn.Parameter(torch.ones(4, 4, 3, 3)), nn.Parameter(torch.ones(6, 6))
        self.held = F.relu

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(F.conv2d(x, self.kernel, padding=1))
        x = torch.relu(x) + x.relu()
        x = torch.add(x, x) * x
        x = x.mul(2).add(x)
        x += x
        x = self.held(F.max_pool2d(x, 2))
        x = F.interpolate(F.avg_pool2d(x, 2), size=(6, 6))
        x = torch.matmul(x, self.matrix) @ self.matrix
        x = x.matmul(self.matrix)
        x = F.softmax(F.gelu(x), -1).softmax(-1)
        x = torch.bmm(x[0], x[0]) + torch.baddbmm(x[0], x[0], x[0])
        x = F.linear(F.layer_norm(F.silu(x), (6,)), self.matrix)
        return torch.addmm(self.matrix, x[0], self.matrix) + F.adaptive_avg_pool2d(x, 1)


class Attention(nn.Module):
    """Attention of one sequence to itself and to another, by the module."""

    def __init__(self, *, need_weights: bool, bias: bool = True) -> None:
        super().__init__()
        self.own = nn.MultiheadAttention(8, 2, bias=bias, batch_first=True)
        self.cross = nn.MultiheadAttention(8, 4, bias=bias, batch_first=True)
        self.need_weights = need_weights

    def forward(self, x: Tensor) -> Tensor:
        x = self.own(x, x, x, need_weights=self.need_weights)[0]
        return self.cross(x, x[:, :3], x[:, :3], need_weights=self.need_weights)[0]


class Recurrence(nn.Module):
    """Layers and cells, one after another."""

    def __init__(self, *, bias: bool = True) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 4, num_layers=2, bidirectional=True, bias=bias, batch_first=True)
        self.gru, self.rnn = nn.GRU(8, 5, bias=bias), nn.RNN(5, 3, bias=bias)
        self.cells = nn.ModuleList([nn.LSTMCell(3, 4, bias), nn.GRUCell(4, 2, bias), nn.RNNCell(2, 3, bias)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.rnn(self.gru(self.lstm(x)[0])[0])[0][:, 0]
        for cell in self.cells:
            x = state[0] if isinstance(state := cell(x), tuple) else state
        return x


class Shared(nn.Module):
    """One convolution under two parents, called by each."""

    def __init__(self) -> None:
        super().__init__()
        conv = nn.Conv2d(3, 3, 3, padding=1)
        self.first, self.second = nn.Sequential(conv, nn.ReLU()), nn.Sequential(conv)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


class Own(nn.Module):
    """Subclasses of modules, and modules of one's own."""

    class Conv(nn.Conv2d):
        pass

    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.weight

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.scale, self.table = Own.Conv(3, 4, 3), Own.Scale(), nn.Embedding(7, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.scale(self.conv(x).flatten(2).transpose(1, 2))
        return torch.einsum("btc,bsc->bts", x, x) @ self.table(torch.zeros(2, 4, dtype=torch.long))[:, :1].repeat(
            1, 4, 1
        )


class Norms(nn.Module):
    """Normalisations as functions: by what statistics, scaled by what, and shifted alone."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(4))
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("variance", torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        factors, running = (self.scale * 2, self.shift * 2), (self.mean, self.variance)
        for scaled in (
            (None, None),
            (self.scale, self.shift),
            (None, self.shift),
            (self.scale, None),
            factors,
            running,
        ):
            x = F.batch_norm(x, *running, *scaled)
            x = F.group_norm(x, 2, *scaled)
            x = F.layer_norm(x, (4,), *scaled)
        for scaled in ((None, None), (self.scale, self.shift), (factors[0], None), (None, factors[1])):
            x = F.batch_norm(x, None, None, *scaled, training=True)
        x = F.instance_norm(F.instance_norm(x, None, None, *factors), bias=self.shift)
        return F.instance_norm(x, *running, use_input_stats=False)


class Standardised(nn.Module):
    """Convolutions whose kernels are worked out from their parameters, by a subclass and by a hook."""

    class Conv(nn.Conv2d):
        def __init__(self) -> None:
            super().__init__(4, 6, 3)
            self.gain = nn.Parameter(torch.ones(6))

        def forward(self, x: Tensor) -> Tensor:
            rows = self.weight.reshape(1, 6, -1)
            kernels = F.batch_norm(rows, None, None, weight=self.gain, training=True).reshape_as(self.weight)
            return F.conv2d(F.pad(x, (1, 1, 1, 1)), kernels, self.bias)

    def __init__(self) -> None:
        super().__init__()
        self.own, self.hooked = Standardised.Conv(), nn.utils.weight_norm(nn.Conv2d(6, 5, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.hooked(self.own(x))


def _pruned() -> nn.Module:
    return nn.Sequential(prune.random_unstructured(nn.Linear(4, 8), "weight", amount=0.25))


class Tables(nn.Module):
    """Rows looked up one by one, in a list, in a batch of lists and in bags."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.several, self.batch = (nn.Embedding(10, 4) for _ in range(3))
        self.bags = nn.EmbeddingBag(10, 4)

    def forward(self, x: Tensor) -> Tensor:
        rows = torch.zeros(2, 6, dtype=torch.int64, device=x.device)
        one, several, batch = self.one(rows[0, 0]), self.several(rows[0]), self.batch(rows)
        return x + one + several.sum(0) + batch.sum((0, 1)) + self.bags(rows).sum(0)


class Powers(nn.Module):
    """Pooling by the mean of powers, by module and by function, and by the largest."""

    def __init__(self) -> None:
        super().__init__()
        self.square = nn.LPPool2d(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        rows = F.lp_pool1d(x.flatten(0, 1), 2.0, 3)
        return self.square(x).sum() + rows.sum() + F.lp_pool2d(x, float("inf"), 2).sum()


class NormsByPlace(nn.Module):
    """The same functions by the names under which they take their tensors by place: which is which, nobody says."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.layer_norm(torch.group_norm(x, 2, None, self.shift), (4,), None, self.shift)


class Unused(nn.Module):
    """Layers whose results reach no output, one directly, and layers that write where something is read later."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(6))
        self.norm = nn.LayerNorm(4)
        self.register_buffer("state", torch.zeros(2, 4))

    def forward(self, x: Tensor) -> Tensor:
        first, second, third, fourth, fifth, sixth = self.layers
        self.norm(second(first(x)))
        self.state.add_(third(x))
        result = fourth(x)
        result[0].mul_(fifth(x)[0])
        doubled = result * 2
        result.add_(sixth(x))
        return doubled


class AskedForItsSize(nn.Module):
    """A layer of whose result only the size is used."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(x).view(self.first(x).shape)


class Query(nn.Module):
    """A module that holds what it gives, and runs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.weight_of_all = nn.Parameter(torch.ones(5, 4)), nn.Parameter(torch.ones(3))

    def forward(self) -> Tensor:
        return self.weight


class Asking(nn.Module):
    """Parameters that modules give as they are, called once and twice, and whose result is of no use."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.again, self.linear = Query(), Query(), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        self.again()
        result: Tensor = self.linear(x) @ self.query().T + self.again().sum()
        return result


class Silent(nn.Module):
    """A network that keeps to itself what it finds out."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 8)

    def forward(self, x: Tensor) -> None:
        self.linear(x)


class Complex(nn.Module):
    """Layers and functions of complex numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 6, 3, dtype=torch.complex64)
        self.grouped = nn.Conv2d(6, 6, 3, groups=3, bias=False, dtype=torch.complex64)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2, dtype=torch.complex64)
        self.linear = nn.Linear(8, 5, dtype=torch.complex64)
        self.weight = nn.Parameter(torch.zeros(5, 3, dtype=torch.complex64))

    def forward(self, x: Tensor) -> Tensor:
        x = self.linear(self.up(self.grouped(self.conv(torch.complex(x, x))))[..., :8])
        return F.linear(x @ self.weight, self.weight)


class Checkpointed(nn.Module):
    """A part that is run again for its gradients, which is why torch takes every operator apart before it is seen."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm, self.recurrent = nn.Linear(4, 4), nn.LayerNorm(4), nn.LSTM(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.recurrent(self.norm(checkpoint(self.linear, x, use_reentrant=False)))[0]
        return F.scaled_dot_product_attention(result, result, result)


@dataclass(frozen=True, slots=True)
class _Encoder:
    activation: str = field(default="relu")

    def __call__(self) -> nn.Module:
        layer = nn.TransformerEncoderLayer(8, 2, 16, activation=self.activation, batch_first=True)
        return nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


IMAGE = ((1, 4, 12, 12),)
NETWORKS = {
    "modules": Network(build=Modules, inputs=IMAGE),
    "modules_in_a_batch": Network(build=Modules, inputs=((3, 4, 12, 12),)),
    "modules_without_bias": Network(build=lambda: Modules(bias=False, scale=False), inputs=IMAGE),
    "volumes": Network(build=Volumes, inputs=((2, 2, 8, 8, 8),)),
    "functions": Network(build=Functions, inputs=IMAGE),
    "functions_in_a_batch": Network(build=Functions, inputs=((2, 4, 12, 12),)),
    "attention": Network(build=lambda: Attention(need_weights=False), inputs=((2, 5, 8),)),
    "attention_with_weights": Network(build=lambda: Attention(need_weights=True), inputs=((1, 5, 8),)),
    "attention_without_bias": Network(build=lambda: Attention(need_weights=False, bias=False), inputs=((1, 5, 8),)),
    "encoder": Network(build=_Encoder(), inputs=((2, 5, 8),)),
    "encoder_with_gelu": Network(build=_Encoder("gelu"), inputs=((1, 5, 8),)),
    "recurrence": Network(build=Recurrence, inputs=((2, 3, 6),)),
    "recurrence_without_bias": Network(build=lambda: Recurrence(bias=False), inputs=((1, 3, 6),)),
    "shared": Network(build=Shared, inputs=((1, 3, 5, 5),)),
    "own": Network(build=Own, inputs=((2, 3, 4, 4),)),
    "standardised": Network(build=Standardised, inputs=IMAGE),
    "pruned": Network(build=_pruned, inputs=((2, 4),)),
    "checkpointed": Network(build=Checkpointed, inputs=((2, 3, 4),)),
    "complex": Network(build=Complex, inputs=((2, 4, 12, 12),)),
    "tables": Network(build=Tables, inputs=((2, 4),)),
    "powers": Network(build=Powers, inputs=((1, 3, 6, 8),)),
    "unused": Network(build=Unused, inputs=((2, 4),)),
    "asking": Network(build=Asking, inputs=((2, 4),)),
    "silent": Network(build=Silent, inputs=((2, 4),)),
    "asked_for_its_size": Network(build=AskedForItsSize, inputs=((2, 4),)),
    "norms": Network(build=Norms, inputs=((2, 4, 4, 4),)),
    "norms_by_place": Network(build=NormsByPlace, inputs=((2, 4, 4, 4),)),
}
