"""The entry: the page's frame, the list of pages, and nothing else."""

import streamlit as st

from ui import frame, resources
from ui.look import ICON, lay_out

st.set_page_config(page_title="Personascope", page_icon=str(ICON), layout="wide")
lay_out()
desk = st.Page("app_pages/study_desk.py", title="Study desk", icon=":material/science:", help="Run a study of explanations.")
if resources.served_study():
    take_part = st.Page("app_pages/take_part.py", title="Take part", icon=":material/how_to_reg:", default=True)
    st.navigation([take_part, desk], position="hidden").run()
    st.stop()
page = st.navigation(
    [
        st.Page("app_pages/start.py", title="Start", icon=":material/home:", default=True, help="What this workspace holds."),
        st.Page("app_pages/for_you.py", title="For you", icon=":material/recommend:", help="What suits this person, and why."),
        st.Page("app_pages/your_profile.py", title="Your profile", icon=":material/edit_note:", help="Change what is known of you."),
        st.Page("app_pages/personas.py", title="Personas", icon=":material/groups:", help="The catalogue by its people."),
        st.Page("app_pages/trends.py", title="Trends", icon=":material/trending_up:", help="What rises and fades, and who drives it."),
        st.Page("app_pages/scenarios.py", title="Scenarios", icon=":material/hub:", help="What one world says of another."),
        st.Page("app_pages/workshop.py", title="Workshop", icon=":material/construction:", help="What is built from what."),
        desk,
    ],
    position="top",
)
frame.around(page.url_path)
page.run()
