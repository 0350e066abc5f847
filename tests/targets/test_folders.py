"""What a folder stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcost.errors import SourceError
from convcost.targets.folders import expand

SPEC = "version: 1\nlayer:\n  type: conv\n"


def made(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SPEC, encoding="utf-8")


def test_a_folder_is_its_models_sorted_by_path(tmp_path: Path) -> None:
    made(tmp_path, "b.onnx", "a/z.yaml", "a/b/c.onnx.gz", "B.yml", "a.pt2", "a/notes.md", "weights.pt", "report.json")
    found = [Path(each).relative_to(tmp_path).as_posix() for each in expand([str(tmp_path)])]
    assert found == ["B.yml", "a/b/c.onnx.gz", "a/z.yaml", "a.pt2", "b.onnx"]


def test_other_targets_stay_as_they_are_and_where_they_are(tmp_path: Path) -> None:
    made(tmp_path, "net.onnx")
    targets = ["missing.onnx", str(tmp_path), "torchvision:resnet18", "-"]
    assert expand(targets) == ("missing.onnx", str(tmp_path / "net.onnx"), "torchvision:resnet18", "-")


def test_yaml_that_has_no_layers_is_no_model(tmp_path: Path) -> None:
    made(tmp_path, "spec.yaml")
    (tmp_path / "network.yml").write_text("input: [3, 8, 8]\nlayers:\n  - type: relu\n", encoding="utf-8")
    (tmp_path / "compose.yaml").write_text("services:\n  layer: x\nlayered: 1\n", encoding="utf-8")
    assert [Path(each).name for each in expand([str(tmp_path)])] == ["network.yml", "spec.yaml"]


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    made(tmp_path, ".cache/net.onnx", ".net.onnx", "sub/.git/net.onnx", "net.onnx")
    assert expand([str(tmp_path)]) == (str(tmp_path / "net.onnx"),)


def test_no_link_is_followed_so_that_nothing_outside_is_read(tmp_path: Path) -> None:
    made(tmp_path, "outside/net.onnx", "inside/net.onnx")
    (tmp_path / "inside" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "inside" / "file.onnx").symlink_to(tmp_path / "outside" / "net.onnx")
    (tmp_path / "inside" / "circle").symlink_to(tmp_path / "inside")
    assert expand([str(tmp_path / "inside")]) == (str(tmp_path / "inside" / "net.onnx"),)


def test_a_name_longer_than_the_system_takes_is_no_folder() -> None:
    assert expand(["x" * 10_000]) == ("x" * 10_000,)


def test_a_folder_without_models_says_what_would_be_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no model") as caught:
        expand([str(tmp_path)])
    assert ".onnx, .onnx.gz, .pt2 files and YAML with layers" in caught.value.hint
