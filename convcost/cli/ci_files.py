"""The files that run `convcost check` in CI, as `convcost init` writes them and docs/ci.md shows them."""

from __future__ import annotations

_GITHUB = """\
# Holds the models to the budgets of convcost.yaml on every pull request.
name: convcost
on:
  pull_request:
  push:
    branches: [main]
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0 # so that --base-ref origin/main can be compared with
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - run: python -m pip install convcost # for PyTorch models: 'convcost[torch]' and what they import
      - run: convcost check --format github # annotations, and the tables in the job's summary
"""

_GITLAB = """\
# Include this from .gitlab-ci.yml:  include: [{local: .gitlab/convcost.yml}]
convcost:
  image: python:3.11
  script:
    - python -m pip install convcost # for PyTorch models: 'convcost[torch]' and what they import
    - convcost check --export gitlab=gl-code-quality-report.json --export junit=convcost.xml
  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json
      junit: convcost.xml
"""

_FILES = {"github": _GITHUB, "gitlab": _GITLAB}


def ci_file(system: str) -> str:
    """The whole file for `github` or `gitlab`."""
    return _FILES[system]
