"""Config files: any text as `convcost.yaml` and as `pyproject.toml`, resolved, judged by, and rewritten."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import convcost
from convcost.analysis import Analysis
from convcost.budgets import Reference, check_analysis
from convcost.budgets.config import Config, ModelEntry
from convcost.budgets.ratchet import rewritten, tightenings
from convcost.budgets.settings import headroom_of, is_true, resolve_settings, warn_only
from convcost.cli.config_file import load_config, request_for
from convcost.errors import ConvcostError
from convcost.reports import CHECK_FORMATS
from convcost.reports.check import CheckReport
from convcost.sources import load
from fuzz.door import Door
from fuzz.oracles import shows_plainly
from fuzz.trees import changed_json

_LAYER = Path(__file__).parents[1] / "sample_configs" / "layer.yaml"
_FILES = (".onnx", ".onnx.gz", ".yaml", ".yml")
_YAML = """version: 1
baseline: convcost-baseline.json
headroom: 5%
warn_only: false
models:
  - {name: net, path: models/net.onnx, inputs: {x: [1, 3, 224, 224], m: {shape: [1], dtype: int64}}, dims: {batch: 1}}
  - {factory: "net.py:build", inputs: [[1, 3, 8, 8]]}
  - {name: two, spec: net.yaml}
budgets:
  - {model: net, macs: 320M, params: {max: 3.6M, warn: 3.5M}, message: "edge target"}
  - {model: "*", increase: {macs: "+5%", params: 10k}, ignore_below: 100k}
layer_budgets:
  - {model: net, match: "features.*", per: layer, macs: 25M, level: warn}
  - {model: net, kind: depthwise, per: sum, weight_bytes: 20MB}
"""
_TOML = """[tool.convcost]
base-ref = "main"
[[tool.convcost.models]]
name = "net"
path = 'net.onnx'
inputs = {x = [1, 3, 224, 224]}
[[tool.convcost.budgets]]
macs = "320M"
params = {max = 3_600_000, warn = "3.5M"}
message = \"\"\"two
lines\"\"\"
[[tool.convcost.layer-budgets]]
match = "*"
"macs" = '''9M'''
"""
_WORDS = r'''
version: baseline: base_ref: headroom: warn_only: models: budgets: layer_budgets: path: factory: spec: inputs:
dims: increase: ignore-below: ignore_below: macs params weight_bytes peak_activation_bytes bytes_moved max:
warn: match: kind: per: level: message: git:HEAD: [tool.convcost] [[tool.convcost.models]]
[tool.convcost.models] """ \u0000 \ud800 1979-05-27T07:32:00Z 0x_f 1e999 nan -inf 5% 1_000 600M 20MiB <<
'''


def check(data: bytes) -> None:
    """What a config names is looked for beside it, where nothing is; its factories are not run."""
    for name in ("convcost.yaml", "pyproject.toml"):
        path = _folder() / name
        path.write_bytes(data)
        try:
            config = load_config(str(path), isolated=False)
        except ConvcostError:
            continue
        _use(config, data.decode("utf-8-sig"))


def seeds() -> Iterator[bytes]:
    yield _YAML.encode()
    yield _TOML.encode()
    import yaml

    yield json.dumps(yaml.safe_load(_YAML)).encode()
    yield (_LAYER.parents[1] / ".ci" / "convcost.yaml").read_bytes()


DOOR = Door(check=check, seeds=seeds, change=changed_json, words=tuple(_WORDS.split()))


def _use(config: Config, text: str) -> None:
    """Every format of a check by it, and the same config after `--ratchet`."""
    for entry in config.models:
        _look_for(entry, config)
    try:
        settings = resolve_settings({}, {}, config)
        headroom = headroom_of(settings["headroom"].value)
        rules = warn_only(config.rules) if is_true(settings["warn_only"]) else config.rules
        verdicts = check_analysis(_analysis(), rules, name="net", reference=_reference())
        shows_plainly(CheckReport(results=(verdicts,)), CHECK_FORMATS)
        again = rewritten(text, changes := tightenings(verdicts, headroom))
    except ConvcostError:
        return
    if changes:
        Path(config.file).write_text(again, encoding="utf-8", newline="")
        assert len(load_config(config.file, isolated=False).rules) == len(config.rules), "--ratchet lost a budget"


def _look_for(entry: ModelEntry, config: Config) -> None:
    request = request_for(entry, config)
    if request.target.endswith(_FILES) and ":" not in request.target:
        try:
            load(request)
        except ConvcostError:
            return


@cache
def _analysis() -> Analysis:
    return convcost.analyze(_LAYER)


@cache
def _reference() -> Reference:
    return Reference(analysis=_analysis())


@cache
def _folder() -> Path:
    return Path(os.path.realpath(tempfile.mkdtemp(prefix="convcost-fuzz-")))
