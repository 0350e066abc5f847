"""Fuzzing of everything that reads what strangers write: one module a door, one table of them.

`make fuzz` runs each under atheris; `tests/nasty/` runs the same checks on fixed files and under Hypothesis.
"""

from __future__ import annotations

from collections.abc import Mapping

DOORS: Mapping[str, str] = {
    "onnx": "fuzz.onnx_files",
    "spec": "fuzz.specs",
    "config": "fuzz.configs",
    "values": "fuzz.option_values",
    "diff": "fuzz.reports",
}
"""Each module has a `DOOR`; loaded when it is asked for, so that atheris can watch what it imports."""
