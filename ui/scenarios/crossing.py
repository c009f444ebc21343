"""One person across scenarios: what they carry to one that is new to them, as a picture, and what would suit them there."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from persona_core.engine import Engine, Ranked
from persona_core.explain.grammar import listed
from persona_core.scenarios.elsewhere import as_newcomer, chosen_there
from persona_core.scenarios.files import Over, Scenarios
from persona_core.schema import Claim, ClaimKind, Explanation, Profile
from ui import frame, resources, state
from ui.foryou.card import meta, quoted
from ui.look import tame
from ui.markup import Markup, el, show
from ui.scenarios import flow

TARGET = "scenario_target"
SHOWN, LOOKED = 5, 10


def draw(engine: Engine, scenarios: Scenarios) -> None:
    """Whoever we look through, as if they had never been to one of the scenarios."""
    st.header("From one to another", anchor=False)
    profile, whose = state.profile(engine), frame.name_of(engine, state.who())
    can = reachable(engine, scenarios, profile)
    if not can:
        st.info(
            f"Too little is known of {tame(whose)} in any one scenario to say what they carry to another. "
            "Look through somebody else’s eyes, in the sidebar, or pick a few things on “For you”.",
            title="Nothing to carry over", icon=":material/luggage:",
        )  # fmt: skip
        return
    with st.container(key="scenario_whose", gap="small"):
        target = _choose(whose, can, profile, engine)
        left, options = as_newcomer(engine, profile, target, engine.options)
        ranked = engine.rank(left, options)
        assert ranked.over is not None  # nosec B101 # it can be reached
        chosen = chosen_there(engine, profile, target)
        show(el("p", _said(whose, scenarios, ranked.over, target, len(chosen)), cls="ps-told"))
        _told(scenarios, profile.user_id)
    flow.draw(scenarios, ranked.over, scenarios.code[target], target)
    _suits(engine, ranked, whose, target, chosen)


def reachable(engine: Engine, scenarios: Scenarios, profile: Profile) -> list[str]:
    """To which scenarios something carries over: the new ones first, then those of which they know the most."""
    found = []
    for name in scenarios.names:
        left, options = as_newcomer(engine, profile, name)
        over = scenarios.over(left, engine.profile(profile.user_id), options.as_new)
        if over is not None and scenarios.code[name] in over.places:
            found.append(name)
    met = {name: len(chosen_there(engine, profile, name)) for name in found}
    return sorted(found, key=lambda name: (met[name] > 0, -met[name], name))


def _choose(whose: str, can: Sequence[str], profile: Profile, engine: Engine) -> str:
    if st.session_state.get(TARGET) not in can:
        st.session_state.pop(TARGET, None)
    label = f"What would {tame(whose)} want in …"
    return st.segmented_control(label, can, default=can[0], key=TARGET, format_func=str.capitalize, required=True) or can[0]


def _said(whose: str, scenarios: Scenarios, over: Over, target: str, hidden: int) -> str:
    """Where they are known from, and what is hidden here."""
    counts = zip(scenarios.names, over.counts, strict=True)
    there = [f"{name} ({int(count)} visits)" for name, count in counts if count and name != target]
    known = f"{whose} is known from {listed(there)}."
    if not hidden:
        return f"{known} They have never been to {target}: this is what their wishes say of it."
    things = "1 thing" if hidden == 1 else f"{hidden} things"
    return f"{known} They did choose {things} in {target}; all of that is hidden here, as if {target} were new to them."


def _told(scenarios: Scenarios, user: str) -> None:
    told = scenarios.told_of(user)
    if told is not None and told.text:
        by = "" if told.by == "rule" else f" In the words of {told.by}."
        with st.expander("All that is known of them across scenarios", icon=":material/person_search:"):
            show(el("p", told.text, cls="ps-told"), el("p", f"As built, before any edits.{by}", cls="ps-meta"))


# What would suit them ----------------------------------------------------------------------------------------------------


def _suits(engine: Engine, ranked: Ranked, whose: str, target: str, chosen: Sequence[str]) -> None:
    with st.container(key="scenario_suits", gap="small"):
        st.subheader(f"What would suit them in {target}", anchor=False)
        first = [engine.items[int(item)].id for item in ranked.order[:LOOKED]]
        if chosen:
            show(el("p", _check(engine, whose, target, first, chosen), cls="ps-told"))
        st.caption("Each reason as it would be said to them.")
        names = resources.names(engine.workspace)
        for rank, item_id in enumerate(first[:SHOWN], start=1):
            explained = engine.explain(ranked, item_id)
            show(_card(engine, rank, item_id, explained, item_id in chosen, names))


def _check(engine: Engine, whose: str, target: str, first: Sequence[str], chosen: Sequence[str]) -> str:
    """What they truly chose there, found again without looking."""
    hits, many = len(set(first) & set(chosen)), sum(one.scenario == target for one in engine.items)
    chance = len(first) * len(chosen) / max(many, 1)
    return f"Of the first {len(first)}, {hits} {'is a thing' if hits == 1 else 'are things'} that {whose} did choose there. " \
           f"By chance it would be about {chance:.1f}. They are among the people all this was learned from, which flatters it; " \
           "the test below leaves out whom it asks about."  # fmt: skip


def _card(engine: Engine, rank: int, item_id: str, explained: Explanation, chose: bool, names: dict[str, str]) -> Markup:
    item = engine.item(item_id)
    claim = carried(explained)
    mark = el("span", "✓ chosen there", cls="ps-small ps-came") if chose else None
    body = [el("div", el("div", item.title, cls="ps-title"), mark, cls="ps-head"), el("p", meta(item), cls="ps-meta")]
    if claim is not None:
        body += [el("p", claim.text, cls="ps-because"), *quoted(engine, item_id, claim.quotes[:1], names)]
    elif explained.reasons:
        body.append(el("p", explained.reasons[0].text, cls="ps-because"))
    return el("div", el("div", f"{rank}", cls="ps-rank", aria_label=f"Rank {rank}"), el("div", *body), cls="ps-card ps-crossed")


def carried(explained: Explanation) -> Claim | None:
    """What carries over, where that can be said; else the first that can."""
    over = next((one for one in explained.claims if one.kind is ClaimKind.CARRIES), None)
    return over or next(iter(explained.claims), None)
