"""A decoder of the Llama kind in plain torch layers, and what it costs by hand."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """As the configuration of such a network names them; `width` is that of one token between the layers."""

    layers: int
    width: int
    hidden: int
    heads: int
    key_heads: int
    vocabulary: int

    @property
    def head(self) -> int:
        return self.width // self.heads

    @property
    def layer_params(self) -> int:
        """Query and output, key and value, three of the gated feed-forward; two norms."""
        attention = 2 * self.width * self.width + 2 * self.width * self.key_heads * self.head
        return attention + 3 * self.width * self.hidden + 2 * self.width

    @property
    def params(self) -> int:
        """The layers, the last norm, the embedding, and an output layer of its own."""
        return self.layers * self.layer_params + self.width + 2 * self.vocabulary * self.width

    def macs(self, tokens: int) -> int:
        """Every matrix once for each token but the embedding, which is looked up; and all scores of all heads twice."""
        matrices = self.layers * (self.layer_params - 2 * self.width) + self.vocabulary * self.width
        return tokens * matrices + self.layers * 2 * tokens * tokens * self.width


SEVENTY_BILLION = Sizes(layers=80, width=8192, hidden=28672, heads=64, key_heads=8, vocabulary=128256)


class Attention(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.query = nn.Linear(sizes.width, sizes.width, bias=False)
        self.key = nn.Linear(sizes.width, sizes.key_heads * sizes.head, bias=False)
        self.value = nn.Linear(sizes.width, sizes.key_heads * sizes.head, bias=False)
        self.out = nn.Linear(sizes.width, sizes.width, bias=False)

    def forward(self, x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        q, k, v = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(turned(q, turns), turned(k, turns), v, is_causal=True, enable_gqa=True)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def split(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (-1, self.sizes.head)).transpose(1, 2)


def turned(x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
    """Every pair of a head's channels rotated by the token's angle."""
    left, right = x.chunk(2, dim=-1)
    return x * turns.cos() + torch.cat([-right, left], dim=-1) * turns.sin()


class Layer(nn.Module):
    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.before_attention, self.before_forward = nn.RMSNorm(sizes.width), nn.RMSNorm(sizes.width)
        self.attention = Attention(sizes)
        self.gate, self.up = (nn.Linear(sizes.width, sizes.hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(sizes.hidden, sizes.width, bias=False)

    def forward(self, x: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.before_attention(x), turns)
        y = self.before_forward(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Decoder(nn.Module):
    """Takes token numbers, gives a score for every word of the vocabulary at every token."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.embedding = nn.Embedding(sizes.vocabulary, sizes.width)
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.layers))
        self.norm = nn.RMSNorm(sizes.width)
        self.scores = nn.Linear(sizes.width, sizes.vocabulary, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        rates = 1 / 500_000 ** (torch.arange(0, self.sizes.head, 2, device=tokens.device) / self.sizes.head)
        turns = torch.outer(torch.arange(tokens.shape[1], device=tokens.device), rates).repeat(1, 2)
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, turns)
        return self.scores(self.norm(x))
