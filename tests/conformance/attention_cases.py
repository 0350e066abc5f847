"""Attention by module, by function, by hand and through torch's fused kernels."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by

from tests.conformance.case import Cases
from tests.sources.torch.networks import Calls

CASES = Cases()
SELF = "q, k, v and out projections: 4 * tokens * E²; scores and mixing: 2 * batch * L * S * E"
ENCODER = f"{SELF}; feed-forward: 2 * tokens * E * F"


def attending(need_weights: bool = False, **options):
    def build():
        attention = nn.MultiheadAttention(32, 4, batch_first=True, **options)
        return Calls(lambda self, q, k, v: self.attention(q, k, v, need_weights=need_weights)[0], attention=attention)

    return build


def attending_to_itself(need_weights: bool):
    attention = nn.MultiheadAttention(32, 4, batch_first=True)
    return Calls(lambda self, x: self.attention(x, x, x, need_weights=need_weights)[0], attention=attention)


def _attend_on_values(self, x):
    with torch.no_grad():
        return F.scaled_dot_product_attention(x, x, x) if x.sum() > 0 else x


class _FusedEncoder(nn.Module):
    """Calls the kernel of the fast path itself, which no setting can turn off."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, x):
        layer, attention = self.layer, self.layer.self_attn
        return torch._transformer_encoder_layer_fwd(
            x, 8, 2, attention.in_proj_weight, attention.in_proj_bias, attention.out_proj.weight,
            attention.out_proj.bias, False, False, 1e-5, layer.norm1.weight, layer.norm1.bias,
            layer.norm2.weight, layer.norm2.bias, layer.linear1.weight, layer.linear1.bias,
            layer.linear2.weight, layer.linear2.bias,
        )  # fmt: skip


CASES.add(
    "mha_need_weights",
    lambda: attending_to_itself(True),
    (1, 10, 32),
    says=SELF,
    macs="4*10*32*32 + 2*10*10*32",
    params="4*32*32 + 4*32",
)
CASES.add(
    "mha_unbatched",
    lambda: attending_to_itself(False),
    (10, 32),
    says=SELF,
    macs="4*10*32*32 + 2*10*10*32",
    params="4*32*32 + 4*32",
)
CASES.add(
    "mha_cross",
    attending(),
    (2, 5, 32),
    (2, 7, 32),
    (2, 7, 32),
    says="q and out on L, k and v on S: 2 * batch * (L + S) * E²; scores and mixing: 2 * batch * L * S * E",
    macs="2*2*(5+7)*32*32 + 2*2*5*7*32",
    params="4*32*32 + 4*32",
)
CASES.add(
    "mha_kdim_vdim",
    attending(kdim=16, vdim=24),
    (2, 5, 32),
    (2, 7, 16),
    (2, 7, 24),
    says="tokens * in * E for q, k, v and out; 2 * batch * L * S * E",
    macs="2*5*32*32 + 2*7*16*32 + 2*7*24*32 + 2*5*32*32 + 2*2*5*7*32",
    params="32*32 + 16*32 + 24*32 + 32*32 + 4*32",
)
CASES.add(
    "mha_bias_and_zero_keys",
    attending(add_bias_kv=True, add_zero_attn=True),
    (2, 5, 32),
    (2, 7, 32),
    (2, 7, 32),
    says="as cross attention, but two more keys: S = 7 + 2 after the projections",
    macs="2*2*(5+7)*32*32 + 2*2*5*9*32",
    params="4*32*32 + 4*32 + 2*32",
)
CASES.add(
    "sdpa_gqa",
    lambda: Calls(lambda self, q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True)),
    (1, 8, 5, 16),
    (1, 2, 7, 16),
    (1, 2, 7, 16),
    says="batch * query heads * L * S * (E + E_v)",
    macs="1*8 * 5 * 7 * (16 + 16)",
)
CASES.add(
    "sdpa_wider_values",
    lambda: Calls(lambda self, q, k, v: F.scaled_dot_product_attention(q, k, v)),
    (2, 4, 10, 16),
    (2, 4, 14, 16),
    (2, 4, 14, 24),
    says="batch * heads * L * S * (E + E_v)",
    macs="2*4 * 10 * 14 * (16 + 24)",
)
CASES.add(
    "sdpa_masked",
    lambda: Calls(lambda self, q, m: F.scaled_dot_product_attention(q, q, q, attn_mask=m)),
    (2, 4, 10, 16),
    (10, 10),
    says="dense, whatever the mask hides: batch * heads * L² * (E + E_v)",
    macs="2*4 * 10 * 10 * (16 + 16)",
)
CASES.add(
    "sdpa_no_grad_on_values",
    lambda: Calls(_attend_on_values),
    torch.ones(2, 4, 10, 16),
    says="the CPU's flash kernel is the same work: batch * heads * L² * (E + E_v)",
    macs="2*4 * 10 * 10 * (16 + 16)",
    exports=False,
)
CASES.add(
    "attention_by_hand",
    lambda: Calls(lambda self, q, k, v: (q @ k.transpose(-1, -2) / 4).softmax(-1) @ v),
    (2, 4, 10, 16),
    (2, 4, 14, 16),
    (2, 4, 14, 24),
    says="batch * heads * L * S * (E + E_v)",
    macs="2*4 * 10 * 14 * (16 + 24)",
)
CASES.add(
    "encoder_layer",
    lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
    (2, 5, 8),
    says=ENCODER,
    macs="4*10*8*8 + 2*2*5*5*8 + 2*10*8*16",
    params="4*8*8 + 4*8 + 2*8*16 + 16 + 8 + 4*8",
)
CASES.add(
    "encoder_fast_path_on_values",
    lambda: Calls(
        lambda self, x: self.encoder(x) if x.sum() > 0 else x,
        encoder=nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2),
    ),
    torch.ones(2, 5, 8),
    says=f"two layers of: {ENCODER}",
    macs="2 * (4*10*8*8 + 2*2*5*5*8 + 2*10*8*16)",
    params="2 * (4*8*8 + 4*8 + 2*8*16 + 16 + 8 + 4*8)",
    exports=False,
)
CASES.add(
    "encoder_fused_kernel",
    _FusedEncoder,
    torch.ones(2, 5, 8),
    says=ENCODER,
    macs="4*10*8*8 + 2*2*5*5*8 + 2*10*8*16",
    params="4*8*8 + 4*8 + 2*8*16 + 16 + 8 + 4*8",
    exports=False,
)
CASES.add(
    "decoder_layer",
    lambda: nn.TransformerDecoderLayer(8, 2, 16, batch_first=True),
    (2, 5, 8),
    (2, 7, 8),
    says="self attention on L, cross attention on L and S, feed-forward on L",
    macs="4*10*8*8 + 2*2*5*5*8 + 2*(10+14)*8*8 + 2*2*5*7*8 + 2*10*8*16",
    params="2*(4*8*8 + 4*8) + 2*8*16 + 16 + 8 + 6*8",
)
