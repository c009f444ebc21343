"""One suggestion as a card: what it is, its score as a bar, whom it suits, why, and one quote; and all of it, opened."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from persona_core.engine import Engine, Ranked
from persona_core.explain import what_if, why_above
from persona_core.profiles.journal import setting
from persona_core.schema import Claim, Explanation, Item, Persona, Quote, Recommendation, Review
from ui import parts, state
from ui.cards import marked, stars
from ui.look import tame
from ui.markup import Markup, el, show
from ui.people.chip import chip

LONGEST_QUOTE = 260
MOST_REVIEW = 6_000


def draw(engine: Engine, ranked: Ranked, found: Recommendation, explained: Explanation, names: Mapping[str, str]) -> None:
    item = engine.item(found.item_id)
    with st.container(border=True, key=f"card-{found.rank}", gap="xsmall"):
        show(closed(engine, ranked, found, explained, names))
        with st.container(horizontal=True, key=f"card-actions-{found.rank}", gap="small", vertical_alignment="center"):
            opened = st.toggle("Why, in full", key=f"open_{found.item_id}", persist_state="session")
            _less(engine, explained, found)
        if opened:
            _full(engine, ranked, found, explained, names, item)


def closed(engine: Engine, ranked: Ranked, found: Recommendation, explained: Explanation, names: Mapping[str, str]) -> Markup:
    """The card before it is opened."""
    item = engine.item(found.item_id)
    claim = explained.claims[0] if explained.claims else None
    persona = engine.persona(claim.persona_id) if claim and claim.persona_id else None
    if persona is None and found.match is not None:
        persona = engine.persona(found.match.persona_id)
    head = el("div", el("div", item.title, cls="ps-title"), chip(persona) if persona else None, cls="ps-head")
    body = [head, el("p", meta(item), cls="ps-meta"), parts.bar(found.parts, parts.most_of(ranked))]
    if claim is not None:
        body += [el("p", claim.text, cls="ps-because"), *quoted(engine, found.item_id, claim.quotes[:1], names)]
    else:
        body.append(el("p", _reason_alone(explained), cls="ps-because"))
    return el("div", el("div", f"{found.rank}", cls="ps-rank", aria_label=f"Rank {found.rank}"), el("div", *body), cls="ps-card")


def meta(item: Item) -> str:
    """What it is, in a line."""
    price = f"{item.price_band} price" if item.price_band else ""
    money = f"{item.price:,.2f}" if item.price is not None else ""
    return " · ".join(
        one for one in (item.scenario.capitalize(), f"{price} ({money})" if price and money else price or money, item.maker) if one
    )


def _reason_alone(explained: Explanation) -> str:
    if explained.reasons:
        return explained.reasons[0].text
    return explained.certainty.text if explained.certainty else "It stands here by numbers alone."


def quoted(engine: Engine, item_id: str, quotes: tuple[Quote, ...], names: Mapping[str, str]) -> list[Markup]:
    reviews = {one.id: one for one in engine.reviews_of(item_id)}
    found = []
    for quote in quotes:
        review = reviews.get(quote.review_id)
        text = " ".join(quote.text.split())
        short = text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE].rsplit(' ', 1)[0]} …"
        found.append(el("blockquote", short, cls="ps-quote"))
        if review is not None:
            found.append(el("p", byline(review, names), cls="ps-byline"))
    return found


def byline(review: Review, names: Mapping[str, str]) -> str:
    rated = "" if review.rating is None else f"{stars(review.rating)} "
    return f"{rated}{names.get(review.user_id) or 'A reviewer'}, {review.time:%d %B %Y}"


# A kind of reason one does not like ---------------------------------------------------------------------------------------


def _less(engine: Engine, explained: Explanation, found: Recommendation) -> None:
    """What the first reason rests on, each with a way to make it count less."""
    claim = explained.claims[0] if explained.claims else None
    with st.popover("Not for this reason", icon=":material/thumb_down:", type="tertiary"):
        if claim is None:
            st.caption("No words of yours are behind this one: it goes by numbers. Under “What counts” you can turn those down.")
            return
        st.caption("It says so because of this. Choose what should count less; the list follows at once, and undo is on your profile.")
        likes = {one.text: one for one in state.profile(engine).likes}
        for number, cited in enumerate(claim.cited):
            if cited.text in likes:
                key = f"less_{found.item_id}_{number}"
                half = max(0.1, round(likes[cited.text].strength / 2, 2))
                st.button(f"Count less: {tame(cited.text)}", key=f"{key}_weigh", on_click=state.act, args=("weigh", cited.text, half))
                st.button(f"Take away: {tame(cited.text)}", key=f"{key}_drop", on_click=state.act, args=("drop", cited.text))
        persona = engine.persona(claim.persona_id) if claim.persona_id else None
        for number, trait in enumerate(_traits(persona)):
            words = f"I am not like that: {tame(trait)}"
            st.button(words, key=f"not_{found.item_id}_{number}", on_click=state.act, args=("dislike", trait))


def _traits(persona: Persona | None) -> tuple[str, ...]:
    return persona.traits[:2] if persona is not None else ()


# Opened -----------------------------------------------------------------------------------------------------------------


def _full(
    engine: Engine, ranked: Ranked, found: Recommendation, explained: Explanation, names: Mapping[str, str], item: Item
) -> None:  # fmt: skip
    left, right = st.columns([3, 2], gap="large")
    with left:
        for claim in explained.claims:
            _claim(engine, item, claim, names)
        if explained.cautions:
            show(el("p", "What may disappoint", cls="ps-label"))
            for claim in explained.cautions:
                _claim(engine, item, claim, names)
    with right:
        show(el("p", "The score and its parts", cls="ps-label"), parts.table(found.parts))
        if explained.reasons or explained.certainty:
            says = [el("p", one.text, cls="ps-small") for one in explained.reasons]
            if explained.certainty:
                says.append(el("p", explained.certainty.text, cls="ps-small ps-quiet"))
            show(el("div", el("p", "Behind the numbers", cls="ps-label"), *says, cls="ps-aside"))
        _beside(engine, ranked, found)
        _moving(engine, ranked, item)


def _claim(engine: Engine, item: Item, claim: Claim, names: Mapping[str, str]) -> None:
    persona = engine.persona(claim.persona_id) if claim.persona_id else None
    reviews = {one.id: one for one in engine.reviews_of(item.id)}
    pieces: list[Markup] = [el("p", claim.text, cls="ps-because")]
    if persona is not None:
        pieces += [el("p", chip(persona)), el("p", persona.description, cls="ps-small")]
        pieces.append(el("p", persona.rationale, cls="ps-small ps-quiet"))
    pieces += [el("p", _worded(claim), cls="ps-small ps-quiet")] if claim.worded_by != "rule" else []
    for quote in claim.quotes:
        review = reviews.get(quote.review_id)
        if review is not None and quote.stands_in(review):
            pieces.append(in_review(review, [quote], names))
    show(el("div", *pieces, cls="ps-claim"))


def _worded(claim: Claim) -> str:
    return f"Worded by {claim.worded_by}, and checked against the quotes."


def in_review(review: Review, quotes: list[Quote], names: Mapping[str, str]) -> Markup:
    """The whole review with its quotes marked."""
    *pieces, rest = marked(review.text, quotes)
    return el(
        "div",
        el("p", *pieces, str(rest)[:MOST_REVIEW], cls="ps-review ps-quote ps-whole"),
        el("p", byline(review, names), cls="ps-byline"),
    )


def _beside(engine: Engine, ranked: Ranked, found: Recommendation) -> None:
    """Why it stands above the next."""
    if found.rank < len(ranked.order):
        below = engine.items[int(ranked.order[found.rank])].id
        show(
            el("p", "Why above the next one", cls="ps-label"),
            el("p", why_above(engine, ranked, found.item_id, below).text, cls="ps-small"),
        )


def _moving(engine: Engine, ranked: Ranked, item: Item) -> None:
    """What would move it: asked for by a button, because it tries hundreds of edits."""
    show(el("p", "What would move it", cls="ps-label"))
    key = f"moving_{item.id}"
    if st.button("Find the smallest change", key=key, icon=":material/search:"):
        tell_what_would_move(engine, ranked, item.id)


def tell_what_would_move(engine: Engine, ranked: Ranked, item_id: str) -> None:
    with st.spinner("Trying small changes of the profile …", show_time=True):
        found = what_if(engine, ranked.profile, ranked.options, item_id)
    show(el("p", found.text, cls="ps-small"))
    if found.profile is not None:
        st.button("Make this change", key=f"do_{item_id}", icon=":material/check:", on_click=state.do, args=(setting(found.profile),))
