"""A calibrated machine as a report."""

from __future__ import annotations

from dataclasses import replace

from convcost.graph import DType
from convcost.latency import Calibration, Device, NotMeasurable
from convcost.latency.protocol import Samples
from convcost.reports import render
from convcost.reports.device import DeviceReport
from tests.latency.measurements import QUIET, around, measurement

DEVICE = Device(
    name="a machine", peaks={DType.FLOAT32: 50e9}, bytes_per_second=10e9, source="measured by a test", threads=1
)


def report(others: float = 0.1) -> DeviceReport:
    product = measurement(around(0.02), health=replace(QUIET, others=others))
    products = {DType.FLOAT32: product, DType.FLOAT16: NotMeasurable(reason="no half-precision product")}
    calibration = Calibration(device=DEVICE, products=products, copy=Samples(first_run=1.0, times=(0.01,)))
    return DeviceReport(calibration=calibration, saved="here.yaml")


def test_the_peak_the_bandwidth_and_the_ridge_are_told():
    text = render("table", report())
    assert "measured by a test, at 1 thread\n" in text
    assert "  float32     50.00                5.00" in text
    assert "  Memory     10.0 GB/s" in text


def test_a_type_that_could_not_be_measured_is_left_out_with_its_reason():
    assert "float16 is left out: no half-precision product" in report().notes()
    assert "float16" not in report().to_json()["gmacs_per_second"]


def test_a_crowded_machine_is_doubted_even_where_the_median_is_known():
    assert not [note for note in report().notes() if note.startswith("doubtful")]
    assert "doubtful: float32: other programs used 3.9 of 4 processors" in report(others=3.9).notes()
