"""Families by name, each imported when it is asked for: most runs need the built-in ones alone."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from convcost.alternatives.base import Alternative


class FamilyTable(Mapping[str, type[Alternative]]):
    """From a family's name to its class; `places` says where that is, as `module:Class`."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> type[Alternative]:
        module, _, family = self._places[name].partition(":")
        found: type[Alternative] = getattr(importlib.import_module(module), family)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
