"""Kernels written down in a YAML file: one under `kernel`, or several by name under `kernels`."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from convcost.located import Located, LocatedScalar, integer_of, list_of, mapping_of, read_yaml, shown
from convcost.weights.result import Separability
from convcost.weights.single import separability_of_kernel

Rows: TypeAlias = tuple[tuple[float, ...], ...]


def separability_of_file(path: str) -> Separability:
    """Each kernel of a file. Raises `SourceError`, with line and column, for rows that are not numbers or not equal."""
    kernels = read_kernels(path)
    return Separability(
        target=path,
        source="kernels",
        kernels=tuple(separability_of_kernel(rows, name=name) for name, rows in kernels.items()),
    )


def read_kernels(path: str) -> dict[str, Rows]:
    """The rows of each kernel by name; a lone `kernel` is called after its file."""
    document = mapping_of(read_yaml(path), "a kernel file")
    for key in ("layer", "layers"):
        if key in document.key_places:
            hint = "name a model that has some, or write a kernel: [[1, 2, 1], [2, 4, 2], [1, 2, 1]]"
            raise document.key_places[key].error("a layer spec has no weights", hint=hint)
    if "version" in document.entries:
        integer_of(document.entries["version"], "version", least=1, most=1)
    if "kernels" in document.entries:
        document.check_keys(("version", "kernels"), of="a file of several kernels")
        named = mapping_of(document.entries["kernels"], "kernels")
        if not named.entries:
            raise named.where.error("kernels is empty", hint="kernels: {sobel: [[1, 0, -1], [2, 0, -2], [1, 0, -1]]}")
        return {name: _rows(value, f"kernel '{name}'") for name, value in named.entries.items()}
    document.check_keys(("version", "kernel", "kernels"), of="a kernel file")
    return {Path(path).stem: _rows(document.required("kernel", of="a kernel file"), "kernel")}


def _rows(value: Located, what: str) -> Rows:
    items = list_of(value, what)
    if not items:
        raise value.where.error(f"{what} has no rows", hint="a kernel is a list of rows: [[1, 2, 1], [2, 4, 2]]")
    rows = tuple(_row(item, what) for item in items)
    for item, row in zip(items, rows, strict=True):
        if len(row) != len(rows[0]):
            raise item.where.error(
                f"a row of {len(row)} in {what}, whose first row has {len(rows[0])}", hint="make all rows equally long"
            )
    return rows


def _row(value: Located, what: str) -> tuple[float, ...]:
    row = tuple(_number(item, what) for item in list_of(value, f"a row of {what}"))
    if not row:
        raise value.where.error(f"a row of {what} is empty", hint="a kernel is a list of rows: [[1, 2, 1], [2, 4, 2]]")
    return row


def _number(value: Located, what: str) -> float:
    if isinstance(value, LocatedScalar) and isinstance(value.value, int | float) and not isinstance(value.value, bool):
        return float(value.value)
    raise value.where.error(
        f"{what} holds {shown(value)} where a number belongs", hint="write it out, as 0.111 for 1/9"
    )
