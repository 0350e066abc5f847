"""Words of check, diff and the config."""

from __future__ import annotations

from collections.abc import Mapping

GATED: Mapping[tuple[str, ...], str] = {
    ("checks",): "one result for each model, where there are several.",
    ("general",): "findings that belong to no model: a missing baseline, a pattern that fits no model.",
    ("status",): "pass, warn, fail, or cannot_tell: something that could not be counted is under the limit, a pattern "
    "fits nothing, or a baseline is missing. Of a model, the worst of its verdicts.",
    ("verdicts",): "every budget held against the model.",
    ("budget", "budgets"): "a limit on a metric of a model, of each of its layers, of some layers together, or of its "
    "growth.",
    ("subject",): "a budget in words.",
    ("metric", "metrics"): "the quantity a limit is on, or that changed: macs, params … (each can be explained).",
    ("unit",): "count, bytes, or nanoseconds.",
    ("per",): "what a limit holds for: the model, each layer, the sum of some layers, or the increase over a baseline.",
    ("limit",): "what the value was held to; null where it could not be computed.",
    ("warn",): "from above here on there is a warning.",
    ("level",): "what a missed budget does: error fails the check, warn only says so, off does nothing.",
    ("margin",): "limit minus value: what is left, or below zero what is too much.",
    ("baseline", "was"): "the value before: what an increase is measured from, or the name a layer had.",
    ("latency_baseline",): "what a measured latency was set beside: the stored time of this machine, or another "
    "revision's, measured in turn with it.",
    ("origin",): "the revision or the file a latency to compare with is from.",
    ("in_turn",): "whether the two were measured in turn with each other, in one run.",
    ("machines",): "the machines a latency baseline was measured on; times count on the one they are from alone.",
    ("p10_ns",): "a tenth of the samples took less, in nanoseconds: what latency budgets hold.",
    ("samples_ns",): "the samples in nanoseconds by size, or 101 evenly spaced ones of them.",
    ("costliest",): "the layers that cost most, when a limit is missed.",
    ("causes",): "the layers behind a missed budget, and why.",
    ("config",): "where in the config the budget stands; null for one of the command line.",
    ("file", "line"): "the file and line that a finding, a budget or a layer is from.",
    ("settings", "setting"): "what is neither model nor budget: the baseline's place, headroom and the like.",
    ("where",): "the place a value is from: command line, environment, a line of the config, or the default.",
    ("old", "macs old", "params old"): "before the change.",
    ("new", "macs new", "params new"): "after the change.",
    ("change", "delta"): "new minus old; of a layer, whether it was added, removed, renamed or changed.",
    ("changes", "what changed"): "what became different, attributes and shapes in words, such as groups 96 → 1.",
    ("unchanged",): "how many layers are the same in both.",
    ("explained",): "changes that are none, such as a norm folded into its convolution.",
}
