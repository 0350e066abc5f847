"""Small networks built by hand, for tests of what is said about them."""

from __future__ import annotations

from convcost.graph import Graph, Node, Role, Tensor, Weight
from convcost.graph.ops import Activation, Conv, Linear, Unknown


def conv(in_channels: int, out_channels: int, kernel: int = 3, groups: int = 1) -> Conv:
    pad = kernel // 2
    return Conv(
        in_channels=in_channels,
        out_channels=out_channels,
        kernel=(kernel, kernel),
        stride=(1, 1),
        pads=((pad, pad), (pad, pad)),
        dilation=(1, 1),
        groups=groups,
    )


def small_network(*, unknown: bool = False, names: tuple[str, str] = ("stem.conv", "stem.relu")) -> Graph:
    """A convolution of 27,648 MACs and 216 parameters, a ReLU, perhaps an unknown op, and a layer nothing calls."""
    image = Tensor(name="image", shape=(1, 3, 8, 16))
    kernel = Weight(name="stem.conv.weight", shape=(8, 3, 3, 3))
    mean = Weight(name="stem.mean", shape=(8,), role=Role.BUFFER)
    unused = Weight(name="spare.weight", shape=(10, 5))
    features = Tensor(name="features", shape=(1, 8, 8, 16))
    active = Tensor(name="active", shape=(1, 8, 8, 16))
    nodes = [
        Node(name=names[0], op=conv(3, 8), operands=(image, Tensor.of(kernel)), outputs=(features,)),
        Node(name=names[1], op=Activation(function="relu"), operands=(features,), outputs=(active,)),
    ]
    last = active
    if unknown:
        last = Tensor(name="mystery", shape=(1, 8))
        op = Unknown(operator="my::op", reason="no lowering", shapes=(last.shape,))
        nodes.append(Node(name="head.mystery", op=op, operands=(active,), outputs=(last,)))
    return Graph(
        nodes=tuple(nodes),
        inputs=(image,),
        outputs=(last,),
        weights=(kernel, mean, unused),
        notes=("made by hand",),
        target="small",
        source="spec",
    )


def chain_of_linears(names: list[str], features: int = 4) -> Graph:
    """Linear layers one after the other, of `features * features` MACs and parameters each."""
    current = Tensor(name="x", shape=(1, features))
    graph_input, nodes, weights = current, [], []
    for name in names:
        weight = Weight(name=f"{name}.weight", shape=(features, features))
        output = Tensor(name=f"{name}.out", shape=(1, features))
        op = Linear(in_features=features, out_features=features)
        nodes.append(Node(name=name, op=op, operands=(current, Tensor.of(weight)), outputs=(output,)))
        weights.append(weight)
        current = output
    return Graph(
        nodes=tuple(nodes),
        inputs=(graph_input,),
        outputs=(current,),
        weights=tuple(weights),
        target="chain",
        source="spec",
    )
