"""The ONNX reader: any bytes as a file, counted and shown."""

from __future__ import annotations

import random
import tempfile
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from onnx import ModelProto, TensorProto, helper

from convcost.analysis import analyze_graph
from convcost.errors import ConvcostError
from convcost.reports.analysis import AnalysisReport
from convcost.sources import Request
from convcost.sources.onnx import declared_shapes, load_onnx
from fuzz.door import Door
from fuzz.messages import changed_message
from fuzz.oracles import adds_up, shows_plainly

_MOST_SEED_BYTES = 6000


def check(data: bytes) -> None:
    """Read with every symbolic dimension at 2: without sizes most models would be refused at once."""
    path = _folder() / "model.onnx"
    path.write_bytes(data)
    try:
        symbols = {size for shape in declared_shapes(str(path)).values() for size in shape if isinstance(size, str)}
        analysis = analyze_graph(load_onnx(Request(target=str(path), dims=dict.fromkeys(symbols, 2))))
    except ConvcostError:
        return
    adds_up(analysis)
    shows_plainly(AnalysisReport(analyses=(analysis,)))


def seeds() -> Iterator[bytes]:
    """ONNX's own models of single operators, and what those leave out."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its reference values divide by zero
        cases = collect_testcases(None)
    for case in cases:
        if case.model is not None and case.model.ByteSize() < _MOST_SEED_BYTES:
            yield case.model.SerializeToString()
    yield from own_models()


def own_models() -> Iterator[bytes]:
    """Local functions, a loop, and weights in another file."""
    yield from (model.SerializeToString() for model in (_functions(), _loop(), _external()))


def change(data: bytes, chance: random.Random) -> bytes:
    return changed_message(ModelProto(), data, chance)


DOOR = Door(check=check, seeds=seeds, change=change)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="convcost-fuzz-"))


def _value(name: str, *shape: int | str) -> object:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _model(nodes: list[object], **others: object) -> ModelProto:
    graph = helper.make_graph(nodes, "g", [_value("x", "n", 4, 8, 8)], [_value("y", "n", 4, 8, 8)])
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10, **others)


def _functions() -> ModelProto:
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]
    inner = helper.make_function("local", "inner", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], imports)
    calls = [helper.make_node("inner", ["a"], ["t"], domain="local"), helper.make_node("Add", ["t", "a"], ["b"])]
    outer = helper.make_function("local", "outer", ["a"], ["b"], calls, imports)
    return _model([helper.make_node("outer", ["x"], ["y"], domain="local")], functions=[inner, outer])


def _loop() -> ModelProto:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Sigmoid", ["s"], ["t"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, ()),
            helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
            _value("s", "n", 4, 8, 8),
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, ()), _value("t", "n", 4, 8, 8)],
    )
    trips = helper.make_node("Constant", [], ["trips"], value_int=3)
    return _model([trips, helper.make_node("Loop", ["trips", "", "x"], ["y"], body=body)])


def _external() -> ModelProto:
    model = _model([helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])])
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 4, 3, 3], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": "../../weights.bin", "offset": "0", "length": "576"}.items():
        weight.external_data.add(key=key, value=value)
    model.graph.initializer.append(weight)
    return model
