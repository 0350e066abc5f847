"""The public functions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import convcost
from convcost.errors import SourceError, UsageError
from convcost.sources import InputSpec

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_configs"


def test_every_public_name_is_there() -> None:
    assert all(getattr(convcost, name) is not None for name in convcost.__all__)
    assert set(convcost.__all__) <= set(dir(convcost))


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        convcost.analyse  # noqa: B018 - the attribute access is the test


def test_importing_convcost_loads_none_of_its_dependencies() -> None:
    heavy = "{'torch', 'onnx', 'numpy', 'yaml', 'rich', 'typer'}"
    program = f"import sys, convcost; assert not {heavy} & set(sys.modules), sorted({heavy} & set(sys.modules))"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_a_path_is_analyzed() -> None:
    analysis = convcost.analyze(SAMPLES / "mobilenet_v1.yaml")
    assert (analysis.totals.macs, analysis.totals.params) == (568_740_352, 4_231_976)
    assert analysis.unknown == ()
    assert analysis.layers


def test_inputs_of_a_target_are_shapes() -> None:
    for inputs in ([(1, 3, 192, 192)], [InputSpec(shape=(1, 3, 192, 192))]):
        assert convcost.analyze(SAMPLES / "mobilenet_v1.yaml", inputs=inputs).totals.macs == 418_121_728


def test_a_module_is_analyzed_with_shapes() -> None:
    analysis = convcost.analyze(torch.nn.Linear(8, 4), inputs=((2, 8),))
    assert (analysis.totals.macs, analysis.totals.params) == (64, 36)


def test_a_graph_can_be_had_without_counting() -> None:
    assert convcost.load(str(SAMPLES / "layer.yaml")).nodes[0].name == "conv1"


def test_compare_takes_alternatives_by_name() -> None:
    comparison = convcost.compare(SAMPLES / "layer.yaml", alternatives="grouped[groups=2]")
    assert [candidate.cost.macs for candidate in comparison.layers[0].candidates] == [115_605_504, 57_802_752]


def test_compare_takes_the_alternatives_a_spec_lists(tmp_path: Path) -> None:
    spec = tmp_path / "layer.yaml"
    layer = (SAMPLES / "layer.yaml").read_text()
    spec.write_text(f"{layer}\nalternatives:\n  - {{name: grouped, groups: [2, 8]}}\n")
    candidates = convcost.compare(spec).layers[0].candidates
    assert [candidate.label for candidate in candidates] == ["standard", "grouped g=2", "grouped g=8"]


def test_a_wrong_alternative_in_a_spec_is_told_with_its_place(tmp_path: Path) -> None:
    spec = tmp_path / "layer.yaml"
    text = f"{(SAMPLES / 'layer.yaml').read_text().rstrip()}\nalternatives:\n  - gruoped\n"
    spec.write_text(text)
    with pytest.raises(convcost.ConvcostError, match=rf"layer.yaml:{len(text.splitlines())}:5: unknown alternative"):
        convcost.compare(spec)


def test_check_iterates_over_verdicts() -> None:
    verdicts = convcost.check(SAMPLES / "mobilenet_v1.yaml", {"macs": "600M", "params": 4_000_000})
    assert [verdict.status for verdict in verdicts] == [convcost.Status.PASS, convcost.Status.FAIL]


def test_check_takes_an_analysis() -> None:
    analysis = convcost.analyze(SAMPLES / "layer.yaml")
    assert convcost.check(analysis, {"macs": "200M"}).status is convcost.Status.PASS


@pytest.mark.parametrize(
    ("inputs", "says"),
    [((1, 3, 224, 224), "1 is not a shape"), (["1x3"], "is not a shape"), ([(1, 2.5)], "not a shape")],
)
def test_inputs_that_are_no_shapes_are_refused(inputs: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        convcost.analyze(SAMPLES / "mobilenet_v1.yaml", inputs=inputs)


def test_kwargs_belong_to_modules_and_dims_to_targets() -> None:
    with pytest.raises(UsageError, match="kwargs belong"):
        convcost.analyze(SAMPLES / "layer.yaml", kwargs={"mask": (1, 2)})
    with pytest.raises(UsageError, match="dims belong"):
        convcost.analyze(torch.nn.Linear(2, 2), inputs=((1, 2),), dims={"n": 1})


def test_a_target_is_measured() -> None:
    taken = convcost.measure(SAMPLES / "layer.yaml", max_time=0.05)
    assert isinstance(taken, convcost.Measurement)
    assert 0 < taken.p10 <= taken.median <= taken.p90
    assert (taken.setting.runtime, taken.setting.threads) == ("torch", 1)


def test_a_module_is_measured_as_it_is_and_left_in_its_mode() -> None:
    seen: list[tuple[bool, bool]] = []

    class Net(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if not x.is_meta:
                seen.append((self.training, x.requires_grad))
            return super().forward(x)

    module = Net(8, 4)
    assert convcost.measure(module, inputs=((2, 8),), max_time=0.05).samples.times
    assert set(seen) == {(False, False)}
    assert module.training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runtime": "tvm"}, "'tvm' is no runtime"),
        ({"device": "tpu"}, "'tpu' is no device"),
        ({"threads": 0}, "threads, not 0"),
        ({"max_time": 0}, "max_time is 0"),
        ({"dims": {"batch": 2}}, "dims belong to a target"),
    ],
)
def test_a_setting_that_does_not_exist_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        convcost.measure(torch.nn.Linear(8, 4), inputs=((2, 8),), **options)


def test_what_cannot_be_measured_says_why() -> None:
    with pytest.raises(SourceError, match="not measured: running it needs") as caught:
        convcost.measure(SAMPLES / "layer.yaml", max_bytes=1000)
    assert "max_bytes" in str(caught.value.hint)
    with pytest.raises(SourceError, match=r"takes an nn\.Module"):
        convcost.measure(3)  # type: ignore[arg-type]  # what a user may do
