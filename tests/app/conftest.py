"""The app under AppTest: on a workspace of the test's own, with nothing remembered from the test before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from persona_core.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
Opened = Callable[[Workspace], AppTest]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def open_app(monkeypatch: pytest.MonkeyPatch) -> Opened:
    def opened(place: Workspace) -> AppTest:
        monkeypatch.setenv("PERSONA_WORKSPACE", str(place.root))
        return AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()

    return opened


def words_of(at: AppTest) -> str:
    """Everything a reader could read on the page."""
    kinds = (
        "title",
        "header",
        "subheader",
        "markdown",
        "caption",
        "text",
        "code",
        "info",
        "warning",
        "error",
        "metric",
        "button",
    )
    return "\n".join(
        str(part)
        for kind in kinds
        for element in at.get(kind)
        for part in (getattr(element, "label", ""), getattr(element, "value", ""))
        if part
    )
