"""What the graph of a module says beyond its totals: names, memory, weights, inputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by

from convcost.analysis import analyze_graph
from convcost.errors import SourceError
from convcost.graph import DType, Role
from convcost.graph.ops import Activation, Conv, Linear, MatMul, Move, Unknown
from convcost.sources import InputSpec
from convcost.sources.torch import graph_of
from tests.sources.torch.networks import Calls, Residual


def nodes_by_name(graph):
    return {node.name: node for node in graph.nodes}


def function(call, *inputs, **members):
    return graph_of(Calls(call, **members), inputs)


def test_layers_are_named_by_module_path_and_function():
    graph = graph_of(Residual(), ((1, 4, 8, 8),))
    assert [node.name for node in graph.nodes] == ["conv1", "bn1", "relu", "conv2", "add"]


def test_a_packed_projection_is_named_by_its_weight():
    graph = function(
        lambda self, x: self.attn(x, x, x, need_weights=False)[0], (1, 5, 8), attn=nn.MultiheadAttention(8, 2)
    )
    names = [node.name for node in graph.nodes if node.cost.macs]
    assert names == ["attn.in_proj", "attn.attention", "attn.out_proj"]


def test_a_convolution_that_pads_first_keeps_its_name():
    graph = graph_of(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular")), ((1, 3, 8, 8),))
    assert [node.name for node in graph.nodes] == ["0.pad", "0"]


class Turned(nn.Module):
    """A linear layer that flattens its data and keeps its weight the other way round."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(inputs, outputs)), nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return torch.addmm(self.bias, x.view(-1, x.shape[-1]), self.weight).view(*x.shape[:-1], -1)


def test_a_layer_that_reshapes_first_keeps_its_name():
    graph = graph_of(nn.Sequential(Turned(4, 6)), ((2, 3, 4),))
    assert [node.name for node in graph.nodes] == ["0.view", "0", "0.view_1"]


def test_a_shared_module_is_named_after_where_it_was_registered_first():
    shared = nn.Linear(4, 4)
    graph = function(lambda self, x: self.b(self.a(x)), (1, 4), a=shared, b=shared)
    assert [node.name for node in graph.nodes] == ["a", "a_1"]
    assert analyze_graph(graph).totals.params == 20


def test_a_direct_call_of_forward_is_seen():
    graph = function(lambda self, x: self.inner.forward(x), (1, 4), inner=nn.Linear(4, 2))
    assert [(node.name, node.cost.macs) for node in graph.nodes] == [("inner", 8)]


def test_a_caught_exception_inside_a_module_does_not_shift_names():
    def careful(self, x):
        try:
            self.fails(x)
        except ValueError:
            return x * 2

    def fails(self, x):
        raise ValueError

    graph = function(careful, (1, 4), fails=Calls(fails, inner=nn.Identity()))
    assert [node.name for node in graph.nodes] == ["mul"]


def test_an_in_place_result_lies_in_its_operands_memory():
    relu = nodes_by_name(graph_of(Residual(), ((1, 4, 8, 8),)))["relu"]
    assert isinstance(relu.op, Activation)
    assert relu.outputs[0].alias == "bn1:0"


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x.view(8),
        lambda x: x.flatten(),
        lambda x: x.reshape(2, 2, 2),
        lambda x: x.t(),
        lambda x: x.permute(1, 0),
        lambda x: x[0],
        lambda x: x[:, 1:],
        lambda x: x.unsqueeze(0).squeeze(0).unsqueeze(-1),
        lambda x: x.expand(3, 2, 4),
        lambda x: x.unfold(1, 2, 1),
        lambda x: x.diagonal(),
        lambda x: x.as_strided((2,), (1,)),
        lambda x: torch.view_as_complex(x.view(2, 2, 2)),
        lambda x: x.unflatten(1, (2, 2)),
        lambda x: x.T,
        lambda x: x.movedim(0, 1),
        lambda x: x.unsqueeze_(0),
    ],
)
def test_a_view_moves_no_byte_and_owns_no_memory(view):
    graph = function(lambda self, x: view(x), (2, 4))
    for node in graph.nodes:
        assert isinstance(node.op, Move)
        assert node.cost.bytes_moved == 0
        assert all(tensor.alias == graph.inputs[0].name for tensor in node.outputs)


def test_every_part_of_a_split_is_a_view_of_the_whole():
    graph = function(lambda self, x: sum(torch.chunk(x * 2, 2)), (4, 3))
    chunk = nodes_by_name(graph)["chunk"]
    assert [tensor.alias for tensor in chunk.outputs] == ["mul:0", "mul:0"]


@pytest.mark.parametrize("copy", [lambda x: x.t().contiguous(), lambda x: x.clone(), lambda x: torch.cat([x, x])])
def test_a_copy_has_memory_of_its_own(copy):
    node = function(lambda self, x: copy(x), (2, 4)).nodes[-1]
    assert node.outputs[0].alias == ""
    assert node.cost.bytes_moved > 0


@pytest.mark.parametrize(
    "nothing",
    [lambda x: x.contiguous(), lambda x: F.dropout(x, training=False), lambda x: x.to(x.dtype), nn.Identity()],
)
def test_what_does_nothing_leaves_no_node(nothing):
    graph = function(lambda self, x: nothing(x), (2, 4))
    assert not graph.nodes
    assert graph.outputs == graph.inputs


def test_detaching_stays_visible_because_it_stops_gradients():
    (node,) = function(lambda self, x: x.detach(), (2, 4)).nodes
    assert node.name == "detach"


def test_a_view_of_a_weight_is_that_weight():
    graph = function(lambda self, x: F.linear(x, self.both[:2]), (1, 4), both=nn.Parameter(torch.zeros(6, 4)))
    (linear,) = graph.nodes
    assert isinstance(linear.op, Linear)
    assert linear.weights[0].name == "both"
    assert linear.operands[1].shape == (2, 4)


def test_two_parts_of_one_weight_are_two_operands():
    weight = nn.Parameter(torch.zeros(6, 4))
    graph = function(lambda self, x: self.w[:4] + self.w[2:], (1,), w=weight)
    (add,) = graph.nodes
    assert add.operands[0].name != add.operands[1].name
    assert add.cost.bytes_read == 2 * 4 * 4 * 4


def test_a_weight_computed_from_parameters_is_no_weight():
    graph = function(lambda self, x: F.linear(x, self.w * 2), (1, 4), w=nn.Parameter(torch.zeros(2, 4)))
    mul, linear = graph.nodes
    assert linear.operands[1].weight is None
    assert linear.operands[1] == mul.outputs[0]
    assert linear.cost.macs == 8


def test_a_constant_that_the_code_closes_over_is_a_constant_weight():
    outside = torch.ones(4)
    graph = function(lambda self, x: x * outside + self.plain, (1, 4), plain=torch.ones(4))
    constants = {weight.name: weight.role for weight in graph.weights}
    assert constants == {"constant": Role.CONSTANT, "plain": Role.CONSTANT}
    assert not graph.notes
    assert analyze_graph(graph).totals.params == 0


def test_a_tensor_made_inside_is_made_by_a_node():
    graph = function(lambda self, x: x + torch.arange(4), (1, 4))
    assert [node.name for node in graph.nodes] == ["arange", "add"]
    assert graph.nodes[1].operands[1] == graph.nodes[0].outputs[0]


def test_a_new_tensor_is_not_taken_for_a_dead_one_at_its_address():
    def reuses(self, x):
        for _ in range(20):
            dies = x * 2
            del dies
            x = x + torch.from_numpy(np.ones(4, dtype=np.float32))
        return x

    sums = [node for node in function(reuses, (4,)).nodes if node.op.function == "add"]
    assert all(node.operands[1].weight is not None for node in sums)


def test_parameters_buffers_and_counters_are_told_apart():
    roles = {weight.name: weight.role for weight in graph_of(nn.Sequential(nn.BatchNorm1d(4)), ((2, 4),)).weights}
    assert roles == {
        "0.weight": Role.PARAMETER,
        "0.bias": Role.PARAMETER,
        "0.running_mean": Role.BUFFER,
        "0.running_var": Role.BUFFER,
        "0.num_batches_tracked": Role.CONSTANT,
    }


def test_memory_shared_by_two_parameters_is_stored_once():
    first, second = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
    second.weight.data = first.weight.data
    graph = graph_of(nn.Sequential(first, second), ((1, 4),))
    assert analyze_graph(graph).totals.params == 16
    assert [node.name for node in graph.nodes] == ["0", "1"]


PARTS = {
    "turned": (lambda w: w.t(), 24),
    "reshaped": (lambda w: w.view(4, 6), 24),
    "flat": (lambda w: w.view(-1), 24),
    "rows": (lambda w: w[1:3], 24),
    "columns": (lambda w: w[:, :2], 24),
    "a copy": (lambda w: w.clone(), 48),
}


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("whole_first", [True, False])
def test_a_parameter_within_another_ones_memory_is_stored_once(name, whole_first):
    part, params = PARTS[name]
    whole = nn.Parameter(torch.zeros(6, 4))
    tied = nn.Parameter(part(whole.data))
    members = {"whole": whole, "tied": tied} if whole_first else {"tied": tied, "whole": whole}
    graph = function(lambda self, x: x * self.whole.sum() + self.tied.sum(), (1,), **members)
    storage = analyze_graph(graph).totals.storage
    read = {tensor.shape for node in graph.nodes for tensor in node.operands if tensor.weight is not None}
    assert storage.params == params
    assert {tuple(whole.shape), tuple(tied.shape)} == read


def test_parameters_beside_each_other_in_one_memory_are_stored_each():
    flat = torch.zeros(24)
    parts = {"a": nn.Parameter(flat[:12]), "b": nn.Parameter(flat[12:])}
    matrix = torch.zeros(6, 4)
    columns = {"c": nn.Parameter(matrix[:, :2]), "d": nn.Parameter(matrix[:, 2:])}
    graph = function(lambda self, x: x, (1,), **parts, **columns)
    assert analyze_graph(graph).totals.params == 48


def test_a_turned_part_that_skips_elements_is_still_that_part():
    part = torch.zeros(6, 4)[:, ::2]
    graph = function(lambda self, x: x, (1,), a=nn.Parameter(part), b=nn.Parameter(part.t()))
    assert analyze_graph(graph).totals.params == 12


def test_what_two_parameters_share_counts_in_both_where_neither_holds_the_other():
    flat = torch.zeros(10)
    graph = function(lambda self, x: x, (1,), a=nn.Parameter(flat[:6]), b=nn.Parameter(flat[4:]))
    assert analyze_graph(graph).totals.params == 12


def test_a_buffer_over_parameters_makes_them_no_buffers():
    flat = torch.zeros(24)
    module = Calls(lambda self, x: x, weight=nn.Parameter(flat[:12]))
    module.register_buffer("flat", flat)
    module.register_buffer("seen", flat[:6])
    storage = analyze_graph(graph_of(module, ((1,),))).totals.storage
    assert (storage.params, storage.buffers) == (12, 24)


def test_weights_keep_their_element_type():
    graph = graph_of(nn.Linear(4, 2).half(), ((1, 4),))
    assert {weight.dtype for weight in graph.weights} == {DType.FLOAT16}
    assert graph.inputs[0].dtype is DType.FLOAT16


def test_inputs_are_named_after_forwards_parameters():
    class Net(nn.Module):
        def forward(self, image, extra, *, scale=None):
            return image * extra["a"][0] * scale

    graph = graph_of(Net(), ((1, 4), {"a": [(1, 4)]}), {"scale": InputSpec(shape=(4,), dtype=DType.FLOAT64)})
    assert [(tensor.name, tensor.dtype.value) for tensor in graph.inputs] == [
        ("image", "float32"),
        ("extra.a.0", "float32"),
        ("scale", "float64"),
    ]


def test_an_input_called_like_a_weight_is_still_another_tensor():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.x = nn.Parameter(torch.zeros(4, 4))

        def forward(self, x):
            return x + self.x

    (node,) = graph_of(Net(), ((4, 4),)).nodes
    assert node.cost.bytes_read == 2 * 4 * 4 * 4


def test_one_shape_or_tensor_is_one_input():
    module = nn.Linear(4, 2)
    assert graph_of(module, (1, 4)) == graph_of(module, ((1, 4),)) == graph_of(module, torch.zeros(1, 4))


def test_peak_memory_knows_views_and_in_place_results():
    graph = graph_of(nn.Sequential(nn.Linear(8, 64), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(64, 8)), ((1, 8),))
    assert analyze_graph(graph).totals.peak_activation_bytes == 4 * (8 + 64)


def test_what_is_not_known_is_listed_and_never_zero():
    graph = function(lambda self, x: torch.linalg.inv(x), (8, 8))
    unknown = [node.op for node in graph.nodes if isinstance(node.op, Unknown)]
    assert unknown[0].operator == "aten.linalg_inv_ex"
    assert analyze_graph(graph).is_lower_bound


def test_a_custom_operator_without_a_meta_kernel_runs_on_values_and_is_unknown():
    with torch.library._scoped_library("convcost_tests", "DEF") as library:
        library.define("twice(Tensor x) -> Tensor")
        library.impl("twice", lambda x: x + x, "CPU")
        graph = function(lambda self, x: self.inner(torch.ops.convcost_tests.twice(x)), (1, 4), inner=nn.Linear(4, 2))
    assert [type(node.op) for node in graph.nodes] == [Unknown, Linear]
    assert "real tensors" in graph.notes[0]


def test_a_value_written_into_a_real_tensor_is_not_taken_for_granted():
    def masked(self, x):
        flags = torch.zeros(4)
        flags[:2] = x[0, :2]
        return self.inner(x) if flags.sum() > 0 else x

    graph = function(masked, torch.ones(1, 4), inner=nn.Linear(4, 4))
    assert analyze_graph(graph).totals.macs == 16
    assert "real tensors" in graph.notes[0]


def test_a_branch_costs_its_dearer_arm():
    graph = function(
        lambda self, x: torch.cond(x.sum() > 0, self.one, lambda x: self.one(self.one(x)), (x,)),
        (1, 4),
        one=nn.Linear(4, 4),
    )
    assert analyze_graph(graph).totals.macs == 2 * 16


def test_unknown_operators_in_the_cheaper_arm_are_not_hidden():
    graph = function(
        lambda self, x: torch.cond(x.sum() > 0, self.one, lambda x: torch.matrix_exp(x @ x.mT) @ x, (x,)),
        (1, 4),
        one=nn.Linear(4, 4),
    )
    assert [op.operator for op in analyze_graph(graph).unknown] == ["cond"]


def test_vmap_and_checkpoint_hide_nothing():
    from torch.utils.checkpoint import checkpoint

    linear = nn.Linear(4, 2)
    mapped = function(lambda self, x: torch.vmap(self.inner)(x), (5, 4), inner=linear)
    checked = function(lambda self, x: checkpoint(self.inner, x, use_reentrant=False), (5, 4), inner=linear)
    assert analyze_graph(mapped).totals.macs == analyze_graph(checked).totals.macs == 40
    assert "inner" in nodes_by_name(mapped)


def test_parametrised_weights_are_counted_once_and_recomputed_in_the_open():
    weighted = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    analysis = analyze_graph(graph_of(nn.Sequential(weighted), ((1, 3, 8, 8),)))
    assert analysis.totals.macs == 36 * 4 * 27
    assert analysis.totals.params == 4 * 27 + 4 + 4
    assert [layer.name for layer in analysis.layers if isinstance(layer.node.op, Conv)] == ["0"]


def test_a_product_of_two_activations_is_no_linear_layer():
    (node,) = function(lambda self, a, b: torch.addmm(torch.zeros(4), a, b), (2, 3), (3, 4)).nodes[-1:]
    assert isinstance(node.op, MatMul)


def test_a_compiled_module_counts_as_what_it_wraps():
    module = nn.Sequential(nn.Linear(4, 2))
    assert [node.name for node in graph_of(torch.compile(module), ((1, 4),)).nodes] == ["0"]


def test_a_gradient_taken_in_the_forward_pass_is_counted():
    def force(self, positions):
        energy = self.inner(positions.requires_grad_()).sum()
        return torch.autograd.grad(energy, positions)[0]

    graph = function(force, (8, 4), inner=nn.Linear(4, 16))
    assert graph.outputs[0].shape == (8, 4)
    assert sum(node.cost.macs for node in graph.nodes) == 2 * (8 * 4 * 16)


@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
def test_nested_tensors_are_refused_with_the_reason(layout):
    def nested(self, *rows):
        return self.fc(torch.nested.nested_tensor(list(rows), layout=layout))

    made = torch.nested.nested_tensor([torch.ones(3, 4), torch.ones(2, 4)], layout=layout)
    for call, inputs in ((nested, ((3, 4), (2, 4))), (lambda self, x: self.fc(x), (made,))):
        with pytest.raises(SourceError, match="nested tensors, whose rows differ in length"):
            graph_of(Calls(call, fc=torch.nn.Linear(4, 4)), inputs)


def test_what_is_copied_over_is_written_and_not_read():
    def overwritten(self, x, rows):
        kept = x * 2
        kept[1:3] = rows
        return kept

    copy = next(node for node in graph_of(Calls(overwritten), ((4, 8), (2, 8))).nodes if "copy" in node.name)
    assert (copy.cost.bytes_read, copy.cost.bytes_written) == (2 * 8 * 4, 2 * 8 * 4)
