"""The config file that holds here: found by walking up, or named."""

from __future__ import annotations

import os
from pathlib import Path

from convcost.budgets.config import Config, ModelEntry, read_config
from convcost.budgets.settings import variable
from convcost.errors import UsageError
from convcost.located import parse_yaml, read_text
from convcost.located.toml import parse_toml
from convcost.sources.request import InputSpec, Request

NAMES = ("convcost.yaml", "convcost.yml")
PYPROJECT = "pyproject.toml"
_TABLE = ("tool", "convcost")
NO_CONFIG = Config(settings={})


def load_config(named: str | None, *, isolated: bool) -> Config:
    """The config named on the command line or in the environment, else the nearest one; raises `ConvcostError`."""
    if isolated:
        if named is not None:
            raise UsageError("--config and --isolated contradict each other", hint="leave one of them out")
        return NO_CONFIG
    named = named or os.environ.get(variable("config")) or None
    path = Path(named) if named is not None else find_config(Path.cwd())
    return NO_CONFIG if path is None else _read(path)


def find_config(start: Path) -> Path | None:
    """The first convcost.yaml, or pyproject.toml with a [tool.convcost], from a folder up to the repository's root."""
    for folder in (start, *start.parents):
        found = [folder / name for name in NAMES if (folder / name).is_file()]
        if (folder / PYPROJECT).is_file() and _has_table(folder / PYPROJECT):
            found.append(folder / PYPROJECT)
        if len(found) > 1:
            raise UsageError(f"{_label(found[0])} and {_label(found[1])} both hold a config", hint="keep one of them")
        if found:
            return found[0]
        if (folder / ".git").exists():
            return None
    return None


def request_for(entry: ModelEntry, config: Config) -> Request:
    """The model of a config as a source reads it, its path made relative to where we are."""
    target = entry.target
    if entry.is_file and not target.startswith("git:"):
        target = os.path.relpath(Path(config.file).parent / target)
    inputs = tuple(InputSpec(name=each.name, shape=each.shape, dtype=each.dtype) for each in entry.inputs)
    label = f"{entry.where}: {entry.name}" if entry.where else entry.name
    return Request(target=target, inputs=inputs, dims=dict(entry.dims), label=label)


def _has_table(path: Path) -> bool:
    """A pyproject.toml that is not TOML is somebody else's trouble, unless it speaks of convcost."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return "convcost" in text and parse_toml(text, file=_label(path), table=_TABLE) is not None


def _read(path: Path) -> Config:
    label = _label(path)
    if path.suffix == ".toml":
        root = parse_toml(read_text(label), file=label, table=_TABLE)
        if root is None:
            raise UsageError(f"{label} has no [tool.convcost]", hint="convcost init writes one")
        return read_config(root, file=label)
    return read_config(parse_yaml(read_text(label), file=label), file=label)


def _label(path: Path) -> str:
    return os.path.relpath(path)
