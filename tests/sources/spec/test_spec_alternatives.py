"""The alternatives a spec asks for are kept as written."""

from __future__ import annotations

import pytest

from convcost.sources.spec import RequestedAlternative

LAYER = "layer: {type: linear, in_features: 1, out_features: 1}\n"


def test_a_spec_without_alternatives_asks_for_none(spec):
    assert spec(LAYER).alternatives == ()


def test_names_and_options_are_kept_in_order_with_their_place(spec, spec_folder):
    text = f"{LAYER}alternatives:\n  - depthwise_separable\n  - {{name: grouped, groups: [2, 4, 8], shuffle: true}}\n"
    plain, grouped = spec(text).alternatives
    assert plain == RequestedAlternative(name="depthwise_separable", where=plain.where)
    assert (grouped.name, grouped.options) == ("grouped", (("groups", (2, 4, 8)), ("shuffle", True)))
    assert str(grouped.where) == f"{spec_folder}/layer.yaml:4:5"


@pytest.mark.parametrize(
    ("alternatives", "message"),
    [
        ("[]", "2:15: alternatives is empty"),
        ("grouped", "2:15: alternatives must be a list, not 'grouped'"),
        ("[3]", "2:16: an alternative must be text, not 3"),
        ("[{groups: 2}]", "2:16: an alternative has no 'name'"),
        ("[{name: [a]}]", "2:23: name must be text, not a list"),
        ("[{name: a, groups: {b: 1}}]", "2:34: option groups must be a scalar or a list of scalars, not a mapping"),
        ("[{name: a, groups: }]", "2:34: option groups must be a scalar or a list of scalars, not nothing"),
        ("[{name: a, groups: []}]", "2:34: option groups is an empty list"),
        ("[{name: a, groups: [[1]]}]", "2:35: option groups must be a scalar or a list of scalars, not a list"),
    ],
)
def test_what_is_not_a_name_with_options_is_refused_at_its_place(refusal, alternatives, message):
    assert refusal(f"{LAYER}alternatives: {alternatives}\n")[0] == f"layer.yaml:{message}"
