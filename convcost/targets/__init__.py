"""Anything a user may name to its analysis: a model is read and counted, a saved report is read back."""

from __future__ import annotations

from convcost.targets.analyze import analysis_of
from convcost.targets.several import Failure, analyses_of, outcomes_of

__all__ = ["Failure", "analyses_of", "analysis_of", "outcomes_of"]
