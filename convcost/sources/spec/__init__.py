"""Layer specs in YAML: one layer, a list of independent layers, or a sequential network."""

from __future__ import annotations

from convcost.sources.spec.alternatives import OptionValue, RequestedAlternative
from convcost.sources.spec.document import Spec, load_spec, read_spec

__all__ = ["OptionValue", "RequestedAlternative", "Spec", "load_spec", "read_spec"]
