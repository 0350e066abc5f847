"""transformers models from their configurations, against formulas written out by hand."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import huggingface_hub
import pytest

import convcost
from convcost.errors import ConvcostError, MissingDependencyError, SourceError, UsageError
from convcost.sources import InputSpec, Request, load
from convcost.sources.torch.huggingface import read_config
from convcost.targets.cross_check import cross_checked
from convcost.targets.sweep import Axis, sweep

LAYERS, HIDDEN, HEADS, INNER, VOCABULARY, POSITIONS = 2, 32, 4, 48, 100, 64
TOKENS = 16

BERT = {
    "model_type": "bert",
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": POSITIONS,
}
GPT2 = {
    "model_type": "gpt2",
    "n_embd": HIDDEN,
    "n_layer": LAYERS,
    "n_head": HEADS,
    "n_inner": INNER,
    "vocab_size": VOCABULARY,
    "n_positions": POSITIONS,
}
LLAMA = {**BERT, "model_type": "llama", "num_key_value_heads": 2}
VIT = {**BERT, "model_type": "vit", "image_size": 32, "patch_size": 8, "num_channels": 3}
T5 = {
    "model_type": "t5",
    "d_model": HIDDEN,
    "num_layers": LAYERS,
    "num_heads": HEADS,
    "d_kv": 8,
    "d_ff": INNER,
    "vocab_size": VOCABULARY,
}


def target(folder: Path, config: object, arguments: str = "") -> str:
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return f"hf:{path}{arguments}"


def counted(folder: Path, config: object, arguments: str = "") -> tuple[int, int]:
    """MACs and parameters on sixteen tokens."""
    analysis = convcost.analyze(target(folder, config, arguments), inputs=((1, TOKENS),))
    assert not analysis.unknown
    return analysis.totals.macs, analysis.totals.params


def attention(tokens: int) -> int:
    """The two products of every head together."""
    return 2 * tokens * tokens * HIDDEN


def test_bert_is_what_the_paper_says(tmp_path: Path) -> None:
    layer = TOKENS * (4 * HIDDEN**2 + 2 * HIDDEN * INNER) + attention(TOKENS)
    weights = 4 * (HIDDEN**2 + HIDDEN) + 2 * HIDDEN * INNER + INNER + HIDDEN + 4 * HIDDEN
    embeddings = (VOCABULARY + POSITIONS + 2) * HIDDEN + 2 * HIDDEN
    pooler = HIDDEN**2
    assert counted(tmp_path, BERT) == (LAYERS * layer + pooler, embeddings + LAYERS * weights + pooler + HIDDEN)


def test_gpt2_is_counted_dense(tmp_path: Path) -> None:
    layer = TOKENS * (4 * HIDDEN**2 + 2 * HIDDEN * INNER) + attention(TOKENS)
    weights = 4 * (HIDDEN**2 + HIDDEN) + 2 * HIDDEN * INNER + INNER + HIDDEN + 4 * HIDDEN
    embeddings = (VOCABULARY + POSITIONS) * HIDDEN
    assert counted(tmp_path, GPT2) == (LAYERS * layer, embeddings + LAYERS * weights + 2 * HIDDEN)


def test_llama_shares_keys_among_heads_and_attends_by_query_heads(tmp_path: Path) -> None:
    projections = 2 * HIDDEN**2 + 2 * HIDDEN * (HIDDEN // 2) + 3 * HIDDEN * INNER
    layer = TOKENS * projections + attention(TOKENS)
    stored = VOCABULARY * HIDDEN + LAYERS * (projections + 2 * HIDDEN) + HIDDEN
    assert counted(tmp_path, LLAMA) == (LAYERS * layer, stored)


def test_a_head_adds_one_product_for_every_token(tmp_path: Path) -> None:
    plain, headed = counted(tmp_path, LLAMA), counted(tmp_path, LLAMA, "?head=CausalLM")
    assert headed[0] - plain[0] == TOKENS * HIDDEN * VOCABULARY


@pytest.mark.parametrize(
    ("config", "named", "asked"),
    [
        (LLAMA, "LlamaForCausalLM", ": ?head=CausalLM counts it too"),
        (GPT2, "GPT2LMHeadModel", ": ?head=CausalLM counts it too"),
        (BERT, "BertForSomethingElse", ""),
    ],
)
def test_a_head_that_the_configuration_names_and_nobody_asked_for_is_said_to_be_left_out(
    tmp_path: Path, config: dict[str, object], named: str, asked: str
) -> None:
    document = {**config, "architectures": [named]}
    (said,) = (note for note in convcost.analyze(target(tmp_path, document)).notes if "counted as" in note)
    assert said.endswith(f"the configuration names {named}, which has more on top{asked}")
    headed = convcost.analyze(target(tmp_path, document, f"?head={'CausalLM' if asked else 'MaskedLM'}"))
    assert not any("counted as" in note for note in headed.notes)


@pytest.mark.parametrize("architectures", [["BertModel"], [], None, "BertForMaskedLM", [1]])
def test_a_configuration_of_no_head_says_nothing_of_one(tmp_path: Path, architectures: object) -> None:
    notes = convcost.analyze(target(tmp_path, {**BERT, "architectures": architectures})).notes
    assert not any("counted as" in note for note in notes)


def test_arguments_stand_in_for_keys_of_the_configuration(tmp_path: Path) -> None:
    assert counted(tmp_path, GPT2, "?n_layer=1")[0] * LAYERS == counted(tmp_path, GPT2)[0]


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_weights_are_of_the_configured_type(tmp_path: Path, dtype: str) -> None:
    totals = convcost.analyze(target(tmp_path, {**LLAMA, "dtype": dtype})).totals
    assert totals.weight_bytes == totals.params * {"bfloat16": 2, "float32": 4}[dtype]


@pytest.mark.parametrize(
    ("config", "shapes"),
    [
        (BERT, {"input_ids": (1, POSITIONS)}),
        ({**BERT, "max_position_embeddings": 512}, {"input_ids": (1, 128)}),
        (GPT2, {"input_ids": (1, POSITIONS)}),
        (T5, {"input_ids": (1, 128), "decoder_input_ids": (1, 128)}),
        (VIT, {"pixel_values": (1, 3, 32, 32)}),
    ],
)
def test_the_input_assumed_is_said(tmp_path: Path, config: dict[str, object], shapes: dict[str, object]) -> None:
    graph = load(Request(target=target(tmp_path, config)))
    assert {tensor.name: tensor.shape for tensor in graph.inputs} == shapes
    verb = "are" if len(shapes) > 1 else "is"
    assert any(f"{verb} assumed" in note for note in graph.notes)
    assert all(tensor.dtype.value == "int64" for tensor in graph.inputs if tensor.name.endswith("_ids"))


def test_an_input_that_was_asked_for_is_not_assumed(tmp_path: Path) -> None:
    request = Request(target=target(tmp_path, BERT), inputs=(InputSpec(name="input_ids", shape=(2, 8)),))
    graph = load(request)
    assert (graph.inputs[0].shape, graph.inputs[0].dtype.value) == ((2, 8), "int64")
    assert not any("is assumed" in note for note in graph.notes)


def test_a_folder_stands_for_the_configuration_in_it(tmp_path: Path) -> None:
    assert load(Request(target=target(tmp_path, BERT).removesuffix("/config.json"))).nodes


def test_nothing_is_fetched_and_no_code_beside_the_configuration_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: attempts.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **options: attempts.append(given))
    (tmp_path / "modeling.py").write_text("raise SystemExit('code beside the configuration ran')")
    strange = {
        **BERT,
        "auto_map": {"AutoConfig": "modeling.Config", "AutoModel": "modeling.Model"},
        "_attn_implementation": "kernels-community/attention",
        "quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True},
    }
    assert counted(tmp_path, strange) == counted(tmp_path, BERT)
    assert attempts == []


@pytest.mark.parametrize("backbone", ["somebody/backbone", "hf-hub:somebody/backbone"])
def test_a_backbone_that_is_on_the_hub_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backbone: str
) -> None:
    attempts: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: attempts.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **options: attempts.append(given))
    config = {"model_type": "detr", "backbone": backbone, "use_timm_backbone": ":" in backbone}
    with pytest.raises(SourceError, match="names another model on the hub") as caught:
        load(Request(target=target(tmp_path, config)))
    assert "backbone_config" in caught.value.hint
    assert attempts == []
    assert not huggingface_hub.constants.HF_HUB_OFFLINE


def test_keys_that_run_code_or_read_weights_are_dropped_at_every_depth(tmp_path: Path) -> None:
    strange = dict.fromkeys(("auto_map", "trust_remote_code", "_attn_implementation_internal", "checkpoint_path"), "x")
    inner = {**strange, "model_type": "superpoint"}
    document = {**strange, "model_type": "lightglue", "keypoint_detector_config": inner, "more": [[inner]]}
    kept = {"model_type": "superpoint"}
    assert read_config(target(tmp_path, document).removeprefix("hf:")) == {
        "model_type": "lightglue",
        "keypoint_detector_config": kept,
        "more": [[kept]],
    }


def test_other_commands_take_it_too(tmp_path: Path) -> None:
    named = target(tmp_path, LLAMA)
    first, second = (point.analysis.totals.macs for point in sweep(Request(target=named), Axis.of("batch=1,3")).points)
    assert second == 3 * first
    check = cross_checked(Request(target=named), "torch")
    assert check.opinion.total == first
    assert check.disagreements == ()


@pytest.mark.parametrize(
    ("config", "arguments", "kind", "says"),
    [
        ({**BERT, "model_type": "bertt"}, "", SourceError, "has no model type 'bertt'"),
        ({"hidden_size": 3}, "", SourceError, "has no 'model_type'"),
        ([], "", SourceError, "has no 'model_type'"),
        (BERT, "?num_hiden_layers=1", UsageError, "has no 'num_hiden_layers'"),
        (BERT, "?head=Foo", UsageError, "has no AutoModelForFoo"),
        ({**BERT, "num_attention_heads": 5}, "", SourceError, "transformers cannot build it"),
        ({"model_type": "whisper"}, "", SourceError, "'input_features' has no size"),
    ],
)
def test_a_configuration_that_cannot_be_built_is_one_error(
    tmp_path: Path, config: object, arguments: str, kind: type[ConvcostError], says: str
) -> None:
    with pytest.raises(kind, match=says) as caught:
        load(Request(target=target(tmp_path, config, arguments)))
    assert caught.value.hint


@pytest.mark.parametrize("name", ["missing.json", "text.json", "bert-base-uncased"])
def test_only_files_on_this_machine_are_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.json").write_text("no json")
    with pytest.raises(SourceError) as caught:
        load(Request(target=f"hf:{tmp_path / name}"))
    assert caught.value.hint


def test_without_transformers_there_is_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependencyError, match="need transformers") as caught:
        load(Request(target=target(tmp_path, BERT)))
    assert caught.value.hint == "pip install transformers"
