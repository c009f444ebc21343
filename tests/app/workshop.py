"""The Workshop opened at once, and what it says."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from tests.app.conftest import pages_html, words_of


def everything(at: AppTest) -> str:
    return words_of(at) + "\n".join(pages_html(at))


def button(at: AppTest, key: str) -> Any:
    return next(one for one in at.button if one.key == key)
