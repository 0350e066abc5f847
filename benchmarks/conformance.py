"""Every conformance case through convcost and through the peers that are installed; writes docs/conformance.md.

python -m benchmarks.conformance
"""

from __future__ import annotations

import datetime
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

# Declares what torchvision's code needs of torch builds that its compiled operators do not fit.
import tests.conftest  # noqa: F401
from convcost import __version__
from convcost.analysis import Analysis, analyze_graph
from convcost.sources.torch import graph_of
from convcost.sources.torch.inputs import Arguments
from convcost.sources.torch.quiet import torch_unchanged
from tests.conformance.case import Case
from tests.conformance.every_case import FAMILIES, PUBLISHED
from tests.conformance.onnx_file import exported

PAGE = Path(__file__).parents[1] / "docs" / "conformance.md"
SECTIONS = {"Basics": PUBLISHED, **FAMILIES}
EXACT = "exact"
INTRODUCTION = """\
# Conformance

Small networks on which counters disagree, each with its cost worked out by hand. `make test` holds convcost to every
count; this page is written by `python -m benchmarks.conformance`, with what the installed peers say beside it.

Every case is built as an ordinary user would, and counted in eval mode without gradients; peers run on the CPU. *exact*
means the MACs of the formula, and for convcost on PyTorch the parameters too (an ONNX file may hold fewer: what the
exporter folds is gone). A case with something that nobody can know is exact for convcost if that is listed; a peer that
says the right number there says nothing about the rest. A number is what the tool said instead. FlopCounterMode's FLOPs
are halved, being two for a MAC; fvcore counts normalisation among the products.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case with the verdict of every counter, in the order of `COUNTERS`."""

    case: Case
    verdicts: tuple[str, ...]


def by_convcost(case: Case) -> str:
    """PyTorch's module, MACs and parameters."""
    analysis = analyze_graph(graph_of(case.build(), case.inputs, case.kwargs))
    return _verdict((analysis.totals.macs, analysis.totals.params), case.expected, _listed(analysis, case))


def by_convcost_from_onnx(case: Case) -> str:
    """The exported file's MACs."""
    if not case.exports:
        return "no export"
    with tempfile.TemporaryDirectory() as folder:
        analysis = exported(case, Path(folder) / "case.onnx")
    return _verdict((analysis.totals.macs,), (case.expected_of_export,), _listed(analysis, case))


def by_flop_counter(case: Case) -> str:
    """torch's own counter."""
    from torch.utils.flop_counter import FlopCounterMode

    module, positional, keywords = _ordinary(case)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*positional, **keywords)
    return _verdict((counter.get_total_flops() / 2,), case.expected[:1])


def by_fvcore(case: Case) -> str:
    """The counter of Detectron2, which traces."""
    from fvcore.nn import FlopCountAnalysis

    module, positional, keywords = _ordinary(case)
    if keywords:
        return "no keyword inputs"
    counter = FlopCountAnalysis(module, positional).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return _verdict((counter.total(),), case.expected[:1])


COUNTERS: dict[str, Callable[[Case], str]] = {
    "convcost": by_convcost,
    "convcost, ONNX": by_convcost_from_onnx,
    "FlopCounterMode": by_flop_counter,
    "fvcore": by_fvcore,
}
PACKAGES = {"FlopCounterMode": "torch", "fvcore": "fvcore"}


def _ordinary(case: Case) -> tuple[nn.Module, tuple[object, ...], Mapping[str, object]]:
    module = case.build().eval()
    types = (tensor.dtype for tensor in module.parameters() if tensor.is_floating_point())
    arguments = Arguments.of(case.inputs, case.kwargs)
    return module, *arguments.on(torch.device("cpu"), next(types, torch.float32))


def _listed(analysis: Analysis, case: Case) -> bool:
    return tuple(op.operator for op in analysis.unknown) == case.unknown


def _verdict(said: tuple[float, ...], expected: tuple[int, ...], complete: bool = True) -> str:
    if said == expected and complete:
        return EXACT
    return ", ".join(f"{number:,.15g}" for number in said)


def row(case: Case) -> Row:
    """What every counter says; the first words of an error where one raises."""
    verdicts = []
    for count in COUNTERS.values():
        try:
            with torch_unchanged(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                verdicts.append(count(case))
        except Exception as error:  # what a counter cannot do is what the page is about
            verdicts.append(f"raises {type(error).__name__}")
    return Row(case=case, verdicts=tuple(verdicts))


def opening(case: Case) -> str:
    """A row's first cells, which depend on the case alone."""
    macs, params = case.expected
    says = case.says.replace("|", "\\|")
    unknown = f"; lists {', '.join(f'`{name}`' for name in case.unknown)}" if case.unknown else ""
    return f"| `{case.name}` | {says}{unknown} | `{case.macs}` = {macs:,} | {params:,} |"


def page(rows: Mapping[str, list[Row]]) -> str:
    """The whole document."""
    return "\n".join([INTRODUCTION, *_scores([row for each in rows.values() for row in each]), *_tables(rows)]) + "\n"


def _scores(rows: list[Row]) -> Iterator[str]:
    yield from ("| counter | version | exact | of |", "| --- | --- | ---: | ---: |")
    for place, name in enumerate(COUNTERS):
        verdicts = [row.verdicts[place] for row in rows]
        counted = [verdict for verdict in verdicts if verdict != "no export"]
        made = f"{PACKAGES[name]} {version(PACKAGES[name])}" if name in PACKAGES else f"convcost {__version__}"
        yield f"| {name} | {made} | {verdicts.count(EXACT)} | {len(counted)} |"
    yield from ("", f"{datetime.datetime.now(datetime.UTC).date()}, on the CPU build of torch {version('torch')}.", "")


def _tables(rows: Mapping[str, list[Row]]) -> Iterator[str]:
    for heading, section in rows.items():
        yield from (f"## {heading}", "", f"| case | what counts | MACs | params | {' | '.join(COUNTERS)} |")
        yield f"| --- | --- | --- | ---: |{' --- |' * len(COUNTERS)}"
        yield from (f"{opening(row.case)} {' | '.join(row.verdicts)} |" for row in section)
        yield ""


def main() -> None:
    missing = [package for package in set(PACKAGES.values()) if find_spec(package) is None]
    if missing:
        sys.exit(f"the page shows peers that are not installed: {', '.join(missing)}")
    rows: dict[str, list[Row]] = {}
    for heading, cases in SECTIONS.items():
        rows[heading] = []
        for case in cases.values():
            sys.stderr.write(f"\r\x1b[K{case.name}")
            rows[heading].append(row(case))
    sys.stderr.write("\r\x1b[K")
    PAGE.write_text(page(rows).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
