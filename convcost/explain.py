"""What every name in a report means, taken from the code that computes it."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from convcost.alternatives import ALTERNATIVES
from convcost.alternatives.base import Alternative
from convcost.alternatives.symbols import LETTERS
from convcost.analysis import Json
from convcost.analysis.metrics import LATENCY, METRICS, Metric
from convcost.budgets.codes import CODES, Code
from convcost.conventions import CONVENTIONS, Convention
from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.glossary import GLOSSARY
from convcost.graph.ops import ALL_OPS, Conv, Op

Category: TypeAlias = Literal["metric", "op", "alternative", "term", "convention", "field", "symbol", "finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One name: what it is, the formula it is counted by (where there is one), and where that comes from."""

    name: str
    category: Category
    summary: str
    formula: str = ""
    reference: str = ""
    also: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "category": self.category,
            "summary": self.summary,
            "formula": self.formula,
            "reference": self.reference,
            "also": list(self.also),
        }


_TERMS = (
    Explanation(
        name="arithmetic_intensity",
        category="term",
        summary="FLOPs for each byte that an op has to move at the least. A low value means that memory, not "
        "arithmetic, sets the speed.",
        formula="flops / bytes_moved",
        also=("flops/byte", "flops_per_byte"),
    ),
    Explanation(
        name="backward",
        category="term",
        summary="the work of training's backward pass, beside the forward pass: for every product, the gradients of "
        "its inputs and weights. What nothing needs is not counted: the network's input has no gradient, and "
        "neither has what no parameter stands before. Other operations are counted once more.",
        formula="2 × forward MACs - the first layer's input gradient",
        reference="analyze --backward; backward.macs in JSON",
        also=("gradients", "training"),
    ),
    Explanation(
        name="coverage",
        category="term",
        summary="how many of the network's ops were counted. With one unknown, every total but those of what is "
        "stored (params, buffers, weights) is a lower bound, and a budget that would hold is answered with "
        "'cannot tell'.",
    ),
    Explanation(
        name="df",
        category="term",
        summary="which feature map a convolution is counted at. 'output' is exact; 'input' reproduces texts that write "
        "D_F for the input map. compare --df chooses.",
    ),
    Explanation(
        name="eager_peak_bytes",
        category="term",
        summary="Held by PyTorch: the most that inputs and activations take at one time when PyTorch runs the model in "
        "eval mode. Python frees a tensor when nothing refers to it any more: a variable keeps it until it is bound "
        "anew or its function returns, and a caller keeps the input. The peak activation, which any runtime could "
        "reach, ends a tensor at its last use. Scratch memory of kernels is in neither.",
        reference="eager_peak_bytes in the JSON of analyze; only for PyTorch models",
        also=("held_by_pytorch",),
    ),
)

# The words tables use for finer kinds, by the family that explains them.
_KINDS = {
    "conv": ("depthwise", "pointwise"),
    "recurrent": ("rnn", "gru", "lstm"),
}


def explanations() -> tuple[Explanation, ...]:
    """Everything that can be explained: whatever a report, its JSON or a formula calls by a name."""
    return (
        *(_metric(metric) for metric in METRICS),
        _latency(),
        *_TERMS,
        *(_op(op) for op in ALL_OPS),
        *(_alternative(family) for family in ALTERNATIVES.values()),
        *(_convention(each) for each in CONVENTIONS.values()),
        *_words({letters: f"in formulas and labels: {meaning}" for letters, meaning in LETTERS.items()}, "symbol"),
        *(_finding(code) for code in CODES),
        *_words(GLOSSARY, "field"),
    )


def explain(name: str) -> tuple[Explanation, ...]:
    """What goes by that name (`all`: everything); raises `UsageError` with the nearest names."""
    known = explanations()
    if name == "all":
        return known
    # A label of a table, such as `grouped g=4`, goes by its first word where it has no entry of its own.
    for wanted in (_plain(name), _plain(name.partition(" ")[0])):
        found = tuple(each for each in known if wanted in _names(each))
        if found:
            return found
    names = sorted({name for each in known for name in (each.name, *each.also)})
    near = difflib.get_close_matches(_plain(name), names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "convcost explain all lists every name"
    raise UsageError(f"there is nothing named '{name}' to explain", hint=hint)


def _names(explanation: Explanation) -> set[str]:
    return {_plain(name) for name in (explanation.name, *explanation.also)}


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")


def _metric(metric: Metric) -> Explanation:
    unit = "" if metric.unit.value == "count" else " (bytes)"
    reference = f"--max {metric.name}=…" + (f", --sort {metric.name}" if metric.measure else "")
    return Explanation(
        name=metric.name,
        category="metric",
        summary=f"{metric.label}{unit}: {metric.definition}",
        reference=f"used as totals.{metric.name} in JSON, {reference}",
        also=_distinct([metric.label], but=metric.name),
    )


def _latency() -> Explanation:
    return Explanation(
        name=LATENCY.name,
        category="metric",
        summary=f"{LATENCY.label} (of a budget): {LATENCY.definition}",
        reference="used as --max latency=12ms and --max-increase latency=5%; warns unless the config says "
        "'level: error'",
    )


def _op(op: type[Op]) -> Explanation:
    return Explanation(
        name=op.family,
        category="op",
        summary=_documented(op),
        formula=op.formula,
        reference=op.reference,
        also=_distinct([op.__name__.lower(), *_KINDS.get(op.family, ())], but=op.family),
    )


def _alternative(family: type[Alternative]) -> Explanation:
    options = ", ".join(_option(key, value) for key, value in family().options().items())
    return Explanation(
        name=family.name,
        category="alternative",
        summary=f"{family.summary}. {_documented(family)}" + (f" Options: {options}." if options else ""),
        formula=family().formula(_SQUARE),
        reference=family.reference,
        also=_distinct([family().label(_SQUARE).partition(" ")[0]], but=family.name),
    )


def _convention(convention: Convention) -> Explanation:
    return Explanation(
        name=convention.name,
        category="convention",
        summary=f"another counter, which counts {convention.summary}. analyze --convention {convention.name} says our "
        "total as it would print it.",
        reference=f"the code of {convention.read_from}",
    )


def _option(key: str, default: int | str | None) -> str:
    """Without a default, the family chooses by the layer, as its description says."""
    if default is None:
        return key
    return f"{key} (default {str(default).lower() if isinstance(default, bool) else default})"


def _words(meanings: Mapping[tuple[str, ...], str], category: Category) -> Iterable[Explanation]:
    return (
        Explanation(name=names[0], category=category, summary=summary, also=names[1:])
        for names, summary in meanings.items()
    )


def _finding(code: Code) -> Explanation:
    return Explanation(
        name=code.name,
        category="finding",
        summary=f"{code.title}: {code.meaning} What to do: {code.remedy}",
        reference="a finding of convcost check",
        also=(code.title,),
    )


def _documented(described: type) -> str:
    """The docstring as running text, without its code marks."""
    return " ".join((inspect.getdoc(described) or "").replace("`", "").split())


def _distinct(names: Iterable[str], *, but: str) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(names) if _plain(name) != _plain(but))


# A layer to write formulas for: square and dense, so that they read as textbooks print them.
_SQUARE = Conv(
    in_channels=4, out_channels=4, kernel=(3, 3), stride=(1, 1), pads=((1, 1), (1, 1)), dilation=(1, 1), groups=1
)
