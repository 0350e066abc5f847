"""Words of measured time, of machines, and of what bounds a layer."""

from __future__ import annotations

from collections.abc import Mapping

MEASURED: Mapping[tuple[str, ...], str] = {
    ("latency", "latency_ms"): "how long one run takes, measured: the median of the samples with its 95 % interval. "
    "'about' and fewer digits where noise allows no more, ~ where a profiler's own time distorts it.",
    ("latency_sum",): "what the compared layers take together under an alternative: the medians of layers measured "
    "alone, added. A layer that the alternative does not apply to counts as it is; the rest of the model is not in it.",
    ("measurements",): "one measurement for each target, where there are several.",
    ("median_ms",): "half of the samples took less: the middle one, in milliseconds.",
    ("p10_ms", "p10", "p10 to p90"): "a tenth of the samples took less, in milliseconds: what the machine can do when "
    "little else happens.",
    ("p90_ms", "p90"): "nine tenths of the samples took less, in milliseconds.",
    ("ci95_ms",): "the 95 % interval of the median, in milliseconds.",
    ("samples",): "how many times were taken, each of at least a millisecond.",
    ("samples_ms",): "every sample in milliseconds, in the order taken.",
    ("calls_per_sample",): "how often the model was called within one sample, so that it is long enough to be timed.",
    ("outliers",): "samples far from the others; counted, never dropped.",
    ("converged",): "whether the median is known within 1 % (its 95 % interval) before the time was up.",
    ("drift",): "by how much times changed from the first to the last samples; null where they did not.",
    ("first_run_ms",): "the very first call, which loads and compiles; in no other number.",
    ("warm_up_ms",): "how long was run before samples were taken.",
    ("partial",): "whether the user broke the measurement off, so that samples or models are missing.",
    ("approximate",): "whether a profiler's own time distorts the figures.",
    ("not_measured",): "why there is no latency; needed_bytes where memory is the reason.",
    ("needed_bytes",): "the memory that running it would take at the least; --max-bytes sets the most it may take.",
    ("runtime",): "what ran the model: torch or onnxruntime.",
    ("threads",): "how many threads an operator might use; 1 unless --threads says more.",
    ("compiled",): "whether torch compiled the model first (--compile).",
    ("device_name",): "the processor or GPU it ran on, in its maker's words.",
    ("machine", "health"): "what happened to the machine meanwhile. In device files, the word by which two timings of "
    "one machine are recognised.",
    ("complaints",): "why the figures deserve doubt: few samples, a wide interval, a drift, a busy machine.",
    ("processors",): "how many processors the machine gives to programs.",
    ("others",): "how many processors other programs kept busy meanwhile, on average.",
    ("steal",): "the share of the processors' time that the host of a virtual machine took away.",
    ("throttled",): "how often heat or a quota slowed the processors down meanwhile.",
    ("governor",): "the rule by which the system sets the processors' clock, such as performance or powersave.",
    ("load",): "how many programs wanted to run on average over the last minute.",
    ("layer_latency",): "where the time of a whole run went, from a separate, profiled run that is scaled to it.",
    ("overhead",): "how much longer the profiled run took; above 25 % its figures are marked approximate.",
    ("unattributed_ms",): "time between the layers, which none of them took.",
    ("timed_with",): "for a layer without a time of its own, the one it was fused into or timed together with.",
    ("speed_up",): "how many times faster than the layer as it is; below 1.00× it is slower.",
    ("verdict",): "in words: of measured alternatives, what came of the MACs saved; in check, whether a budget holds.",
    ("beside",): "what a model is in comparison with the first that was measured in the same setting.",
    ("macs_per_second", "MACs/s"): "MACs divided by the median time of a run.",
    ("gmacs_per_second", "G MACs/s"): "the most multiply-accumulates a second, in thousand millions, by element type.",
    ("gigabytes_per_second", "memory"): "the most bytes a second to and from memory, in thousand millions.",
    ("compute-bound from macs/byte",): "with fewer MACs a byte than this, memory sets the speed on that device.",
    ("saved", "stored in"): "the device file that was written.",
    ("roofline", "attainable"): "the least time a layer can take on a device: that of its arithmetic or that of its "
    "memory traffic, whichever is longer.",
    (
        "bound",
    ): "what sets the least time a layer can take on a device: its arithmetic (compute), or its traffic to and from "
    "memory (memory).",
    ("attainable_ms",): "the least time a layer can take on a device, in milliseconds: the longer of compute_ms and "
    "memory_ms.",
    ("compute_ms",): "the time a layer's arithmetic alone takes at the device's peak, in milliseconds.",
    ("memory_ms",): "the time a layer's memory traffic alone takes at the device's bandwidth, in milliseconds.",
    (
        "reached",
    ): "the least time a layer can take (its roofline), in percent of the measured one; above 100 % data stayed "
    "in a cache, or the peaks were measured too low.",
}
