"""Study desk: a study from its design to its results, for who has the token."""

import streamlit as st

from persona_core.study.tables import people_of
from ui import resources, trouble
from ui.desk import choosing, designing, handing, inviting, lock, planning, previewing, reading, watching
from ui.study import room

PARTS = ("Design", "Preview", "Plan", "Invite", "Progress", "Results", "Hand over")

st.title("Study desk", anchor=False)
with st.container(key="lead"):
    st.markdown(
        "Find out by experiment what explanations do: design a study, look at it as a participant, run it, and read what it found."
    )

place = resources.workspace()
with trouble.shown():
    lock.open_or_stop(place)
    store = room.store(place)
    chosen = choosing.choose(place)
    part = st.segmented_control(
        "Part of the desk", PARTS, default=PARTS[0], required=True, key="desk_part", label_visibility="collapsed"
    )
    study = chosen.study
    served = place.settings.study.file
    if part == "Design" or study is None:
        designing.draw(chosen, place.settings.readonly, len(people_of(study, store)) if study else 0)
    elif part == "Preview":
        previewing.draw(study, resources.engine(place))
    elif part == "Plan":
        planning.draw(study, resources.engine(place), store)
    elif part == "Invite":
        inviting.draw(study, store, served is not None and served.resolve() == chosen.file)
    else:
        rehearsals = st.toggle("with rehearsals", key="desk_rehearsals", persist_state="session",
                               help="Count made-up participants, too.")  # fmt: skip
        if part == "Progress":
            watching.draw(study, store, rehearsals)
        elif part == "Results":
            reading.draw(study, store, rehearsals)
        else:
            handing.draw(place, study, chosen.text, store, rehearsals)
