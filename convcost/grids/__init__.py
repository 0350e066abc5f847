"""Design spaces: a layer's attributes along axes, every combination under every alternative, counted with NumPy."""

from __future__ import annotations

from convcost.grids.axes import Grid
from convcost.grids.evaluate import Block, evaluate
from convcost.grids.rows import Rows
from convcost.grids.summary import GridSummary, Tally

__all__ = ["Block", "Grid", "GridSummary", "Rows", "Tally", "evaluate"]
