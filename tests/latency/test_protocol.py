"""Every rule of the measurement, on a machine with a fake clock."""

from __future__ import annotations

import gc
import itertools

import pytest

from convcost.latency.protocol import Protocol, Started, collector_off, take_samples
from tests.latency.machine import FakeMachine, cycle, sampled


def test_the_first_run_is_reported_alone():
    machine = FakeMachine()
    (samples,) = sampled(machine, machine.subject(cycle([0.5, *[0.01] * 10_000])))
    assert samples.first_run == 0.5
    assert 0.5 not in samples.times


def test_warm_up_lasts_at_least_200_ms():
    machine = FakeMachine()
    (samples,) = sampled(machine, machine.subject(lambda: 0.01))
    assert samples.warm_up == pytest.approx(0.2, abs=0.0101)
    assert samples.warm_up >= 0.2 - 1e-9


def test_warm_up_goes_on_until_two_windows_agree():
    machine = FakeMachine()
    falling = itertools.chain([1.0], (0.1 * 0.8**step for step in range(12)), itertools.repeat(0.1 * 0.8**11))
    (samples,) = sampled(machine, machine.subject(lambda: next(falling)))
    assert samples.warm_up > 0.4
    assert samples.converged
    assert len(set(samples.times)) == 1


def test_warm_up_takes_no_more_than_its_share_of_the_time():
    machine = FakeMachine()
    growing = itertools.count(1)
    (samples,) = sampled(machine, machine.subject(lambda: 0.01 * next(growing)), max_time=4.0, warm_up_share=0.25)
    assert 1.0 <= samples.warm_up < 1.5
    assert not samples.converged


def test_what_never_got_steady_while_warming_up_has_not_converged():
    machine = FakeMachine()
    restless = cycle([0.01, 0.01, 0.01, 0.02, 0.02, 0.02])
    (samples,) = sampled(machine, machine.subject(lambda: restless() if machine.now < 3.0 else 0.01))
    assert len(set(samples.times)) == 1
    assert not samples.converged


def test_short_calls_are_repeated_until_a_sample_lasts_a_millisecond():
    machine = FakeMachine()
    (samples,) = sampled(machine, machine.subject(lambda: 3e-6))
    assert samples.calls * 3e-6 >= 1e-3
    assert samples.times[0] == pytest.approx(3e-6)


def test_a_sample_that_falls_short_of_a_millisecond_is_run_longer():
    """The subject becomes faster after the warm-up: no sample may be shorter than promised."""
    machine = FakeMachine()
    machine_subject = machine.subject(lambda: 1e-5 if machine.now < 0.3 else 1e-6)
    (samples,) = sampled(machine, machine_subject)
    # 0.3 seconds have passed long before the last sample.
    assert samples.calls * 1e-6 >= 1e-3


def test_at_least_ten_samples_are_taken():
    machine = FakeMachine()
    (samples,) = sampled(machine, machine.subject(lambda: 0.4))
    assert len(samples.times) == 10
    assert samples.converged


def test_at_least_half_a_second_is_sampled():
    machine = FakeMachine()
    (samples,) = sampled(machine, machine.subject(lambda: 0.002))
    assert sum(samples.times) >= 0.5 - 1e-9
    assert sum(samples.times) < 0.56
    assert samples.converged


@pytest.mark.parametrize(("per_call", "max_time"), [(0.3, 2.4), (0.01, 0.5)], ids=["few samples", "little time"])
def test_too_little_measured_has_not_converged_however_alike_it_is(per_call, max_time):
    machine = FakeMachine()
    (samples,) = sampled(machine, machine.subject(lambda: per_call), max_time=max_time, warm_up_share=1.0)
    assert len(set(samples.times)) == 1
    assert not samples.converged


def test_sampling_stops_when_the_interval_is_within_one_percent():
    """Values spread evenly over ±10 %: the interval of the median narrows with the number of samples."""
    machine = FakeMachine()
    spread = [0.01 * (0.9 + 0.2 * ((step * 37) % 101) / 100) for step in range(101)]
    (samples,) = sampled(machine, machine.subject(cycle(spread)), max_time=60.0)
    assert samples.converged
    assert len(samples.times) > 60


def test_what_never_settles_stops_at_max_time_and_says_so():
    machine = FakeMachine()
    (samples,) = sampled(machine, machine.subject(cycle([0.01, 0.02])), max_time=3.0)
    assert not samples.converged
    assert machine.now == pytest.approx(3.0, abs=0.05)


def test_drift_keeps_a_measurement_from_converging():
    machine = FakeMachine()
    # The interval of the median is a point before and after the step; only the drift tells.
    step = machine.subject(lambda: 0.01 if machine.now < 0.6 else 0.0103)
    (samples,) = sampled(machine, step, max_time=1.2)
    assert samples.drift == pytest.approx(0.03)
    assert not samples.converged


def test_a_measurement_recovers_from_a_step_once_it_is_long_past():
    machine = FakeMachine()
    (samples,) = sampled(machine, machine.subject(lambda: 0.01 if machine.now < 0.6 else 0.0103))
    assert samples.converged
    assert 0.01 in samples.times


def test_outliers_stay_among_the_samples():
    machine = FakeMachine()
    (samples,) = sampled(machine, machine.subject(cycle([0.01] * 19 + [0.5])))
    assert 0.5 in samples.times
    assert samples.converged


def test_an_interrupt_leaves_what_was_measured():
    machine = FakeMachine()

    def per_call() -> float:
        if machine.now > 0.5:
            raise KeyboardInterrupt
        return 0.01

    (samples,) = sampled(machine, machine.subject(per_call))
    assert samples.partial
    assert not samples.converged
    assert len(samples.times) > 10


def test_an_interrupt_leaves_nothing_marked_as_converged():
    """The first subject was known when the second one was broken off."""
    machine = FakeMachine()

    unsettled = cycle([0.01, 0.02, 0.03])

    def broken_off() -> float:
        if machine.now > 4.0:
            raise KeyboardInterrupt
        return unsettled()

    first, second = sampled(machine, machine.subject(lambda: 0.02), machine.subject(broken_off))
    assert len(first.times) > 25
    assert first.partial
    assert second.partial
    assert not first.converged


def test_an_interrupt_in_the_warm_up_leaves_no_samples():
    machine = FakeMachine()
    outcomes = iter([0.01, 0.01])

    def per_call() -> float:
        try:
            return next(outcomes)
        except StopIteration:
            raise KeyboardInterrupt from None

    (samples,) = sampled(machine, machine.subject(per_call))
    assert samples.partial
    assert samples.times == ()
    assert samples.first_run == 0.01


def test_subjects_are_sampled_in_turn_and_go_first_equally_often():
    machine = FakeMachine()
    a, b = machine.subject(lambda: 0.02, "a"), machine.subject(lambda: 0.02, "b")
    started = [Started(subject=a, first_run=0.02), Started(subject=b, first_run=0.02)]
    first, second = take_samples(started, Protocol(), machine.clock)
    assert len(first.times) == len(second.times)
    # Each sample has an untimed call before it; leave the warm-up and those out.
    order = [name for name, _ in machine.log][-4 * len(first.times) :][1::2]
    rounds = [tuple(order[at : at + 2]) for at in range(0, len(order), 2)]
    assert set(rounds) == {("a", "b"), ("b", "a")}
    assert abs(rounds.count(("a", "b")) - rounds.count(("b", "a"))) <= 1


def test_what_happens_to_the_machine_happens_to_all_subjects():
    machine = FakeMachine()
    slowdown = lambda: 0.02 if 1.0 < machine.now < 2.0 else 0.01  # noqa: E731
    first, second = sampled(machine, machine.subject(slowdown), machine.subject(slowdown), max_time=3.0)
    assert first.times.count(0.02) == pytest.approx(second.times.count(0.02), abs=2)


def test_a_dear_subject_does_not_make_cheap_ones_wait():
    machine = FakeMachine()
    dear, cheap = sampled(machine, machine.subject(cycle([0.3, 0.45])), machine.subject(lambda: 0.002), max_time=6.0)
    assert not dear.converged
    assert cheap.converged
    unsettled = sampled(machine, machine.subject(lambda: 0.3), machine.subject(cycle([0.002, 0.003])), max_time=20.0)
    # The dear one is known after ten samples and rests while the cheap one goes on.
    assert unsettled[0].converged
    assert len(unsettled[0].times) < 50
    assert len(unsettled[1].times) > 1000


def test_each_subject_has_max_time_of_its_own():
    machine = FakeMachine()
    sampled(machine, *[machine.subject(cycle([0.01, 0.02])) for _ in range(3)], max_time=2.0)
    assert machine.now == pytest.approx(6.0, abs=0.2)


def test_no_subjects_give_no_samples():
    assert take_samples([], Protocol(), FakeMachine().clock) == ()


def test_the_collector_is_off_while_sampling_and_back_on_after():
    states = []
    machine = FakeMachine()

    def per_call() -> float:
        states.append(gc.isenabled())
        return 0.1

    take_samples([Started(subject=machine.subject(per_call), first_run=0.1)], Protocol(), machine.clock)
    assert not any(states)
    assert gc.isenabled()


def test_the_collector_comes_back_after_an_exception_and_stays_off_if_it_was():
    with pytest.raises(ValueError, match="broken"), collector_off():
        raise ValueError("broken")
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
