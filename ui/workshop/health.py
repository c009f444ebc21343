"""What the doctor says, in plain words, each with what to do."""

from __future__ import annotations

import streamlit as st

from persona_core.doctor import Finding, examine
from persona_core.workspace import Workspace
from ui.markup import el, show

NAMES = {
    "python": "Python",
    "packages": "Libraries",
    "settings": "Settings",
    "demo world": "Demo data",
    "encoder weights": "Text encoder",
    "disk": "Disk space",
    "workspace": "This workspace",
    "chroma": "Persona index",
    "ollama": "Language model",
    "doctor": "The check itself",
}
SIGNS = {"ok": ("✓", "fine", "done"), "note": ("i", "good to know", "stale"), "trouble": ("✕", "needs mending", "broken")}


@st.cache_data(ttl=30, max_entries=4, show_spinner="Looking at everything …", refresh_mode="background")
def _findings(root: str) -> list[dict[str, str]]:
    return [one.as_dict() for one in examine(Workspace.at(root))]


def draw(place: Workspace) -> None:
    findings = [Finding(**one) for one in _findings(str(place.root))]  # type: ignore[arg-type]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{summary(findings)}**")
        if st.button("Look again", icon=":material/refresh:", key="workshop_look_again"):
            _findings.clear()
            st.rerun()
    for number, finding in enumerate(findings):
        _draw(number, finding)


def summary(findings: list[Finding]) -> str:
    troubles, notes = (sum(one.health == kind for one in findings) for kind in ("trouble", "note"))
    head = "Everything that is needed is there." if not troubles else f"{_things(troubles)} mending."
    return head + (f" {_things(notes, 'is', 'are')} good to know." if notes else "")


def _things(number: int, one: str = "needs", more: str = "need") -> str:
    return f"1 thing {one}" if number == 1 else f"{number} things {more}"


def _draw(number: int, finding: Finding) -> None:
    glyph, words, kind = SIGNS[finding.health]
    with st.container(key=f"finding-{number}", gap="xsmall"):
        show(
            el(
                "div",
                el("span", glyph, cls=f"ps-state ps-{kind}", aria_hidden="true"),
                el(
                    "div",
                    el("b", NAMES.get(finding.name, finding.name)),
                    el("span", f" {words}", cls=f"ps-small ps-state-words ps-{kind}"),
                    el("div", f"{finding.says[:1].upper()}{finding.says[1:]}", cls="ps-meta"),
                ),
                cls="ps-finding",
            )
        )
        if finding.mend and finding.health != "ok":
            st.code(finding.mend, language=None, wrap_lines=True)
