"""The user's own factories: found by import or in a file, and called."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from torch import nn

from convcost.errors import ConvcostError, SourceError
from convcost.sources.torch.blame import first_line, where
from convcost.sources.torch.target import Target


@contextmanager
def importable(target: Target) -> Iterator[None]:
    """A file target's folder is on `sys.path` inside; for every other target the path is left alone."""
    if not target.is_file:
        yield
        return
    folder = str(Path(target.place).resolve().parent)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def find_factory(target: Target) -> object:
    """What the target names: a callable, or a module itself. Runs the code of the file or package it is in."""
    module = _module_in_file(target) if target.is_file else _imported(target)
    found: object = module
    for part in target.name.split("."):
        if not hasattr(found, part):
            raise SourceError(f"'{target.place}' has no '{target.name}'", hint=_offer(module))
        found = getattr(found, part)
    return found


def call_factory(factory: object, arguments: Mapping[str, object], text: str) -> tuple[nn.Module, object]:
    """The module a factory gives, and the example inputs it gives with it (or None).

    Raises `SourceError` for a factory that raises, with the line of the user's code that did.
    """
    if isinstance(factory, nn.Module):
        result: object = factory
    elif callable(factory):
        try:
            result = factory(**arguments)
        except ConvcostError:
            raise
        except Exception as error:
            raise SourceError(
                f"'{text}' raised {first_line(error)}{where(error)}",
                hint="call the factory from Python first; arguments go after a question mark, as in f.py:net?depth=18",
            ) from error
    else:
        raise SourceError(
            f"'{text}' is {_article(factory)}, not a factory", hint="name a function that returns an nn.Module"
        )
    module, examples = result if isinstance(result, tuple) and len(result) == 2 else (result, None)
    if not isinstance(module, nn.Module):
        raise SourceError(
            f"'{text}' gave {_article(module)}, not an nn.Module",
            hint="a factory returns a module, or (module, example_inputs)",
        )
    return module, examples


def _article(value: object) -> str:
    name = type(value).__name__
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def _imported(target: Target) -> ModuleType:
    try:
        return importlib.import_module(target.place)
    except ModuleNotFoundError as error:
        missing = error.name or target.place
        if target.place == missing or target.place.startswith(f"{missing}."):
            raise SourceError(
                f"there is no module '{missing}' to import",
                hint="the current folder is not searched without --pythonpath . (or name a file: ./file.py:factory)",
            ) from error
        raise SourceError(f"importing '{target.place}' needs '{missing}'", hint=f"pip install {missing}") from error
    except Exception as error:
        raise _failed_import(target, error) from error


def _module_in_file(target: Target) -> ModuleType:
    path = Path(target.place)
    try:
        exists = path.exists()
    except OSError:  # a name longer than the system takes
        exists = False
    if not exists:
        raise SourceError(f"there is no file '{target.place}'", hint="the path is relative to the current folder")
    if not path.is_file():
        raise SourceError(f"'{target.place}' is a directory", hint="write path/file.py:factory")
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    name = f"_convcost_target_{digest}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SourceError(f"'{target.place}' is not a Python file", hint="write path/file.py:factory")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles look a class's module up by name while the file runs.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        if "operator torchvision::" in str(error):
            raise
        raise _failed_import(target, error) from error
    return module


def _failed_import(target: Target, error: Exception) -> Exception:
    if "operator torchvision::" in str(error):
        return error
    place = f" ({target.place}:{error.lineno})" if isinstance(error, SyntaxError) else where(error)
    return SourceError(
        f"importing '{target.place}' raised {first_line(error)}{place}", hint="import it from Python first"
    )


def _offer(module: ModuleType) -> str:
    names = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__ and callable(value)
    ]
    return f"it has: {', '.join(names[:8])}" if names else "name a function that returns an nn.Module"
