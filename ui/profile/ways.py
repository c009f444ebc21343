"""Other ways to see somebody: candidate profiles side by side, what each was worth, and one press to take one or parts of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from persona_core.engine import Engine
from persona_core.errors import PersonaError
from persona_core.evaluation.worlds import cut_place
from persona_core.llm.choice import BETWEEN, opened_models, reachable_models
from persona_core.profiles.journal import setting
from persona_core.profiles.ways.asked import WARMTH
from persona_core.profiles.ways.choices import Kind, remember
from persona_core.profiles.ways.exploring import Way, title_of
from persona_core.profiles.ways.now import Explorer, Standing
from persona_core.profiles.ways.work import LATELY
from persona_core.profiles.ways.written import EXTRACTION, to_lines
from persona_core.schema import Phrase, Profile
from persona_core.workspace import Workspace
from ui import state
from ui.look import tame
from ui.markup import Markup, el, show

AT_FIRST = 3
OPEN, ALL, REFUSED, TOLD = "ways", "ways_all", "_ways_refused", "_ways_told"
SOME = 3
"""So many titles are named of what they did since."""
USED = "needs"
"""How the profile that the build gives is made."""


def draw(engine: Engine, profile: Profile) -> None:
    if state.is_new():
        return
    sheet = st.expander("Other ways to see you", icon=":material/switch_account:", key=OPEN, on_change="rerun")
    with sheet:
        if not sheet.open:  # what is not seen need not be made
            return
        explorer = _explorer(engine)
        made = _told().get(profile.user_id) or explorer.ways(profile.user_id)
        found = [way for way in made if way.key not in _refused(profile.user_id)]
        if not found:
            st.caption("Too little is known of this person to see them in other ways.")
            return
        standing = explorer.standing(profile.user_id)
        _introduce(engine.workspace, found[0], explorer.newest.get(profile.user_id, ()), standing)
        shown = found if st.session_state.get(ALL) else found[:AT_FIRST]
        with st.container(key="ways_cards"):  # a grid, see style.css: as many beside each other as there is room for
            for way in shown:
                with st.container(border=True, height="stretch", key=f"way_{_plain(way.key)}"):
                    _card(engine, way, profile, standing)
        with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
            if len(found) > AT_FIRST:
                st.toggle(f"Show all {len(found)}", key=ALL)
            _ask_models(engine, explorer, profile.user_id)


def _introduce(place: Workspace, way: Way, newest: Sequence[str], standing: Standing | None) -> None:
    """What they are made from, and by what they were judged."""
    made = (
        f"Each is made from what you did until {_when(way.boundary)}; what you did since counts beside it, as it is: {_some(newest)}."
        if way.boundary is not None
        else "Each is made from all that you did."
    )
    judged = (
        f" They were tried on your next {_choices(standing.cases)} after {_when(standing.moment)}, knowing nothing of them."
        if standing
        else f" Nobody has tried yet which of them finds your next choices; this does: `{place.command('profiles judge')}`"
    )
    st.caption(f"The same history can be told in many ways. {made}{judged} A + is not in your profile yet.")


def _card(engine: Engine, way: Way, profile: Profile, standing: Standing | None) -> None:
    by = "" if way.source == EXTRACTION else f" · by {way.source}"
    show(
        el("div", title_of(way.style), el("span", by, cls="ps-small ps-quiet"), cls="ps-title"),
        el("p", worth_in_words(way, standing), cls="ps-small ps-worth"),
        _side("Likes", way.profile.likes, {one.text for one in profile.likes}, way.unborne),
        _side("Dislikes", way.profile.dislikes, {one.text for one in profile.dislikes}, way.unborne),
        _text(way),
    )
    with st.container(horizontal=True, gap="small", key=f"way_row_{_plain(way.key)}"):
        _press(engine.workspace, "adopt", way, profile)
        _phrases_to_add(engine.workspace, way, profile)
        _press(engine.workspace, "reject", way, profile)


_PRESSES: dict[Kind, tuple[str, str]] = {
    "adopt": ("Use this one", "Puts it in the place of your profile. Undo brings back the one before."),
    "reject": ("Not me", "Puts it away, and remembers that your profile was the better one."),
}


def _press(place: Workspace, kind: Kind, way: Way, profile: Profile) -> None:
    label, says = _PRESSES[kind]
    st.button(label, key=f"way_{kind}_{_plain(way.key)}", help=says, type="tertiary" if kind == "reject" else "secondary",
              on_click=_chosen, args=(place, kind, way, profile))  # fmt: skip


def _phrases_to_add(place: Workspace, way: Way, profile: Profile) -> None:
    """What the profile does not say yet, phrase by phrase, or all at once."""
    whole = merged(profile, way)
    new = [one.text for side in ("likes", "dislikes") for one in getattr(whole, side)[len(getattr(profile, side)) :]]
    key = _plain(way.key)
    with st.popover("Add phrases", disabled=not new, key=f"way_more_{key}"):
        st.caption("What your profile does not say yet. Press what is true of you; undo takes it back.")
        for number, text in enumerate(new):
            st.button(tame(text), icon=":material/add:", key=f"way_add_{key}_{number}", on_click=_chosen,
                      args=(place, "merge", way, profile, (text,)))  # fmt: skip
        if len(new) > 1:
            st.button(
                f"All {len(new)}", key=f"way_merge_{key}", type="tertiary", on_click=_chosen, args=(place, "merge", way, profile)
            )


def worth_in_words(way: Way, standing: Standing | None) -> str:
    """What it did for the choices that came next, beside the way that the profile is built in."""
    worth = standing.ways.get(way.key) if standing else None
    if worth is None or standing is None:
        return "It was not tried on what came next."
    said = f"Puts {worth.found} of your next {_choices(worth.cases)} in the top 20"
    usual = standing.ways.get(f"{EXTRACTION}: {USED}")
    if way.style == USED and way.source == EXTRACTION:
        return f"{said}: your profile is built in this way. Without any profile: {standing.without}."
    return f"{said}; the way your profile is built: {usual.found}." if usual else f"{said}; without any profile: {standing.without}."


def _choices(many: int) -> str:
    return "choice" if many == 1 else f"{many} choices"


def _side(title: str, phrases: Sequence[Phrase], own: set[str], unborne: Sequence[str]) -> Markup | None:
    if not phrases:
        return None
    lines = [_phrase(one.text, new=one.text not in own, borne=one.text not in unborne) for one in phrases]
    return el("div", el("p", title, cls="ps-label"), el("ul", *lines, cls="ps-list ps-ways"))


def _phrase(text: str, *, new: bool, borne: bool) -> Markup:
    sign = "+" if new else "="
    says = "not in your profile" if new else "in your profile too"
    quiet = None if borne else el("span", " nothing in what you did bears this out", cls="ps-small")
    return el(
        "li",
        el("span", sign, title=says, cls="ps-move ps-in" if new else "ps-quiet"),
        el("span", text, quiet),
        cls="" if borne else "ps-quiet",
    )


def _text(way: Way) -> Markup | None:
    return el("div", el("p", "In sentences", cls="ps-label"), el("p", way.profile.text, cls="ps-small")) if way.profile.text else None


# Choosing ----------------------------------------------------------------------------------------------------------------


def _chosen(place: Workspace, kind: Kind, way: Way, profile: Profile, only: tuple[str, ...] = ()) -> None:
    if kind == "reject":
        st.session_state[REFUSED] = {**_all_refused(), profile.user_id: (*_refused(profile.user_id), way.key)}
        state.say("Put away.")
    else:
        state.do(setting(adopted(way) if kind == "adopt" else merged(profile, way, only)))
    try:
        remember(place, profile.user_id, kind, way.key, way.lines, to_lines(profile))
    except PersonaError as error:
        if not place.settings.readonly:
            state.say(tame(f"{error.what} {error.mend}".strip()))


def adopted(way: Way) -> Profile:
    """The way itself, without what nothing bears out."""
    held = {side: tuple(one for one in getattr(way.profile, side) if one.text not in way.unborne) for side in ("likes", "dislikes")}
    text = way.profile.text
    for sentence in way.unborne:
        text = text.replace(sentence, "")
    return way.profile.model_copy(update={**held, "text": " ".join(text.split())})


def merged(profile: Profile, way: Way, only: Sequence[str] = ()) -> Profile:
    """The profile with those phrases of the way that it does not have, on neither side; or with these alone of them."""
    taken = {one.text for one in (*profile.likes, *profile.dislikes)}
    own = adopted(way)

    def side(name: str) -> tuple[Phrase, ...]:
        new = (one for one in getattr(own, name) if one.text not in taken and (not only or one.text in only))
        return *getattr(profile, name), *new

    return profile.model_copy(update={name: side(name) for name in ("likes", "dislikes")})


def _all_refused() -> dict[str, tuple[str, ...]]:
    kept = st.session_state.get(REFUSED)
    return kept if isinstance(kept, dict) else {}


def _refused(user_id: str) -> tuple[str, ...]:
    return _all_refused().get(user_id, ())


# Models ------------------------------------------------------------------------------------------------------------------


def _ask_models(engine: Engine, explorer: Explorer, user_id: str) -> None:
    """What the models of the settings would write of them; asked at a press, and kept, so that it is asked once."""
    place = engine.workspace
    if place.settings.ollama.use == "never" or place.settings.readonly or user_id in _told():
        return
    named = ", ".join(place.settings.writers)
    says = "A language model on your own machine writes more of them from the same past. It takes a minute or two."
    if not st.button(f"Ask {tame(named)} as well", icon=":material/forum:", key="ways_ask", type="tertiary", help=says):
        return
    with st.status(f"Asking {tame(named)} …") as told:
        try:
            there = reachable_models(place.settings.ollama, place.settings.writers)
            if not there:
                raise PersonaError(f"{named} cannot be reached.", mend="Start it with `ollama serve`, then press again.")
            models = opened_models(place, "profiles", BETWEEN.join(there), WARMTH)
            found = explorer.told_by(user_id, models, lambda done: told.update(label=tame(done)))
        except PersonaError as error:
            told.update(label=tame(f"{error.what} {error.mend}"), state="error")
            return
        if all(way.source == EXTRACTION for way in found):
            told.update(label="There is nothing in your own words from that time that a model could read.", state="complete")
            return
    st.session_state[TOLD] = {**_told(), user_id: found}
    st.rerun()


def _told() -> dict[str, tuple[Way, ...]]:
    kept = st.session_state.get(TOLD)
    return kept if isinstance(kept, dict) else {}


# What all sessions share -------------------------------------------------------------------------------------------------


def _explorer(engine: Engine) -> Explorer:
    place = engine.workspace
    versions = tuple(place.version_now(name) for name in ("catalog", "aspects", "personas"))
    return _opened(str(place.root), (*versions, place.settings.profiles.model_dump_json(), str(_judged(place))), engine)


@st.cache_resource(max_entries=2, show_spinner="Looking at everybody's past …")
def _opened(root: str, versions: tuple[str, ...], _engine: Engine) -> Explorer:
    return Explorer.open(Workspace.at(root), _engine.book)


def _judged(place: Workspace) -> float:
    """Changes whenever the ways were judged anew."""
    pointer = cut_place(place, LATELY.cut).step_folder(LATELY.name) / "current"
    try:
        return pointer.stat().st_mtime
    except OSError:
        return 0.0


def _when(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%B %Y}"


def _some(titles: Sequence[str]) -> str:
    """The first few, and how many more."""
    named = [f"“{tame(title)}”" for title in titles[:SOME]]
    more = [f"{len(titles) - SOME} more"] if len(titles) > SOME else []
    *most, last = [*named, *more] or ["nothing"]
    return f"{', '.join(most)} and {last}" if most else last


def _plain(key: str) -> str:
    return "".join(sign if sign.isalnum() else "_" for sign in key)
