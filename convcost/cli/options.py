"""The options every command shares, declared once, and what they mean to the rest of the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, cast

import typer

from convcost.cli.search_path import import_from
from convcost.cli.values import at_least_one, one_of, parse_dim, parse_input, seconds
from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.reports import FORMATS
from convcost.sources.request import Request

if TYPE_CHECKING:
    from convcost.latency import Device, Processor, Protocol, Runtime, Setting

_FORMAT_LIST = "|".join(FORMATS)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read a target."""

    input: Annotated[
        list[str],
        typer.Option(
            "--input",
            metavar="[NAME=]1x3x224x224[:DTYPE]",
            help="Shape of an input, and its element type; repeat for more, in order or by name.",
        ),
    ] = field(default_factory=list)
    dim: Annotated[
        list[str],
        typer.Option("--dim", metavar="NAME=VALUE", help="Size of a symbolic dimension, such as batch=8; repeatable."),
    ] = field(default_factory=list)
    pythonpath: Annotated[
        list[str],
        typer.Option(
            "--pythonpath",
            metavar="DIR",
            callback=import_from,
            help="A folder to import targets from, such as . for the current one; repeatable.",
        ),
    ] = field(default_factory=list)
    trust_pickle: Annotated[
        bool,
        typer.Option(
            "--trust-pickle", help="Unpickle a module saved with torch.save (.pt, .pth): runs any code the file names."
        ),
    ] = False

    def request(self, target: str) -> Request:
        """The target with its inputs and dimensions; raises `UsageError` for one that is given twice."""
        inputs = tuple(parse_input(text) for text in self.input)
        names = [spec.name for spec in inputs if spec.name is not None]
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise UsageError(f"--input gives '{repeated}' twice", hint="give every input once")
        dims: dict[str, int] = {}
        for name, value in map(parse_dim, self.dim):
            if dims.setdefault(name, value) != value:
                raise UsageError(
                    f"--dim gives '{name}' as {dims[name]} and as {value}", hint="give every dimension once"
                )
        return self.trusting(Request(target=target, inputs=inputs, dims=dims))

    def trusting(self, request: Request) -> Request:
        """The request as far as this command line trusts it: what code it may run, nothing in a config can say."""
        return replace(request, trust_pickle=self.trust_pickle, pythonpath=tuple(self.pythonpath))


@dataclass(frozen=True, kw_only=True)
class Writing:
    """Where the report goes, in which format, and how much is said beside it."""

    formats: ClassVar[Mapping[str, str]] = FORMATS
    format: Annotated[str, typer.Option("-f", "--format", metavar=_FORMAT_LIST, help="Format of the report.")] = "table"
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE", help="Write the report there, not to stdout.")
    ] = None
    export: Annotated[
        list[str],
        typer.Option("--export", metavar="FORMAT=FILE", help="Write the report there as well; repeatable."),
    ] = field(default_factory=list)
    query: Annotated[
        str | None,
        typer.Option("--query", metavar="PATH", help="Print one value of the JSON alone, such as totals.macs."),
    ] = None
    color: Annotated[
        str, typer.Option("--color", metavar="auto|always|never", help="auto: on a terminal, unless NO_COLOR is set.")
    ] = "auto"
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No notes on stderr.")] = False
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Every row, and the traceback of an error.")] = False

    def __post_init__(self) -> None:
        one_of(self.format, self.formats, option="--format")
        one_of(self.color, ("auto", "always", "never"), option="--color")
        if self.query is not None and self.format != "table":
            raise UsageError(f"--query prints one value, not {self.format}", hint=f"leave out --format {self.format}")


@dataclass(frozen=True, kw_only=True)
class Strictness:
    """What to do about ops that cannot be counted."""

    strict: Annotated[bool, typer.Option("--strict", help="An op that cannot be counted is an error.")] = False


@dataclass(frozen=True, kw_only=True)
class Running:
    """What to run with, and for how long."""

    runtime: Annotated[
        str | None,
        typer.Option(
            "--runtime",
            metavar="torch|onnxruntime",
            help="What runs it (default: onnxruntime for .onnx files, else torch).",
        ),
    ] = None
    device: Annotated[str | None, typer.Option("--device", metavar="cpu|cuda", help="Where it runs (default cpu).")] = (
        None
    )
    threads: Annotated[
        str | None, typer.Option("--threads", metavar="N", help="Threads an operator may use (default 1).")
    ] = None
    max_time: Annotated[
        str | None,
        typer.Option("--max-time", metavar="SECONDS", help="The longest to measure each thing for (default 10)."),
    ] = None

    def given(self) -> dict[str, str | None]:
        """The options as they were written, None where one was left out."""
        return {
            "runtime": self.runtime,
            "device": self.device,
            "threads": self.threads,
            "max_time": self.max_time,
        }

    def check(self) -> None:
        """Raises `UsageError` for what no machine can run with; `setting` also refuses what this one cannot."""
        at_least_one(self.threads, option="--threads")
        seconds(self.max_time, option="--max-time")
        if self.runtime or self.device:
            from convcost.latency import PROCESSORS, RUNTIMES

            one_of(self.runtime or "torch", RUNTIMES, option="--runtime")
            one_of(self.device or "cpu", PROCESSORS, option="--device")

    def setting(self, default: Runtime) -> Setting:
        """Where and how to run; raises `UsageError`. `default` is the runtime where none was named."""
        from convcost.latency import Setting

        self.check()
        return Setting(
            runtime=cast("Runtime", self.runtime or default),
            device=cast("Processor", self.device or "cpu"),
            threads=at_least_one(self.threads, option="--threads") or 1,
        )

    def protocol(self) -> Protocol:
        """The rules of measuring, within the time given; raises `UsageError`."""
        from convcost.latency import Protocol

        self.check()
        wanted = seconds(self.max_time, option="--max-time")
        return Protocol() if wanted is None else Protocol(max_time=wanted)


@dataclass(frozen=True, kw_only=True)
class Timing(Running):
    """How to measure the latency of models."""

    compile: Annotated[bool, typer.Option("--compile", help="Compile the model with torch before measuring it.")] = (
        False
    )
    max_bytes: Annotated[
        str | None,
        typer.Option(
            "--max-bytes",
            metavar="BYTES",
            help="Refuse what needs more memory than this, such as 2GB (default: half of what is free).",
        ),
    ] = None

    def given(self) -> dict[str, str | None]:
        """The same, with the options that models have."""
        return {**super().given(), "compile": "true" if self.compile else None, "max_bytes": self.max_bytes}

    def setting(self, default: Runtime) -> Setting:
        """The same, for a model."""
        return replace(super().setting(default), compiled=self.compile, max_bytes=self.bytes_allowed())

    def bytes_allowed(self) -> int | None:
        """What `--max-bytes` says, None where it was not given; raises `UsageError`."""
        from convcost.units import Unit, parse_quantity

        return None if self.max_bytes is None else parse_quantity(self.max_bytes, Unit.BYTES, metric="--max-bytes")


@dataclass(frozen=True, kw_only=True)
class Measuring(Timing):
    """Whether to measure latency beside counting, and how."""

    latency: Annotated[
        bool,
        typer.Option(
            "--latency",
            help="Measure its latency too, as convcost measure does; with --strict, any time missing is an error.",
        ),
    ] = False
    device_file: Annotated[
        str | None,
        typer.Option(
            "--device-file",
            metavar="FILE",
            help="Say what bounds each layer there, and the least time it can take; convcost device writes such files.",
        ),
    ] = None

    def limits(self) -> Device | None:
        """The device that `--device-file` describes; raises `SourceError`."""
        if self.device_file is None:
            return None  # before the import, which most runs need not wait 20 ms for
        from convcost.latency import read_device

        return read_device(self.device_file)

    def __post_init__(self) -> None:
        unused = [f"--{name.replace('_', '-')}" for name, value in self.given().items() if value is not None]
        if unused and not self.latency:
            raise UsageError(
                f"{unused[0]} says how to measure latency", hint=f"add --latency, or leave {unused[0]} out"
            )
