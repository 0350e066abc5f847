"""Requests as text."""

from __future__ import annotations

from convcost.graph import DType
from convcost.sources.request import InputSpec, Request
from convcost.targets.written import read_request, request_json


def test_a_request_is_read_as_it_was_written() -> None:
    inputs = (InputSpec(shape=(1, 2), name="x", dtype=DType.INT64), InputSpec(shape=(3,)))
    request = Request(target="net.pt", inputs=inputs, dims={"batch": 2}, trust_pickle=True)
    assert read_request(request_json(request)) == request


def test_requests_for_the_same_are_written_alike() -> None:
    one, other = Request(target="net.onnx", dims={"a": 1, "b": 2}), Request(target="net.onnx", dims={"b": 2, "a": 1})
    assert request_json(one) == request_json(other)
    assert request_json(one) != request_json(Request(target="net.onnx", dims={"a": 2, "b": 1}))
