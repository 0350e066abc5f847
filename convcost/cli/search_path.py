"""Where import targets may come from: never the current folder, unless it was asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from convcost.errors import UsageError


def import_from(folders: Sequence[str] | None) -> Sequence[str]:
    """Puts the folders of `--pythonpath` first on `sys.path`, in the order given, for the rest of the process.

    Raises `UsageError` for what is no folder: a wrong one would otherwise show as a module that is missing.
    """
    for folder in reversed(folders or ()):
        path = Path(folder)
        if not path.is_dir():
            raise UsageError(f"--pythonpath: there is no folder '{folder}'", hint="name the folder the package lies in")
        sys.path.insert(0, str(path.resolve()))
    return folders or []
