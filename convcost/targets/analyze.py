"""One target to one analysis, by how it is written."""

from __future__ import annotations

import re
from dataclasses import replace

from convcost.analysis import Analysis, analyze_graph
from convcost.errors import UsageError
from convcost.sources.request import Request
from convcost.targets.git import Revision, analysis_at
from convcost.targets.saved import read_saved

_GIT = re.compile(r"git:([^:]+):(.+)", re.DOTALL)


def analysis_of(request: Request) -> Analysis:
    """What a model costs, or cost when its report was saved, or at another revision (`git:REF:TARGET`).

    Saved reports give analyses and not graphs, which is why they are no source: what a network was made of
    cannot be told from its costs. Raises `ConvcostError`.
    """
    if match := _GIT.fullmatch(request.target):
        revision = Revision.of(match[1])
        return analysis_at(revision, replace(request, target=match[2]), analysis_of)
    if request.target.endswith(".json"):
        if request.inputs or request.dims:
            raise UsageError(
                f"{request.target} is a saved report: its inputs are what they were", hint="leave out --input and --dim"
            )
        return read_saved(request.target)
    from convcost import sources

    return analyze_graph(sources.load(request))
