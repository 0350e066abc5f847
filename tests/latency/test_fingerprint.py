"""Machines are told apart by what changes timings, and by nothing that names a person or a host."""

from __future__ import annotations

import platform

from convcost.latency.fingerprint import Fingerprint, machine_fingerprint, processor_name


def test_equal_facts_give_equal_digests_in_any_order():
    one, other = Fingerprint(facts={"a": "1", "b": "2"}), Fingerprint(facts={"b": "2", "a": "1"})
    assert one.digest == other.digest
    assert one.digest != Fingerprint(facts={"a": "1", "b": "3"}).digest
    assert one.differences(other) == ()


def test_differences_are_said_in_words():
    now = Fingerprint(facts={"processor": "new", "threads": "1"})
    before = Fingerprint(facts={"processor": "old", "threads": "1", "accelerator": "a GPU"})
    assert now.differences(before) == ("accelerator: unknown, was a GPU", "processor: new, was old")


def test_threads_runtime_and_accelerator_are_part_of_it():
    base = machine_fingerprint("torch")
    assert machine_fingerprint("torch", threads=2).digest != base.digest
    assert machine_fingerprint("onnxruntime").digest != base.digest
    assert machine_fingerprint("torch", accelerator="a GPU").digest != base.digest
    assert machine_fingerprint("torch").digest == base.digest


def test_no_host_name_is_recorded():
    facts = machine_fingerprint("torch").facts
    assert platform.node() not in facts.values()


def test_the_processor_has_its_own_name_where_the_system_shows_it(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text("processor : 0\nmodel name\t: Some  CPU @ 2 GHz\n")
    assert processor_name(tmp_path) == "Some CPU @ 2 GHz"
    assert processor_name(tmp_path / "nowhere")
