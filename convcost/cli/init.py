"""`convcost init`: a config with budgets from today's numbers, and a CI file."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convcost.cli.options import Reading
from convcost.cli.values import one_of
from convcost.errors import UsageError
from convcost.sources.request import is_spec

if TYPE_CHECKING:
    from convcost.budgets.starter import StarterModel

CONFIG = "convcost.yaml"
_CI_FILES = {"github": ".github/workflows/convcost.yml", "gitlab": ".gitlab/convcost.yml"}


def init(
    *,
    target: Annotated[list[str] | None, typer.Argument(metavar="TARGET", help="The models to hold to budgets.")] = None,
    headroom: Annotated[
        str, typer.Option("--headroom", metavar="10%", help="How far above today's numbers the limits lie.")
    ] = "10%",
    ci: Annotated[
        str | None, typer.Option("--ci", metavar="github|gitlab", help="Write a file that runs the check in CI too.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there already.")] = False,
    reading: Reading,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="The traceback of an error.")] = False,
) -> int:
    """Writes a config with budgets from today's numbers.

    The file is convcost.yaml; what was written is printed as a diff. A file that is there already is left alone,
    unless --force says otherwise.
    """
    from convcost.budgets.settings import headroom_of
    from convcost.budgets.starter import starter_config
    from convcost.cli.ci_files import ci_file
    from convcost.cli.output import write_stdout
    from convcost.cli.whole_files import write_whole

    if not target:
        raise UsageError("init needs a model", hint="convcost init model.onnx, or net.py:build --input 1x3x224x224")
    share = headroom_of(headroom)
    wanted = [CONFIG]
    if ci is not None:
        wanted.append(_CI_FILES[one_of(ci, _CI_FILES, option="--ci")])
    present = [name for name in wanted if Path(name).exists()]
    if present and not force:
        raise UsageError(f"{present[0]} is there already", hint="--force writes over it; git diff shows what changed")
    files = {Path(CONFIG): starter_config(_models(target, reading), share)}
    if ci is not None:
        files[Path(_CI_FILES[ci])] = ci_file(ci)
    shown = "".join(_diff(path, text) for path, text in files.items())
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(files)
    write_stdout(shown)
    return 0


def _models(targets: list[str], reading: Reading) -> list[StarterModel]:
    from convcost.budgets.starter import StarterModel
    from convcost.cli.models import analyses_of

    names = [_name(target) for target in targets]
    return [
        StarterModel(
            name=name if names.count(name) == 1 else target,
            key=_key(target),
            target=target,
            with_inputs=bool(reading.input) or (_key(target) == "factory"),
            dims=tuple(reading.request(target).dims.items()),
            analysis=analysis,
        )
        for name, target, analysis in zip(names, targets, analyses_of(targets, reading), strict=True)
    ]


def _name(target: str) -> str:
    """`net` for models/net.onnx, `resnet50` for torchvision:resnet50?num_classes=10."""
    plain = target.partition("?")[0]
    return plain.rpartition(":")[2] if ":" in plain else Path(plain).stem


def _key(target: str) -> str:
    if is_spec(target):
        return "spec"
    return "path" if Path(target).exists() else "factory"


def _diff(path: Path, text: str) -> str:
    before = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    old = f"a/{path.as_posix()}" if path.exists() else "/dev/null"
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), text.splitlines(keepends=True), fromfile=old, tofile=f"b/{path.as_posix()}"
    )
    return "".join(lines)
