"""The entry: the page's frame, the list of pages, and nothing else."""

import streamlit as st

from ui.look import ICON, lay_out

st.set_page_config(page_title="Personascope", page_icon=str(ICON), layout="wide")
lay_out()
st.navigation([st.Page("pages/start.py", title="Start", icon=":material/home:", default=True)], position="top").run()
