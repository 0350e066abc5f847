"""One door under libFuzzer, in a process of its own: `python -m fuzz.under_atheris DOOR FOUND [options]`."""

from __future__ import annotations

import hashlib
import importlib
import random
import sys
import time
import traceback
from pathlib import Path

import atheris

from fuzz import DOORS
from fuzz.door import Door

_MOST_SECONDS = 2.0
"""Of processor time, for any input; under the fuzzer's own instruments, which double it."""


def main() -> None:
    name, found, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["convcost", "fuzz"]):
        door: Door = importlib.import_module(DOORS[name]).DOOR
    keeper = _Keeper(door, Path(found))
    atheris.Setup([sys.argv[0], *options], keeper.run, custom_mutator=_mutator(door) if door.change else None)
    atheris.Fuzz()


class _Keeper:
    """Keeps one input of each kind of failure and goes on, so that an early finding does not hide later ones."""

    def __init__(self, door: Door, folder: Path) -> None:
        self._door = door
        self._folder = folder

    def run(self, data: bytes) -> None:
        started = time.process_time()
        try:
            self._door.check(data)
        except Exception as error:
            self._keep(data, _place_of(error), traceback.format_exc())
        if (spent := time.process_time() - started) > _MOST_SECONDS:
            self._keep(data, f"slow-{hashlib.sha256(data).hexdigest()[:8]}", f"{spent:.1f} s of processor time\n")

    def _keep(self, data: bytes, what: str, said: str) -> None:
        path = self._folder / what
        if not path.exists():
            path.write_bytes(data)
            path.with_name(f"{what}.txt").write_text(said, encoding="utf-8", errors="backslashreplace")


def _place_of(error: Exception) -> str:
    """The kind of failure by its type and the innermost line of ours, as a file's name."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/convcost/" in frame.filename] or [
        traceback.extract_tb(error.__traceback__)[-1]
    ]
    return f"{type(error).__name__}-{Path(frames[-1].filename).stem}-{frames[-1].lineno}"


def _mutator(door: Door):  # type: ignore[no-untyped-def]  # the signature is atheris's
    def mutate(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if door.change is not None and chance.random() < 0.7:
            made = door.change(data, chance)
            return made if len(made) <= most else data
        return bytes(atheris.Mutate(data, most))

    return mutate


if __name__ == "__main__":
    main()
