"""Reading the machine's state, from a made-up /proc and /sys."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from convcost.latency.health import Health, Snapshot, health_between, take_snapshot


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_snapshot_reads_linux(tmp_path):
    write(tmp_path, "proc/stat", "cpu  100 20 30 4000 50 6 7 8 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n")
    write(tmp_path, "proc/loadavg", "1.25 0.50 0.10 1/95 7651\n")
    write(tmp_path, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n")
    write(tmp_path, "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n")
    write(tmp_path, "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "4\n")
    write(tmp_path, "sys/fs/cgroup/cpu.stat", "usage_usec 12\nnr_throttled 5\n")
    snapshot = take_snapshot(tmp_path)
    assert snapshot.busy == pytest.approx((100 + 20 + 30 + 6 + 7) / 100)
    assert snapshot.stolen == pytest.approx(0.08)
    assert snapshot.throttled == 12
    assert snapshot.governor == "powersave"
    assert snapshot.load == 1.25


def test_what_the_system_does_not_tell_is_none(tmp_path):
    snapshot = take_snapshot(tmp_path)
    assert (snapshot.busy, snapshot.stolen, snapshot.throttled, snapshot.governor, snapshot.load) == (None,) * 5
    health = health_between(snapshot, dataclasses.replace(snapshot, at=snapshot.at + 1), threads=1)
    assert (health.others, health.steal) == (None, None)
    assert health.complaints == ()


def test_garbage_in_proc_is_not_believed(tmp_path):
    write(tmp_path, "proc/stat", "intr 1 2 3")
    write(tmp_path, "proc/loadavg", "none")
    snapshot = take_snapshot(tmp_path)
    assert (snapshot.busy, snapshot.load) == (None, None)


BEFORE = Snapshot(at=0.0, processors=2, own=10.0, busy=100.0, stolen=1.0, throttled=0, governor="performance", load=0.1)


def after(**changes: object) -> Snapshot:
    return dataclasses.replace(BEFORE, at=10.0, own=20.0, busy=110.0, **changes)


def test_own_work_is_not_counted_against_the_machine():
    health = health_between(BEFORE, after(), threads=1)
    assert health.others == 0.0
    assert health.complaints == ()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"busy": 125.0}, "other programs used 1.5 of 2 processors"),
        ({"stolen": 2.0}, "the host took 5% of the processors' time"),
        ({"throttled": 2}, "the processors were throttled 2 times"),
    ],
)
def test_a_disturbed_machine_says_by_what(changes, complaint):
    snapshot = dataclasses.replace(after(), **changes)
    assert health_between(BEFORE, snapshot, threads=1).complaints == (complaint,)


def test_others_on_free_processors_are_in_nobody_s_way():
    one_busy = dataclasses.replace(after(), busy=119.0)
    assert health_between(BEFORE, one_busy, threads=1).complaints == ()
    assert health_between(BEFORE, one_busy, threads=2).complaints != ()


def test_nothing_is_claimed_about_an_instant():
    health = health_between(BEFORE, dataclasses.replace(after(), at=0.01), threads=1)
    assert health == Health(threads=1, processors=2, governor="performance", load=0.1)


def test_json_has_every_figure():
    document = health_between(BEFORE, after(), threads=1).to_json()
    assert document["others"] == 0.0
    assert document["complaints"] == []
