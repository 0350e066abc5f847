"""The command line: one table of commands, and the only place where an error ends the program."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from convcost import __version__
from convcost.cli import failure
from convcost.cli.command import as_given, build_command
from convcost.errors import ConvcostError

if TYPE_CHECKING:
    from typer._click import Command, Context, Parameter

COMMANDS: Mapping[str, str] = {
    "analyze": "convcost.cli.analyze",
    "compare": "convcost.cli.compare",
    "separability": "convcost.cli.separability",
    "check": "convcost.cli.check",
    "diff": "convcost.cli.diff",
    "measure": "convcost.cli.measure",
    "device": "convcost.cli.device",
    "config": "convcost.cli.config",
    "init": "convcost.cli.init",
    "explain": "convcost.cli.explain",
}
"""Each command is a function of its own name in its module, loaded when it is needed."""

_PATIENCE = 10_000
"""New objects before garbage is looked for. Nearly all that a command makes it keeps, and looking at every 700th costs
4 % of a large graph's time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line (default: the process's own, which then ends) and returns its exit code."""
    _open_missing_streams()
    if arguments is not None:
        return _run(list(arguments))
    gc.set_threshold(_PATIENCE)
    failure.clean_up_when_terminated()
    code = _run(sys.argv[1:])
    gc.freeze()  # spares the interpreter from looking through all that was loaded once more as it ends: 40 ms
    return code


def _open_missing_streams() -> None:
    """Gives a process that was started without stdout or stderr (`>&-`, some daemons) one that leads nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # open as long as we run


def _run(given: list[str]) -> int:
    try:
        return int(build_app()(given, prog_name="convcost", standalone_mode=False) or 0)
    except ConvcostError as error:
        return failure.report(error, given)
    except KeyboardInterrupt:
        return failure.INTERRUPTED
    except failure.Terminated:
        return failure.TERMINATED
    except SystemExit as stop:
        return failure.report_exit(stop, given)
    except Exception as error:  # whatever it is, the user gets one line, and with -v the rest
        return failure.report_unexpected(error, given)


def build_app() -> typer.Typer:
    """The typer application; plain help text, so that documents can quote it."""
    app = typer.Typer(
        cls=LoadedWhenNamed,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_top)
    return app


class LoadedWhenNamed(TyperGroup):
    """The commands of the table, each imported when the command line names it or help lists it."""

    def get_params(self, ctx: Context) -> list[Parameter]:
        return as_given(super().get_params(ctx))

    def list_commands(self, ctx: Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        if cmd_name not in COMMANDS:
            return None
        return build_command(cmd_name, getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"convcost {__version__}")
        raise typer.Exit


def _top(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What a neural network costs, and what its layers could cost instead.

    TARGET is a file (model.onnx, layer.yaml, model.pt2, TorchScript model.pt) or an import target
    (torchvision:resnet50, timm:vit_base_patch16_224, hf:path/config.json, package.module:factory,
    file.py:factory), with arguments after a question mark: torchvision:resnet50?num_classes=10.

    Exit codes: 0 done; 1 a budget was exceeded; 2 the command line or the model cannot be used;
    3 cannot tell, because something could not be counted.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(failure.UNUSABLE)
