"""The profile as it stands, to be changed in place: its text, its likes and dislikes, and the reviews each rests on."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from persona_core.engine import Engine
from persona_core.files import digest
from persona_core.profiles.edits import LONGEST_PHRASE, LONGEST_TEXT, STRONGEST, WEAKEST
from persona_core.schema import Phrase, Profile, Quote
from ui import state
from ui.foryou.card import in_review
from ui.markup import Markup, el, show

TEXT = "profile_text"
STEPS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
MOST_REVIEWS = 12


def draw(engine: Engine, profile: Profile, names: Mapping[str, str]) -> None:
    with st.container(key="phrases"):
        _side(engine, "like", "Likes", profile.likes, names)
        _side(engine, "dislike", "Dislikes", profile.dislikes, names)
        st.subheader("In a few sentences", anchor=False)
        st.session_state[TEXT] = profile.text
        st.text_area("The profile's text", key=TEXT, height="content", max_chars=LONGEST_TEXT, label_visibility="collapsed",
                     placeholder="What you look for, what you avoid, how you decide.", on_change=_said,
                     help="Sentences count beside the phrases, half as much.")  # fmt: skip


def _said() -> None:
    state.act("say", str(st.session_state[TEXT]))


def _side(engine: Engine, kind: str, title: str, phrases: tuple[Phrase, ...], names: Mapping[str, str]) -> None:
    st.subheader(title, anchor=False)
    if not phrases:
        st.caption("None so far.")
    for phrase in phrases:
        with st.container(gap="xxsmall", key=f"phrase_of_{kind}_{digest(phrase.text.encode())[:12]}"):
            _row(engine, kind, phrase, names)
    key = f"add_{kind}"
    st.text_input(f"Add a {kind}", key=key, max_chars=LONGEST_PHRASE, label_visibility="collapsed",
                  placeholder=f"Add a {kind}, such as: {'a quiet evening at home' if kind == 'like' else 'loud fans'}",
                  on_change=state.act_typed, args=(kind, key))  # fmt: skip


def _row(engine: Engine, kind: str, phrase: Phrase, names: Mapping[str, str]) -> None:
    key = f"{kind}_{digest(phrase.text.encode())[:12]}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"row_{key}"):
        show(el("div", phrase.text, cls="ps-phrase"), _strength(phrase))
        _button("remove", "Counts less", f"{key}_less", "weigh", phrase.text, stepped(phrase.strength, -1), phrase.strength <= WEAKEST)
        _button("add", "Counts more", f"{key}_more", "weigh", phrase.text, stepped(phrase.strength, 1), phrase.strength >= STRONGEST)
        turned = "Turn it into a dislike" if kind == "like" else "Turn it into a like"
        _button("swap_vert", turned, f"{key}_flip", "flip", phrase.text)
        _button("close", "Take it away", f"{key}_drop", "drop", phrase.text)
    if phrase.review_ids:
        _source(engine, phrase, key, names)


def _button(icon: str, says: str, key: str, kind: str, text: str, value: float = 1.0, disabled: bool = False) -> None:
    st.button(
        f":material/{icon}:", key=key, help=says, type="tertiary", disabled=disabled, on_click=state.act, args=(kind, text, value)
    )


def _strength(phrase: Phrase) -> Markup:
    """How much it counts, as a short bar with its number."""
    share = 100 * phrase.strength / STRONGEST
    return el(
        "div",
        el("div", el("span", cls="ps-strength", style=f"width: {share:.0f}%"), cls="ps-bar ps-thin", aria_hidden="true"),
        el("span", f"counts {phrase.strength:g}×", cls="ps-small ps-quiet ps-number"),
        cls="ps-score ps-tight",
    )


def stepped(strength: float, by: int) -> float:
    """The next strength up or down the steps."""
    steps = [one for one in STEPS if (one > strength + 1e-6 if by > 0 else one < strength - 1e-6)]
    return (steps[0] if by > 0 else steps[-1]) if steps else strength


def _source(engine: Engine, phrase: Phrase, key: str, names: Mapping[str, str]) -> None:
    count = len(phrase.review_ids)
    label = f"from {count} of the reviews" if count > 1 else "from one of the reviews"
    opened = st.expander(label, key=f"{key}_source", on_change="rerun", type="compact", icon=":material/format_quote:")
    if opened.open:
        with opened:
            for title, pieces in _reviews(engine, phrase, names):
                show(el("p", f"On {title}", cls="ps-label"), pieces)


def _reviews(engine: Engine, phrase: Phrase, names: Mapping[str, str]) -> list[tuple[str, Markup]]:
    wanted = list(phrase.review_ids[:MOST_REVIEWS])
    found = []
    for review in engine.reviews(wanted):
        whole: list[Quote] = []
        found.append((engine.item(review.item_id).title, in_review(review, whole, names)))
    return found
