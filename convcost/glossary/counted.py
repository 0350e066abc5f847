"""Words of analyses, sweeps and cross-checks."""

from __future__ import annotations

from collections.abc import Mapping

COUNTED: Mapping[tuple[str, ...], str] = {
    ("analyses",): "one analysis for each target, where there are several.",
    ("failures",): "the targets that could not be analyzed, each with its error.",
    (
        "convention",
    ): "by which rules was counted: FLOPs for each MAC, the map that convolutions are counted at, whether "
    "gradients are counted too; in separability, how kernels were prepared.",
    ("flops_per_mac",): "2: a multiply and an add.",
    ("scope",): "the path of the module a layer belongs to.",
    ("backward_macs",): "multiply-accumulates of the gradients, beside those of the forward pass.",
    ("ops",): "how many ops the network has, those without arithmetic included.",
    ("counted",): "how many of its ops could be counted.",
    ("unknown_op", "unknown_ops"): "an operator that could not be counted; its work is in no total.",
    ("count", "times"): "how often an unknown operator stands in the model.",
    ("sweep", "sweeps"): "the same model read at several sizes: what was set (--sweep), and to which values.",
    ("points",): "one result for each value of a sweep, or each rank of a form.",
    ("cross_check",): "what another counter says of the same modules, and why it differs.",
    ("convention_terms", "terms", "term"): "our MACs, and every reason why another counter prints another total "
    "(--convention); the amounts add up to that total.",
    ("read_from",): "the version of another counter that its rules were read from.",
    ("exact",): "whether a total is what the other counter prints; if not, a rule hangs on what is not known here.",
    ("peer",): "the other counter: fvcore, or torch's own FlopCounterMode.",
    ("ran_on",): "the device the peer ran the model on; meta: shapes only, without values.",
    ("theirs",): "what the peer counts.",
    ("modules_agreeing", "modules"): "how many modules a line is about; in JSON, those with products that both "
    "counters count alike.",
    ("disagreements",): "the modules whose own operations convcost and the other counter count differently.",
    ("amount", "difference"): "what the peer counts more than convcost; below zero where it counts less.",
    ("unexplained",): "what is left of a difference once the known reasons are taken off; 0 where they prove it all.",
}
