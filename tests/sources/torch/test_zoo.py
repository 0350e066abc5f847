"""One small model of each of forty families of timm, against torch's own counter; `make bench-zoo` has all of them."""

from __future__ import annotations

import pytest

from benchmarks.zoo import Entry, Outcome, chosen, outcome, recorded, run, summary, torchvision_entries

SAMPLE = [
    "beit_base_patch16_224", "botnet26t_256", "cait_xxs24_224", "coat_lite_mini", "convit_tiny",
    "convmixer_1024_20_ks9_p14", "convnext_zepto_rms", "crossvit_tiny_240", "csatv2", "davit_tiny", "dpn68b",
    "edgenext_xx_small", "efficientvit_m0", "fastvit_t8", "gcvit_xxtiny", "ghostnet_100", "gmlp_ti16_224",
    "halonet26t", "hiera_tiny_224", "lambda_resnet26t", "levit_128s", "mixer_s32_224", "mobilevit_xxs",
    "mvitv2_tiny", "nf_resnet26", "poolformer_s12", "pvt_v2_b0", "regnetx_002", "repvgg_a0", "resmlp_12_224",
    "resnest14d", "starnet_s1", "skresnet18", "swin_tiny_patch4_window7_224", "test_vit",
    "tnt_s_legacy_patch16_224", "twins_svt_small", "vit_tiny_patch16_224", "volo_d1_224",
    "xcit_nano_12_p16_224",
]  # fmt: skip


@pytest.mark.parametrize("name", SAMPLE)
def test_timm_counts_as_torch_does(name):
    found = outcome(Entry(key=name, target=f"timm:{name}"))
    assert found.quarrels == ()
    assert found.macs > 0


def test_all_published_models_of_torchvision_are_entries():
    assert len({entry.key for entry in torchvision_entries()}) == 145


def test_a_wrong_published_figure_is_a_quarrel():
    entry = Entry(key="x", target="torchvision:squeezenet1_1", shape=(1, 3, 224, 224), giga_macs=1.0, params=7)
    macs, params = outcome(entry).quarrels
    assert macs == "0.349 GMACs, published are 1.0"
    assert params == "1,235,496 params, published are 7"


def test_a_model_that_fails_is_a_quarrel_and_ends_nothing():
    (quarrel,) = outcome(Entry(key="x", target="timm:no_such_model")).quarrels
    assert "no_such_model" in quarrel


def test_a_run_is_taken_up_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.zoo.RECORD", tmp_path / "zoo.jsonl")
    entries = [Entry(key=key, target=key) for key in "ab"]
    run(entries[:1], lambda entry: Outcome(key=entry.key, macs=3))
    run(entries[1:], lambda entry: Outcome(key=entry.key, quarrels=("differs",)))
    assert list(recorded()) == ["a", "b"]
    assert summary(list(recorded().values())).splitlines()[:2] == ["1 of 2 models agree exactly", "  b: differs"]


def test_patterns_choose_entries():
    assert [entry.key for entry in chosen(["timm:resnet1[08]"], 1)] == ["timm:resnet18"]
