"""A folder to the models in it, by the looks of their files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from convcost.errors import SourceError
from convcost.sources.request import ONNX_FILES, SPEC_FILES

_MODELS = (*ONNX_FILES, ".pt2")
_SPEC = re.compile(rb"^(?:layer|layers)[ \t]*:", re.MULTILINE)
_LONGEST_SPEC = 10_000_000


def expand(targets: Sequence[str]) -> tuple[str, ...]:
    """Every target, and in place of a folder the models in it: ONNX files, exported programs, and YAML that has layers.

    Sorted by path, hidden files and folders left out, links not followed, so that nothing outside is read.
    Raises `SourceError` for a folder that holds none or cannot be read.
    """
    return tuple(each for target in targets for each in (_models_in(target) if is_folder(target) else (target,)))


def is_folder(target: str) -> bool:
    """Whether a target is to be opened up; a name that the system does not take is none."""
    try:
        return Path(target).is_dir()
    except OSError:
        return False


def _models_in(folder: str) -> tuple[str, ...]:
    found = sorted((path for path in _files(folder) if _is_model(path)), key=lambda path: path.parts)
    if not found:
        raise SourceError(
            f"{folder} holds no model",
            hint=f"in folders, models are {', '.join(_MODELS)} files and YAML with layers; name others one by one",
        )
    return tuple(map(str, found))


def _files(folder: str) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in files if not name.startswith("."))


def _is_model(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    return path.name.endswith(_MODELS) or (path.name.endswith(SPEC_FILES) and _has_layers(path))


def _has_layers(path: Path) -> bool:
    """Most YAML files of a repository describe something else; one that cannot be read is left to say so itself."""
    try:
        with path.open("rb") as stream:
            return _SPEC.search(stream.read(_LONGEST_SPEC)) is not None
    except OSError:
        return True


def _refuse(error: OSError) -> None:
    raise SourceError(f"{error.filename}: cannot be read: {error.strerror or error}") from error
