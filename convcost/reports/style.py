"""Where a report goes: how wide it is, and whether it takes colour."""

from __future__ import annotations

from convcost.dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """`width` is in terminal columns; None, for pipes and files, means as wide as the content."""

    width: int | None = None
    color: bool = False

    def bold(self, text: str) -> str:
        return self.colored("1", text)

    def dim(self, text: str) -> str:
        return self.colored("2", text)

    def colored(self, code: str, text: str) -> str:
        """The text between an ANSI code and its end; as it is where there is no colour, or no code."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and code and text else text
