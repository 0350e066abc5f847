"""A decoder of 70 billion parameters, built and analyzed without weights: `python -m benchmarks.decoder`."""

from __future__ import annotations

import sys

import torch

import convcost
from tests.sources.torch.decoder import SEVENTY_BILLION, Decoder

TOKENS = 4096


def main() -> int:
    with torch.device("meta"):
        module = Decoder(SEVENTY_BILLION)
    totals = convcost.analyze(module, inputs=(torch.zeros(1, TOKENS, dtype=torch.int64),)).totals
    exact = (totals.params, totals.macs) == (SEVENTY_BILLION.params, SEVENTY_BILLION.macs(TOKENS))
    print(f"{totals.params:,} parameters, {totals.macs:,} MACs: {'exact' if exact else 'wrong'}")
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
