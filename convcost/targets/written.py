"""A request as text, for another process to read, or to tell it from others by."""

from __future__ import annotations

import json
from collections.abc import Mapping

from convcost.graph import DType
from convcost.sources.request import InputSpec, Request


def request_json(request: Request) -> str:
    """All that what is read depends on, as JSON: two requests that ask for the same are written alike."""
    inputs = [
        {"shape": list(each.shape), "name": each.name, "dtype": each.dtype.value if each.dtype else None}
        for each in request.inputs
    ]
    dims = dict(sorted(request.dims.items()))
    written = {"target": request.target, "inputs": inputs, "dims": dims, "trust_pickle": request.trust_pickle}
    return json.dumps(written)


def read_request(text: str) -> Request:
    """What `request_json` wrote."""
    described = json.loads(text)
    inputs, dims = described["inputs"], described["dims"]
    return Request(
        target=str(described["target"]),
        inputs=tuple(_input(each) for each in inputs) if isinstance(inputs, list) else (),
        dims=dims if isinstance(dims, dict) else {},
        trust_pickle=described["trust_pickle"] is True,
    )


def _input(described: Mapping[str, object]) -> InputSpec:
    shape, name, dtype = described["shape"], described["name"], described["dtype"]
    return InputSpec(
        shape=tuple(shape) if isinstance(shape, list) else (),
        name=str(name) if name is not None else None,
        dtype=next((each for each in DType if each.value == dtype), None),
    )
