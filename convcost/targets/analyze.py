"""One target to one analysis, by how it is written."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from convcost.analysis import Analysis, analyze_graph
from convcost.errors import UsageError
from convcost.sources.request import Request, at_revision, is_saved


def analysis_of(request: Request, *, backward: bool = False) -> Analysis:
    """What a model costs, or cost when its report was saved, or at another revision (`git:REF:TARGET`).

    Saved reports give analyses and not graphs, which is why they are no source: what a network was made of
    cannot be told from its costs. `backward` counts the gradients too; a saved report has them or is refused.
    Raises `ConvcostError`.
    """
    if past := at_revision(request.target):
        from convcost.targets.git import Revision, analysis_at

        revision = Revision.of(past[0])
        there = replace(request, target=past[1])
        return analysis_at(revision, there, partial(analysis_of, backward=backward), backward=backward)
    if is_saved(request.target):
        if request.inputs or request.dims:
            raise UsageError(
                f"{request.target} is a saved report: its inputs are what they were", hint="leave out --input and --dim"
            )
        from convcost.targets.saved import read_saved

        return _with_gradients(read_saved(request.target)) if backward else read_saved(request.target)
    from convcost import sources

    return analyze_graph(sources.load(request), backward=backward)


def _with_gradients(saved: Analysis) -> Analysis:
    if saved.backward is None:
        raise UsageError(
            f"{saved.target}: the saved report says nothing of the backward pass", hint="save it again with --backward"
        )
    return saved
