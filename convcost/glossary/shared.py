"""Words that reports of several commands share."""

from __future__ import annotations

from collections.abc import Mapping

SHARED: Mapping[tuple[str, ...], str] = {
    ("schema",): "the kind and major version of a JSON document, such as convcost/analysis/1. Within a major version "
    "fields are only added; docs/schema has the schemas.",
    ("convcost",): "the version of convcost that wrote the document; in a cross-check's table, what convcost counts.",
    ("source",): "where something is from: of a model, the target and what it was read as (kind: spec, onnx or torch); "
    "of a device, the datasheet or measurement its figures are from.",
    ("target",): "the model as the command line or the config names it: a file or an import target.",
    ("kind",): "of a layer, the sort of computation: conv, depthwise, linear … (each can be explained). Of a target, "
    "what it was read as: spec, onnx, torch, or kernels for a file of kernels.",
    ("name",): "what something is called: a layer by its path in the model, an input by the model's own word, an "
    "alternative as --alternatives takes it, a model as the config names it.",
    ("label",): "an alternative as tables call it, with its main option, such as grouped g=4.",
    ("model",): "the model's name in the config, or the target; in budgets, the pattern of names it holds for.",
    ("models",): "the models of a config or a baseline, by name.",
    ("module",): "a part of the model that holds layers, by its path; empty for the model itself.",
    ("layer",): "one op of the network, by its path in the model.",
    ("layers",): "the ops of the network in execution order; in a row of a group, how many it adds up.",
    ("inputs",): "the tensors the model or the layer is given: shapes, and where known names and element types.",
    ("outputs", "output"): "the shapes of what a layer gives; '(+1)' where it gives another one as well.",
    ("input",): "the sides of the map a convolution reads.",
    ("shape", "size"): "the sizes of a tensor along its axes; of a convolution's input: batch, channels, then sides.",
    ("dtype", "type"): "the type of a tensor's elements, such as float32; of a compared layer, conv or conv_transpose.",
    ("attributes",): "what the operator was built with, such as kernel, stride and groups.",
    ("kernel",): "the sides of a convolution's window.",
    ("stride",): "how far the window moves from one output position to the next, by axis.",
    ("padding",): "the zeros put around the map, before and after, by axis.",
    ("dilation",): "the distance between the taps of a kernel, by axis; 1 for neighbours.",
    ("groups",): "into how many parts a convolution's channels are split that do not see each other; under --by, the "
    "rows that layers were gathered into.",
    ("in_channels",): "channels of the map a convolution reads: M in formulas.",
    ("out_channels",): "channels of the map it makes: N in formulas.",
    ("bias",): "whether one number per output channel is added.",
    ("batch",): "how many inputs go through the model at once; every count includes it.",
    ("totals", "total"): "the sums over the whole model, or over what the row gathers.",
    ("notes",): "what was assumed or made up for these numbers, in sentences.",
    ("reason", "why"): "why something was not counted, not measured, does not apply, or differs.",
    ("reasons",): "why another counter differs, each with its amount.",
    ("version",): "the version of the other counter that was asked.",
    ("value",): "what was measured, counted or set.",
    ("values",): "the sizes that --sweep asked for.",
    ("device",): "where a model was run (cpu or cuda), or the device file whose peaks rooflines are made of.",
    ("error",): "what went wrong, in one line, with a hint; of a single filter, the root of the squares that the "
    "closest separable kernel misses.",
    ("message",): "what happened or was found, in words; of a budget, the project's own words in the config.",
    ("hint",): "what to do about an error.",
    ("lower_bound",): "whether something could not be counted, so that the numbers are the least there can be.",
    ("op",): "the framework's own word for the operator, such as Conv or aten::convolution.",
    ("entries",): "the names that were asked for, each explained.",
    ("category",): "which sort of name is explained: metric, op, alternative, term, field, symbol or finding.",
    ("summary",): "what a name means.",
    ("formula",): "the textbook count of multiplies, in letters that can be explained; the numbers beside it are "
    "counted, not computed from it.",
    ("reference",): "the publication or page a formula or definition is from.",
    ("also",): "other spellings of a name.",
    ("by",): "what rows were gathered by (kind or module); of a device's share, the traffic it takes part in.",
    ("share",): "of the work (MACs, or FLOPs under --unit flops) in percent of the total; of kernels, how many of "
    "them in percent; of a change, in percent of the old number.",
    ("code", "finding"): "a finding's short name: CC101 and its like in check (each can be explained), a word such as "
    "quantized in separability.",
    ("findings",): "what must be said of a kernel, such as values that are not numbers.",
}
