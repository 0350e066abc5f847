"""Specs written to a file called layer.yaml, and what reading them gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from convcost.errors import ConvcostError
from convcost.sources.spec import Spec, read_spec


@pytest.fixture(scope="module")
def spec_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("specs")


@pytest.fixture(scope="module")
def spec(spec_folder: Path) -> Callable[..., Spec]:
    """Reads a text as a spec; keywords go to `read_spec`."""

    def read(text: str, **request: object) -> Spec:
        path = spec_folder / "layer.yaml"
        path.write_text(text, encoding="utf-8")
        return read_spec(str(path), **request)

    return read


@pytest.fixture
def refusal(spec: Callable[..., Spec], spec_folder: Path) -> Callable[..., tuple[str, str]]:
    """The message, its folder cut off, and the hint that a text is refused with."""

    def read(text: str, **request: object) -> tuple[str, str]:
        with pytest.raises(ConvcostError) as caught:
            spec(text, **request)
        assert caught.value.hint
        assert "\n" not in caught.value.message + caught.value.hint
        return caught.value.message.replace(f"{spec_folder}/", ""), caught.value.hint

    return read
