"""Every kind of finding `convcost check` has, by the code that reports carry and `convcost explain` explains."""

from __future__ import annotations

from convcost.dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """`title` names the finding in viewers, `meaning` says what was found, `remedy` what to do about it."""

    name: str
    title: str
    meaning: str
    remedy: str


TOTAL_OVER = Code(
    name="CC101",
    title="model-over-budget",
    meaning="the model's total of a metric is above its budget. Totals of models with uncounted ops are lower bounds, "
    "so that this one is exceeded whatever those ops cost.",
    remedy="make the layers named as its cause cheaper, or raise the limit in the config to the value printed.",
)
LAYER_OVER = Code(
    name="CC102",
    title="layer-over-budget",
    meaning="a single layer costs more than layers of its name or kind may. Such a limit finds what a total hides: "
    "a convolution that lost its groups can cost 96 times as much and leave the total within its budget.",
    remedy="look at the attributes of the layer (groups, stride, channels), or raise the limit of its layer budget.",
)
LAYERS_OVER = Code(
    name="CC103",
    title="layers-over-budget",
    meaning="some layers together cost more than their budget with 'per: sum' allows.",
    remedy="make the costliest of them cheaper, or raise the limit of that layer budget.",
)
GROWN = Code(
    name="CC104",
    title="grown-over-baseline",
    meaning="a metric has grown over the baseline by more than 'increase' allows, and by no less than 'ignore_below'.",
    remedy="if the growth is meant: convcost check --update-baseline, and commit the baseline file.",
)
LATENCY_OVER = Code(
    name="CC105",
    title="latency-over-budget",
    meaning="the model's latency on this machine is above its budget: nine of ten runs (p10) took longer, and noise "
    "does not explain it. Times depend on the machine, the runtime and the threads; that is why such a budget warns "
    "unless it says 'level: error'.",
    remedy="see where the time goes: convcost analyze TARGET --latency; or raise the limit, with some 10 % to spare.",
)
SLOWER = Code(
    name="CC106",
    title="slower-than-before",
    meaning="the model takes longer than before by more than 'increase' allows, and a rank test of the samples says "
    "that this is not chance (p below 0.01), in each of three measurements. With --base-ref both were measured in turn "
    "with each other.",
    remedy="see where the time goes: convcost analyze TARGET --latency; if it is meant, against a stored baseline: "
    "convcost check --update-baseline; with --base-ref, allow more growth.",
)
UNCOUNTED = Code(
    name="CC201",
    title="uncounted-ops",
    meaning="cannot tell: something could not be counted, so the value is a lower bound, and it is still under the "
    "limit. A budget never passes on what was not counted.",
    remedy="see the ops that were not counted: convcost analyze TARGET.",
)
NO_SUCH_LAYER = Code(
    name="CC202",
    title="no-such-layer",
    meaning="cannot tell: a layer budget's 'match' and 'kind' fit no layer of the model, so nothing was held to it.",
    remedy="list the names and kinds: convcost analyze TARGET -v; then mend the pattern, or take the budget out.",
)
NO_BASELINE = Code(
    name="CC203",
    title="no-baseline",
    meaning="cannot tell: growth was to be measured against a baseline that is missing, or that this model is not in.",
    remedy="write it: convcost check --update-baseline; or compare with a branch: --base-ref origin/main.",
)
NO_SUCH_MODEL = Code(
    name="CC204",
    title="no-such-model",
    meaning="cannot tell: a budget's 'model' fits none of the models that were checked.",
    remedy="mend the pattern so that it fits a model's name, or take the budget out.",
)
NOT_MEASURED = Code(
    name="CC205",
    title="latency-not-measured",
    meaning="cannot tell: the model has a latency budget and could not be run here, for the reason given.",
    remedy="try it alone: convcost measure TARGET; a missing runtime installs with pip install 'convcost[ort]'.",
)
TOO_NOISY = Code(
    name="CC206",
    title="latency-too-noisy",
    meaning="cannot tell: the latency looks too high, or not the same, but the samples scatter too much, are too few, "
    "the machine was too busy to say so, or a second measurement did not find it slower.",
    remedy="measure for longer (--max-time 60), or on a machine with nothing else to do.",
)
OTHER_MACHINE = Code(
    name="CC207",
    title="latency-of-another-machine",
    meaning="cannot tell: the stored latency comes from another machine, runtime or number of threads, and times are "
    "comparable on one only.",
    remedy="store this machine's beside it: convcost check --update-baseline; or measure both here: --base-ref REF.",
)

CODES: tuple[Code, ...] = (
    TOTAL_OVER,
    LAYER_OVER,
    LAYERS_OVER,
    GROWN,
    LATENCY_OVER,
    SLOWER,
    UNCOUNTED,
    NO_SUCH_LAYER,
    NO_BASELINE,
    NO_SUCH_MODEL,
    NOT_MEASURED,
    TOO_NOISY,
    OTHER_MACHINE,
)
