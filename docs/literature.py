"""Writes docs/literature.md, where published figures stand beside exact counts, or with --check says it is out of step.

python docs/literature.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from literature_counts import (
    NONE,
    Figure,
    alternative,
    figure,
    macs,
    macs_at,
    params,
    params_with_norms,
    saved_by,
    saved_by_alternative,
    share,
    stage,
    times_fewer,
)

PAGE = Path(__file__).parent / "literature.md"

INTRODUCTION = """<!-- made by docs/literature.py from sample_configs/literature; edit that instead -->

# Published figures, counted again

Every count below is made from the spec that its row names, each time this page is made, and a test makes it again. A
published figure agrees when the count rounds to it; where it does not, the last column says why. Multiplies are
multiply-accumulates (mult-adds; many papers call them FLOPs).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The figures of one text."""

    title: str
    source: str
    figures: tuple[Figure, ...]


_IMAGE_12, _IMAGE_7 = "examples/image_12x12_kernel_5x5.yaml", "examples/image_7x7_kernel_3x3.yaml"
_IMAGE_64, _PAIR = "examples/image_64x64_df_input.yaml", "examples/depthwise_then_pointwise.yaml"
_DENSE, _MOBILENET = "literature/mobilenet_v1_dense.yaml", "literature/mobilenet_v1_100.yaml"
_NARROW, _SHALLOW = "literature/mobilenet_v1_075.yaml", "literature/mobilenet_v1_shallow.yaml"
_HALF, _QUARTER = "literature/mobilenet_v1_050.yaml", "literature/mobilenet_v1_025.yaml"
_L512, _L384 = "literature/mobilenet_layer_512.yaml", "literature/mobilenet_layer_384.yaml"
_L384_10 = "literature/mobilenet_layer_384_10.yaml"
_BIG, _SMALL = "literature/inception_5x5.yaml", "literature/inception_3x3.yaml"
_SQUEEZENET = "literature/squeezenet_1_0.yaml"
_VGG = "literature/vgg16.yaml"
_RESNET, _RESNEXT = "literature/resnet50.yaml", "literature/resnext50.yaml"
_RESNET_BLOCK, _RESNEXT_BLOCK = "literature/resnet_block.yaml", "literature/resnext_block.yaml"

SECTIONS: tuple[Section, ...] = (
    Section(
        title="Worked examples",
        source="Textbook examples of separable convolutions, as courses and articles retell them.",
        figures=(
            figure("One 3×3 kernel at one position", "", "9", "examples/one_kernel.yaml", macs),
            figure("The same as 3×1 and 1×3", "", "6", "examples/one_kernel.yaml", alternative("spatial_separable")),
            figure("12×12×3 image, 256 kernels of 5×5, no padding", "", "1,228,800", _IMAGE_12, macs),
            figure("Its depthwise stage", "", "4,800", _IMAGE_12, stage("depthwise")),
            figure("Its pointwise stage", "", "49,152", _IMAGE_12, stage("pointwise")),
            figure("Both", "", "53,952", _IMAGE_12, alternative("depthwise_separable")),
            figure("7×7×3 input, 128 kernels of 3×3, no padding", "", "86,400", _IMAGE_7, macs),
            figure("Its depthwise stage", "", "675", _IMAGE_7, stage("depthwise")),
            figure("Its pointwise stage", "", "9,600", _IMAGE_7, stage("pointwise")),
            figure("Both", "", "10,275", _IMAGE_7, alternative("depthwise_separable")),
            figure(
                "64×64×3 to 256 maps by 3×3, D_F the input map",
                "",
                "9,437,184",
                _IMAGE_64,
                alternative("standard", df="input"),
                "the text leaves out the factor M = 3: three times 9,437,184 is the count",
            ),
            figure(
                "The same, depthwise-separable",
                "",
                "1,020,910",
                _IMAGE_64,
                alternative("depthwise_separable", df="input"),
                "the text leaves out the factor M = 3, and its sum is 18 short of 1,020,928",
            ),
            figure(
                "Parameters of a depthwise 3×3 over 64 channels and a pointwise to 128, with biases",
                "",
                "8,960",
                _PAIR,
                params,
            ),
        ),
    ),
    Section(
        title="MobileNetV1",
        source="Howard et al. 2017, MobileNets: Efficient CNNs for Mobile Vision Applications.",
        figures=(
            figure(
                "Share of multiplies in 1×1 convolutions", "table 2", "94.86 %", _MOBILENET, share("pointwise", "macs")
            ),
            figure("Share of multiplies in depthwise 3×3", "table 2", "3.06 %", _MOBILENET, share("depthwise", "macs")),
            figure(
                "Share of multiplies in the dense 3×3",
                "table 2",
                "1.19 %",
                _MOBILENET,
                share("conv", "macs"),
                "a misprint: the digits of 1.91 are swapped, and with 1.19 the column does not add up to 100 %",
            ),
            figure("Share of multiplies in the classifier", "table 2", "0.18 %", _MOBILENET, share("linear", "macs")),
            figure(
                "Share of parameters in 1×1 convolutions",
                "table 2",
                "74.59 %",
                _MOBILENET,
                share("pointwise", "params"),
            ),
            figure(
                "Share of parameters in depthwise 3×3", "table 2", "1.06 %", _MOBILENET, share("depthwise", "params")
            ),
            figure("Share of parameters in the dense 3×3", "table 2", "0.02 %", _MOBILENET, share("conv", "params")),
            figure(
                "Share of parameters in the classifier", "table 2", "24.33 %", _MOBILENET, share("linear", "params")
            ),
            figure("An inner 3×3 layer, 512 channels at 14×14: multiplies", "table 3", "462 M", _L512, macs),
            figure("An inner 3×3 layer, 512 channels at 14×14: parameters", "table 3", "2.36 M", _L512, params),
            figure(
                "The same, depthwise-separable: multiplies",
                "table 3",
                "52.3 M",
                _L512,
                alternative("depthwise_separable"),
            ),
            figure(
                "The same, depthwise-separable: parameters",
                "table 3",
                "0.27 M",
                _L512,
                alternative("depthwise_separable", of="params"),
            ),
            figure(
                "The same at width 0.75: multiplies", "table 3", "29.6 M", _L384, alternative("depthwise_separable")
            ),
            figure(
                "The same at width 0.75: parameters",
                "table 3",
                "0.15 M",
                _L384,
                alternative("depthwise_separable", of="params"),
            ),
            figure(
                "The same at resolution 0.714 too: multiplies",
                "table 3",
                "15.1 M",
                _L384_10,
                alternative("depthwise_separable"),
            ),
            figure(
                "The same at resolution 0.714 too: parameters",
                "table 3",
                "0.15 M",
                _L384_10,
                alternative("depthwise_separable", of="params"),
            ),
            figure(
                "With dense convolutions: multiplies",
                "table 4",
                "4866 M",
                _DENSE,
                macs,
                "4,866,269,184 without the classifier, whose weights the next row has",
            ),
            figure("With dense convolutions: parameters", "table 4", "29.3 M", _DENSE, params),
            figure("MobileNet: multiplies", "tables 4 to 7", "569 M", _MOBILENET, macs),
            figure("MobileNet: parameters", "tables 4 to 7", "4.2 M", _MOBILENET, params),
            figure("Width 0.75: multiplies", "tables 5 and 6", "325 M", _NARROW, macs),
            figure("Width 0.75: parameters", "tables 5 and 6", "2.6 M", _NARROW, params),
            figure("Shallow: without five blocks: multiplies", "table 5", "307 M", _SHALLOW, macs),
            figure("Shallow: without five blocks: parameters", "table 5", "2.9 M", _SHALLOW, params),
            figure("Width 0.5: multiplies", "table 6", "149 M", _HALF, macs),
            figure("Width 0.5: parameters", "table 6", "1.3 M", _HALF, params),
            figure("Width 0.25: multiplies", "table 6", "41 M", _QUARTER, macs),
            figure("Width 0.25: parameters", "table 6", "0.5 M", _QUARTER, params),
            figure("Resolution 192: multiplies", "table 7", "418 M", _MOBILENET, macs_at(192)),
            figure("Resolution 160: multiplies", "table 7", "290 M", _MOBILENET, macs_at(160), "cut, not rounded"),
            figure("Resolution 128: multiplies", "table 7", "186 M", _MOBILENET, macs_at(128)),
            figure(
                "SqueezeNet: multiplies",
                "table 9",
                "1700 M",
                _SQUEEZENET,
                macs,
                "a slip: 1,665,335,872 FLOPs, two for each mult-add that the column's title names",
            ),
            figure("SqueezeNet: parameters", "table 9", "1.25 M", _SQUEEZENET, params),
        ),
    ),
    Section(
        title="MobileNetV2",
        source="Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks.",
        figures=(
            figure(
                "Width 1.4: parameters",
                "table 4",
                "6.9 M",
                "literature/mobilenet_v2_140.yaml",
                params_with_norms,
                "a misprint: the network that tables 2 and 4 describe has 6.1 M",
            ),
        ),
    ),
    Section(
        title="Inception's factorisations",
        source="Szegedy et al. 2016, Rethinking the Inception Architecture. Over as many filters as channels.",
        figures=(
            figure("Two 3×3 in place of 5×5 save", "3.1", "28 %", _BIG, saved_by("literature/inception_two_3x3.yaml")),
            figure("The same, as the alternative `stacked`", "3.1", "28 %", _BIG, saved_by_alternative("stacked")),
            figure(
                "3×1 and 1×3 in place of 3×3 save", "3.2", "33 %", _SMALL, saved_by("literature/inception_3x1_1x3.yaml")
            ),
            figure(
                "The same, as the alternative `spatial_factorized`",
                "3.2",
                "33 %",
                _SMALL,
                saved_by_alternative("spatial_factorized"),
            ),
            figure(
                "Two 2×2 in place of 3×3 save", "3.2", "11 %", _SMALL, saved_by("literature/inception_two_2x2.yaml")
            ),
        ),
    ),
    Section(
        title="ResNeXt",
        source="Xie et al. 2017, Aggregated Residual Transformations for Deep Neural Networks.",
        figures=(
            figure("ResNet's bottleneck block: parameters", "3.3", "70 k", _RESNET_BLOCK, params),
            figure("ResNeXt's block, 32 groups of 4: parameters", "3.3", "70 k", _RESNEXT_BLOCK, params),
            figure("ResNet-50: multiplies", "table 1", "4.1 G", _RESNET, macs),
            figure("ResNet-50: parameters", "table 1", "25.5 M", _RESNET, params_with_norms, "cut, not rounded"),
            figure("ResNeXt-50 (32×4d): multiplies", "table 1", "4.2 G", _RESNEXT, macs),
            figure("ResNeXt-50 (32×4d): parameters", "table 1", "25.0 M", _RESNEXT, params_with_norms),
        ),
    ),
    Section(
        title="VGG-16 under each alternative",
        source="Simonyan & Zisserman 2015 (D), each alternative wherever it applies; –: no text prints it.",
        figures=(
            figure(
                "Multiplies",
                "MobileNets, table 8",
                "15300 M",
                _VGG,
                macs,
                "15,346,630,656 without the fully connected layers, rounded to three digits",
            ),
            figure("Parameters", "MobileNets, table 8", "138 M", _VGG, params),
            figure(
                "Depthwise-separable: times fewer multiplies",
                "MobileNets, 3.1 (“8 to 9 times”)",
                "9",
                _VGG,
                times_fewer("depthwise_separable"),
            ),
            figure(
                "In 4 groups: times fewer",
                "4",
                "4.00",
                _VGG,
                times_fewer("grouped[groups=4]"),
                "4 do not divide the 3 channels of the first convolution, which stays",
            ),
            figure(
                "3×1 and 1×3 with N channels between: times fewer",
                "9 / 6",
                "1.50",
                _VGG,
                times_fewer("spatial_factorized"),
                "where a layer widens, from M to N channels, the form takes 3·N·(M + N), not 6·M·N",
            ),
            figure(
                "Winograd F(2×2, 3×3): times fewer",
                "Lavin & Gray 2016, 4",
                "2.25",
                _VGG,
                times_fewer("winograd[tile=2]"),
            ),
            figure(
                "Winograd F(4×4, 3×3): times fewer",
                "Lavin & Gray 2016, 4",
                "4.00",
                _VGG,
                times_fewer("winograd[tile=4]"),
                "maps of 14×14 are not made of whole tiles of 4: the last ones are computed in full",
            ),
            figure("The network, spatially factorised", "", NONE, _VGG, alternative("spatial_factorized")),
            figure("The network, depthwise-separable", "", NONE, _VGG, alternative("depthwise_separable")),
            figure("The network in 2 groups", "", NONE, _VGG, alternative("grouped[groups=2]")),
            figure("The network in 4 groups", "", NONE, _VGG, alternative("grouped[groups=4]")),
            figure("The network in 8 groups", "", NONE, _VGG, alternative("grouped[groups=8]")),
            figure("The network with F(2×2, 3×3)", "", NONE, _VGG, alternative("winograd[tile=2]")),
            figure("The network with F(4×4, 3×3)", "", NONE, _VGG, alternative("winograd[tile=4]")),
            figure("The network with F(6×6, 3×3)", "", NONE, _VGG, alternative("winograd[tile=6]")),
        ),
    ),
)


def page() -> str:
    """The whole document."""
    return "\n".join([INTRODUCTION, *(line for section in SECTIONS for line in _section(section))])


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {section.title}", "", section.source, "")
    yield "| figure | where | published | exact | what explains the difference | spec |"
    yield "| --- | --- | ---: | ---: | --- | --- |"
    for each in section.figures:
        spec = f"[{Path(each.spec).name}](../sample_configs/{each.spec})"
        shown = each.counted()
        yield f"| {each.what} | {each.where} | {each.published} | {shown} | {each.because} | {spec} |"
    yield ""


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 when --check finds the page different from what would be written."""
    text = page()
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
    if "--check" in arguments:
        if stale:
            sys.stderr.write("out of step with the code: literature.md; run python docs/literature.py\n")
        return int(stale)
    if stale:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
