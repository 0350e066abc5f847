"""What `convcost diff` compares: two saved reports, and the spelling of a model at another revision."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from unittest import mock

import convcost
from convcost.budgets import difference
from convcost.budgets.baseline import Baseline
from convcost.errors import ConvcostError, SourceError
from convcost.reports.analysis import AnalysisReport
from convcost.reports.difference import DifferenceReport
from convcost.sources import Request
from convcost.sources.request import at_revision
from convcost.targets import analysis_of, git
from convcost.targets.saved import read_saved
from fuzz.door import Door
from fuzz.oracles import adds_up, shows_plainly
from fuzz.trees import changed_json

_LONGEST_NAME = 255
_SAMPLES = Path(__file__).parents[1] / "sample_configs"


def check(data: bytes) -> None:
    """Two reports on two lines, each shown alone and beside the other; a first line alone is also a target's name."""
    first, _, second = data.partition(b"\n")
    _check_reports(first, second or first)
    _check_revision(first.decode("utf-8", "replace"), second)
    _check_baseline(first)


def seeds() -> Iterator[bytes]:
    reports = [
        json.dumps(convcost.analyze(_SAMPLES / name).to_json()).encode()
        for name in ("layer.yaml", "layers.yaml", "literature/resnet_block.yaml", "literature/resnext_block.yaml")
    ]
    yield from (old + b"\n" + new for old in reports for new in reports)
    yield from (b"git:%b\n%b" % (target, reports[0]) for target in (b"HEAD:net.json", b"v1.0:../a.json", b"a:b:c.json"))
    yield json.dumps({"schema": "convcost/baseline/1", "models": {"net": json.loads(reports[1])}}).encode()


def change(data: bytes, chance: object) -> bytes:
    first, newline, second = data.partition(b"\n")
    return changed_json(first, chance) + newline + (changed_json(second, chance) if second else b"")  # type: ignore[arg-type]


DOOR = Door(
    check=check,
    seeds=seeds,
    change=change,
    words=(
        "git:",
        "HEAD",
        "HEAD~1:",
        "--output=",
        "@{u}",
        ":(top)",
        "../",
        "./",
        ".json",
        ".onnx.gz",
        ".yaml",
        "?",
        "\0",
    ),
)


def _check_reports(old: bytes, new: bytes) -> None:
    paths = [_folder() / name for name in ("old.json", "new.json")]
    for path, content in zip(paths, (old, new), strict=True):
        path.write_bytes(content)
    try:
        before, after = (read_saved(str(path)) for path in paths)
    except ConvcostError:
        return
    for analysis in (before, after):
        adds_up(analysis)
        shows_plainly(AnalysisReport(analyses=(analysis,)))
    shows_plainly(DifferenceReport(difference=difference(before, after)))


def _check_revision(target: str, content: bytes) -> None:
    """With a git that has whatever it is asked for: files alone, since a factory's tree would be run."""

    def answer(arguments: Sequence[str], problem: str, hint: str | None, *, given: bytes | None = None) -> bytes:
        assert "--end-of-options" in arguments or not arguments[-1].startswith("-"), "git would read it as an option"
        if "\0" in target or len(target.encode()) > _LONGEST_NAME:
            raise SourceError(problem, hint=hint)  # as no tree holds such a name
        return content if arguments[0] == "cat-file" else b"0" * 40

    past = at_revision(target)
    if past is None or not git.is_file(past[1]):
        return
    try:
        with mock.patch.object(git, "_git", answer):
            adds_up(analysis_of(Request(target=target)))
    except ConvcostError:
        return


def _check_baseline(data: bytes) -> None:
    try:
        baseline = Baseline.read(json.loads(data), file="baseline.json")
        analyses = {name: baseline.analysis(name) for name in baseline.models}
    except (ConvcostError, ValueError, RecursionError):  # the file's reader refuses what is no JSON
        return
    again = baseline.merged({name: found for name, found in analyses.items() if found is not None})
    assert Baseline.read(json.loads(again.text()), file="again").text() == again.text()


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="convcost-fuzz-"))
