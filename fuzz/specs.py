"""Layer specs: any text as a YAML file, counted, and each convolution beside its alternatives."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

import convcost
from convcost.errors import ConvcostError
from convcost.reports.analysis import AnalysisReport
from convcost.reports.comparison import ComparisonReport
from fuzz.door import Door
from fuzz.oracles import adds_up, shows_plainly
from fuzz.trees import changed_json

_SAMPLES = Path(__file__).parents[1] / "sample_configs"
_WORDS = r"""
layer: layers: version: input: batch: dtype: type: conv conv_transpose depthwise pointwise linear pool norm
activation flatten global_pool in_channels: out_channels: kernel: stride: padding: dilation: groups: bias:
same valid repeat: block: alternatives: rank: order: multiplier: in_features: out_features: float16 bfloat16
&a *a << !!python/object/apply:os.system --- ... ? | > [[0,1],[1,0]] 0x7f 1e400 .inf .nan ~ null true
"""


def check(data: bytes) -> None:
    path = _folder() / "layer.yaml"
    path.write_bytes(data)
    try:
        analysis = convcost.analyze(path)
    except ConvcostError:
        return
    adds_up(analysis)
    shows_plainly(AnalysisReport(analyses=(analysis,)))
    try:
        comparison = convcost.compare(path)
    except ConvcostError:
        return
    shows_plainly(ComparisonReport(comparison=comparison))


def seeds() -> Iterator[bytes]:
    """The samples as they lie, and as JSON, which is YAML whose values `change` can move about."""
    for path in sorted(_SAMPLES.rglob("*.yaml")):
        if "devices" not in path.parts and "kernels" not in path.parts:
            yield path.read_bytes()
            yield json.dumps(yaml.safe_load(path.read_bytes())).encode()


DOOR = Door(check=check, seeds=seeds, change=changed_json, words=tuple(_WORDS.split()))


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="convcost-fuzz-"))
