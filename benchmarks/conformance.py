"""Every conformance case through convcost and through the peers that are installed; writes docs/conformance.md.

python -m benchmarks.conformance
"""

from __future__ import annotations

import datetime
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

# Declares what torchvision's code needs of torch builds that its compiled operators do not fit.
import tests.conftest  # noqa: F401
from benchmarks.peers import PEERS, Peer, Subject, asked
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
LEADING_CELLS = "| case | what counts | MACs | params |"
INTRODUCTION = """\
# Conformance

Small networks on which counters disagree, each with its cost worked out by hand. `make test` holds convcost to every
count; this page is written by `python -m benchmarks.conformance`, with what the installed peers say beside it.

Every case is built as an ordinary user would, and counted in eval mode. Every peer is asked as its own documentation
says, on the CPU, and in a process of its own, because some crash or leave torch patched. *exact* means the MACs of the
formula, and for convcost on PyTorch the parameters too (an ONNX file may hold fewer: what the exporter folds is gone).
A case with something that nobody can know is exact for convcost if that is listed; a peer that says the right number
there says nothing about the rest. A number is what the tool said instead. FlopCounterMode's FLOPs are halved, being two
for a MAC; fvcore, thop, ptflops and torchinfo count other things than products too, and are right by their own rules
where they do ([conventions.md](conventions.md) has the rules). *gives up* is a tool that prints an error and no number.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case with the verdict of every counter: of `OURS`, then of the peers that were asked."""

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


OURS: dict[str, Callable[[Case], str]] = {"convcost": by_convcost, "convcost, ONNX": by_convcost_from_onnx}


def by_peer(peer: Peer, case: Case) -> str:
    """A peer's MACs, or what became of asking for them."""
    said = asked(peer, lambda: ordinary(case))
    return said if isinstance(said, str) else _verdict((said,), case.expected[:1])


def ordinary(case: Case) -> Subject:
    """A case as its users would run it, on values."""
    module = case.build().eval()
    types = (tensor.dtype for tensor in module.parameters() if tensor.is_floating_point())
    arguments = Arguments.of(case.inputs, case.kwargs)
    positional, keywords = arguments.on(torch.device("cpu"), next(types, torch.float32))
    return Subject(module=module, positional=positional, keywords=keywords)


def _listed(analysis: Analysis, case: Case) -> bool:
    return tuple(op.operator for op in analysis.unknown) == case.unknown


def _verdict(said: tuple[float, ...], expected: tuple[int, ...], complete: bool = True) -> str:
    if said == expected and complete:
        return EXACT
    return ", ".join(f"{number:,.15g}" for number in said)


def row(case: Case, peers: Sequence[Peer]) -> Row:
    """What convcost says twice, and then every peer; the first word of an error where one raises."""
    verdicts = []
    for count in OURS.values():
        try:
            with torch_unchanged(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                verdicts.append(count(case))
        except Exception as error:  # what a counter cannot do is what the page is about
            verdicts.append(f"raises {type(error).__name__}")
    return Row(case=case, verdicts=(*verdicts, *(by_peer(peer, case) for peer in peers)))


def opening(case: Case) -> str:
    """A row's first cells, which depend on the case alone."""
    macs, params = case.expected
    says = case.says.replace("|", "\\|")
    unknown = f"; lists {', '.join(f'`{name}`' for name in case.unknown)}" if case.unknown else ""
    return f"| `{case.name}` | {says}{unknown} | `{case.macs}` = {macs:,} | {params:,} |"


def page(rows: Mapping[str, list[Row]], peers: Sequence[Peer]) -> str:
    """The whole document."""
    counters = dict.fromkeys(OURS, f"convcost {__version__}") | {
        peer.name: f"{peer.package} {peer.version}" for peer in peers
    }
    every_row = [row for each in rows.values() for row in each]
    return "\n".join([INTRODUCTION, *_scores(every_row, counters), *_tables(rows, tuple(counters))]) + "\n"


def _scores(rows: list[Row], counters: Mapping[str, str]) -> Iterator[str]:
    yield from ("| counter | version | exact | of |", "| --- | --- | ---: | ---: |")
    for place, (name, made) in enumerate(counters.items()):
        verdicts = [row.verdicts[place] for row in rows]
        counted = [verdict for verdict in verdicts if verdict != "no export"]
        yield f"| {name} | {made} | {verdicts.count(EXACT)} | {len(counted)} |"
    yield from ("", f"{datetime.datetime.now(datetime.UTC).date()}, on the CPU build of torch {version('torch')}.", "")


def _tables(rows: Mapping[str, list[Row]], counters: Sequence[str]) -> Iterator[str]:
    for heading, section in rows.items():
        yield from (f"## {heading}", "", f"{LEADING_CELLS} {' | '.join(counters)} |")
        yield f"| --- | --- | --- | ---: |{' --- |' * len(counters)}"
        yield from (f"{opening(row.case)} {' | '.join(row.verdicts)} |" for row in section)
        yield ""


def main() -> None:
    torch.set_num_threads(1)  # a peer's process is forked from this one, which may hold no pool of threads then
    peers = [peer for peer in PEERS if peer.installed]
    for peer in peers:
        peer.load()
    rows: dict[str, list[Row]] = {}
    for heading, cases in SECTIONS.items():
        rows[heading] = []
        for case in cases.values():
            sys.stderr.write(f"\r\x1b[K{case.name}")
            rows[heading].append(row(case, peers))
    sys.stderr.write("\r\x1b[K")
    PAGE.write_text(page(rows, peers).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
