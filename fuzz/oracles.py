"""What has to hold of every result, whatever it was read from."""

from __future__ import annotations

import json
from collections.abc import Mapping

from convcost.analysis import Analysis
from convcost.analysis.saved import read_analysis
from convcost.budgets import difference
from convcost.reports import FORMATS, Report, render

_JSON = ("json", "gitlab", "sarif")
_LINES = str.maketrans("", "", "\n")


def adds_up(analysis: Analysis) -> None:
    """Totals are the sum of the layers, counts are no negative numbers, and the saved report says the same."""
    for metric in ("macs", "other_ops", "bytes_moved"):
        of_layers = sum(getattr(layer.cost, metric) for layer in analysis.layers)
        total = getattr(analysis.totals.cost, metric)
        assert total == of_layers >= 0, f"{metric}: {total} in total, {of_layers} in the layers"
    again = read_analysis(json.loads(json.dumps(analysis.to_json())), named="again")
    assert again.to_json() == analysis.to_json(), "a saved report reads back as another"
    assert not difference(again, analysis), "a model differs from its own report"


def shows_plainly(report: Report, formats: Mapping[str, str] = FORMATS) -> None:
    """Every format can be written, in UTF-8, and holds no character that a terminal would act on."""
    for name in formats:
        text = render(name, report, formats=formats)
        text.encode()
        if name in _JSON:
            json.loads(text, parse_constant=_refuse)
        else:
            shown = text.translate(_LINES)
            assert shown.isprintable(), f"{name} holds {next(char for char in shown if not char.isprintable())!a}"


def _refuse(constant: str) -> None:
    raise AssertionError(f"JSON holds {constant}, which no other reader takes")
