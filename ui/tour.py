"""The guided tour: some fifteen short stops over the pages, which can be left at any of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import streamlit as st

from persona_core.engine import Engine
from ui.people import choosing

AT = "_tour"
PARAMETER = "tour"


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing worth seeing: the page, what of it to look at (a container's key), and what to say."""

    page: str
    """As in its address; empty: the start page."""
    target: str
    title: str
    text: str
    opened: bool | None = None
    """Whether an item is to be open on the page of personas; None where that does not matter."""


STOPS = (
    Stop("", "numbers", "It all starts with what people wrote",
         "Purchases, and reviews in people's own words. Nothing else goes in."),
    Stop("personas", "map", "Reviews become people",
         "Every dot is a persona: a kind of person whom an item suits or disappoints. Those who want alike lie near each other.",
         opened=False),
    Stop("personas", "people_first", "Every item has a few of them",
         "The bar says how many reviewers each stands for; the sign says if the item suits them.", opened=True),
    Stop("personas", "people_first", "And every persona has its witnesses",
         "Open a quote: it is marked in the review it was taken from, word for word.", opened=True),
    Stop("for_you", "whose", "Now somebody comes in",
         "In the sidebar you choose whose eyes to look through. This is what suits them."),
    Stop("for_you", "card-1", "Each suggestion says why", "The persona that fits best, one sentence why, and a reviewer who said so."),
    Stop("for_you", "card-1", "And what it is made of",
         "The thin bar is the score: your taste, people with your past, what is popular. What may disappoint is taken off. "
         "The parts add up."),
    Stop("for_you", "controls", "You decide what counts",
         "Filters, variety and the weight of every part. Nothing is hidden behind them."),
    Stop("for_you", "asking", "Ask why something is missing",
         "Any item can be asked about; the answer says what holds it back and what would bring it in."),
    Stop("your_profile", "phrases", "The profile is yours", "It is text and phrases. Add, drop, strengthen or turn one round."),
    Stop("your_profile", "changes", "And it answers at once",
         "The list moves while you edit, and says which phrase moved what. Undo is always there."),
    Stop("trends", "trends_rising", "What rises, and what fades",
         "Forecasts of the time to come, read from the past. Choose an earlier day above and see what would have been said then."),
    Stop("trends", "trends_item", "A forecast with its reasons",
         "What the reason names is drawn in the chart. Below stands who drives it, and how far off such forecasts were."),
    Stop("scenarios", "scenario_flow", "What one world knows of another",
         "What somebody wants in one scenario says what they are likely to want in one that is new to them."),
    Stop("workshop", "graph", "No magic behind the curtain",
         "What is built from what, when, by which model, and how well it learned. That was the tour."),
)  # fmt: skip
PAGES = {
    "": "app_pages/start.py",
    **{name: f"app_pages/{name}.py" for name in ("for_you", "your_profile", "personas", "trends", "scenarios", "workshop")},
}


def begin() -> None:
    st.session_state[AT] = 0


def place() -> int | None:
    """At which stop this session is; None where it takes no tour."""
    at = st.session_state.get(AT)
    return at if isinstance(at, int) and 0 <= at < len(STOPS) else None


def _go(step: int) -> None:
    at = place()
    st.session_state[AT] = None if at is None or not 0 <= at + step < len(STOPS) else at + step


def _leave() -> None:
    st.session_state[AT] = None


def lead(page: str, engine: Engine | None) -> None:
    """Shows the stop where the tour is, on the page that it speaks of."""
    if AT not in st.session_state and PARAMETER in st.query_params:
        st.session_state[AT] = _number(str(st.query_params[PARAMETER]))
    at = place()
    if at is None:
        st.query_params.pop(PARAMETER, None)
        return
    stop = STOPS[at]
    if engine is not None and stop.opened is not None and st.session_state.get("_tour_shown") != at:
        st.session_state[choosing.ITEM] = example(engine) if stop.opened else None
    if stop.page != page and st.session_state.get("_tour_shown") != at:
        st.session_state["_tour_shown"] = at
        # without parameters of its own, it would refuse to clear those that belong to widgets
        st.switch_page(PAGES[stop.page], query_params={PARAMETER: str(at + 1)})
    st.session_state["_tour_shown"] = at
    st.query_params[PARAMETER] = str(at + 1)
    ring = "outline: 3px solid var(--ps-habit); outline-offset: 6px; border-radius: .5rem;"
    st.html(f"<style>.st-key-{stop.target} {{ {ring} }}</style>")
    _slip(at, stop)


def example(engine: Engine) -> str | None:
    """An item with many personas, so that there is something to see."""
    counts = Counter(persona.item_id for persona in engine.personas)
    return max(counts, key=lambda item: (counts[item], item)) if counts else None


def _number(text: str) -> int | None:
    return int(text) - 1 if text.isascii() and text.isdigit() and len(text) < 4 else None


def _slip(at: int, stop: Stop) -> None:
    with st.container(key="tour", gap="xsmall"):
        st.caption(f"Tour, {at + 1} of {len(STOPS)}")
        st.markdown(f"**{stop.title}**")
        st.markdown(stop.text)
        with st.container(horizontal=True, gap="small"):
            st.button("Back", key="tour_back", icon=":material/arrow_back:", disabled=at == 0, on_click=_go, args=(-1,))
            last = at == len(STOPS) - 1
            onward = "Done" if last else "Next"
            st.button(onward, key="tour_next", icon=":material/arrow_forward:", type="primary", on_click=_go, args=(1,))
            if not last:
                st.button("Leave the tour", key="tour_leave", type="tertiary", on_click=_leave)
