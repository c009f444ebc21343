"""An item by its people: whom it suits and whom it disappoints, each with its share, its reasons and its quotes in place."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from persona_core.engine import Engine
from persona_core.schema import Item, Persona, Quote, Review
from ui import resources, state
from ui.cards import marked, stars
from ui.look import tame
from ui.markup import Markup, el, joined, show
from ui.people import choosing, curating
from ui.people.chip import WORDS, chip, stances

MOST_ADMIRERS = 6
CLOSENESS = ((0.6, "very close"), (0.45, "close"), (0.3, "fairly close"), (0.0, "not far"))


def draw(engine: Engine, item: Item) -> None:
    st.button("Back to all personas", icon=":material/arrow_back:", type="tertiary", key="people_back", on_click=choosing.close_item)
    reviews = {one.id: one for one in engine.reviews_of(item.id)}
    show(_head(item, reviews))
    personas = _in_order(engine.personas_of(item.id))
    if not personas:
        _nobody(reviews)
    else:
        show(stances())
    names = resources.names(engine.workspace)
    for persona in personas:
        place = "people_first" if persona is personas[0] else f"people-card-{persona.id}"
        with st.container(border=True, key=place, gap="small"):
            _card(engine, persona, reviews, names)
    curating.history(engine, item.id)


def _head(item: Item, reviews: Mapping[str, Review]) -> Markup:
    texts = sum(bool(one.text) for one in reviews.values())
    price = "" if item.price is None else f"{item.price:,.2f}" + (f" ({item.price_band})" if item.price_band else "")
    counts = f"{len(reviews):,} {'purchase' if len(reviews) == 1 else 'purchases'}, {texts:,} with a review"
    return el(
        "div",
        el("h3", item.title or item.id, cls="ps-title ps-item-title"),
        el("p", " · ".join(part for part in (item.scenario, item.maker, price, counts) if part), cls="ps-meta"),
        el("p", item.description, cls="ps-about") if item.description else None,
    )


def _in_order(personas: list[Persona]) -> list[Persona]:
    """The one by which the item was opened, then by share."""
    focus = st.session_state.get(choosing.FOCUS)
    return sorted(personas, key=lambda one: (one.id != focus, -one.weight, one.id))


def _nobody(reviews: Mapping[str, Review]) -> None:
    if any(one.text for one in reviews.values()):
        st.info(
            "Its reviews do not say enough, or its personas are hidden.", title="No personas to show", icon=":material/person_off:"
        )
    else:
        st.info(
            "Nobody has written about it yet; personas stand on reviews.",
            title="No reviews, no personas",
            icon=":material/person_off:",
        )


# A persona ---------------------------------------------------------------------------------------------------------------


def _card(engine: Engine, persona: Persona, reviews: Mapping[str, Review], names: Mapping[str, str]) -> None:
    show(_told(persona))
    for number, quote in enumerate(persona.quotes):
        _quote(persona, number, quote, reviews.get(quote.review_id), names)
    asked = st.expander(
        "Who in the data is like this",
        key=f"people_like_{persona.id}",
        type="compact",
        on_change="rerun",
        icon=":material/diversity_1:",
    )
    if asked.open:
        with asked:
            _admirers(engine, persona, names)
    curating.tools(engine, persona)


def _told(persona: Persona) -> Markup:
    share = f"{persona.weight:.0%}"
    return joined(
        el(
            "div",
            chip(persona),
            el("span", el("span", el("span", style=f"width: {100 * persona.weight:.0f}%"), cls="ps-share", aria_hidden="true"),
               f" {share} of its reviewers · ", WORDS[persona.stance], cls="ps-small ps-quiet"),
            cls="ps-head",
        ),
        el("p", persona.description, cls="ps-about"),
        el("div", *(el("span", trait, cls="ps-trait") for trait in persona.traits), cls="ps-traits") if persona.traits else None,
        el("p", why_of(persona), cls="ps-why"),
    )  # fmt: skip


def why_of(persona: Persona) -> str:
    """The rationale without the quotes, which stand beneath it."""
    said = persona.rationale
    for quote in persona.quotes:
        said = said.replace(f"“{quote.text}”", "")
    return " ".join(said.split()) or "What they say:"


def _quote(persona: Persona, number: int, quote: Quote, review: Review | None, names: Mapping[str, str]) -> None:
    with st.container(gap=None, key=f"people-quote-{persona.id}-{number}"):
        show(el("blockquote", quote.text, cls="ps-quote"), el("p", byline(review, names), cls="ps-byline"))
        if review is not None and quote.stands_in(review) and len(review.text) > len(quote.text):
            with st.expander("The whole review", key=f"people_review_{persona.id}_{number}", type="compact"):
                show(el("div", *marked(review.text, [quote]), cls="ps-review"))


def byline(review: Review | None, names: Mapping[str, str]) -> str:
    if review is None:
        return "The review is not here any more."
    rated = "" if review.rating is None else stars(review.rating)
    when = f"{review.time.day} {review.time:%B %Y}"
    return " · ".join(part for part in (rated, names.get(review.user_id) or review.user_id, when) if part)


# Who is like this --------------------------------------------------------------------------------------------------------


def closeness(match: float) -> str:
    return next((words for least, words in CLOSENESS if match >= least), "far")


def _admirers(engine: Engine, persona: Persona, names: Mapping[str, str]) -> None:
    found = engine.admirers(persona.id, MOST_ADMIRERS)
    if not found:
        st.caption("Nobody in the data comes near.")
    came = engine.came_to(persona.item_id)
    for user, match in found:
        name = names.get(user) or user
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"people-admirer-{persona.id}-{user}"):
            likes = [one.text for one in sorted(engine.profile(user).likes, key=lambda one: -one.strength)[:2]]
            had = "has it already" if user in came else ""
            show(
                el("p", el("strong", name), f" {match:.2f}, {closeness(match)}"),
                el("p", " · ".join(part for part in ("; ".join(likes), had) if part), cls="ps-meta"),
            )
            st.button(
                "Look through their eyes",
                icon=":material/visibility:",
                key=f"people_eyes_{persona.id}_{user}",
                help=f"From now on, every page shows what {tame(name)} would see.",
                on_click=look_through,
                args=(user, name),
            )


def look_through(user: str, name: str) -> None:
    state.look_through(user)
    state.say(f"Now looking through the eyes of {tame(name)}.")
