"""Measured time, and what a device could do at best. Nothing here loads a runtime before something is run."""

from __future__ import annotations

from convcost.latency.calibration import Calibration, calibrate
from convcost.latency.candidates import CandidateLatencies, measure_candidates, measure_comparison
from convcost.latency.device import Device, device_text, read_device
from convcost.latency.fingerprint import Fingerprint, fingerprint_of, machine_fingerprint
from convcost.latency.layers import INTERRUPTED_PROFILE, measure_layers
from convcost.latency.protocol import Protocol
from convcost.latency.result import LayerLatencies, Measurement, NotMeasurable
from convcost.latency.roofline import Roofline, chain_roofline, node_roofline, roofline
from convcost.latency.session import INTERRUPTED, default_runtime, measure, was_interrupted
from convcost.latency.setting import PROCESSORS, RUNTIMES, Processor, Runtime, Setting
from convcost.latency.statistics import compare_samples
from convcost.latency.sums import LatencySum, latency_sums, standard_sum
from convcost.latency.workload import (
    GraphNodes,
    OnnxFile,
    OtherProcess,
    Runnable,
    TorchModule,
    Workload,
    graph_of_nodes,
)

__all__ = [
    "INTERRUPTED",
    "INTERRUPTED_PROFILE",
    "PROCESSORS",
    "RUNTIMES",
    "Calibration",
    "CandidateLatencies",
    "Device",
    "Fingerprint",
    "GraphNodes",
    "LatencySum",
    "LayerLatencies",
    "Measurement",
    "NotMeasurable",
    "OnnxFile",
    "OtherProcess",
    "Processor",
    "Protocol",
    "Roofline",
    "Runnable",
    "Runtime",
    "Setting",
    "TorchModule",
    "Workload",
    "calibrate",
    "chain_roofline",
    "compare_samples",
    "default_runtime",
    "device_text",
    "fingerprint_of",
    "graph_of_nodes",
    "latency_sums",
    "machine_fingerprint",
    "measure",
    "measure_candidates",
    "measure_comparison",
    "measure_layers",
    "node_roofline",
    "read_device",
    "roofline",
    "standard_sum",
    "was_interrupted",
]
