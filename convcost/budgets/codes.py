"""Every kind of finding `convcost check` has, by the code that reports carry and `convcost explain` explains."""

from __future__ import annotations

from dataclasses import dataclass


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

CODES: tuple[Code, ...] = (
    TOTAL_OVER,
    LAYER_OVER,
    LAYERS_OVER,
    GROWN,
    UNCOUNTED,
    NO_SUCH_LAYER,
    NO_BASELINE,
    NO_SUCH_MODEL,
)
