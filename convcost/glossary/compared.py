"""Words of comparisons: convolutions beside their alternatives."""

from __future__ import annotations

from collections.abc import Mapping

COMPARED: Mapping[tuple[str, ...], str] = {
    ("alternative", "alternatives"): "what a convolution could be instead, built of plain layers and counted as those.",
    ("convolution", "conv"): "the layer that is compared: channels in → out, kernel, s(tride), p(adding), d(ilation), "
    "g(roups) @ input map.",
    ("selection",): "which convolutions are compared, and how many were left out for a smaller kernel.",
    ("min_kernel",): "the side a kernel must have to be compared (--min-kernel).",
    ("smaller_kernels",): "how many convolutions were left out because no side of their kernel is that long.",
    ("options",): "what an alternative was built with, as --alternatives takes it in brackets; null in JSON, and left "
    "out elsewhere, where the alternative chooses by itself.",
    ("applicable",): "whether the alternative exists for this layer; the reason says why not.",
    ("stages",): "the layers an alternative is made of, in order, each with its own count.",
    ("ratio_macs", "vs std"): "JSON: the alternative's MACs divided by those of the layer as it is, so below 1 is "
    "cheaper. Tables show the inverse, times fewer: above 1.00× is cheaper.",
    ("ratio_params",): "the alternative's parameters divided by those of the layer as it is: below 1 is smaller.",
    ("macs_per_byte", "MACs/byte"): "MACs for each byte that has to be moved at the least. A low value means that "
    "memory, not arithmetic, sets the speed; on a device, the value from which on arithmetic does.",
    ("break_even", "no dearer than the layer up to"): "the largest rank at which an alternative with a free rank costs "
    "no more MACs, or no more parameters, than the layer; 0 where no rank does, null where the rank does not matter.",
    ("pareto",): "marks what nothing else in the table beats in MACs, parameters and activations together.",
    ("replaced_layers", "replaced"): "in how many of the compared convolutions the alternative stands in that total; "
    "where it does not apply, the layer stays as it is.",
    ("devices",): "what one of several devices would hold, do and send or receive (--devices): the busiest one.",
    ("scheme", "split", "split by"): "how work is shared: by images (data), by a convolution's groups (filter_group), "
    "by output channels (channel), or by both (mixed).",
    ("held_bytes", "holds"): "weights and maps that one device keeps.",
    ("input_bytes",): "what one device reads of the layer's input.",
    ("communication",): "what the devices exchange: gradients of a shared batch, or parts of maps.",
    ("communication_bytes", "moves"): "what one device sends of gradients when the batch is shared, else what it "
    "receives until it has the whole output.",
    # Of a whole design space (--grid), where every row is one layer.
    (
        "axes",
    ): "what a grid varies, with the values in the order written; the last axis changes fastest from row to row.",
    ("configurations",): "combinations of a grid's values: all of them, or those that a reason holds for.",
    ("no_layers",): "why some configurations describe no layer, such as groups that do not divide the channels.",
    ("not_applicable",): "for how many layers of the grid the alternative does not exist, by reason.",
    ("least",): "the smallest of the grid's ratios.",
    ("applies", "applies to"): "for how many layers of the grid the alternative exists.",
    ("macs_fewer_least", "macs vs std least"): "times fewer MACs than the standard layer, where it saves least.",
    ("macs_fewer_mean", "mean"): "times fewer MACs than the standard layer: the geometric mean over the grid.",
    ("macs_fewer_most", "most"): "times fewer MACs than the standard layer, where it saves most.",
    ("params_fewer_mean", "params mean"): "times fewer parameters than the standard layer: the geometric mean.",
    ("fewest_macs",): "for how many layers of the grid no other alternative has fewer MACs.",
    ("unbeaten",): "for how many layers of the grid nothing beats it in MACs, params and activations together.",
    ("more_macs", "more macs than std"): "for how many layers of the grid it costs more MACs than the standard layer.",
}
