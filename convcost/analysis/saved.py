"""A saved JSON report back to the Analysis it was written from, so that old numbers need no old model."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from typing import ClassVar

from convcost.analysis.result import SCHEMA, Analysis, Json, Layer, Storage, Totals, UnknownOp
from convcost.dataclasses import dataclass
from convcost.errors import SourceError
from convcost.graph import Cost, DType, Node, Origin, Shape, Tensor
from convcost.graph.ops import Arithmetic, Attribute, Op, Shapes, Unknown

_DTYPES = {str(dtype.value): dtype for dtype in DType}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded(Op):
    """An op of a saved report: what it was called and what it cost, not how the cost comes about."""

    recorded_kind: str
    recorded_attributes: tuple[tuple[str, Attribute], ...]
    shapes: Shapes
    work: Arithmetic

    family: ClassVar[str] = "recorded"
    formula: ClassVar[str] = "as the report says"
    reference: ClassVar[str] = "the saved report"

    @property
    def kind(self) -> str:
        return self.recorded_kind

    def output_shapes(self, operands: Shapes) -> Shapes:
        return self.shapes

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return self.work

    def attributes(self) -> Mapping[str, Attribute]:
        return dict(self.recorded_attributes)


def read_analysis(document: Json, *, named: str) -> Analysis:
    """The analysis of a `convcost/analysis/1` document, equal to the original in everything the document says.

    The document does not say names of inner tensors, nor bytes read and written apart: all are read.
    Raises `SourceError`, with `named` in front, for anything that is not such a document, and for totals that are not
    what its layers add up to.
    """
    root = _Fields(document, named)
    if root.value("schema") != SCHEMA:
        raise root.error(f"is not a report of 'convcost analyze' ({SCHEMA})")
    source = root.fields("source")
    return read_layers(document, named=named, target=source.text("target"), source=source.text("kind"))


def read_layers(document: Json, *, named: str, target: str, source: str) -> Analysis:
    """The part of a report that costs are in: inputs, totals, coverage and layers; other keys may be missing."""
    root = _Fields(document, named)
    totals = root.fields("totals")
    layers = tuple(_layer(item) for item in root.each("layers"))
    stored = Storage(**{key: totals.number(key) for key in ("params", "buffers", "weight_bytes")})
    _refuse_doubles(root, layers)
    _refuse_other_sums(totals, layers)
    return Analysis(
        target=target,
        source=source,
        inputs=tuple(_input(item) for item in root.each("inputs")),
        totals=Totals(
            cost=_cost(totals),
            storage=stored,
            activation_bytes=totals.number("activation_bytes"),
            peak_activation_bytes=totals.number("peak_activation_bytes"),
        ),
        layers=layers,
        unknown=tuple(_unknown(item) for item in root.fields("coverage").each("unknown")),
        unused=_unused(stored, layers),
        notes=tuple(str(note) for note in root.items("notes")) if root.has("notes") else (),
        backward=_work(root),
        eager_peak_bytes=root.number("eager_peak_bytes") if root.has("eager_peak_bytes") else None,
    )


@dataclass(slots=True)
class _Fields:
    """A JSON object read key by key; `where` is the path to it, for complaints."""

    content: Json
    where: str

    def has(self, key: str) -> bool:
        return isinstance(self.content, dict) and self.content.get(key) is not None

    def value(self, key: str) -> Json:
        if not isinstance(self.content, dict) or key not in self.content:
            raise self.error(f"has no '{key}'")
        return self.content[key]

    def text(self, key: str) -> str:
        value = self.value(key)
        if not isinstance(value, str):
            raise self.error(f"has a '{key}' that is not text")
        return value

    def number(self, key: str) -> int:
        value = self.value(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.error(f"has a '{key}' that is not a count")
        return value

    def items(self, key: str) -> list[Json]:
        value = self.value(key)
        if not isinstance(value, list):
            raise self.error(f"has '{key}' that is not a list")
        return value

    def fields(self, key: str) -> _Fields:
        value = self.value(key)
        if not isinstance(value, dict):
            raise self.error(f"has '{key}' that is not an object")
        return _Fields(value, f"{self.where}: {key}")

    def each(self, key: str) -> list[_Fields]:
        return [_Fields(item, f"{self.where}: {key}[{at}]") for at, item in enumerate(self.items(key))]

    def shape(self, key: str) -> Shape:
        return _shape(self.value(key), self)

    def error(self, message: str) -> SourceError:
        return SourceError(f"{self.where} {message}", hint="write it again: convcost analyze TARGET --export json=FILE")


def _shape(value: Json, fields: _Fields) -> Shape:
    sizes = value if isinstance(value, list) else [None]
    whole = [size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size >= 0]
    if len(whole) != len(sizes):
        raise fields.error("has a shape that is not a list of sizes")
    return tuple(whole)


def _input(fields: _Fields) -> Tensor:
    dtype = _DTYPES.get(fields.text("dtype"))
    if dtype is None:
        raise fields.error("has a 'dtype' that convcost does not know")
    return Tensor(name=fields.text("name"), shape=fields.shape("shape"), dtype=dtype)


def _cost(fields: _Fields) -> Cost:
    return Cost(
        macs=fields.number("macs"), other_ops=fields.number("other_ops"), bytes_read=fields.number("bytes_moved")
    )


def _work(fields: _Fields) -> Cost | None:
    if not fields.has("backward"):
        return None
    work = fields.fields("backward")
    return Cost(macs=work.number("macs"), other_ops=work.number("other_ops"))


def _unknown(fields: _Fields) -> UnknownOp:
    layers = tuple(str(name) for name in fields.items("layers"))
    return UnknownOp(operator=fields.text("op"), layers=layers, reason=fields.text("reason"))


def _layer(fields: _Fields) -> Layer:
    name, cost = fields.text("name"), _cost(fields)
    operands, outputs = (
        tuple(
            Tensor(name=f"{name}:{key}:{at}", shape=_shape(shape, fields)) for at, shape in enumerate(fields.items(key))
        )
        for key in ("inputs", "outputs")
    )
    op = _op(fields, tuple(tensor.shape for tensor in outputs), cost)
    return Layer(
        node=Node(name=name, op=op, operands=operands, outputs=outputs, origin=Origin(operator=fields.text("op"))),
        cost=cost,
        storage=Storage(**{key: fields.number(key) for key in ("params", "buffers", "weight_bytes")}),
        activation_bytes=fields.number("activation_bytes"),
        backward=_work(fields),
    )


def _op(fields: _Fields, shapes: Shapes, cost: Cost) -> Op:
    attributes = fields.fields("attributes")
    kind = fields.text("kind")
    if kind == Unknown.family:
        return Unknown(operator=attributes.text("operator"), reason=attributes.text("reason"), shapes=shapes)
    content = attributes.content if isinstance(attributes.content, dict) else {}
    return Recorded(
        recorded_kind=kind,
        recorded_attributes=tuple((key, _attribute(value, attributes)) for key, value in content.items()),
        shapes=shapes,
        work=Arithmetic(cost.macs, cost.other_ops),
    )


def _attribute(value: Json, fields: _Fields) -> Attribute:
    match value:
        case list():
            return tuple(_attribute(item, fields) for item in value)
        case bool() | int() | float() | str() | None:
            return value
        case _:
            raise fields.error("has a value of a kind no op has")


def _refuse_doubles(root: _Fields, layers: tuple[Layer, ...]) -> None:
    """Layers are paired and looked up by name, so that two of one name would stand for each other."""
    names = collections.Counter(layer.name for layer in layers)
    if len(names) < len(layers):
        raise root.error(f"has two layers named '{names.most_common(1)[0][0]}'")


def _refuse_other_sums(totals: _Fields, layers: tuple[Layer, ...]) -> None:
    """A total that is not its layers' sum was written by hand or cut short: neither number can be trusted."""
    cost = Cost.total(layer.cost for layer in layers)
    sums = {
        "macs": cost.macs,
        "other_ops": cost.other_ops,
        "bytes_moved": cost.bytes_moved,
        "activation_bytes": sum(layer.activation_bytes for layer in layers),
    }
    if totals.has("flops"):
        sums["flops"] = cost.flops
    for key, added in sums.items():
        if totals.number(key) != added:
            raise totals.error(f"has {totals.number(key)} {key}, but its layers add up to {added}")
    for key in ("params", "buffers", "weight_bytes"):
        used = sum(getattr(layer.storage, key) for layer in layers)
        # Weights that no layer uses are in the total alone.
        if totals.number(key) < used:
            raise totals.error(f"has {totals.number(key)} {key}, but its layers alone hold {used}")


def _unused(total: Storage, layers: tuple[Layer, ...]) -> Storage:
    """What the layers do not account for."""
    return Storage(
        params=total.params - sum(layer.storage.params for layer in layers),
        buffers=total.buffers - sum(layer.storage.buffers for layer in layers),
        weight_bytes=total.weight_bytes - sum(layer.storage.weight_bytes for layer in layers),
    )
