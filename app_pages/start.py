"""The start page: what this workspace holds, in numbers and voices, and the way into the tour."""

import streamlit as st

from ui import building, cards, charts, resources, tour, trouble

st.title("Personascope", anchor=False)
with st.container(key="lead"):
    st.markdown(
        "Recommendations that a person can read, argue with and change. "
        "This is the ground they stand on: what people bought, and what they said about it."
    )

st.button("Take the tour", icon=":material/tour:", type="primary", on_click=tour.begin, help="A dozen short stops, five minutes.")

with trouble.shown():
    place = resources.workspace()
    building.ensure_built(place, "overview")
    states = resources.step_states(place)
    found = resources.overview(place)

building.say_what_is_late(place, states)
cards.numbers(
    {
        "Items": f"{found['items']:,}",
        "People": f"{found['users']:,}",
        "Purchases": f"{found['reviews']:,}",
        "Written reviews": f"{found['texts']:,}",
        "Buy in two scenarios or more": f"{found['users_in_two_or_more'] / max(1, found['users']):.0%}",
    }
)

if found["voices"]:
    st.header("What they say", anchor=False)
    st.caption("The latest words from each scenario, as they were written.")
cards.scenarios(found["scenarios"], found["voices"])

st.header("Month by month", anchor=False)
charts.monthly_reviews(found["months"])

st.header("What is built", anchor=False)
building.list_steps(states)
building.list_rejected(states)

st.header("Bring your own reviews", anchor=False)
st.markdown("Amazon Reviews, Yelp and MovieLens files are recognised; of any other table, name the columns.")
st.code(
    "python -m persona_core build --workspace data/workspaces/mine --from reviews.csv \\\n"
    "    --map user=customer --map item=product --map rating=stars --map time=date --map text=comment\n"
    "PERSONA_WORKSPACE=data/workspaces/mine streamlit run app.py",
    language=None,
    wrap_lines=True,
)
