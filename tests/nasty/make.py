"""Writes the hostile files, the same every time: `python -m tests.nasty.make FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.nasty.model_files import MODEL_FILES
from tests.nasty.nasty import Nasty
from tests.nasty.text_files import CONFIGS, REPORTS, SPECS
from tests.nasty.wire_files import WIRE_FILES

NASTY: tuple[Nasty, ...] = (*WIRE_FILES, *MODEL_FILES, *SPECS, *CONFIGS, *REPORTS)


def make(folder: Path) -> None:
    """One file of each name, wherever it is used."""
    for nasty in NASTY:
        (folder / nasty.name).write_bytes(nasty.content)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
