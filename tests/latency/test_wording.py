"""Figures with no more digits than are known, and verdicts people can act on."""

from __future__ import annotations

import pytest

from convcost.latency.health import Health
from convcost.latency.result import NotMeasurable
from convcost.latency.wording import (
    health_text,
    latency_text,
    saving_text,
    setting_text,
    time_text,
    verdict_text,
)
from tests.latency.measurements import QUIET, around, measurement


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2.5, "2.50 s"),
        (0.1234, "123 ms"),
        (0.00999951, "10.0 ms"),
        (4.2e-5, "42.0 µs"),
        (3e-8, "0.0300 µs"),
        (0, "0 ms"),
    ],
)
def test_times_have_three_digits(seconds, text):
    assert time_text(seconds) == text


def test_a_known_time_shows_its_interval():
    assert latency_text(measurement(around(0.0123))) == "12.3 ms ±0.1%"


def test_a_noisy_time_shows_one_digit_and_says_so():
    text = latency_text(measurement([0.010, 0.021, 0.017, 0.012, 0.030, 0.011, 0.014], converged=False))
    assert text == "about 10 ms (noisy)"


def test_a_few_samples_show_two_digits_and_their_number():
    few = measurement([1.41, 1.42], converged=False)
    assert latency_text(few) == "about 1.4 s (2 samples)"
    assert few.complaints == ("only 2 samples were taken",)


def test_what_did_not_converge_says_so():
    assert latency_text(measurement(around(0.0123, 0.04), converged=False)).endswith("not converged")


def test_the_setting_is_always_said():
    text = setting_text(measurement(around(0.001), calls=8))
    assert text == "torch on a processor, 1 thread; 40 samples of 8 calls, 0 outliers, first run 1.00 s"


def test_health_in_a_line():
    line = "load 0.50, others used 0.1 of 4 processors, steal 0.0%, throttled 0 times, governor performance"
    assert health_text(QUIET) == line
    assert "does not tell" in health_text(Health(threads=1, processors=4))


@pytest.mark.parametrize(
    ("macs", "text"),
    [
        ((841, 100), "8.4x fewer MACs"),
        ((3000, 100), "30x fewer MACs"),
        ((300, 200), "33 % fewer MACs"),
        ((100, 101), "as many MACs"),
        ((100, 133), "33 % more MACs"),
        ((100, 250), "2.5x more MACs"),
        ((0, 5), "no MACs to compare"),
    ],
)
def test_savings_in_words(macs, text):
    assert saving_text(*macs) == text


@pytest.mark.parametrize(
    ("macs", "speed_up", "bound", "text"),
    [
        ((841, 100), 4.5, "memory", "8.4x fewer MACs, 4.5x faster: memory-bound"),
        ((841, 100), 9.0, "memory", "8.4x fewer MACs, 9.0x faster"),
        ((841, 100), 4.5, None, "8.4x fewer MACs, 4.5x faster"),
        ((300, 200), 1 / 1.3, "memory", "33 % fewer MACs but 1.3x slower here"),
        ((300, 200), 1.0, None, "33 % fewer MACs but no faster here"),
        ((100, 133), 1.5, None, "33 % more MACs but 1.5x faster here"),
        ((100, 133), 0.5, None, "33 % more MACs, 2.0x slower here"),
        ((100, 133), 1.0, None, "33 % more MACs but no slower here"),
        ((100, 100), 1.0, None, "as many MACs, as fast here"),
        ((100, 100), 2.0, None, "as many MACs, 2.0x faster"),
    ],
)
def test_the_verdict_sets_time_beside_macs(macs, speed_up, bound, text):
    latencies = (measurement(around(1.0)), measurement(around(1.0 / speed_up)))
    assert verdict_text(macs=macs, latencies=latencies, bound=bound) == text


def test_noise_is_no_verdict():
    noise = [1.0, 3.0, 2.0, 5.0, 1.5]
    text = verdict_text(macs=(300, 200), latencies=(measurement(noise), measurement(noise[::-1])))
    assert text == "33 % fewer MACs; too noisy here to tell which is faster"


def test_what_was_not_measured_says_why():
    refused = NotMeasurable(reason="running it needs 12 GB")
    expected = "33 % fewer MACs; not measured: running it needs 12 GB"
    assert verdict_text(macs=(300, 200), latencies=(measurement(around(1.0)), refused)) == expected
    assert verdict_text(macs=(300, 200), latencies=(refused, measurement(around(1.0)))) == expected
    assert latency_text(refused) == "not measured"
