"""convcost: what a neural network costs, and what its layers could cost instead."""

from __future__ import annotations

__version__ = "0.1.0"
