"""Networks of many families, small, through PyTorch and through an exported file: the same MACs in every layer.

Width, depth and image size change nothing in how a family's layers are captured, exported, named and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import nn
from torchvision import models

from convcost.analysis import Analysis, analyze_graph
from convcost.graph import DType
from convcost.graph.ops import Recurrent
from convcost.sources import InputSpec, Request
from convcost.sources.onnx import load_onnx
from convcost.sources.torch import graph_of
from tests.test_sources_agree import macs_by_layer

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

DYNAMO, TORCHSCRIPT = True, False


class Family(NamedTuple):
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    layers: int
    exporter: bool = TORCHSCRIPT
    dtype: torch.dtype = torch.float32


class UNet(nn.Module):
    """Down twice, up twice, with what was there on the way down beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList([unet_block(3, 4), unet_block(4, 8)])
        self.middle = unet_block(8, 16)
        self.up = nn.ModuleList([nn.ConvTranspose2d(16, 8, 2, stride=2), nn.ConvTranspose2d(8, 4, 2, stride=2)])
        self.joined = nn.ModuleList([unet_block(16, 8), unet_block(8, 4)])
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first = self.down[0](x)
        second = self.down[1](nn.functional.max_pool2d(first, 2))
        x = self.middle(nn.functional.max_pool2d(second, 2))
        for beside, up, joined in zip((second, first), self.up, self.joined, strict=True):
            x = joined(torch.cat([up(x), beside], dim=1))
        return self.head(x)


def unet_block(before: int, after: int) -> nn.Sequential:
    norm = nn.BatchNorm2d(after)
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1, bias=False), norm, nn.ReLU(inplace=True))


class Tagger(nn.Module):
    """Recurrent layers, stacked and in both directions."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(12, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.gru(self.lstm(x)[0])[0])


def resnext() -> nn.Module:
    return models.ResNet(models.resnet.Bottleneck, [1, 1, 1, 1], groups=4, width_per_group=2, num_classes=5)


def densenet() -> nn.Module:
    return models.DenseNet(growth_rate=4, block_config=(2, 2), num_init_features=8, num_classes=5)


def shufflenet() -> nn.Module:
    return models.ShuffleNetV2([1, 1, 1], [8, 16, 32, 64, 64], num_classes=5)


def efficientnet() -> nn.Module:
    config = models.efficientnet.MBConvConfig
    blocks = [config(1, 3, 1, 8, 8, 1, 1, 1), config(6, 5, 2, 8, 16, 1, 1, 1)]
    return models.EfficientNet(blocks, dropout=0.2, num_classes=5)


def mobilenet_v3() -> nn.Module:
    config = models.mobilenetv3.InvertedResidualConfig
    blocks = [config(8, 3, 16, 8, True, "RE", 2, 1, 1), config(8, 5, 24, 16, False, "HS", 1, 2, 1)]
    return models.MobileNetV3(blocks, last_channel=32, num_classes=5)


def regnet() -> nn.Module:
    params = models.regnet.BlockParams.from_init_params(depth=4, w_0=8, w_a=4.0, w_m=2.0, group_width=8, se_ratio=0.25)
    return models.RegNet(params, num_classes=5)


def convnext() -> nn.Module:
    config = models.convnext.CNBlockConfig
    return models.ConvNeXt([config(8, 16, 1), config(16, None, 1)], num_classes=5)


def swin() -> nn.Module:
    return models.SwinTransformer([4, 4], 8, [2, 1], [2, 2], [4, 4], num_classes=5)


def video() -> nn.Module:
    from torchvision.models.video import resnet

    return resnet.VideoResNet(resnet.BasicBlock, [resnet.Conv3DSimple] * 4, [1] * 4, resnet.BasicStem, num_classes=5)


def transformer_encoder() -> nn.Module:
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 2)


def bert() -> nn.Module:
    from transformers import BertConfig, BertModel

    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    return BertModel(BertConfig(vocab_size=20, **size))


def gpt2() -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=20, n_positions=16, use_cache=False))


def llama() -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    size = {"hidden_size": 16, "num_hidden_layers": 1, "intermediate_size": 32, "vocab_size": 20}
    return LlamaForCausalLM(LlamaConfig(**size, **heads, use_cache=False))


IMAGE, TOKENS = (1, 3, 32, 32), (1, 8)

FAMILIES = {
    "squeezenet": Family(lambda: models.squeezenet1_1(num_classes=5), IMAGE, 26),
    "resnext": Family(resnext, IMAGE, 18),
    "densenet": Family(densenet, IMAGE, 11),
    "shufflenet": Family(shufflenet, IMAGE, 18),
    "efficientnet": Family(efficientnet, IMAGE, 12),
    "mobilenet_v3": Family(mobilenet_v3, IMAGE, 12),
    "regnet": Family(regnet, IMAGE, 24),
    "convnext": Family(convnext, IMAGE, 9),
    "swin": Family(swin, IMAGE, 18),
    "unet": Family(UNet, IMAGE, 8),
    "video": Family(video, (1, 3, 4, 16, 16), 13),
    "recurrent": Family(Tagger, (2, 4, 8), 3),
    "transformer_encoder": Family(transformer_encoder, (2, 4, 16), 10),
    "bert": Family(bert, TOKENS, 8, DYNAMO, torch.int64),
    "gpt2": Family(gpt2, TOKENS, 6, DYNAMO, torch.int64),
    "llama": Family(llama, TOKENS, 9, DYNAMO, torch.int64),
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_layer_is_equal_by_name(family: Family, tmp_path: Path) -> None:
    module = distinct(family.build().eval())
    captured = analyze_graph(graph_of(module, (InputSpec(shape=family.shape, dtype=DType(str(family.dtype)[6:])),)))
    exported = exported_as_a_file(module, family, tmp_path)
    named = layers(captured)
    assert len(named) == family.layers
    assert layers(exported) == named
    assert (captured.unknown, exported.unknown) == ((), ())


def layers(analysis: Analysis) -> Counter[str]:
    """Exporters write a stack of recurrent layers as one operator for each, of the same module."""
    recurrent = {layer.name for layer in analysis.layers if isinstance(layer.node.op, Recurrent)}
    found: Counter[str] = Counter()
    for name, macs in macs_by_layer(analysis).items():
        found[name.partition(".recurrent")[0] if name in recurrent else name] += macs
    return found


def distinct(module: nn.Module) -> nn.Module:
    """No two tensors equal: exporters store equal ones once."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return module


def exported_as_a_file(module: nn.Module, family: Family, folder: Path) -> Analysis:
    path = folder / "network.onnx"
    example = torch.zeros(family.shape, dtype=family.dtype)
    torch.onnx.export(module, (example,), str(path), dynamo=family.exporter, verbose=False)
    return analyze_graph(load_onnx(Request(target=str(path))))
