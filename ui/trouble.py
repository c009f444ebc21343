"""How a page shows what went wrong: what happened, why, and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from persona_core.errors import PersonaError


def show(error: PersonaError) -> None:
    with st.container(border=True, key="trouble"):
        st.markdown(":material/error: **Something needs mending**")
        st.text("\n".join(part for part in (error.what, error.why) if part))
        if error.mend:
            st.caption("To mend it:")
            st.code(error.mend, language=None, wrap_lines=True)


@contextmanager
def shown() -> Iterator[None]:
    """Shows an error that a person can mend, and ends the page there."""
    try:
        yield
    except PersonaError as error:
        show(error)
        st.stop()
