"""One participant's visit: where they are, as the store has it, and how what they do gets there, or is said not to have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from persona_core.engine import Engine
from persona_core.errors import PersonaError
from persona_core.study.sitting import AnswerRefused, Hall, NotYourTurn, Sitting
from persona_core.study.store import StoreUnavailable
from ui.markup import Markup, el, show

_TROUBLE, _ASIDE = "_study_trouble", "_study_aside"
Found = TypeVar("Found")


@dataclass(frozen=True)
class Visit:
    hall: Hall
    engine: Engine
    sitting: Sitting
    token: str

    def word(self, name: str, **values: object) -> str:
        return self.hall.study.word(name, **values)

    @property
    def step_id(self) -> str:
        return self.sitting.step.id if self.sitting.step else "done"

    def draft(self, question: str) -> Any:
        """What was last said to a question of this page."""
        return self.sitting.drafts.get(self.step_id, {}).get(question)

    def key(self, name: str) -> str:
        return f"study_{self.step_id}_{name}"

    # Doing; each is a callback -------------------------------------------------------------------------------------------

    def keep(self, question: str, key: str) -> None:
        """Notes what a widget holds now."""
        self.do(lambda: self.hall.draft(self.sitting, question, st.session_state.get(key)))

    def finish(self, answers: Callable[[], dict[str, Any]]) -> None:
        """Ends this page with what `answers` gives."""
        self.do(lambda: self.hall.finish(self.sitting, self.step_id, answers()))

    def do(self, act: Callable[[], object]) -> None:
        """Does what was pressed; what was said of an earlier press is said no more."""
        st.session_state.pop(_TROUBLE, None)
        st.session_state.pop(_ASIDE, None)
        self.attempt(act)

    def attempt(self, act: Callable[[], object]) -> None:
        """Does it; what could not be kept is said on the page, which stays as it is."""
        try:
            act()
        except StoreUnavailable:
            st.session_state[_TROUBLE] = True
        except NotYourTurn:
            pass  # another tab has gone on: the page that comes now is drawn
        except AnswerRefused as error:
            st.session_state[_ASIDE] = self.word("answer_all", missing=len(error.why.splitlines()))
        except PersonaError as error:
            st.session_state[_ASIDE] = f"{error.what} {error.mend}".strip()


def refuse(words: str) -> None:
    st.session_state[_ASIDE] = words


def last_known(place: str, whose: str, look: Callable[[], Found]) -> Found:
    """What `look` finds; while the store does not answer, what it found last of the same: what they have on their page stays there."""
    try:
        found = look()
    except StoreUnavailable:
        before, found = st.session_state.get(place, ("", None))
        if before != whose or found is None:
            raise
        st.session_state[_TROUBLE] = True
    else:
        st.session_state[place] = (whose, found)
    return found


def tell(visit: Visit) -> None:
    """What went wrong, once, near the button that was pressed."""
    if st.session_state.pop(_TROUBLE, None):
        not_kept(visit.word)
    aside = st.session_state.pop(_ASIDE, None)
    if aside:
        st.warning(aside, icon=":material/edit_note:")


def not_kept(word: Callable[[str], str]) -> None:
    """Something of ours does not answer."""
    st.error(word("trouble"), title=word("trouble_title"), icon=":material/sync_problem:")


def paragraphs(text: str, cls: str = "ps-told") -> Markup:
    """A text of the researcher's as paragraphs; its words are shown letter for letter."""
    return el("div", *(el("p", " ".join(one.split()), cls=cls) for one in text.split("\n\n") if one.strip()), cls="ps-paragraphs")


def words(text: str, cls: str = "ps-told") -> None:
    show(paragraphs(text, cls))
