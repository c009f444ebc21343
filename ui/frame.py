"""What stands around every page: whose eyes we look through, what has just been said, the tour; and the engine behind it all."""

from __future__ import annotations

import streamlit as st

from persona_core.engine import STEPS as ENGINE_STEPS
from persona_core.engine import Engine
from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceMissing
from persona_core.schema import Profile
from persona_core.workspace import Workspace
from ui import building, resources, state, tour, trouble
from ui.look import tame

MOST_PEOPLE = 3_000
"""So many can be chosen from; of larger data, those with the longest past."""
PICKER = "who_picker"


def around(page: str) -> None:
    """Draws the sidebar and the tour. Where nothing is built yet, or it is broken, the page itself says so."""
    engine = engine_or_none()
    if engine is not None:
        state.begin(engine)
        state.mirror(engine)
        with st.sidebar:
            _picker(engine)
        words = state.said()
        if words:
            st.toast(words, icon=":material/info:", duration="long")
    tour.lead(page, engine)


def engine_or_none() -> Engine | None:
    try:
        return resources.engine(resources.workspace())
    except PersonaError:
        return None


def engine_or_stop() -> Engine:
    """The engine; where it cannot be opened, the page shows the build, or what is wrong and what to press, and ends there."""
    with trouble.shown():
        place = resources.workspace()
        try:
            return resources.engine(place)
        except (WorkspaceMissing, ArtefactBroken) as error:
            for step in ENGINE_STEPS:
                building.ensure_built(place, step)
            _offer(place, error)
            st.stop()


def _offer(place: Workspace, error: PersonaError) -> None:
    """All steps are there, and yet it cannot be opened: what is wrong, and the button that mends it."""
    job = resources.build_job(str(place.root))
    if job.running:
        building.watch(job)
        return
    trouble.show(error)
    if not place.settings.readonly and st.button("Bring up to date", type="primary", icon=":material/update:"):
        job.start()
        st.rerun()


# Whose eyes -------------------------------------------------------------------------------------------------------------


def _picker(engine: Engine) -> None:
    lines = people(engine)
    options = [state.NEW, *lines]
    if state.who() not in options:
        options.append(state.who())
    st.session_state[PICKER] = state.who()
    st.selectbox(
        "Whose eyes do we look through?",
        options,
        format_func=lambda user: "Someone new" if user == state.NEW else lines.get(user) or user,
        key=PICKER,
        on_change=_picked,
        args=(frozenset(options),),
        help="Type a name, or words of a taste.",
    )
    st.caption(tame(about(engine, state.profile(engine))))


def _picked(options: frozenset[str]) -> None:
    chosen = st.session_state[PICKER]
    if chosen in options:
        state.look_through(chosen)


def people(engine: Engine) -> dict[str, str]:
    """Everybody who can be chosen, by id, each as a line: a name and what they like most."""
    return _lines(str(engine.workspace.root), engine.workspace.version_now("profiles"), engine)


@st.cache_data(max_entries=2, show_spinner=False)
def _lines(root: str, version: str, _engine: Engine) -> dict[str, str]:
    """Each person with a line about them, by name."""
    users = _engine.profiles.users()
    profiles = [_engine.profile(user) for user in users]
    if len(profiles) > MOST_PEOPLE:
        profiles = sorted(profiles, key=lambda one: -len(one.history))[:MOST_PEOPLE]
    names = resources.names(_engine.workspace)
    called = {one.user_id: names.get(one.user_id) or one.user_id for one in profiles}
    ordered = sorted(profiles, key=lambda one: (called[one.user_id].casefold(), one.user_id))
    return {one.user_id: _line(called[one.user_id], one) for one in ordered}


def _line(name: str, profile: Profile) -> str:
    likes = [one.text for one in sorted(profile.likes, key=lambda one: -one.strength)]
    return f"{name} · {likes[0]}" if likes else name


def name_of(engine: Engine, user: str) -> str:
    if user == state.NEW:
        return "Someone new"
    return resources.names(engine.workspace).get(user) or user


def about(engine: Engine, profile: Profile) -> str:
    """A line about the person whose profile this is."""
    if profile.user_id == state.NEW or not (profile.history or profile.likes):
        said = f"{len(profile.likes)} likes, {len(profile.dislikes)} dislikes, no past." if profile.likes or profile.dislikes else ""
        return said or "Nothing is known yet: pick a few phrases."
    wants = [one.text for one in sorted(profile.likes, key=lambda one: -one.strength)[:3]]
    past = f"{len(profile.history):,} things in their past"
    edits = len(state.journal().acts[: state.journal().at])
    changed = f" {edits} {'edit' if edits == 1 else 'edits'} by you." if edits else ""
    said = f"{'; '.join(wants)}. {past}.{changed}" if wants else f"{past}.{changed}"
    return said[:1].upper() + said[1:]
