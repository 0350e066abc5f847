"""What a config may say, and how it is told what it may not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from convcost.budgets import Budget, Increase, LayerBudget, Level
from convcost.budgets.budget import Growth
from convcost.budgets.config import Config, ModelInput, read_config
from convcost.budgets.option_text import parse_budget
from convcost.budgets.settings import environment_rules, merge_rules, resolve_settings
from convcost.errors import UsageError
from convcost.graph import DType
from convcost.located import LocatedError, parse_yaml
from convcost.located.toml import parse_toml

YAML = """\
version: 1
baseline: base.json
models:
  - {name: net, path: net.onnx, inputs: {x: [1, 3, 8, 8], ids: {shape: [1], dtype: int64}}, dims: {batch: 1}}
  - {factory: "pkg.nets:build", inputs: [[1, 3, 8, 8]]}
budgets:
  - {model: net, macs: 320M, params: {max: 3.6M, warn: 3.5M}, message: edge target}
  - {model: "*", increase: {macs: "+5%", params: "+1k"}, ignore-below: 100k, level: warn}
layer-budgets:
  - {match: "features.*", per: sum, kind: depthwise, weight_bytes: 8MiB}
"""
TOML = """\
[tool.convcost]
version = 1
baseline = "base.json"
models = [
  {name = "net", path = "net.onnx", inputs = {x = [1, 3, 8, 8], ids = {shape = [1], dtype = "int64"}}, dims.batch = 1},
  {factory = "pkg.nets:build", inputs = [[1, 3, 8, 8]]},
]
[[tool.convcost.budgets]]
model = "net"
macs = "320M"
params = {max = "3.6M", warn = "3.5M"}
message = "edge target"
[[tool.convcost.budgets]]
increase = {macs = "+5%", params = "+1k"}
ignore_below = "100k"
level = "warn"
[[tool.convcost.layer_budgets]]
match = "features.*"
per = "sum"
kind = "depthwise"
weight_bytes = "8MiB"
"""


def from_yaml(text: str) -> Config:
    return read_config(parse_yaml(text, file="convcost.yaml"), file="convcost.yaml")


def from_toml(text: str) -> Config:
    root = parse_toml(text, file="pyproject.toml", table=("tool", "convcost"))
    assert root is not None
    return read_config(root, file="pyproject.toml")


@pytest.mark.parametrize("config", [from_yaml(YAML), from_toml(TOML)], ids=["yaml", "toml"])
def test_both_files_say_the_same(config: Config) -> None:
    net, built = config.models
    assert (net.name, net.target, net.is_file, net.dims) == ("net", "net.onnx", True, (("batch", 1),))
    assert net.inputs == (
        ModelInput(name="x", shape=(1, 3, 8, 8)),
        ModelInput(name="ids", shape=(1,), dtype=DType.INT64),
    )
    assert (built.name, built.is_file) == ("pkg.nets:build", False)
    macs, params, more_macs, more_params, layers = config.rules
    assert isinstance(macs, Budget)
    assert (macs.limit, macs.terms.model, macs.terms.message) == (320_000_000, "net", "edge target")
    assert isinstance(params, Budget)
    assert (params.limit, params.warn) == (3_600_000, 3_500_000)
    assert isinstance(more_macs, Increase)
    assert isinstance(more_params, Increase)
    assert (more_macs.limit, more_macs.ignore_below) == (Growth(share=Fraction(1, 20)), 100_000)
    assert (more_params.limit, more_params.terms.level) == (Growth(amount=1000), Level.WARN)
    assert isinstance(layers, LayerBudget)
    assert (layers.match, layers.kind, layers.per, layers.limit) == ("features.*", "depthwise", "sum", 8 * 2**20)
    assert config.settings["baseline"].value == "base.json"


def test_each_limit_knows_its_line() -> None:
    places = [(str(rule.terms.where), str(rule.terms.limit_at)) for rule in from_yaml(YAML).rules]
    assert places[:2] == [
        ("convcost.yaml:7:24", "convcost.yaml:7:24"),
        ("convcost.yaml:7:38", "convcost.yaml:7:44"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "says", "hint"),
    [
        ("macs: 320M", "mac: 320M", "7:18: unknown key 'mac' in a budget", "did you mean 'macs'?"),
        ("baseline:", "baselin:", "2:1: unknown key 'baselin' in the config", "did you mean 'baseline'?"),
        ("320M", "320m", "7:24: 'm' means thousandths, and macs is a whole count", "write macs: 320M"),
        ("320M", "600 MFLOPs", "7:24: 'MFLOPs' is not a unit of macs", "write flops: 600M if you mean flops"),
        ("320M", "[1]", "7:24: a limit is a number with its unit, not a list", "such as macs: 600M"),
        ("320M", "~", "7:24: a limit is a number with its unit, not nothing", "such as macs: 600M"),
        ("warn: 3.5M", "warn: 3.7M", "7:50: warn is above max, and would never", "let params warn below its max"),
        ('"+5%"', '{max: "+5%", warn: "+6%"}', "8:48: warn is above max", "let macs warn below its max"),
        ('"+1k"', '"+1k", latency: "+5%"', "8:74: 'ignore_below' is one amount", "give each unit a budget of its own"),
        ("320M", "1.5", "7:24: 1.5 is not a limit for macs", "write macs: 600M or a whole number"),
        (
            '"+5%"',
            "5",
            "8:35: '5' does not say growth of macs by what",
            "write macs: +5 for an amount, macs: +5% for a share",
        ),
        ("level: warn", "level: wrn", "8:85: level cannot be 'wrn'", "did you mean 'warn'?"),
        (
            "weight_bytes: 8MiB",
            "peak_activation_bytes: 8MiB",
            "10:77: peak_activation_bytes belongs to the whole model",
            "move it to budgets",
        ),
        (
            'match: "features.*", per: sum, kind: depthwise',
            "per: sum",
            "10:5: a layer budget says which layers",
            "add match: 'features.*' or kind: depthwise",
        ),
        ("path: net.onnx", "path: net.onnx, spec: net.yaml", "4:5: a model needs one of path, factory, spec", None),
        ("[1, 3, 8, 8], ids", "[1, 0, 8, 8], ids", "4:49: a size must be at least 1, not 0", None),
        ("dtype: int64", "dtype: int65", "4:84: dtype cannot be 'int65'", None),
        (
            "name: net,",
            "name: pkg.nets:build,",
            "5:5: a second model is named 'pkg.nets:build'",
            "give each its own name",
        ),
        ("version: 1", "threads:", "1:9: threads must be a number, not nothing", "such as threads: 4"),
        ("version: 1", "headroom: [1]", "1:11: headroom must be a number, not a list", "such as headroom: 10%"),
        ("version: 1", "version: 2", "1:10: version must be at most 1, not 2", None),
        ("ignore-below: 100k", "ignore-below: 100k, ignore_below: 1", "'ignore_below' is 'ignore_below' again", None),
        ("{max: 3.6M, warn: 3.5M}", "{}", "7:38: params has neither max nor warn", "write params: 600M"),
        ("{max: 3.6M, warn: 3.5M}", "{maximum: 3M}", "7:39: unknown key 'maximum' in params", "did you mean 'max'?"),
        ('increase: {macs: "+5%", params: "+1k"}, ', "macs: 1, ", "'ignore_below' belongs to an increase", None),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(old: str, new: str, says: str, hint: str | None) -> None:
    assert old in YAML
    with pytest.raises(LocatedError) as caught:
        from_yaml(YAML.replace(old, new, 1))
    assert caught.value.message.startswith("convcost.yaml:")
    assert says in caught.value.message
    if hint is not None:
        assert caught.value.hint == hint


def settings(environment: dict[str, str], text: str = "version: 1", **given: str) -> dict[str, tuple[str, str]]:
    found = resolve_settings(dict(given), environment, from_yaml(text))
    return {name: (setting.value, setting.where) for name, setting in found.items()}


def test_the_command_line_holds_over_the_environment_over_the_file_over_the_default() -> None:
    file, environment = "baseline: file.json", {"CONVCOST_BASELINE": "env.json"}
    assert settings({})["baseline"] == ("convcost-baseline.json", "default")
    assert settings({}, file)["baseline"] == ("file.json", "convcost.yaml:1:1")
    assert settings(environment, file)["baseline"] == ("env.json", "environment CONVCOST_BASELINE")
    assert settings(environment, file, baseline="given.json")["baseline"] == ("given.json", "command line")


def test_an_empty_variable_is_not_set() -> None:
    assert settings({"CONVCOST_BASELINE": ""}, "baseline: file.json")["baseline"][0] == "file.json"


def test_a_baseline_and_a_ref_exclude_each_other_and_the_stronger_place_holds() -> None:
    assert settings({}, "base_ref: main", baseline="b.json")["base_ref"][0] == ""
    assert settings({"CONVCOST_BASE_REF": "main"}, "baseline: b.json")["base_ref"][0] == "main"
    with pytest.raises(UsageError, match="both given"):
        settings({}, base_ref="main", baseline="b.json")


def test_a_misspelt_variable_is_told() -> None:
    with pytest.raises(UsageError) as caught:
        settings({"CONVCOST_BASELIN": "b.json"})
    assert caught.value.hint == "did you mean CONVCOST_BASELINE?"


def test_budgets_of_the_environment_are_apart_by_commas() -> None:
    rules = environment_rules({"CONVCOST_MAX": "macs=600M, params=3M", "CONVCOST_MAX_INCREASE": "macs=5%"})
    assert [rule.subject for rule in rules] == ["macs", "params", "increase of macs"]
    with pytest.raises(UsageError, match=r"^CONVCOST_MAX: "):
        environment_rules({"CONVCOST_MAX": "600M"})


def test_a_stronger_budget_stands_in_for_those_of_its_metric() -> None:
    file = from_yaml(YAML).rules
    merged = merge_rules(file, [parse_budget("macs=1G")])
    assert [(rule.subject, rule.limit) for rule in merged if isinstance(rule, Budget)] == [
        ("params", 3_600_000),
        ("macs", 10**9),
    ]
    assert len(merged) == len(file)
