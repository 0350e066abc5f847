"""Finding models: what each kind of target runs, and the one line for what cannot be found, built or run."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from convcost.analysis import analyze_graph
from convcost.errors import ConvcostError, MissingDependencyError, SourceError, UsageError
from convcost.graph import DType
from convcost.sources import InputSpec, Request, load
from convcost.sources.torch.build import built
from convcost.sources.torch.factory import call_factory, find_factory, importable
from convcost.sources.torch.target import parse_target

MODEL = """
    import torch
    from torch import nn
    from layers import channels

    def net(channels=channels):
        return nn.Sequential(nn.Conv2d(3, channels, 3))

    class Net(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Linear(4, 2))

    class Sized(Net):
        example_inputs = ((5, 4),)

    def with_inputs():
        return Net(), (torch.zeros(7, 4),)

    ready = Net()
    number = 3

    def raises():
        width = 0
        return 1 / width

    def wrong():
        return 3

    def values():
        module = nn.Linear(4, 4)
        assert module.weight.abs().sum().item() > 0
        return module

    def computes():
        width = int(torch.linspace(4, 8, 2).round()[0])
        return nn.Linear(width, 4)

    def fails_to_run():
        class Fails(nn.Module):
            def forward(self, x):
                raise KeyError("missing part")
        return Fails()
"""


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(textwrap.dedent(MODEL))
    (tmp_path / "layers.py").write_text("channels = 6\n")
    return path


@pytest.fixture(autouse=True)
def forget_the_neighbour():
    yield
    sys.modules.pop("layers", None)


def read(target, *shapes):
    return load(Request(target=str(target), inputs=tuple(InputSpec(shape=shape) for shape in shapes)))


def refusal(target, *shapes):
    with pytest.raises(ConvcostError) as raised:
        read(target, *shapes)
    assert "\n" not in raised.value.message
    return raised.value


def test_a_file_target_runs_with_its_folder_importable_and_leaves_the_path_alone(model_file):
    before = list(sys.path)
    assert analyze_graph(read(f"{model_file}:net", (1, 3, 8, 8))).totals.macs == 36 * 6 * 27
    assert sys.path == before


def test_arguments_after_the_question_mark_reach_the_factory(model_file):
    assert analyze_graph(read(f"{model_file}:net?channels=2", (1, 3, 8, 8))).totals.macs == 36 * 2 * 27


@pytest.mark.parametrize(("name", "rows"), [("Sized", 5), ("with_inputs", 7)])
def test_example_inputs_are_used_when_no_input_is_given(model_file, name, rows):
    assert analyze_graph(read(f"{model_file}:{name}")).totals.macs == rows * 8


@pytest.mark.parametrize("name", ["Net", "ready"])
def test_a_class_and_an_instance_serve_as_factories(model_file, name):
    assert analyze_graph(read(f"{model_file}:{name}", (3, 4))).totals.macs == 24


def test_a_constructor_that_needs_values_is_built_with_them(model_file):
    assert analyze_graph(read(f"{model_file}:values", (1, 4))).totals.macs == 16


def test_a_constructor_that_computes_still_gets_weights_without_values(model_file):
    target = parse_target(f"{model_file}:computes")
    with importable(target):
        module, rebuild = built(lambda: call_factory(find_factory(target), {}, target.text)[0])
    assert module.weight.is_meta
    assert not rebuild().weight.is_meta


def test_an_input_may_be_named_and_typed(model_file):
    spec = InputSpec(shape=(2, 4), name="input", dtype=DType.FLOAT32)
    graph = load(Request(target=f"{model_file}:Net", inputs=(spec,)))
    assert [(tensor.name, tensor.shape) for tensor in graph.inputs] == [("input", (2, 4))]


def test_an_unknown_input_name_lists_the_known_ones(model_file):
    with pytest.raises(SourceError, match="no input 'x'") as raised:
        load(Request(target=f"{model_file}:Net", inputs=(InputSpec(shape=(1, 4), name="x"),)))
    assert "input" in raised.value.hint


def test_a_factory_that_raises_is_told_with_its_line(model_file):
    error = refusal(f"{model_file}:raises")
    assert "ZeroDivisionError: division by zero" in error.message
    assert f"net.py:{textwrap.dedent(MODEL).splitlines().index('    return 1 / width') + 1}" in error.message


def test_a_forward_that_raises_is_told_with_its_line(model_file):
    error = refusal(f"{model_file}:fails_to_run", (1, 4))
    assert "KeyError" in error.message
    assert "net.py:" in error.message


def test_a_missing_input_asks_for_one(model_file):
    assert "--input" in refusal(f"{model_file}:Net").hint


def test_a_wrong_shape_is_told_in_one_line(model_file):
    error = refusal(f"{model_file}:Net", (1, 5))
    assert "1x5" in error.message
    assert "--input" in error.hint


@pytest.mark.parametrize(
    ("name", "said"), [("nett", "has no 'nett'"), ("wrong", "gave an int"), ("number", "is an int")]
)
def test_what_is_no_factory_is_refused(model_file, name, said):
    assert said in refusal(f"{model_file}:{name}").message


def test_a_missing_name_offers_what_is_there(model_file):
    assert "with_inputs" in refusal(f"{model_file}:nett").hint


def test_a_file_that_does_not_compile_is_told_with_its_line(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("x = 1\ndef f(:\n")
    error = refusal(f"{path}:f")
    assert "SyntaxError" in error.message
    assert ":2)" in error.message


def test_a_missing_file_is_said_to_be_missing():
    assert "no file 'gone.py'" in refusal("gone.py:net").message


def test_a_dotted_module_is_not_looked_for_in_the_current_folder(model_file, monkeypatch):
    monkeypatch.chdir(model_file.parent)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", ".")])
    error = refusal("net:Net", (1, 4))
    assert "no module 'net'" in error.message
    assert "current folder" in error.hint


def test_a_module_of_the_python_path_is_found():
    graph = read("tests.sources.torch.networks:Residual", (1, 4, 8, 8))
    assert analyze_graph(graph).totals.macs == 64 * 8 * 9 * (4 + 8)


def test_an_unknown_model_name_offers_close_ones():
    assert "resnet18" in refusal("torchvision:resnet81").hint
    assert "mobilenetv3_large_100" in refusal("timm:mobilenetv3_large_10").hint


@pytest.mark.parametrize("target", ["torchvision:resnet18?weights=DEFAULT", "timm:resnet18?pretrained=True"])
def test_pretrained_weights_are_never_loaded(target):
    with pytest.raises(UsageError, match="never loads"):
        read(target)


def test_a_segmentation_backbone_is_not_downloaded(monkeypatch):
    import torch

    def download(*_, **__):
        raise AssertionError("something was downloaded")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", download)
    assert analyze_graph(read("torchvision:lraspp_mobilenet_v3_large", (1, 3, 64, 64))).totals.params == 3_221_538


def test_literals_are_read_as_python_and_words_as_text():
    arguments = parse_target("torchvision:x?num_classes=10&act=relu&flag=True&size=(1,2)").arguments
    assert arguments == {"num_classes": 10, "act": "relu", "flag": True, "size": (1, 2)}


@pytest.mark.parametrize("target", ["a:b?c", "a:b?=1", "a:b?x=1&x=2"])
def test_malformed_arguments_are_refused(target):
    with pytest.raises(UsageError):
        parse_target(target)


def test_symbolic_dimensions_are_not_for_torch():
    with pytest.raises(UsageError, match="--dim"):
        load(Request(target="torchvision:resnet18", dims={"batch": 2}))


def test_default_sizes_are_the_models_own():
    shapes = {
        name: read(name).inputs[0].shape for name in ("torchvision:r3d_18", "timm:test_vit", "torchvision:alexnet")
    }
    assert shapes == {
        "torchvision:r3d_18": (1, 3, 16, 112, 112),
        "timm:test_vit": (1, 3, 160, 160),
        "torchvision:alexnet": (1, 3, 224, 224),
    }


def run(code):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120, check=False
    ).stdout.strip()


def test_without_torch_the_install_command_is_the_hint():
    said = run("""
        import sys, importlib.util
        found = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *rest: None if name == "torch" else found(name, *rest)
        from convcost.sources import Request, load
        from convcost.errors import MissingDependencyError
        try:
            load(Request(target="torchvision:resnet18"))
        except MissingDependencyError as error:
            print(error.message, "|", error.hint, "|", "torch" in sys.modules)
    """)
    assert said == "'torchvision:resnet18' needs PyTorch | pip install 'convcost[torch]' | False"


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_without_the_library_the_install_command_is_the_hint(library, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingDependencyError) as raised:
        read(f"{library}:resnet18")
    assert raised.value.hint == f"pip install {library}"


def test_a_torchvision_without_its_kernels_is_made_importable_with_a_note():
    said = run("""
        from convcost.sources import Request, load
        graph = load(Request(target="torchvision:resnet18"))
        import torch
        print(len(graph.notes), torch.ops.torchvision.nms is not None)
    """)
    # Where torchvision fits its torch nothing needs to be declared.
    assert said in ("1 True", "0 True")
