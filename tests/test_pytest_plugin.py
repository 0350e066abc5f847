"""The pytest plugin as installed, found by its entry point, run in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NET = "layers: [{type: conv, in_channels: 8, out_channels: 8, kernel: 3, input: [9, 9]}]\n"  # 28,224 MACs
TESTS = """\
import pytest

@pytest.mark.convcost(macs="30k")
def test_within(cost_budget):
    assert cost_budget("net.yaml").totals.macs == 28224

@pytest.mark.convcost(macs="20k")
def test_over(cost_budget):
    cost_budget("net.yaml")

@pytest.mark.convcost(macs="30k")
def test_forgets_the_fixture():
    pass

@pytest.mark.convcost(macs="30k")
def test_forgets_the_model(cost_budget):
    pass

def test_forgets_the_marker(cost_budget):
    pass

@pytest.mark.convcost("30k")
def test_names_no_metric(cost_budget):
    pass

@pytest.mark.convcost(mac="30k")
def test_names_a_wrong_metric(cost_budget):
    cost_budget("net.yaml")

@pytest.mark.convcost(macs="20k", params="10k")
class TestNearest:
    @pytest.mark.convcost(macs="30k")
    def test_wins(self, cost_budget):
        cost_budget("net.yaml")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    (folder / "net.yaml").write_text(NET)
    (folder / "test_cost.py").write_text(TESTS)
    return folder


def outcomes(folder: Path, *options: str) -> tuple[set[tuple[str, str]], str]:
    command = [sys.executable, "-m", "pytest", "-rA", "--strict-markers", *options]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    run = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**environment, "PYTHONPATH": str(ROOT)}
    )
    lines = [line.split() for line in run.stdout.splitlines() if "test_cost.py::" in line]
    words = {"PASSED", "FAILED", "ERROR"}
    return {(line[0], line[1].rpartition("::")[2]) for line in lines if line[0] in words}, run.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_a_marker_holds_a_model_to_its_budget(folder: Path, options: tuple[str, ...]) -> None:
    found, output = outcomes(folder, *options)
    assert found == {
        ("PASSED", "test_within"),
        ("FAILED", "test_over"),
        ("PASSED", "test_forgets_the_fixture"),
        ("ERROR", "test_forgets_the_fixture"),
        ("PASSED", "test_forgets_the_model"),
        ("ERROR", "test_forgets_the_model"),
        ("ERROR", "test_forgets_the_marker"),
        ("ERROR", "test_names_no_metric"),
        ("FAILED", "test_names_a_wrong_metric"),
        ("PASSED", "test_wins"),
    }
    assert "41.1 %" in output or "8.22 k over" in output
    assert "did you mean macs?" in output or "'mac' is not a metric" in output
