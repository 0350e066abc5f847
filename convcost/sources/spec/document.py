"""A spec file to a graph: what stands at the top, and layers that stand alone."""

from __future__ import annotations

from collections.abc import Mapping

from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.graph import Graph, Node, Tensor
from convcost.located import Located, LocatedMapping, LocatedScalar, mapping_of, read_yaml, shown
from convcost.sources.request import InputSpec, Request
from convcost.sources.spec.alternatives import RequestedAlternative, read_alternatives
from convcost.sources.spec.layers import LAYER_TYPES
from convcost.sources.spec.network import read_network
from convcost.sources.spec.nodes import Names, layer_items, lower_layer, read_layer

VERSION = 1

_KEYS = ("version", "layer", "layers", "input", "batch", "dtype", "alternatives")
_ALONE_KEYS = ("version", "layer", "layers", "alternatives")
_ALONE_ELSEWHERE = {
    "repeat": "repeat belongs to networks, files with an `input` at the top",
    "block": "blocks belong to networks, files with an `input` at the top",
}
_NETWORK_KEYS_HINT = "only a network, a file with an `input` at the top, has it there; give it to each layer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A spec file's layers, and the alternatives it asks for (none where it leaves the choice to convcost)."""

    graph: Graph
    alternatives: tuple[RequestedAlternative, ...] = ()


def load_spec(request: Request) -> Graph:
    """The graph of a spec file, a network's at the input shape the request gives.

    Raises `SourceError` for what the file says, with its place, and `UsageError` for what the request says.
    """
    return read_spec(request.target, inputs=request.inputs, dims=request.dims).graph


def read_spec(path: str, *, inputs: tuple[InputSpec, ...] = (), dims: Mapping[str, int] | None = None) -> Spec:
    """The whole of a spec file, its graph named by the path as given."""
    if dims:
        raise UsageError(f"a spec has no symbolic dimension '{next(iter(dims))}'", hint="leave --dim out")
    root = mapping_of(read_yaml(path), "a spec")
    _check_version(root)
    alternatives = root.entries.get("alternatives")
    requested = read_alternatives(alternatives) if alternatives else ()
    if "input" in root.entries:
        root.check_keys(_KEYS, of="a network")
        return Spec(graph=read_network(root, path, inputs), alternatives=requested)
    root.check_keys(_ALONE_KEYS, of="a spec", elsewhere=dict.fromkeys(("batch", "dtype"), _NETWORK_KEYS_HINT))
    if inputs:
        raise UsageError(
            f"{path} holds layers, not a network: --input does not apply",
            hint="change `input` in the layer itself",
        )
    return Spec(graph=_read_alone(root, path), alternatives=requested)


def _check_version(root: LocatedMapping) -> None:
    version = root.entries.get("version")
    # A missing version is 1; True equals 1, and is not a version.
    if version and not (isinstance(version, LocatedScalar) and version.value == VERSION and version.value is not True):
        raise version.where.error(f"version {shown(version)} is not known", hint=f"write version: {VERSION}")


def _read_alone(root: LocatedMapping, path: str) -> Graph:
    names = Names()
    nodes = tuple(_alone(item, names) for item in layer_items(root))
    single = len(nodes) == 1
    return Graph(
        nodes=nodes,
        inputs=tuple(tensor for node in nodes for tensor in node.inputs),
        # Kept to the end, the outputs of layers that have nothing to do with each other would add up to a peak.
        outputs=nodes[0].outputs if single else (),
        weights=tuple(weight for node in nodes for weight in node.weights),
        notes=() if single else ("the layers are independent: totals add them up, the peak is that of one alone",),
        target=path,
        source="spec",
    )


def _alone(item: Located, names: Names) -> Node:
    word, entry = read_layer(item, ("input", "batch", "dtype"), _ALONE_ELSEWHERE)
    own_input = LAYER_TYPES[word].own_input
    if own_input is None:
        raise entry.required("type").where.error(
            f"{entry.title} stands only in a network",
            hint="a network has `input: [channels, height, width]` at the top",
        )
    shape = (entry.size("batch", 1), *own_input(entry))
    name = names.claim(names.name(entry, word), entry)
    return lower_layer(name, word, entry, Tensor(name=f"{name}.input", shape=shape, dtype=entry.dtype()))
