"""The action's own scripts, the hooks, and what docs/ci.md says, tried rather than read."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from convcost.budgets.config import read_config
from convcost.cli import COMMANDS, main
from convcost.cli.ci_files import ci_file
from convcost.located import parse_yaml

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
NET = "layers: [{type: conv, in_channels: 8, out_channels: 8, kernel: 3, input: [9, 9]}]\n"
BASELINES = ("convcost-baseline.json", "convcost-baseline-latency.json")
GH = """\
#!/bin/sh
echo "$@" >> calls
case "$*" in *--paginate*) cat existing ;; esac
"""


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def runner(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A folder with a model, and an environment in which `convcost` and `gh` can be called."""
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin" / "convcost", f'#!/bin/sh\nexec "{sys.executable}" -m convcost "$@"\n')
    program(tmp_path / "bin" / "gh", GH)
    (tmp_path / "net.yaml").write_text(NET)
    (tmp_path / "existing").write_text("")
    environment = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    return tmp_path, environment


def run_step(name: str, folder: Path, environment: dict[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash") or "bash"
    command = [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={**environment, **more})


def outputs(folder: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (folder / "output").read_text().splitlines())


@pytest.mark.parametrize(("limit", "code"), [("30k", "0"), ("20k", "1")])
def test_the_action_checks_and_hands_on_its_reports(runner: tuple[Path, dict[str, str]], limit: str, code: str) -> None:
    folder, environment = runner
    ended = run_step("Check", folder, environment, ARGS=f"net.yaml\n--max\nmacs={limit}\n", BASE_REF="")
    assert ended.returncode == 0, ended.stderr
    found = outputs(folder)
    assert found["exit-code"] == code
    assert all(Path(found[name]).stat().st_size for name in ("report", "sarif", "comment-body"))
    assert run_step("Result", folder, environment, CODE=found["exit-code"]).returncode == int(code)


def test_words_of_the_action_are_never_run(runner: tuple[Path, dict[str, str]]) -> None:
    folder, environment = runner
    run_step("Check", folder, environment, ARGS="$(touch stolen)\n; touch stolen", BASE_REF="`touch stolen`")
    assert outputs(folder)["exit-code"] == "2"
    assert not (folder / "stolen").exists()
    # What a user writes reaches the shell as a variable and in no other way.
    assert not [step["name"] for step in STEPS.values() if "${{" in step["run"]]


@pytest.mark.parametrize(
    ("existing", "call"), [("", "POST repos/o/r/issues/7/comments"), ("42\n", "issues/comments/42")]
)
def test_the_action_keeps_one_comment(runner: tuple[Path, dict[str, str]], existing: str, call: str) -> None:
    folder, environment = runner
    (folder / "existing").write_text(existing)
    (folder / "body.md").write_text("<!-- convcost check -->\n")
    ended = run_step("Comment", folder, environment, BODY="body.md", REPOSITORY="o/r", NUMBER="7", GH_TOKEN="t")
    assert ended.returncode == 0, ended.stderr
    listing, writing = (folder / "calls").read_text().splitlines()
    assert "--paginate" in listing
    assert call in writing


def test_a_check_that_could_not_be_made_leaves_no_comment(runner: tuple[Path, dict[str, str]]) -> None:
    folder, environment = runner
    ended = run_step("Comment", folder, environment, BODY="gone.md", REPOSITORY="o/r", NUMBER="7", GH_TOKEN="t")
    assert (ended.returncode, (folder / "calls").exists()) == (0, False)


def test_what_the_action_promises_a_step_gives() -> None:
    given = set(re.findall(r'echo "([a-z-]+)=', STEPS["Check"]["run"]))
    assert set(ACTION["outputs"]) == given
    assert {
        match for each in ACTION["outputs"].values() for match in re.findall(r"outputs\.([a-z-]+)", each["value"])
    } == given


def test_the_action_is_what_github_takes_for_one() -> None:
    schema = json.loads((ROOT / "tests" / "data" / "schemas" / "github-actions.json").read_text())
    jsonschema.Draft7Validator(schema).validate(ACTION)
    broken = {**ACTION, "runs": {**ACTION["runs"], "steps": [{"name": "no shell", "run": "true"}]}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(broken)


def test_a_hook_is_run_when_a_file_changes_that_decides() -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    decide = ["a/net.onnx", "net.yaml", "convcost.yml", "pyproject.toml", *BASELINES]
    for name, more in (("convcost-check", []), ("convcost-check-project", ["a/net.py"])):
        pattern = re.compile(hooks[name]["files"])
        assert all(pattern.search(path) for path in (*decide, *more))
        assert not any(pattern.search(path) for path in ("README.md", "net.onnx.txt"))


def test_every_hook_runs_a_command_that_exists() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["convcost-check", "convcost-check-project"]
    for hook in hooks:
        assert hook["entry"].split()[0] == "convcost"
        assert hook["entry"].split()[1] in COMMANDS
        assert not hook["pass_filenames"]


def test_convcosts_own_gate_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["check", "--config", ".ci/convcost.yaml"]) == 0


def test_the_page_can_be_copied_from() -> None:
    text = (ROOT / "docs" / "ci.md").read_text()
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    config = read_config(parse_yaml(blocks[0], file="docs/ci.md"), file="docs/ci.md")
    assert len(config.models) == 2
    assert len(config.rules) == 5
    latency = read_config(parse_yaml(blocks[1], file="docs/ci.md"), file="docs/ci.md")
    assert [rule.subject for rule in latency.rules] == ["latency", "increase of latency"]
    for block in blocks:
        assert yaml.safe_load(block)
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert set(re.findall(r"id: (convcost-[a-z-]+)", text)) == hooks
    assert yaml.safe_load(blocks[3])["convcost"] == yaml.safe_load(ci_file("gitlab"))["convcost"]
    commands = re.findall(r"^\$ convcost (\w+)|`convcost (\w+)", text, re.MULTILINE)
    assert {first or second for first, second in commands} <= set(COMMANDS)
