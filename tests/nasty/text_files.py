"""Specs, configs and saved reports that ask for too much, or are something else."""

from __future__ import annotations

import json

from tests.nasty.nasty import Nasty

_CONV = "layer: {{type: conv, in_channels: 3, out_channels: 8, kernel: 3, input: [8, 8]{}}}\n"
_COMPARE, _DIFF = ("compare", "@"), ("diff", "@", "@")
_CHECK = ("check", "--config", "@")
_CHECKED = '[tool.convcost]\n{}\n[[tool.convcost.models]]\npath = "{}"\n[[tool.convcost.budgets]]\nmacs = "1M"\n'


def _aliases(levels: int) -> str:
    """Nine of nine of nine …"""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at + 1}: &a{at + 1} [{', '.join([f'*a{at}'] * 9)}]" for at in range(levels)]
    return "\n".join(lines)


def _numbers(most: int) -> str:
    return ", ".join(map(str, range(1, most)))


def _spec(name: str, text: str, says: str = "", command: tuple[str, ...] = ("analyze", "@")) -> Nasty:
    return Nasty(name=name, content=text.encode("utf-8", "surrogatepass"), says=says, command=command)


SPECS = (
    _spec("empty.yaml", "", "is empty"),
    _spec("nul.yaml", "layer: \0", "is not allowed in YAML"),
    _spec("not_utf8.yaml", "layer: \ud800", "not UTF-8 text"),
    _spec("too_large.yaml", "#" * 1_100_000, "larger than"),
    _spec("alias_bomb.yaml", _aliases(9), "aliases spelled out"),
    _spec("alias_of_itself.yaml", "&a [*a]", "has no anchor before it"),
    _spec("deep.yaml", "[" * 500_000, "deep"),
    _spec("deep_dashes.yaml", "- " * 30_000 + "a", "deep"),
    _spec("deep_blocks.yaml", "input: [3, 8, 8]\nlayers: " + "[{block: " * 30 + "[]" + "}]" * 30, "deep"),
    _spec("tag.yaml", '!!python/object/apply:os.system ["id"]', "tags such as"),
    _spec("second_key.yaml", _CONV.format(", kernel: 5"), "a second time"),
    _spec("second_document.yaml", _CONV.format("") + "---\na: b\n", "a second document"),
    _spec("digits.yaml", _CONV.format(f", stride: {'9' * 100_000}"), "100000 digits"),
    _spec("infinite.yaml", _CONV.format(", stride: .inf"), "stride"),
    _spec("dilated_by_10_to_the_18.yaml", _CONV.format(", dilation: 999999999999999999"), "at most"),
    _spec(
        "repeated.yaml", "input: [3, 8, 8]\nlayers: [{block: [{type: activation}], repeat: 999999999}]", "10,000 layers"
    ),
    _spec(
        "same_names.yaml",
        "layers:\n" + "- {name: x, type: linear, in_features: 1, out_features: 1}\n" * 3,
        "two layers",
    ),
    _spec(
        "combinations.yaml",
        _CONV.format("")
        + f"alternatives: [{{name: tucker2, rank_in: [{_numbers(3000)}], rank_out: [{_numbers(3000)}]}}]",
        "combinations",
        _COMPARE,
    ),
    _spec(
        "alternatives.yaml",
        _CONV.format("") + f"alternatives: [{f'{{name: grouped, groups: [{_numbers(200)}]}}, ' * 50}]",
        "more than 256 alternatives",
        _COMPARE,
    ),
    _spec("name.yaml", _CONV.format(', name: "\\e[31m=cmd()\\u202e"'), "printable characters"),
)

CONFIGS = (
    _spec("deep.toml", "[tool.convcost]\nbudgets = " + "[" * 20_000 + "]" * 20_000, "nested too deep", _CHECK),
    _spec(
        "deep_tables.toml",
        "[tool.convcost]\nbudgets = " + "{a=" * 20_000 + "1" + "}" * 20_000,
        "nested too deep",
        _CHECK,
    ),
    _spec("deep_key.toml", "[tool.convcost]\n" + "a." * 200_000 + "b = 1\n", "keys nested", _CHECK),
    _spec("deep_header.toml", "[" + "'a'. " * 100_000 + "b]\n[tool.convcost]\n", "keys nested", _CHECK),
    _spec("digits.toml", f"[tool.convcost]\nversion = {'9' * 100_000}\n", "not valid TOML", _CHECK),
    _spec("nan.toml", "[tool.convcost]\nversion = nan\n", "version", _CHECK),
    _spec("date.toml", "[tool.convcost]\nversion = 1979-05-27\n", "dates and times", _CHECK),
    _spec("nul_in_report.toml", _CHECKED.format("", "a\\u0000b.json"), "null", _CHECK),
    _spec("nul_in_path.toml", _CHECKED.format("", "a\\u0000b.onnx"), "null", _CHECK),
    _spec("long_path.toml", _CHECKED.format("", f"{'a' * 5000}.onnx"), "too long", _CHECK),
    _spec(
        "path_of_etc.toml", _CHECKED.format("", "../../../../../../../../etc/passwd"), "not a kind of target", _CHECK
    ),
    _spec("revision_that_is_an_option.toml", _CHECKED.format("", "git:--output=x:a.onnx"), "git", _CHECK),
    _spec("revision_with_nul.toml", _CHECKED.format("", "git:a\\u0000:a.onnx"), "git", _CHECK),
)

_LAYER = {
    "name": "a", "kind": "conv", "op": "Conv", "inputs": [[1]], "outputs": [[1]], "attributes": {}, "macs": 1,
    "other_ops": 0, "params": 0, "buffers": 0, "weight_bytes": 0, "activation_bytes": 0, "bytes_moved": 0,
}  # fmt: skip
_TOTALS = {**{key: 0 for key, value in _LAYER.items() if value == 0}, "macs": 1, "peak_activation_bytes": 0}
_REPORT = {
    "schema": "convcost/analysis/1", "source": {"target": "a", "kind": "onnx"}, "inputs": [], "totals": _TOTALS,
    "coverage": {"unknown": []}, "layers": [_LAYER],
}  # fmt: skip


def _report(name: str, says: str, **others: object) -> Nasty:
    return _spec(name, json.dumps({**_REPORT, **others}), says, _DIFF)


REPORTS = (
    _report("good.json", ""),
    _spec("deep.json", "[" * 1_000_000, "not JSON", _DIFF),
    _spec("digits.json", f'{{"schema": {"9" * 100_000}}}', "100000 digits", _DIFF),
    _spec("cut_short.json", json.dumps(_REPORT)[:-5], "not JSON", _DIFF),
    _spec("number.json", "1", "has no 'schema'", _DIFF),
    _report("infinite.json", "Infinity is not a number", layers=[{**_LAYER, "attributes": {"pads": float("inf")}}]),
    _report("nan.json", "NaN is not a number", totals={**_TOTALS, "macs": float("nan")}),
    _report("text_for_a_count.json", "not a count", totals={**_TOTALS, "macs": "1"}),
    _report("below_zero.json", "not a count", layers=[{**_LAYER, "macs": -1}]),
    _report("layers_of_one_name.json", "two layers named 'a'", layers=[_LAYER, _LAYER], totals={**_TOTALS, "macs": 2}),
    _report("other_sum.json", "its layers add up to 1", totals={**_TOTALS, "macs": 2}),
    _report("shape_of_texts.json", "not a list of sizes", layers=[{**_LAYER, "outputs": [["1"]]}]),
    _report("rank_1000.json", "1,000 dimensions", layers=[{**_LAYER, "outputs": [[1] * 1000]}]),
    _report("names.json", "", layers=[{**_LAYER, "name": "\x1b[31m=cmd()\u202e\ud800"}]),
    _report("huge.json", "", layers=[{**_LAYER, "macs": 10**299}], totals={**_TOTALS, "macs": 10**299}),
)  # fmt: skip
