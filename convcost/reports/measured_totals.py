"""All compared layers together, as far as sums of times measured apart can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcost.analysis import Json
from convcost.latency import CandidateLatencies, LatencySum, NotMeasurable, latency_sums, standard_sum
from convcost.latency.wording import time_text
from convcost.reports.comparison import common_label
from convcost.reports.document import Column, Kind, Row, Table

_COLUMNS = (
    Column(key="alternative", title="Alternative", kind=Kind.TEXT),
    Column(key="replaced", title="Replaced", kind=Kind.FIGURE, spare=1),
    Column(key="latency", title="Latency", kind=Kind.TEXT),
    Column(key="speed_up", title="Speed-up", kind=Kind.TIMES),
)


def summed_table(latencies: Sequence[CandidateLatencies]) -> tuple[Table, ...]:
    """A row per alternative; nothing for a single layer, which is its own sum."""
    if len(latencies) < 2:
        return ()
    remarks = (
        "Each convolution measured alone, with the alternative where it applies; the rest of the model is not in it.",
    )
    title = f"Measured: the {len(latencies)} convolutions added up"
    sums = tuple(enumerate(latency_sums(latencies)))
    reasons = dict.fromkeys(f"not measured: {each.reason}" for _, each in sums if isinstance(each, NotMeasurable))
    rows = tuple(_row(at, found, latencies) for at, found in sums)
    return (Table(title=title, columns=_COLUMNS, rows=rows, remarks=(*remarks, *reasons)),)


def summed_json(latencies: Sequence[CandidateLatencies]) -> Iterator[dict[str, Json]]:
    """For the total of each alternative, what its layers take together; null where one was not measured."""
    for found in latency_sums(latencies):
        if isinstance(found, LatencySum):
            yield {"latency_sum": found.to_json(), "not_measured": None}
        else:
            yield {"latency_sum": None, "not_measured": found.to_json()}


def _row(at: int, found: LatencySum | NotMeasurable, latencies: Sequence[CandidateLatencies]) -> Row:
    candidates = [each.layer.candidates[at] for each in latencies]
    applied = sum(candidate.is_applicable for candidate in candidates)
    replaced = "as it is" if candidates[0].alternative.name == "standard" else f"{applied} of {len(candidates)}"
    return common_label(candidates), replaced, _sum_text(found), _speed_up(standard_sum(latencies), found)


def _sum_text(found: LatencySum | NotMeasurable) -> str:
    """A sum of medians with the ends of their intervals added; "about", and one digit, where noise allows no more."""
    if isinstance(found, NotMeasurable):
        return "not measured"
    if found.is_noisy:
        return f"about {time_text(found.median, 1)} (noisy)"
    return f"{time_text(found.median)} ±{max(found.uncertainty, 0.001):.1%}"


def _speed_up(before: LatencySum | NotMeasurable, after: LatencySum | NotMeasurable) -> float | str:
    """A dash where noise leaves no figure, or something was not measured."""
    match before, after:
        case LatencySum() as standard, LatencySum() as other if not (standard.is_noisy or other.is_noisy):
            return standard.median / other.median
        case _:
            return "–"
