"""Sizes as users list them: `1,2,4`, `16..512:16`, `16..512:*2`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from convcost.dataclasses import dataclass
from convcost.errors import UsageError

_ITEM = re.compile(r"(?P<first>\d{1,9})(?:\.\.(?P<last>\d{1,9})(?::(?P<times>\*?)(?P<step>\d{1,9}))?)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeList:
    """The rules of one option's list: `text` is what its complaints quote, `example` what they tell to write."""

    text: str
    example: str
    most: int

    def read(self, listed: str, *, least: int = 1) -> tuple[int, ...]:
        """Sizes and ranges (their ends included) in the order written, each once; raises `UsageError`.

        >>> SizeList(text="--sizes", example="write 1,2", most=9).read("7,16..64:16,1..9:*3")
        (7, 16, 32, 48, 64, 1, 3, 9)
        """
        values: dict[int, None] = {}
        for item in listed.split(","):
            values.update(dict.fromkeys(self._range(item.strip(), least)))
            self._check_length(len(values))
        return tuple(values)

    def _range(self, item: str, least: int) -> Iterable[int]:
        match = _ITEM.fullmatch(item)
        if match is None:
            hint = "sizes have nine digits at most" if re.search(r"\d{10}", item) else self.example
            raise UsageError(f"{self.text} has '{item}' for a value", hint=hint)
        first, step = int(match["first"]), int(match["step"] or 1)
        last = int(match["last"] or first)
        if first < least or step < 1:
            raise UsageError(f"{self.text} has a size or step of zero", hint=f"every size is at least {least}")
        if last < first:
            raise UsageError(f"{self.text} runs from {first} down to {last}", hint=self.example)
        if match["times"]:
            return self._powers(first, last, step)
        found = range(first, last + 1, step)
        self._check_length(len(found))
        return found

    def _powers(self, first: int, last: int, factor: int) -> Iterable[int]:
        if factor < 2 or first < 1:
            raise UsageError(f"{self.text} grows by a factor of {factor} from {first}", hint=self.example)
        value = first
        while value <= last:
            yield value
            value *= factor

    def _check_length(self, length: int) -> None:
        if length > self.most:
            raise UsageError(f"{self.text} asks for {length} values", hint=f"{self.most} are the most")
