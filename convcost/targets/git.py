"""Models as they were at another revision of the repository, without touching the working tree."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from convcost.analysis import Analysis
from convcost.dataclasses import dataclass
from convcost.errors import ConvcostError, SourceError
from convcost.sources.request import InputSpec, Request, is_archive, is_onnx, is_saved, is_spec
from convcost.targets.saved import read_saved

_LARGE_FILE = b"version https://git-lfs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A commit, by the name it was asked for and by its full id."""

    name: str
    commit: str

    @classmethod
    def of(cls, name: str) -> Revision:
        """Raises `SourceError` for a name that git does not know here."""
        hint = "in a shallow clone, fetch it first: git fetch origin BRANCH, or a checkout with its whole history"
        asked = ["rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"]
        return cls(name=name, commit=_git(asked, f"git knows no revision '{name}' here", hint).decode().strip())


def analysis_at(
    revision: Revision, request: Request, analyze: Callable[[Request], Analysis], *, backward: bool = False
) -> Analysis:
    """A target, relative to the current folder, as the revision has it.

    A file is taken out of the repository alone; a factory's whole tree is, and run there in a process of its own, which
    `backward` is handed on to.
    """
    label = f"git:{revision.name}:{request.target}"
    with tempfile.TemporaryDirectory(prefix="convcost-") as folder:
        try:
            if is_file(request.target):
                copy = _take_file(revision, request.target, Path(folder))
                return replace(analyze(replace(request, target=str(copy))), target=label)
            return replace(_run_there(revision, request, Path(folder), backward), target=label)
        except ConvcostError as error:
            raise SourceError(error.message.replace(f"{folder}/", f"git:{revision.name}:"), hint=error.hint) from error


def is_file(target: str) -> bool:
    """Whether a target is a file by itself; a factory needs the code around it, `hf:…` its library."""
    return is_onnx(target) or is_spec(target) or is_archive(target) or is_saved(target)


@contextlib.contextmanager
def file_at(revision: Revision, path: str) -> Iterator[str]:
    """The path of a copy of the file as the revision has it, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="convcost-") as folder:
        yield str(_take_file(revision, path, Path(folder)))


@contextlib.contextmanager
def tree_at(revision: Revision, pythonpath: Sequence[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The folder we are in as the revision has it, and the environment to run its code in, while the context lasts.

    Of the folders of `pythonpath`, those that lie in the repository are the revision's.
    """
    with tempfile.TemporaryDirectory(prefix="convcost-") as folder:
        there, environment = _take_tree(revision, Path(folder), pythonpath)
        yield str(there), environment


def _take_file(revision: Revision, path: str, folder: Path) -> Path:
    asked = ["cat-file", "blob", f"{revision.commit}:./{os.path.relpath(path)}"]
    content = _git(asked, f"{path} does not exist at '{revision.name}'", "check the path, relative to where you are")
    if content.startswith(_LARGE_FILE):
        content = _git(["lfs", "smudge"], f"{path} is in large file storage", "install git-lfs", given=content)
    copy = folder / Path(path).name
    copy.write_bytes(content)
    return copy


def _run_there(revision: Revision, request: Request, folder: Path, backward: bool) -> Analysis:
    there, environment = _take_tree(revision, folder, request.pythonpath)
    report = folder / "report.json"
    inputs = [word for spec in request.inputs for word in ("--input", _input_text(spec))]
    dims = [word for name, size in request.dims.items() for word in ("--dim", f"{name}={size}")]
    command = [sys.executable, "-m", "convcost", "analyze", *inputs, *dims, *(["--backward"] if backward else [])]
    ended = subprocess.run(
        [*command, "--format", "json", "--quiet", "--output", str(report), "--", request.target],
        cwd=there,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env=environment,
        check=False,
    )
    if ended.returncode:
        said = [line for line in ended.stderr.splitlines() if line.strip()]
        errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")] or said[-1:]
        raise SourceError(f"{request.target} at '{revision.name}': {errors[-1] if errors else 'failed'}")
    return read_saved(str(report))


def _take_tree(revision: Revision, folder: Path, pythonpath: Sequence[str]) -> tuple[Path, dict[str, str]]:
    """The folder we are in as the revision has it, and the environment in which its code is imported from there."""
    where = _git(["rev-parse", "--show-toplevel", "--show-prefix"], "this is not a git repository", None).decode()
    top, prefix = where.split("\n")[:2]
    # Asked from a folder further down, git would take out that folder alone.
    archive = _git(
        ["-C", top, "archive", "--format=tar", f"{revision.commit}:"], f"'{revision.name}' cannot be taken out", None
    )
    tree = folder / "tree"
    tree.mkdir()
    subprocess.run(["tar", "-x", "-f", "-", "-C", str(tree)], input=archive, check=True)
    asked = [str(_as_taken(Path(each).resolve(), Path(top), tree)) for each in pythonpath]
    path = os.pathsep.join([*asked, str(tree / prefix), str(tree), *_search_path()])
    return tree / prefix, {**os.environ, "PYTHONPATH": path}


def _as_taken(folder: Path, top: Path, tree: Path) -> Path:
    """A folder of the repository in the revision's tree, there or not: today's code must not stand in for it."""
    return tree / folder.relative_to(top) if folder.is_relative_to(top) else folder


def _search_path() -> list[str]:
    """Where this convcost itself lies, for a process that starts elsewhere."""
    return [str(Path(__file__).parents[2])]


def _input_text(spec: InputSpec) -> str:
    name = f"{spec.name}=" if spec.name is not None else ""
    dtype = f":{spec.dtype.value}" if spec.dtype is not None else ""
    return f"{name}{'x'.join(map(str, spec.shape))}{dtype}"


def _git(arguments: Sequence[str], problem: str, hint: str | None, *, given: bytes | None = None) -> bytes:
    try:
        ended = subprocess.run(["git", *arguments], input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise SourceError("git is not installed", hint="install git, or compare saved reports") from None
    except (OSError, ValueError):  # a word that no program can be given: with a NUL in it, or endless
        raise SourceError(problem, hint=hint) from None
    if ended.returncode:
        raise SourceError(problem, hint=hint or ended.stderr.decode(errors="replace").strip().splitlines()[-1:][0])
    return ended.stdout
