"""`convcost check` as a gate: config, baseline, revisions, several models, and what it leaves on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jsonschema
import pytest

from convcost.cli import main

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]

NET = """\
input: [8, 16, 16]
layers:
  - {type: conv, name: stem, out_channels: 16, kernel: 3, padding: 1}
  - {type: depthwise, name: middle, kernel: 3, padding: 1}
  - {type: pointwise, name: head, out_channels: 8}
"""
# middle: 9 * 16 * 16 * 16 = 36,864 MACs; dense it is 16 times that.
DENSE = NET.replace("{type: depthwise, name: middle,", "{type: conv, name: middle, out_channels: 16,")
CONFIG = """\
models:
  - {name: net, spec: net.yaml}
budgets:
  - {model: net, macs: 1M}
  - {increase: {macs: "+5%"}}
layer_budgets:
  - {model: net, match: middle, macs: 50k, message: keep it depthwise}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own, below a repository's root, without anything of the environment."""
    for name in [name for name in os.environ if name.startswith(("CONVCOST_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    (tmp_path / ".git").mkdir()
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "convcost.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commit(folder: Path) -> None:
    (folder / ".git").rmdir()
    identity = ["-c", "user.name=n", "-c", "user.email=e@x.y", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)


def verdicts(capsys: Capture, *arguments: str) -> list[tuple[str, str | None, str]]:
    capsys.readouterr()
    main(["check", *arguments, "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    checks = document.get("checks", [document])
    every = [verdict for check in checks for verdict in check["verdicts"]] + document.get("general", [])
    return [(each["subject"], each["code"], each["status"]) for each in every]


def test_a_missing_baseline_cannot_be_told_and_updating_writes_it(project: Path, capsys: Capture) -> None:
    assert main(["check"]) == 3
    assert "CC203" in capsys.readouterr().out
    assert main(["check", "--update-baseline"]) == 0
    assert "net: new in the baseline" in capsys.readouterr().err
    assert main(["check"]) == 0


def test_the_lost_groups_fail_the_gate_with_their_reason_and_the_configs_line(project: Path, capsys: Capture) -> None:
    main(["check", "--update-baseline", "-q"])
    (project / "net.yaml").write_text(DENSE)
    capsys.readouterr()
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert "groups 16 → 1: depthwise became dense, 16x" in out
    assert "keep it depthwise (convcost.yaml:7:39)" in out
    assert "To accept the new macs: convcost check --update-baseline" in out
    assert "macs: 589824 in convcost.yaml:7:39" in out


def test_only_the_analyzed_models_are_updated(project: Path) -> None:
    main(["check", "--update-baseline", "-q"])
    before = json.loads(Path("convcost-baseline.json").read_text())["models"]
    (project / "net.yaml").write_text(DENSE)
    (project / "other.yaml").write_text(NET)
    assert main(["check", "--update-baseline", "-q", "--isolated", "other.yaml"]) == 0
    after = json.loads(Path("convcost-baseline.json").read_text())["models"]
    assert after.keys() == {"net", "other.yaml"}
    assert after["net"] == before["net"]


def test_updating_says_what_rose(project: Path, capsys: Capture) -> None:
    main(["check", "--update-baseline", "-q"])
    (project / "net.yaml").write_text(DENSE)
    capsys.readouterr()
    # The limit on the layer is broken all the same: a baseline accepts growth, not a broken limit.
    assert main(["check", "--update-baseline", "-q"]) == 1
    assert "net: macs rose" in capsys.readouterr().err
    assert [status for subject, _, status in verdicts(capsys) if subject == "increase of macs"] == ["pass"]


def test_a_config_is_found_from_below_and_its_paths_are_its_own(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["check", "--update-baseline", "-q"])
    below = project / "deep" / "er"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert main(["check"]) == 0
    assert "net: ../../net.yaml (spec)" in capsys.readouterr().out


def test_no_config_is_looked_for_above_the_repository(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = project / "inner"
    (inner / ".git").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert main(["check"]) == 2
    assert "check needs a model" in capsys.readouterr().err


def test_pyproject_holds_a_config_too_and_two_are_one_too_many(project: Path, capsys: Capture) -> None:
    text = '[tool.convcost]\nmodels = [{spec = "net.yaml"}]\n[[tool.convcost.budgets]]\nmacs = "1K"\n'
    (project / "pyproject.toml").write_text(text)
    assert main(["check"]) == 2
    assert "both hold a config" in capsys.readouterr().err
    (project / "convcost.yaml").unlink()
    assert main(["check"]) == 1
    assert "pyproject.toml:4:8" in capsys.readouterr().out


def test_a_mistake_in_the_config_is_told_with_its_line(project: Path, capsys: Capture) -> None:
    (project / "convcost.yaml").write_text(CONFIG.replace("macs: 1M", "macs: 600m"))
    assert main(["check"]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error == "error: convcost.yaml:4:24: 'm' means thousandths, and macs is a whole count"
    assert hint == "hint: write macs: 600M"


@pytest.mark.parametrize(
    ("arguments", "environment", "limit"),
    [
        ([], {}, 1_000_000),
        ([], {"CONVCOST_MAX": "macs=2M"}, 2_000_000),
        (["--max", "macs=3M"], {"CONVCOST_MAX": "macs=2M"}, 3_000_000),
        (["--max", "macs=3M", "--isolated", "net.yaml"], {"CONVCOST_MAX": "params=1"}, 3_000_000),
    ],
)
def test_the_stronger_place_holds(
    project: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    limit: int,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main(["check", *arguments, "--format", "json"])
    found = [each for each in json.loads(capsys.readouterr().out)["verdicts"] if each["subject"] in ("macs", "params")]
    assert [(each["metric"], each["limit"]) for each in found] == [("macs", limit)]


def test_warn_only_reports_and_fails_for_nothing(project: Path, capsys: Capture) -> None:
    (project / "net.yaml").write_text(DENSE)
    assert main(["check"]) == 1
    assert main(["check", "--warn-only"]) == 0
    assert {status for _, _, status in verdicts(capsys, "--warn-only")} == {"pass", "warn"}


def test_a_target_may_be_a_models_name_or_its_path(project: Path, capsys: Capture) -> None:
    for target in ("net", "net.yaml", "./net.yaml", str(project / "net.yaml")):
        assert ("macs of each middle", None, "pass") in verdicts(capsys, target)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("match: middle", "match: muddle", "CC202"), ("model: net, macs: 1M", "model: nut, macs: 1M", "CC204")],
)
def test_a_pattern_that_fits_nothing_cannot_be_told(
    project: Path, capsys: Capture, old: str, new: str, code: str
) -> None:
    main(["check", "--update-baseline", "-q"])
    (project / "convcost.yaml").write_text(CONFIG.replace(old, new))
    assert main(["check"]) == 3
    assert [found for _, found, status in verdicts(capsys) if status == "cannot_tell"] == [code]


def test_a_baseline_that_is_named_must_be_there_even_if_nothing_is_measured_by_it(
    project: Path, capsys: Capture
) -> None:
    assert main(["check", "--isolated", "net.yaml", "--max", "macs=1G"]) == 0
    assert main(["check", "--isolated", "net.yaml", "--max", "macs=1G", "--baseline", "gone.json"]) == 3
    assert "the baseline gone.json is missing" in capsys.readouterr().out


def test_a_baseline_that_is_named_must_be_there_though_a_budget_on_growth_is_off_or_of_another_model(
    project: Path, capsys: Capture
) -> None:
    off = CONFIG.replace("- {increase", "- {level: off, increase")
    of_another = CONFIG.replace("- {increase", "- {model: other, increase")
    of_another = of_another.replace("models:\n", "models:\n  - {name: other, spec: net.yaml}\n")
    for config in (off, of_another):
        (project / "convcost.yaml").write_text(f"baseline: gone.json\n{config}")
        assert main(["check", "net"]) == 3
        assert "the baseline gone.json is missing" in capsys.readouterr().out


def test_a_threshold_that_warns_is_accepted_at_its_own_place(project: Path, capsys: Capture) -> None:
    (project / "convcost.yaml").write_text(CONFIG.replace("macs: 1M}", "macs: {max: 1M, warn: 100k}}"))
    main(["check"])
    assert "To accept the new cost: macs warn: 364544 in convcost.yaml:4:40" in capsys.readouterr().out


def test_growth_over_a_revision_is_accepted_by_its_limit_for_there_is_no_file_to_write(
    project: Path, capsys: Capture
) -> None:
    commit(project)
    (project / "net.yaml").write_text(DENSE)
    assert main(["check", "--base-ref", "HEAD"]) == 1
    out = capsys.readouterr().out
    assert "To accept the new macs: allow more growth over HEAD in convcost.yaml:5:23" in out
    assert "--update-baseline" not in out


def test_layers_that_break_two_limits_are_listed_once(project: Path, capsys: Capture) -> None:
    commit(project)
    (project / "net.yaml").write_text(DENSE)
    main(["check", "--isolated", "net.yaml", "--base-ref", "HEAD", "--max", "macs=1", "--max-increase", "macs=5%"])
    assert capsys.readouterr().out.count("Where the macs grew") == 1


def test_nothing_fails_a_check_that_only_warns(project: Path) -> None:
    nothing_fits = ["--layer-max", "gone:macs=1", "--max-increase", "macs=5%"]
    for options in (["--max", "macs=1G", "--baseline", "gone.json"], ["--max", "macs=1", *nothing_fits]):
        assert main(["check", "--isolated", "net.yaml", *options]) in (1, 3)
        assert main(["check", "--isolated", "net.yaml", *options, "--warn-only"]) == 0


def test_exceeded_beats_cannot_tell_and_unusable_beats_all(project: Path) -> None:
    both = ["check", "net.yaml", "--isolated", "--max-increase", "macs=5%"]
    assert main(both) == 3
    assert main([*both, "--max", "macs=1"]) == 1
    assert main([*both, "--max", "macs=1", "gone.yaml"]) == 2


def test_a_branch_is_compared_with_its_base_without_a_file(project: Path, capsys: Capture) -> None:
    commit(project)
    (project / "net.yaml").write_text(DENSE)
    assert main(["check", "--base-ref", "HEAD"]) == 1
    assert "groups 16 → 1: depthwise became dense, 16x" in capsys.readouterr().out
    assert not Path("convcost-baseline.json").exists()
    assert main(["check", "--base-ref", "no-such-branch"]) == 2
    assert "git knows no revision 'no-such-branch' here" in capsys.readouterr().err


def test_a_model_that_the_base_does_not_have_is_new(project: Path, capsys: Capture) -> None:
    commit(project)
    (project / "more.yaml").write_text(NET)
    arguments = ["more.yaml", "--isolated", "--max-increase", "macs=5%", "--base-ref", "HEAD"]
    assert main(["check", *arguments]) == 3
    assert verdicts(capsys, *arguments) == [("increase of macs", "CC203", "cannot_tell")]


def test_ratchet_lowers_the_configs_limits_in_place(project: Path, capsys: Capture) -> None:
    main(["check", "--update-baseline", "-q"])
    capsys.readouterr()
    assert main(["check", "--ratchet", "--headroom", "0%", "-q"]) == 0
    assert "convcost.yaml:4:24: macs lowered from 1.00 M to 365.0 k" in capsys.readouterr().err
    assert Path("convcost.yaml").read_text() == CONFIG.replace("macs: 1M", "macs: 365k").replace("50k", "36.9k")
    assert main(["check"]) == 0


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_ratchet_changes_no_byte_but_the_limits(project: Path, line_end: str) -> None:
    written = f"\ufeff{CONFIG}".replace("\n", line_end).encode()
    Path("convcost.yaml").write_bytes(written)
    assert main(["check", "--update-baseline", "-q"]) == 0
    assert main(["check", "--ratchet", "--headroom", "0%", "-q"]) == 0
    assert Path("convcost.yaml").read_bytes() == written.replace(b"macs: 1M", b"macs: 365k").replace(b"50k", b"36.9k")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--headroom", "x"], "--headroom takes a share such as 10%, not 'x'"),
        (["--baseline", "a.json", "--base-ref", "HEAD"], "--baseline and --base-ref are both given"),
    ],
)
def test_a_wrong_option_is_told_by_its_name_alone(
    project: Path, capsys: Capture, options: list[str], says: str
) -> None:
    assert main(["check", "--isolated", "net.yaml", "--max", "macs=1G", *options]) == 2
    assert capsys.readouterr().err.startswith(f"error: {says}\n")


def test_ratchet_without_a_config_has_nothing_to_lower(project: Path, capsys: Capture) -> None:
    assert main(["check", "net.yaml", "--isolated", "--max", "macs=1G", "--ratchet"]) == 2
    assert "there are none" in capsys.readouterr().err


def test_a_github_job_gets_its_summary(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("summary.md").write_text("before\n")
    main(["check", "--format", "github", "--export", "sarif=s.sarif", "--export", "junit=j.xml"])
    assert Path("summary.md").read_text().startswith("before\n<!-- convcost check -->\n## convcost")
    assert capsys.readouterr().out.startswith("::error file=convcost.yaml,line=5,")
    assert json.loads(Path("s.sarif").read_text())["version"] == "2.1.0"
    assert Path("j.xml").read_text().startswith("<?xml")


def test_a_fault_while_writing_leaves_the_old_baseline_whole(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    main(["check", "--update-baseline", "-q"])
    before = Path("convcost-baseline.json").read_bytes()
    (project / "net.yaml").write_text(DENSE)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    faults: tuple[tuple[Callable[[int], None], int], ...] = ((full, 2), (interrupted, 130))
    for fault, code in faults:
        monkeypatch.setattr(os, "fsync", fault)
        assert main(["check", "--update-baseline", "-q"]) == code
        assert Path("convcost-baseline.json").read_bytes() == before
        assert sorted(path.name for path in project.iterdir() if path.name.endswith(".part")) == []
    assert "No space left on device" in capsys.readouterr().err


def test_many_models_are_read_by_several_processes_and_give_the_same_bytes(project: Path) -> None:
    for at in range(20):
        (project / f"net{at}.yaml").write_text(NET.replace("out_channels: 16", f"out_channels: {16 + at}"))
    names = [f"net{at}.yaml" for at in range(20)]
    command = [
        sys.executable,
        "-m",
        "convcost",
        "check",
        *names,
        "--isolated",
        "--max",
        "macs=400k",
        "--format",
        "json",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    runs = [subprocess.run(command, capture_output=True, check=False, env=environment) for _ in range(2)]
    assert [run.returncode for run in runs] == [1, 1]
    assert runs[0].stdout == runs[1].stdout
    document = json.loads(runs[0].stdout)
    assert [check["source"]["target"] for check in document["checks"]] == names


def test_config_show_says_where_each_value_is_from(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVCOST_HEADROOM", "5%")
    assert main(["config", "show", "--warn-only", "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {each["setting"]: (each["value"], each["where"]) for each in document["settings"]} == {
        "base_ref": ("", "default"),
        "baseline": ("convcost-baseline.json", "default"),
        "device": ("cpu", "default"),
        "format": ("table", "default"),
        "max_time": ("10", "default"),
        "runtime": ("", "default"),
        "threads": ("1", "default"),
        "headroom": ("5%", "environment CONVCOST_HEADROOM"),
        "warn_only": ("true", "command line"),
    }
    assert [each["where"] for each in document["budgets"]] == [
        "convcost.yaml:4:24",
        "convcost.yaml:5:23",
        "convcost.yaml:7:39",
    ]


def test_what_is_written_is_what_its_schema_describes(project: Path, capsys: Capture) -> None:
    main(["check", "--update-baseline", "-q"])
    capsys.readouterr()
    main(["config", "show", "--format", "json"])
    shown = json.loads(capsys.readouterr().out)
    (project / "convcost.yaml").write_text(
        CONFIG.replace("middle", "muddle").replace("model: net, macs", "model: x, macs")
    )
    main(["check", "--format", "json"])
    checked = json.loads(capsys.readouterr().out)
    baseline = json.loads(Path("convcost-baseline.json").read_text())
    for name, document in (("config-1", shown), ("verdicts-1", checked), ("baseline-1", baseline)):
        schema = json.loads((ROOT / "docs" / "schema" / f"{name}.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(document)


def test_a_model_of_the_config_that_cannot_be_read_is_named_with_its_line(project: Path, capsys: Capture) -> None:
    models = "models:\n  - {spec: net.yaml}\n  - {name: other, spec: net.yaml, inputs: {nope: [1, 3, 8, 8]}}\n"
    (project / "convcost.yaml").write_text(f"{models}budgets: [{{macs: 1M}}]\n")
    assert main(["check"]) == 2
    assert capsys.readouterr().err.splitlines()[0] == "error: convcost.yaml:3:5: other: unknown input 'nope'"


def test_a_model_without_a_budget_has_no_empty_table(project: Path, capsys: Capture) -> None:
    (project / "other.yaml").write_text(NET)
    text = CONFIG.replace("models:\n", "models:\n  - {name: other, spec: other.yaml}\n").replace("increase", "macs")
    (project / "convcost.yaml").write_text(text.replace('  - {macs: {macs: "+5%"}}\n', ""))
    assert main(["check"]) == 0
    other, net = capsys.readouterr().out.split("net: net.yaml")
    assert "Budget" not in other
    assert "note: no budget holds for this model" in other
    assert "Budget" in net


@pytest.mark.parametrize(
    ("arguments", "environment", "config", "begins"),
    [
        ([], {}, "", "net: net.yaml (spec)"),
        ([], {}, "format: github\n", "::warning"),
        ([], {"CONVCOST_FORMAT": "csv"}, "format: github\n", "target,"),
        (["--format", "json"], {"CONVCOST_FORMAT": "csv"}, "format: github\n", "{"),
        (["--query", "status"], {"CONVCOST_FORMAT": "csv"}, "format: github\n", "warn\n"),
        (["--isolated", "net.yaml", "--max", "macs=1"], {"CONVCOST_FORMAT": "csv"}, "format: github\n", "net.yaml"),
    ],
)
def test_the_command_lines_format_holds_over_the_environments_and_that_over_the_files(
    project: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: Mapping[str, str],
    config: str,
    begins: str,
) -> None:
    (project / "convcost.yaml").write_text(f"models: [{{name: net, spec: net.yaml}}]\nbudgets: [{{macs: 1}}]\n{config}")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main(["check", "--warn-only", *arguments])
    assert capsys.readouterr().out.startswith(begins)


def test_a_format_that_does_not_exist_is_told_with_its_place(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "convcost.yaml").write_text(f"{CONFIG}format: githb\n")
    assert main(["check"]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: convcost.yaml:8:1: format is one of table, ")
    assert hint == "hint: did you mean github?"
    monkeypatch.setenv("CONVCOST_FORMAT", "tabel")
    assert main(["check"]) == 2
    assert "environment CONVCOST_FORMAT: format is one of" in capsys.readouterr().err


@pytest.mark.parametrize(("level", "code", "said"), [("error", 3, True), ("warn", 0, True), ("off", 0, False)])
def test_a_budget_for_no_model_leaves_open_what_its_level_says(
    project: Path, capsys: Capture, level: str, code: int, said: bool
) -> None:
    (project / "convcost.yaml").write_text(
        f"models: [{{spec: net.yaml}}]\nbudgets: [{{macs: 1M}}, {{model: nut, macs: 1M, level: {level}}}]\n"
    )
    assert main(["check"]) == code
    assert ("CC204" in capsys.readouterr().out) is said
