"""Data put elsewhere, and values made from nothing."""

from __future__ import annotations

from convcost.graph.ops import Elementwise, Gather, Move
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import aten, lowers, prims

# Any of these may return a view; whether one did the recorder sees in the storage.
_MOVES = aten(
    "_conj adjoint alias as_strided broadcast_tensors broadcast_to cartesian_prod cat "
    "channel_shuffle chunk clone combinations concat concatenate conj contiguous constant_pad_nd detach diag "
    "diag_embed diagonal diagonal_copy diagonal_scatter diagflat dsplit dstack expand expand_as expand_copy flatten "
    "flip fliplr flipud gather hsplit hstack im2col imag index index_copy index_fill index_put _index_put_impl "
    "_unsafe_index _unsafe_index_put lift lift_fresh lift_fresh_copy masked_scatter masked_select matrix_H mH "
    "meshgrid movedim moveaxis mT narrow narrow_copy native_channel_shuffle nonzero nonzero_static numpy_T one_hot "
    "pad _pad_circular _pad_enum pad_sequence _pack_padded_sequence _pad_packed_sequence permute permute_copy "
    "pin_memory pixel_shuffle pixel_unshuffle positive put ravel real reflection_pad1d reflection_pad2d "
    "reflection_pad3d repeat repeat_interleave replication_pad1d replication_pad2d replication_pad3d reshape "
    "_reshape_alias _reshape_copy reshape_as resolve_conj resolve_neg roll rot90 scatter select select_copy "
    "select_scatter slice slice_copy slice_scatter split split_copy split_with_sizes split_with_sizes_copy squeeze "
    "squeeze_copy stack swapaxes swapdims t t_copy take take_along_dim tensor_split tile to _to_copy _to_cpu "
    "transpose transpose_copy tril triu type_as unbind unbind_copy unflatten unfold unfold_copy unsafe_chunk "
    "unsafe_split unsafe_split_with_sizes _unsafe_view unsqueeze unsqueeze_copy view view_as view_as_complex "
    "view_as_real view_copy vsplit vstack column_stack row_stack "
    "block_diag int_repr max_unpool2d max_unpool3d _chunk_cat _stack coalesce to_dense "
    "_to_dense to_sparse _to_sparse to_sparse_csr _to_sparse_csr to_sparse_csc _to_sparse_csc"
) + prims(
    "as_strided as_strided_scatter broadcast_in_dim cat clone collapse collapse_view conj convert_element_type "
    "copy_strided device_put imag real reshape rev split_dim squeeze transpose view_of view_of_dtype"
)
_ACTIONS = {
    "to_copy": "cast",
    "to": "cast",
    "type_as": "cast",
    "unsafe_view": "view",
    "reshape_alias": "reshape",
    "concat": "cat",
    "concatenate": "cat",
    "constant_pad_nd": "pad",
    "broadcast_in_dim": "expand",
    "convert_element_type": "cast",
    "rev": "flip",
    "index_put_impl": "index_put",
    "numpy_T": "transpose",
    "t": "transpose",
    "mT": "transpose",
    "mH": "transpose",
}
_FILLED = aten(
    "arange bartlett_window bernoulli blackman_window cauchy exponential eye fill full full_like geometric "
    "hamming_window hann_window kaiser_window linspace log_normal logspace multinomial new_full new_ones new_zeros "
    "normal normal_functional ones ones_like poisson rand rand_like randint randint_like randn randn_like random "
    "randperm scalar_tensor tril_indices triu_indices uniform zero zeros zeros_like _efficientzerotensor"
) + prims("fill full full_like iota normal scalar_tensor uniform")
_UNWRITTEN = aten(
    "empty empty_like empty_permuted empty_strided new_empty new_empty_strided resize resize_as set"
) + prims("empty empty_permuted empty_strided resize")
_DROPOUTS = aten("dropout alpha_dropout feature_dropout feature_alpha_dropout native_dropout")


@lowers(*_MOVES)
def _copy(call: Call) -> Step:
    return move(call)


def move(call: Call, *, view: bool = False) -> Step:
    """Any operator that only puts data elsewhere; a view where the result shares the memory of an operand."""
    return Step(Move(action=action_of(call), shapes=call.results, view=view), call.operands)


def action_of(call: Call) -> str:
    word = call.signature.word
    return _ACTIONS.get(word, word)


@lowers("aten.copy", "prims.copy_to")
def _overwritten(call: Call) -> Step:
    """What is written over is not read."""
    return Step(Move(action="copy", shapes=call.results), call.operands[1:])


@lowers(*_FILLED)
def _filled(call: Call) -> Step:
    """Values made here: written, never read, whatever tensor lends its shape."""
    return Step(Move(action=action_of(call), shapes=call.results), ())


@lowers(*_UNWRITTEN)
def _unwritten(call: Call) -> Step:
    """Memory without values moves no byte until something writes it."""
    return Step(Move(action=action_of(call), shapes=call.results, view=True), ())


@lowers("aten.embedding")
def _embedding(call: Call) -> Step:
    return Step(Gather(), (call.tensor("weight"), call.tensor("indices")))


@lowers("aten.index_select")
def _index_select(call: Call) -> Step:
    return Step(Gather(axis=call.integer("dim")), (call.tensor("self"), call.tensor("index")))


@lowers(*_DROPOUTS)
def _dropout(call: Call) -> Step:
    """Only where it really drops: in inference the result is the operand and the recorder leaves no node."""
    return Step(Elementwise(function="dropout", operations=2), call.operands)
