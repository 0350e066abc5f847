"""Refusing what does not fit, before anything is allocated."""

from __future__ import annotations

from pathlib import Path

from convcost.latency.runners.prepared import UnrunnableError
from convcost.latency.setting import Setting
from convcost.units import Unit, format_quantity

_WHERE_NOTHING_IS_KNOWN = 4 << 30


def check_fits(needed: int, setting: Setting, available: int | None = None) -> None:
    """Raises `UnrunnableError`, with the bytes it would need, for more than `max_bytes` (or half of what is free)."""
    limit = allowed_bytes(setting.max_bytes, available)
    if needed > limit:
        raise UnrunnableError(
            f"running it needs {format_quantity(needed, Unit.BYTES)}, more than the "
            f"{format_quantity(limit, Unit.BYTES)} allowed (--max-bytes)",
            needed_bytes=needed,
        )


def allowed_bytes(max_bytes: int | None, available: int | None = None) -> int:
    """`max_bytes`, or without one half of what is available (None: of what the host has free)."""
    return max_bytes if max_bytes is not None else (available or free_memory()) // 2


def free_memory(root: Path = Path("/")) -> int:
    """What Linux says can be had without swapping; elsewhere a careful guess."""
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return _WHERE_NOTHING_IS_KNOWN
    for line in lines:
        key, _, value = line.partition(":")
        if key == "MemAvailable":
            return int(value.split()[0]) * 1024
    return _WHERE_NOTHING_IS_KNOWN
