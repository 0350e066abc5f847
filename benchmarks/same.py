"""One network measured beside itself, again and again: `python -m benchmarks.same` prints JSON.

A difference between two runs of the same thing is a false alarm, of which an honest measurement gives few.
"""

from __future__ import annotations

import json
from collections import Counter

from convcost.latency import Measurement, Protocol, Setting, compare_samples, measure
from convcost.sources.request import Request
from convcost.targets.workload import workload_of

TRIALS = 20
NETWORK = "sample_configs/onnx/mobilenet_v2.onnx"
PROTOCOL = Protocol(max_time=4.0)


def outcome() -> str:
    """What one comparison says of the network beside itself. Raises `RuntimeError` where it was not measured."""
    same = workload_of(Request(target=NETWORK))
    first, second = measure({"a": same, "b": same}, Setting(runtime="onnxruntime"), PROTOCOL).values()
    if not isinstance(first, Measurement) or not isinstance(second, Measurement):
        raise RuntimeError(f"{NETWORK} was not measured")
    return compare_samples(first.samples.times, second.samples.times)


def main() -> None:
    counted = Counter(outcome() for _ in range(TRIALS))
    print(json.dumps({"trials": TRIALS, "differences": counted["faster"] + counted["slower"], **counted}))


if __name__ == "__main__":
    main()
